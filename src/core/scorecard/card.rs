//! A checked scorecard: what each indicator reads, and the exact points of everything it can see.

use rust_decimal::Decimal;
use serde_json::json;

use super::{
    config::Language,
    decimal::{Product, Units, ratio},
};
use crate::{Error, Result, cuts::Cuts};

/// The most different totals that are written out.
const MOST_TOTALS: usize = 1_000_000;

/// How an indicator reads its column.
#[derive(Debug, Clone)]
pub(super) enum Reading {
    /// Bands of a measure: outcome `i` is band `i`.
    Bands { cuts: Cuts, range: Option<(f64, f64)> },
    /// Named values: outcome `i` is category `i`.
    Categories { count: usize },
}

/// One thing an indicator can see, and what it is worth.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    /// The band, category or special value; empty for "any other" and "missing".
    pub(super) text: String,
    /// `None` makes the total missing.
    pub(super) points: Option<Decimal>,
}

/// One indicator, checked.
#[derive(Debug, Clone)]
pub(super) struct Indicator {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) column: usize,
    pub(super) reading: Reading,
    /// Special values and their outcomes; `None` counts as missing.
    pub(super) special: Vec<(String, Option<usize>)>,
    /// The outcome of a category nobody named.
    pub(super) default: Option<usize>,
    /// Bands or categories, special values, the default; the last one is a missing value.
    pub(super) outcomes: Vec<Outcome>,
}

impl Indicator {
    pub(super) fn missing(&self) -> usize {
        self.outcomes.len() - 1
    }
}

/// A checked scorecard.
#[derive(Debug, Clone)]
pub struct Card {
    pub(super) columns: Vec<String>,
    pub(super) indicators: Vec<Indicator>,
    pub(super) weights: Vec<Decimal>,
    pub(super) reason: Option<Language>,
    /// Per indicator and outcome the weighted points in whole units.
    pub(super) units: Vec<Vec<Option<i128>>>,
    /// How many units make one point of the total.
    pub(super) per_point: u128,
    pub(super) lowest: i128,
    pub(super) highest: i128,
}

impl Card {
    pub(super) fn new(
        indicators: Vec<Indicator>,
        weights: Option<Vec<Decimal>>,
        columns: &[String],
        reason: Option<Language>,
    ) -> Result<Self> {
        // Weights calculated in floating point miss a sum of 1 by a hair; divided by their sum they do not.
        let divisor = weights.as_ref().map_or(Decimal::ONE, |weights| weights.iter().sum::<Decimal>().normalize());
        let weights = weights.unwrap_or_else(|| vec![Decimal::ONE; indicators.len()]);
        let long = || {
            Error::parameter(
                "the points and weights have more digits than can be summed exactly; round the weights to 6 digits",
            )
        };
        let mut products = Vec::with_capacity(indicators.len());
        for (indicator, weight) in indicators.iter().zip(&weights) {
            let product = |outcome: &Outcome| {
                outcome.points.map(|points| Product::of(*weight, points).ok_or_else(long)).transpose()
            };
            products.push(indicator.outcomes.iter().map(product).collect::<Result<Vec<_>>>()?);
        }
        let scale = Units::of(products.iter().flatten().flatten());
        let count =
            |product: &Option<Product>| product.map(|product| scale.count(product).ok_or_else(long)).transpose();
        let units: Vec<Vec<_>> =
            products.iter().map(|each| each.iter().map(count).collect::<Result<_>>()).collect::<Result<_>>()?;
        let (lowest, highest) = units.iter().fold((0i128, 0i128), |(low, high), each| {
            let known = || each.iter().flatten().copied();
            (low + known().min().unwrap_or(0), high + known().max().unwrap_or(0))
        });
        if lowest == highest {
            return Err(Error::parameter("every customer would get the same total; give outcomes different points"));
        }
        let per_point = scale.per_point(divisor).ok_or_else(long)?;
        Ok(Self { columns: columns.to_vec(), indicators, weights, reason, units, per_point, lowest, highest })
    }

    /// The total as a number of points.
    pub(super) fn total(&self, units: i128) -> f64 {
        ratio(units, self.per_point)
    }

