//! What the caller asks for, as it arrives and as it is once checked: a [`Card`].

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::{
    card::{Card, Indicator, Outcome, Reading},
    decimal::decimal,
};
use crate::{Error, Result, cuts::Cuts, did_you_mean};

/// The most outcomes one indicator may have: their number is a 16-bit code.
const MOST_OUTCOMES: usize = 60_000;
/// The most bands one indicator may have, as for bins.
const MOST_BANDS: usize = 100;

/// What the caller asks of one indicator, not yet checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicatorConfig {
    /// The indicator's name.
    pub name: String,
    /// What a reason calls it.
    pub label: String,
    /// Which column of the frame it reads.
    pub column: usize,
    /// Cuts of a measure, ascending: numbers (meaning `<=`) or texts with an operator.
    #[serde(default)]
    pub edges: Value,
    /// The points of each band, in order of value.
    #[serde(default)]
    pub points: Value,
    /// Pairs of a category and its points.
    #[serde(default)]
    pub categories: Option<Vec<(Value, Value)>>,
    /// The points of a category nobody named; null: such a category is an error.
    #[serde(default)]
    pub default: Value,
    /// The points of a missing value; null: the total is missing too.
    #[serde(default)]
    pub missing: Value,
    /// Pairs of a value that is no measure (-999) and its points; null: it counts as missing.
    #[serde(default)]
    pub special: Vec<(Value, Value)>,
    /// The smallest and the largest value there can be.
    #[serde(default)]
    pub range: Value,
}

/// What the caller asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The names of the frame's columns.
    pub columns: Vec<String>,
    /// The indicators, in order.
    pub indicators: Vec<IndicatorConfig>,
    /// One weight per indicator; null: every one counts once.
    #[serde(default)]
    pub weights: Option<Vec<Value>>,
    /// The language of the reasons; null: none are written.
    #[serde(default)]
    pub reason: Option<Language>,
}

/// The language of a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

impl Config {
    /// Checks everything that can be checked without data.
    pub fn card(&self) -> Result<Card> {
        if self.indicators.is_empty() {
            return Err(Error::parameter("indicators is empty; a scorecard needs at least one"));
        }
        let indicators = self.indicators.iter().map(IndicatorConfig::check).collect::<Result<Vec<_>>>()?;
        Card::new(indicators, self.weights()?, &self.columns, self.reason)
    }

    fn weights(&self) -> Result<Option<Vec<Decimal>>> {
        let Some(weights) = &self.weights else { return Ok(None) };
        let mut checked = Vec::with_capacity(weights.len());
        for (weight, indicator) in weights.iter().zip(&self.indicators) {
            let number = decimal(&format!("the weight of '{}'", indicator.name), weight)?;
            if number.is_sign_negative() && !number.is_zero() {
                return Err(Error::parameter(format!(
                    "the weight of '{}' is {number}; wanted 0 or more: an indicator that counts against a customer \
                     gets its points turned round instead",
                    indicator.name
                )));
            }
            checked.push(number);
        }
        let sum: Decimal = checked.iter().try_fold(Decimal::ZERO, |sum, weight| {
            sum.checked_add(*weight).ok_or_else(|| Error::parameter("the weights are too large; wanted a sum of 1"))
        })?;
        // Weights that were calculated in floating point miss 1 by a few units in the sixteenth place.
        if (sum - Decimal::ONE).abs() > Decimal::new(1, 9) {
            let advice = if sum.is_zero() { String::new() } else { format!(": divide each of them by {sum}") };
            return Err(Error::parameter(format!("the weights sum to {sum}; wanted a sum of 1{advice}")));
        }
        Ok(Some(checked))
    }
}

