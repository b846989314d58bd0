//! The values of each column that can make a difference to a set of rules.
//!
//! A line of numbers, or of texts in order, is cut at the constants the rules compare it with: each constant is a
//! value, and each stretch between two of them. Columns that are compared with each other share their cuts, and have
//! as many values in every stretch as there are columns, so that any order among them can be had.

use super::{
    ast::{Comparison, Constant, Expr, Is, Kind, quoted},
    check::ColumnKind,
    config::{Checked, Domain, Unknown, Value},
    moments,
    number::{Number, Units},
    plain::{Plain, can_be_missing},
    stretch::{Stretch, as_number, compare, points, reals_within, stretches, units_within},
};
use crate::{Result, column::TimeUnit};

/// One column's values: what a person reads, and what the rules see (`None` is missing).
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) shown: Vec<String>,
    pub(crate) values: AxisValues,
}

#[derive(Debug, Clone)]
pub(crate) enum AxisValues {
    Units(Vec<Option<i128>>, Option<i8>),
    Double(Vec<Option<f64>>),
    Single(Vec<Option<f32>>),
    Text(Vec<Option<String>>),
    Bool(Vec<Option<bool>>),
    Date(Vec<Option<i32>>),
    Timestamp(Vec<Option<i64>>, TimeUnit),
}

/// How the rules use a column.
#[derive(Default)]
struct Use {
    constants: Vec<Constant>,
    /// Columns it is compared with.
    others: Vec<usize>,
    /// Whether a rule asks for its order.
    ordered: bool,
    /// Whether a rule asks if it is missing.
    may_be_missing: bool,
}

/// Columns that are compared with each other, directly or through others.
pub(crate) struct Group {
    /// The columns.
    pub(crate) members: Vec<usize>,
    /// All they are compared with, the ends and members of their domains included.
    pub(crate) constants: Vec<Constant>,
    /// Whether a rule asks for the order of any.
    pub(crate) ordered: bool,
    /// How many of them have a whole line of values.
    pub(crate) lines: usize,
}

/// How the rules use every column, the values its domain lists, and the columns it is compared with.
struct Survey {
    uses: Vec<Use>,
    lists: Vec<Option<Vec<Constant>>>,
    groups: Vec<Group>,
}

/// The axes of all columns. `most` is how many whole numbers of a domain are listed one by one; a wider domain is cut
/// like a line.
pub(crate) fn axes(plain: &Plain, most: u64) -> Result<Vec<Axis>> {
    let Survey { uses, lists, groups } = survey(plain, most)?;
    let columns = uses.iter().zip(&lists).zip(&groups).enumerate();
    Ok(columns
        .map(|(column, ((used, list), group))| axis(&plain.checked, column, used, list.as_deref(), group))
        .collect())
}

/// The group of every column.
pub(crate) fn groups(plain: &Plain, most: u64) -> Result<Vec<Group>> {
    Ok(survey(plain, most)?.groups)
}

fn survey(plain: &Plain, most: u64) -> Result<Survey> {
    let checked = &plain.checked;
    let mut uses = uses(checked);
    for (place, expression) in (plain.real..).zip(&plain.expressions) {
        if let Some(found) = uses.get_mut(place) {
            found.may_be_missing |= can_be_missing(expression);
        }
    }
    // With "skip" a missing value decides: the rules that ask for it are passed over.
    if checked.unknown == Unknown::Skip {
        for used in &mut uses {
            used.may_be_missing = true;
        }
    }
    let columns = 0..checked.names.len();
    let lists: Vec<Option<Vec<Constant>>> =
        columns.clone().map(|column| listed(plain, column, most)).collect::<Result<_>>()?;
    let owners = owners(&uses);
    let groups = columns.map(|column| group(checked, &uses, &lists, &owners, column)).collect();
    Ok(Survey { uses, lists, groups })
}

/// The values of a column, where its domain lists them.
fn listed(plain: &Plain, column: usize, most: u64) -> Result<Option<Vec<Constant>>> {
    let needed = plain.listed.get(column).copied().unwrap_or(false);
    Ok(match domain(&plain.checked, column) {
        Some(Domain::List(members)) => Some(members.iter().map(Value::constant).collect::<Result<_>>()?),
        Some(Domain::Whole(low, high)) if needed || high.abs_diff(*low) < most => {
            Some((*low..=*high).map(|value| Constant::Number(Number::whole(value.into()))).collect())
        }
        _ => None,
    })
}

fn domain(checked: &Checked, column: usize) -> Option<&Domain> {
    checked.domains.iter().find(|(of, _)| *of == column).map(|(_, domain)| domain)
}