    /// The total on a scale from 0, the lowest there can be, to 100, the highest.
    pub(super) fn score(&self, units: i128) -> f64 {
        ratio((units - self.lowest) * 100, (self.highest - self.lowest).unsigned_abs())
    }

    /// The most points of each indicator, and their weighted units.
    pub(super) fn best(&self, index: usize) -> (Decimal, i128) {
        let points = self.indicators.get(index).map(|indicator| indicator.outcomes.iter());
        let points = points.into_iter().flatten().filter_map(|outcome| outcome.points).max().unwrap_or_default();
        let units = self.units.get(index).and_then(|units| units.iter().flatten().max().copied()).unwrap_or_default();
        (points, units)
    }

    /// Whether all points are small whole numbers, so that even their plain sum fits 16 bits.
    pub(super) fn whole(&self) -> bool {
        let points =
            || self.indicators.iter().flat_map(|each| each.outcomes.iter().filter_map(|outcome| outcome.points));
        let largest = |each: &Indicator| {
            each.outcomes
                .iter()
                .filter_map(|outcome| outcome.points)
                .map(|points| points.abs())
                .max()
                .unwrap_or_default()
        };
        let sum = self.indicators.iter().map(largest).try_fold(Decimal::ZERO, Decimal::checked_add);
        points().all(|points| points.is_integer()) && sum.is_some_and(|sum| sum <= Decimal::from(i16::MAX))
    }

    /// Every total there can be, ascending, as points and on the scale from 0 to 100.
    pub fn totals(&self) -> Result<(Vec<f64>, Vec<f64>)> {
        let mut sums = vec![0i128];
        for units in &self.units {
            let mut each: Vec<i128> = units.iter().flatten().copied().collect();
            each.sort_unstable();
            each.dedup();
            let mut next = Vec::with_capacity(sums.len().saturating_mul(each.len()).min(MOST_TOTALS));
            for step in each {
                let moved: Vec<i128> = sums.iter().map(|sum| sum + step).collect();
                next.extend(moved);
                if next.len() > 2 * MOST_TOTALS {
                    next.sort_unstable();
                    next.dedup();
                }
                if next.len() > MOST_TOTALS {
                    return Err(Error::parameter(format!(
                        "this scorecard has more than {MOST_TOTALS} different totals; round the weights to fewer digits"
                    )));
                }
            }
            next.sort_unstable();
            next.dedup();
            sums = next;
        }
        Ok(sums.iter().map(|&units| (self.total(units), self.score(units))).unzip())
    }

    /// The whole card as JSON: lowest and highest total, and a row per outcome.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut rows = Vec::new();
        for (indicator, weight) in self.indicators.iter().zip(&self.weights) {
            let named = match &indicator.reading {
                Reading::Bands { cuts, .. } => cuts.edges.len() + 1,
                Reading::Categories { count } => *count,
            };
            let bands = matches!(indicator.reading, Reading::Bands { .. });
            let mut row = |kind: &str, text: &str, points: Option<Decimal>| {
                rows.push(json!({
                    "indicator": indicator.name,
                    "column": self.columns.get(indicator.column),
                    "weight": decimal_number(*weight),
                    "kind": kind,
                    "value": text,
                    "points": points.map(decimal_number),
                }));
            };
            for (place, outcome) in indicator.outcomes.iter().enumerate().take(named) {
                debug_assert!(place < named);
                row(if bands { "band" } else { "category" }, &outcome.text, outcome.points);
            }
            for (text, code) in &indicator.special {
                let points = code.and_then(|code| indicator.outcomes.get(code)).and_then(|outcome| outcome.points);
                row("special", text, points);
            }
            if let Some(outcome) = indicator.default.and_then(|code| indicator.outcomes.get(code)) {
                row("default", "", outcome.points);
            }
            row("missing", "", indicator.outcomes.last().and_then(|outcome| outcome.points));
        }
        json!({"lowest": self.total(self.lowest), "highest": self.total(self.highest), "rows": rows}).to_string()
    }
}

/// The float64 nearest to a decimal.
pub(super) fn decimal_number(number: Decimal) -> f64 {
    ratio(number.mantissa(), 10u128.pow(number.scale()))
}