impl IndicatorConfig {
    fn check(&self) -> Result<Indicator> {
        let name = &self.name;
        let mut outcomes = Vec::new();
        let reading = match (&self.edges, &self.categories) {
            (Value::Null, None) => {
                return Err(Error::parameter(format!(
                    "indicator '{name}' has neither edges nor categories; give the cuts of a measure or the points of \
                     each category"
                )));
            }
            (Value::Null, Some(categories)) => self.categories(categories, &mut outcomes)?,
            (_, Some(_)) => {
                return Err(Error::parameter(format!(
                    "indicator '{name}' has both edges and categories; give one of them"
                )));
            }
            (edges, None) => self.bands(edges, &mut outcomes)?,
        };
        let mut special = Vec::with_capacity(self.special.len());
        for (value, points) in &self.special {
            let key = key(name, "special", value)?;
            if special.iter().any(|(other, _)| *other == key) {
                return Err(Error::parameter(format!("special of '{name}' holds {value} twice")));
            }
            let code = if points.is_null() {
                None
            } else {
                outcomes.push(self.outcome(key.clone(), points)?);
                Some(outcomes.len() - 1)
            };
            special.push((key, code));
        }
        let optional = |points: &Value, what: &str, outcomes: &mut Vec<Outcome>| {
            if points.is_null() {
                return Ok(None);
            }
            outcomes.push(Outcome { text: String::new(), points: Some(self.points_of(what, points)?) });
            Ok::<_, Error>(Some(outcomes.len() - 1))
        };
        let default = optional(&self.default, "another value", &mut outcomes)?;
        // The last outcome is always that of a missing value.
        if optional(&self.missing, "a missing value", &mut outcomes)?.is_none() {
            outcomes.push(Outcome { text: String::new(), points: None });
        }
        if outcomes.len() > MOST_OUTCOMES {
            return Err(Error::parameter(format!(
                "indicator '{name}' has {} categories; wanted at most {MOST_OUTCOMES}: map them to groups first",
                outcomes.len()
            )));
        }
        Ok(Indicator {
            name: name.clone(),
            label: self.label.clone(),
            column: self.column,
            reading,
            special,
            default,
            outcomes,
        })
    }

    fn outcome(&self, text: String, points: &Value) -> Result<Outcome> {
        Ok(Outcome { points: Some(self.points_of(&text, points)?), text })
    }

    fn points_of(&self, what: &str, points: &Value) -> Result<Decimal> {
        decimal(&format!("the points of '{}' for {what}", self.name), points)
    }

    fn bands(&self, edges: &Value, outcomes: &mut Vec<Outcome>) -> Result<Reading> {
        let name = &self.name;
        if !self.default.is_null() {
            return Err(Error::parameter(format!(
                "indicator '{name}' has edges and a default; bands leave no value over, so only categories take one"
            )));
        }
        let Some(edges) = edges.as_array() else {
            return Err(Error::parameter(format!("edges of '{name}' is {edges}; wanted a list")));
        };
        let cuts = Cuts::read(&format!("edges of '{name}'"), edges)?;
        let bands = cuts.edges.len() + 1;
        if bands > MOST_BANDS {
            return Err(Error::parameter(format!("edges of '{name}' make {bands} bands; wanted at most {MOST_BANDS}")));
        }
        let points = self.points.as_array().filter(|points| points.len() == bands).ok_or_else(|| {
            let given = self.points.as_array().map_or_else(|| "none".into(), |list| format!("{} entries", list.len()));
            Error::parameter(format!(
                "points of '{name}' has {given}, but its edges make {bands} bands; give one number per band, in order of value"
            ))
        })?;
        let range = self.range()?;
        for (place, points) in points.iter().enumerate() {
            let text = band(&cuts, place);
            if empty(&cuts, place, range) {
                let what = match range {
                    Some(_) => format!(" of its range {}; correct the edges or the range", self.range),
                    None => "; give each edge once".to_owned(),
                };
                return Err(Error::parameter(format!("band {text} of '{name}' holds no value{what}")));
            }
            outcomes.push(self.outcome(text, points)?);
        }
        Ok(Reading::Bands { cuts, range })
    }