fn uses(checked: &Checked) -> Vec<Use> {
    let mut uses: Vec<Use> = checked.names.iter().map(|_| Use::default()).collect();
    let place = |tree: &Expr| match &tree.kind {
        Kind::Column(name) => checked.names.iter().position(|known| known == name),
        _ => None,
    };
    for rule in &checked.rules {
        rule.condition.walk(&mut |node| {
            let mut meet = |a: &Expr, b: &Expr, ordered: bool| {
                for (one, other) in [(a, b), (b, a)] {
                    let Some(found) = place(one).and_then(|column| uses.get_mut(column)) else { continue };
                    found.ordered |= ordered;
                    match &other.kind {
                        Kind::Constant(constant) => found.constants.push(constant.clone()),
                        _ => found.others.extend(place(other)),
                    }
                }
            };
            match &node.kind {
                Kind::Compare(comparison, left, right) => {
                    meet(left, right, !matches!(comparison, Comparison::Equal | Comparison::NotEqual));
                }
                Kind::In { value, list, .. } => list.iter().for_each(|member| meet(value, member, false)),
                Kind::Between { value, low, high, .. } => {
                    meet(value, low, true);
                    meet(value, high, true);
                }
                Kind::Is { value, what: Is::Null, .. } => {
                    // What a comparison inside IS NULL reads can be missing too.
                    for name in value.columns() {
                        let column = checked.names.iter().position(|known| known == name);
                        if let Some(found) = column.and_then(|column| uses.get_mut(column)) {
                            found.may_be_missing = true;
                        }
                    }
                }
                _ => {}
            }
        });
    }
    uses
}

/// The lowest column of each column's group.
fn owners(uses: &[Use]) -> Vec<usize> {
    let mut owners: Vec<usize> = (0..uses.len()).collect();
    loop {
        let mut changed = false;
        for (column, found) in uses.iter().enumerate() {
            for other in &found.others {
                let (a, b) = (owners.get(column).copied(), owners.get(*other).copied());
                let (Some(a), Some(b)) = (a, b) else { continue };
                let lowest = a.min(b);
                for place in [column, *other] {
                    if let Some(owner) = owners.get_mut(place) {
                        changed |= *owner != lowest;
                        *owner = lowest;
                    }
                }
            }
        }
        if !changed {
            return owners;
        }
    }
}

fn group(checked: &Checked, uses: &[Use], lists: &[Option<Vec<Constant>>], owners: &[usize], column: usize) -> Group {
    let owner = owners.get(column);
    let members = owners.iter().enumerate().filter(|(_, other)| Some(*other) == owner).map(|(member, _)| member);
    let mut group = Group { members: members.collect(), ordered: false, constants: Vec::new(), lines: 0 };
    for member in group.members.clone() {
        if let Some(found) = uses.get(member) {
            group.ordered |= found.ordered;
            group.constants.extend(found.constants.iter().cloned());
        }
        match lists.get(member) {
            Some(Some(list)) => group.constants.extend(list.iter().cloned()),
            _ => group.lines += 1,
        }
        group.constants.extend(bounds(checked, member).into_iter().flat_map(<[Number; 2]>::from).map(Constant::Number));
    }
    if group.members.iter().any(|member| checked.kinds.get(*member) == Some(&ColumnKind::Date)) {
        let days = moments::cut(ColumnKind::Date, &group).into_iter();
        let days = days.filter_map(|(_, at)| i32::try_from(at.div_euclid(moments::step(ColumnKind::Date))).ok());
        let days: Vec<Constant> = days.map(Constant::Date).collect();
        group.constants.extend(days);
    }
    // Coarse scales first: what they stand at cuts the finer ones.
    let kinds = || group.members.iter().filter_map(|member| checked.kinds.get(*member).copied());
    let mut scales: Vec<i8> = kinds().filter_map(scale).collect();
    let finest = kinds().any(|kind| scale(kind).is_none());
    scales.sort_unstable();
    scales.dedup();
    if !finest {
        scales.pop();
    }
    for scale in scales {
        let points = points(&group.constants);
        let units = stretches(&points).into_iter().flat_map(|stretch| units_within(stretch, scale, group.lines));
        let more: Vec<Constant> = units.filter_map(|units| number_of(units, scale)).map(Constant::Number).collect();
        group.constants.extend(more);
    }
    group
}

/// Digits behind the point, of columns of whole units.
fn scale(kind: ColumnKind) -> Option<i8> {
    match kind {
        ColumnKind::Whole => Some(0),
        ColumnKind::Decimal(scale) => Some(scale),
        _ => None,
    }
}

