//! Scores read in two directions: high as good in one place, low as good in another.
//!
//! A score is best at its top. `recency_score <= 2` beside `recency_days <= 30` says "long ago" and "lately" of one
//! customer. And a score that the rules only ever ask to be low where others are high, and high where others are low,
//! is most likely taken for a number of which less is better.

use serde::Serialize;

use super::{
    ast::{Comparison, Constant, Expr, Kind},
    config::Checked,
};

/// The ending of a score's name.
const SCORE: &str = "_score";
/// A score's measure, and whether less of it is better.
const MEASURES: [(&str, &str, bool); 3] = [
    ("recency_score", "recency_days", true),
    ("frequency_score", "order_count", false),
    ("monetary_score", "monetary", false),
];

/// Two columns read in contrary directions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Direction {
    /// The score.
    pub column: String,
    /// What it is at odds with.
    pub other: String,
    /// The rules that show it.
    pub labels: Vec<String>,
    /// Whether one customer would have to be both: a score against its own measure.
    pub contradicts: bool,
}

/// Which half of a column a rule asks for.
type Side<'a> = (&'a str, bool);

/// Looks for mixed directions.
pub(crate) fn directions(checked: &Checked) -> Vec<Direction> {
    let sides: Vec<(&str, Vec<Side<'_>>)> = checked
        .rules
        .iter()
        .map(|rule| {
            let mut sides = Vec::new();
            gather(&rule.condition, false, &mut sides);
            (rule.label.as_str(), sides)
        })
        .collect();
    let mut found = Vec::new();
    for (score, measure, less_is_better) in MEASURES {
        let labels: Vec<String> = sides
            .iter()
            .filter(|(_, sides)| {
                side_of(sides, score)
                    .zip(side_of_measure(sides, measure))
                    .is_some_and(|(score, measure)| (score == measure) == less_is_better)
            })
            .map(|(label, _)| (*label).to_owned())
            .collect();
        if !labels.is_empty() {
            found.push(Direction { column: score.into(), other: measure.into(), labels, contradicts: true });
        }
    }
    found.extend(turned(checked, &sides));
    found
}

/// Scores that are low wherever the others are high, and the other way round.
fn turned(checked: &Checked, sides: &[(&str, Vec<Side<'_>>)]) -> Vec<Direction> {
    let scores: Vec<&str> =
        checked.names.iter().map(String::as_str).filter(|name| name.to_lowercase().ends_with(SCORE)).collect();
    let mut found = Vec::new();
    for score in &scores {
        let others: Vec<&str> = scores.iter().copied().filter(|other| other != score).collect();
        let (mut up, mut down, mut agree) = (Vec::new(), Vec::new(), false);
        for (label, sides) in sides {
            let Some(own) = side_of(sides, score) else { continue };
            let other: Vec<bool> = others.iter().filter_map(|other| side_of(sides, other)).collect();
            agree |= other.contains(&own);
            if !other.is_empty() {
                if own { &mut up } else { &mut down }.push((*label).to_owned());
            }
        }
        if !agree && !up.is_empty() && !down.is_empty() {
            let labels = [down, up].concat();
            let other = others.iter().filter(|other| sides.iter().any(|(_, sides)| side_of(sides, other).is_some()));
            let other = other.copied().collect::<Vec<_>>().join(", ");
            found.push(Direction { column: (*score).to_owned(), other, labels, contradicts: false });
        }
    }
    // Of two scores each is turned against the other: only recency is likely to be the one.
    if found.len() > 1 && found.iter().any(|direction| direction.column == MEASURES[0].0) {
        found.retain(|direction| direction.column == MEASURES[0].0);
    }
    found.truncate(1);
    found
}

/// The side of a column, where all of a rule's conditions agree on it.
fn side_of(sides: &[Side<'_>], column: &str) -> Option<bool> {
    let mut own = sides.iter().filter(|(name, _)| *name == column).map(|(_, high)| *high);
    let first = own.next()?;
    own.all(|high| high == first).then_some(first)
}

/// The same for a measure and its windows (`order_count_90D`).
fn side_of_measure(sides: &[Side<'_>], measure: &str) -> Option<bool> {
    let is_it = |name: &str| name.strip_prefix(measure).is_some_and(|rest| rest.is_empty() || is_window(rest));
    let mut own = sides.iter().filter(|(name, _)| is_it(name)).map(|(_, high)| *high);
    let first = own.next()?;
    own.all(|high| high == first).then_some(first)
}

fn is_window(rest: &str) -> bool {
    let digits = rest.trim_start_matches('_').trim_end_matches(['D', 'M']);
    rest.starts_with('_') && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The columns a rule asks to be high (above a number) or low, among the conditions that must all hold.
fn gather<'a>(tree: &'a Expr, negated: bool, sides: &mut Vec<Side<'a>>) {
    match &tree.kind {
        Kind::And(terms) if !negated => terms.iter().for_each(|term| gather(term, false, sides)),
        Kind::Or(terms) if negated => terms.iter().for_each(|term| gather(term, true, sides)),
        Kind::Not(inner) => gather(inner, !negated, sides),
        Kind::Compare(comparison, left, right) => {
            let (name, comparison) = match (&left.kind, &right.kind) {
                (Kind::Column(name), Kind::Constant(Constant::Number(_))) => (name, *comparison),
                (Kind::Constant(Constant::Number(_)), Kind::Column(name)) => (name, comparison.flipped()),
                _ => return,
            };
            let high = match comparison {
                Comparison::Greater | Comparison::GreaterOrEqual => true,
                Comparison::Less | Comparison::LessOrEqual => false,
                Comparison::Equal | Comparison::NotEqual => return,
            };
            sides.push((name, high != negated));
        }
        _ => {}
    }
}