    fn range(&self) -> Result<Option<(f64, f64)>> {
        if self.range.is_null() {
            return Ok(None);
        }
        let bound = |place: usize| self.range.get(place).and_then(Value::as_f64).filter(|bound| bound.is_finite());
        match (self.range.as_array().map(Vec::len), bound(0), bound(1)) {
            (Some(2), Some(low), Some(high)) if low <= high => Ok(Some((low, high))),
            _ => Err(Error::parameter(format!(
                "range of '{}' is {}; wanted the smallest and the largest value there can be",
                self.name, self.range
            ))),
        }
    }

    fn categories(&self, categories: &[(Value, Value)], outcomes: &mut Vec<Outcome>) -> Result<Reading> {
        let name = &self.name;
        for (given, what) in [(&self.points, "points"), (&self.range, "range")] {
            if !given.is_null() {
                return Err(Error::parameter(format!(
                    "indicator '{name}' has categories and {what}; {what} goes with edges, categories carry their points"
                )));
            }
        }
        if categories.is_empty() {
            return Err(Error::parameter(format!("categories of '{name}' is empty; give each category its points")));
        }
        for (value, points) in categories {
            outcomes.push(self.outcome(key(name, "categories", value)?, points)?);
        }
        let mut texts: Vec<_> = outcomes.iter().map(|outcome| outcome.text.as_str()).collect();
        texts.sort_unstable();
        if let Some((_, twice)) = texts.iter().zip(texts.iter().skip(1)).find(|(one, other)| one == other) {
            return Err(Error::parameter(format!("categories of '{name}' holds '{twice}' twice")));
        }
        let special = self.special.iter().filter_map(|(value, _)| value.as_str());
        if let Some(both) = special.into_iter().find(|value| texts.binary_search(value).is_ok()) {
            return Err(Error::parameter(format!("'{both}' is a category and a special value of '{name}'; keep one")));
        }
        Ok(Reading::Categories { count: categories.len() })
    }
}

/// A category or special value as text: how a column's value is compared depends on the column's kind.
fn key(name: &str, what: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        other => {
            Err(Error::parameter(format!("{what} of '{name}' holds {other}; wanted text, a number or true or false")))
        }
    }
}

/// A band in signs: `< 50`, `[50, 500)`, `>= 500`.
fn band(cuts: &Cuts, place: usize) -> String {
    let side = |place: usize| Some((*cuts.edges.get(place)?, *cuts.left.get(place)?));
    match (place.checked_sub(1).and_then(side), side(place)) {
        (None, Some((high, left))) => format!("{} {high}", if left { "<" } else { "<=" }),
        (Some((low, left)), None) => format!("{} {low}", if left { ">=" } else { ">" }),
        (Some((low, closed)), Some((high, open))) => {
            format!("{}{low}, {high}{}", if closed { '[' } else { '(' }, if open { ')' } else { ']' })
        }
        (None, None) => String::new(),
    }
}

/// Whether no value can fall into the band: its cuts coincide, or it lies outside the range.
fn empty(cuts: &Cuts, place: usize, range: Option<(f64, f64)>) -> bool {
    let thresholds: Vec<f64> = cuts.thresholds().collect();
    let above = place.checked_sub(1).and_then(|place| thresholds.get(place).copied());
    let upto = thresholds.get(place).copied();
    let (low, high) = range.unwrap_or((f64::MIN, f64::MAX));
    above.is_some_and(|above| above >= high)
        || upto.is_some_and(|upto| upto < low)
        || matches!((above, upto), (Some(above), Some(upto)) if above >= upto)
}

/// The nearest of an indicator's categories, for an error.
pub(super) fn near(value: &str, indicator: &Indicator, count: usize) -> String {
    let known: Vec<_> = indicator.outcomes.iter().take(count).map(|outcome| outcome.text.as_str()).collect();
    let shown = known.iter().take(20).copied().collect::<Vec<_>>().join(", ");
    format!("{shown}{}{}", if known.len() > 20 { ", ..." } else { "" }, did_you_mean(value, known))
}