fn number_of(units: i128, scale: i8) -> Option<Number> {
    if scale == 0 { Some(Number::whole(units)) } else { Number::parse(&format!("{units}e{}", -i32::from(scale))) }
}

/// The ends of a column's domain, where it is an interval or a range that is not listed.
fn bounds(checked: &Checked, column: usize) -> Option<(Number, Number)> {
    match domain(checked, column)? {
        Domain::Whole(low, high) => Some((Number::whole((*low).into()), Number::whole((*high).into()))),
        Domain::Interval(low, high) => {
            Some((Number::parse(&format!("{low:e}"))?, Number::parse(&format!("{high:e}"))?))
        }
        Domain::List(_) => None,
    }
}

fn axis(checked: &Checked, column: usize, used: &Use, list: Option<&[Constant]>, group: &Group) -> Axis {
    let kind = checked.kinds.get(column).copied().unwrap_or(ColumnKind::Null);
    let (mut shown, mut values) = match (kind, list) {
        (ColumnKind::Null, _) => (Vec::new(), AxisValues::Bool(Vec::new())),
        (_, Some(list)) => members(kind, list),
        (ColumnKind::Bool, None) => {
            (vec!["FALSE".to_owned(), "TRUE".to_owned()], AxisValues::Bool(vec![Some(false), Some(true)]))
        }
        (ColumnKind::Text, None) => texts(group),
        (kind, None) if kind.is_number() => {
            let range = bounds(checked, column);
            let inside = |number: Number| {
                range.is_none_or(|(low, high)| compare(low, number).is_le() && compare(number, high).is_le())
            };
            cut(kind, group, &inside)
        }
        (kind, None) => moments::axis(kind, moments::cut(kind, group).into_iter()),
    };
    if kind == ColumnKind::Null || used.may_be_missing {
        shown.push("missing".to_owned());
        match &mut values {
            AxisValues::Units(values, _) => values.push(None),
            AxisValues::Double(values) => values.push(None),
            AxisValues::Single(values) => values.push(None),
            AxisValues::Text(values) => values.push(None),
            AxisValues::Bool(values) => values.push(None),
            AxisValues::Date(values) => values.push(None),
            AxisValues::Timestamp(values, _) => values.push(None),
        }
    }
    let name = checked.names.get(column).cloned().unwrap_or_default();
    Axis { name, shown, values }
}

/// Values given one by one; those the column's kind cannot hold are left out.
fn members(kind: ColumnKind, list: &[Constant]) -> (Vec<String>, AxisValues) {
    let numbers: Vec<Number> = list.iter().filter_map(as_number).collect();
    let names = || numbers.iter().map(ToString::to_string).collect();
    match kind {
        ColumnKind::Date | ColumnKind::Timestamp(..) => {
            moments::axis(kind, list.iter().filter_map(moments::moment).map(|at| (None, at)))
        }
        ColumnKind::Text => {
            let texts: Vec<String> = list.iter().filter_map(as_text).map(str::to_owned).collect();
            (
                texts.iter().map(|text| quoted(text, '\'')).collect(),
                AxisValues::Text(texts.into_iter().map(Some).collect()),
            )
        }
        ColumnKind::Bool => {
            let flags = list.iter().filter_map(|member| match member {
                Constant::Bool(flag) => Some((member.to_string(), Some(*flag))),
                _ => None,
            });
            let (shown, flags) = flags.unzip();
            (shown, AxisValues::Bool(flags))
        }
        ColumnKind::Double => {
            (names(), AxisValues::Double(numbers.iter().map(|number| Some(number.to_f64())).collect()))
        }
        ColumnKind::Single => {
            (names(), AxisValues::Single(numbers.iter().map(|number| Some(number.to_f32())).collect()))
        }
        _ => {
            let scale = if let ColumnKind::Decimal(scale) = kind { Some(scale) } else { None };
            let exact = numbers.iter().filter_map(|number| match number.units(scale.unwrap_or(0)) {
                Units::Floor(units, true) => Some((number.to_string(), Some(units))),
                _ => None,
            });
            let (shown, units) = exact.unzip();
            (shown, AxisValues::Units(units, scale))
        }
    }
}

fn as_text(constant: &Constant) -> Option<&str> {
    if let Constant::Text(text) = constant { Some(text) } else { None }
}

/// Every text a rule names and, where order matters, the texts between them; otherwise one that is none of them.
fn texts(group: &Group) -> (Vec<String>, AxisValues) {
    let mut points: Vec<&str> = group.constants.iter().filter_map(as_text).collect();
    points.sort_unstable();
    points.dedup();
    let longest = points.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    let lines = group.lines.max(1);
    let numbered = |name: String, texts: Vec<String>| {
        let which = move |place: usize| if lines > 1 { format!("{name} ({})", place + 1) } else { name.clone() };
        texts.into_iter().enumerate().map(move |(place, text)| (which(place), Some(text)))
    };
    for (place, point) in points.iter().enumerate() {
        if group.ordered {
            let before = place.checked_sub(1).and_then(|before| points.get(before)).copied();
            let (name, start, skip) = match before {
                None => (format!("a text before {}", quoted(point, '\'')), "", 0),
                Some(before) => {
                    (format!("a text between {} and {}", quoted(before, '\''), quoted(point, '\'')), before, 1)
                }
            };
            let next = (skip..skip + lines).map(|count| format!("{start}{}", "\0".repeat(count)));
            found.extend(numbered(name, next.take_while(|text| text.as_str() < *point).collect()));
        }
        found.push((quoted(point, '\''), Some((*point).to_owned())));
    }
    let last = match points.last() {
        None => "any text".to_owned(),
        Some(last) if group.ordered => format!("a text after {}", quoted(last, '\'')),
        Some(_) => "another text".to_owned(),
    };
    found.extend(numbered(last, (1..=lines).map(|count| "\u{10ffff}".repeat(longest + count)).collect()));
    let (shown, values) = found.into_iter().unzip();
    (shown, AxisValues::Text(values))
}

/// The line cut at the group's constants: each constant, and as many values of each stretch as there are lines.
fn cut(kind: ColumnKind, group: &Group, inside: &dyn Fn(Number) -> bool) -> (Vec<String>, AxisValues) {
    let points = points(&group.constants);
    let stretches = stretches(&points);
    let name = |stretch: &Stretch, alone: bool, value: String| match stretch {
        (Some(low), Some(high)) if low == high => low.to_string(),
        _ if !alone => value,
        (Some(low), Some(high)) => format!("between {low} and {high}"),
        (None, Some(high)) => format!("below {high}"),
        (Some(low), None) => format!("above {low}"),
        (None, None) => "any number".to_owned(),
    };
    // A stretch lies inside the domain or outside it: the domain's ends are points.
    let within = |stretch: &Stretch| match stretch {
        (Some(low), Some(high)) => inside(*low) && inside(*high),
        (Some(end), None) | (None, Some(end)) => {
            let step = end.to_f64().abs().max(1.0);
            let beyond = end.to_f64() + if stretch.0.is_some() { step } else { -step };
            inside(*end) && Number::parse(&format!("{beyond:e}")).is_some_and(inside)
        }
        (None, None) => true,
    };
    let stretches: Vec<Stretch> = stretches.into_iter().filter(|stretch| within(stretch)).collect();
    let lines = group.lines.max(1);
    match kind {
        ColumnKind::Double => {
            let (mut shown, mut values) = (Vec::new(), Vec::new());
            for stretch in &stretches {
                for value in reals_within((stretch.0.map(Number::to_f64), stretch.1.map(Number::to_f64)), lines) {
                    shown.push(name(stretch, lines == 1, value.to_string()));
                    values.push(Some(value));
                }
            }
            (shown, AxisValues::Double(values))
        }
        ColumnKind::Single => {
            let (mut shown, mut values) = (Vec::new(), Vec::new());
            for stretch in &stretches {
                let wide = |number: Number| f64::from(number.to_f32());
                let mut last = None;
                for value in reals_within((stretch.0.map(wide), stretch.1.map(wide)), lines) {
                    let value = value as f32;
                    let inside = stretch.0 == stretch.1
                        || stretch.0.is_none_or(|low| value > low.to_f32())
                            && stretch.1.is_none_or(|high| value < high.to_f32());
                    if inside && last != Some(value) {
                        shown.push(name(stretch, lines == 1, value.to_string()));
                        values.push(Some(value));
                        last = Some(value);
                    }
                }
            }
            (shown, AxisValues::Single(values))
        }
        _ => {
            let scale = if let ColumnKind::Decimal(scale) = kind { Some(scale) } else { None };
            let (mut shown, mut values) = (Vec::new(), Vec::new());
            for stretch in &stretches {
                let two = units_within(*stretch, scale.unwrap_or(0), lines.max(2));
                for units in two.iter().take(lines) {
                    if scale.is_none() && i64::try_from(*units).is_err() {
                        continue;
                    }
                    let value =
                        number_of(*units, scale.unwrap_or(0)).map_or_else(String::new, |units| units.to_string());
                    shown.push(name(stretch, lines == 1 && two.len() > 1, value));
                    values.push(Some(*units));
                }
            }
            (shown, AxisValues::Units(values, scale))
        }
    }
}
