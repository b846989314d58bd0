//! Parameters learned from the data: the mean or the median of a column.

use serde::Deserialize;

use crate::{
    Error, Result,
    cancel::Cancel,
    column::{Batch, Column, Values},
    math::sum::exact_sum,
    measure::decimal,
};

/// A parameter to learn.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// Its name, as in `:name`.
    pub name: String,
    /// Mean or median.
    pub statistic: Statistic,
    /// The name of the column, for errors.
    pub column: String,
    /// Where it stands in the batches.
    pub position: usize,
}

/// What is learned of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// The exact sum over the count, never outside the smallest and largest value.
    Mean,
    /// The middle value, or the mean of the middle two.
    Median,
}

/// Learns each parameter from its column, over values that are present.
pub fn learn(batches: &[Batch<'_>], parameters: &[Learned], cancel: &Cancel) -> Result<Vec<f64>> {
    let each = parameters.iter().map(|parameter| {
        if parameter.statistic == Statistic::Mean
            && let Some(mean) = decimal_mean(batches, parameter.position)
        {
            return Ok(mean);
        }
        let mut values = Vec::new();
        for column in batches.iter().filter_map(|batch| batch.get(parameter.position)) {
            cancel.check()?;
            gather(column, &parameter.column, &mut values)?;
        }
        if let Some(row) = values.iter().position(|value| value.is_infinite()) {
            return Err(Error::input(format!(
                "column '{}' holds an infinite number (value {row} of those present); correct or drop it before :{} is learned",
                parameter.column, parameter.name
            )));
        }
        let value = match parameter.statistic {
            Statistic::Mean => mean(&values),
            Statistic::Median => median(&mut values),
        };
        value.ok_or_else(|| {
            Error::input(format!(
                "column '{}' has no value to learn :{} from; give the parameter a number",
                parameter.column, parameter.name
            ))
        })
    });
    each.collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    let low = values.iter().copied().reduce(f64::min)?;
    let high = values.iter().copied().reduce(f64::max)?;
    Some((exact_sum(values.iter().copied()) / values.len() as f64).clamp(low, high))
}

/// The mean of a decimal column, of its exact sum; `None` where there is no value, another kind or a sum of too many
/// digits.
fn decimal_mean(batches: &[Batch<'_>], position: usize) -> Option<f64> {
    /// A mean that ends within so many digits beyond those of the column is rounded once, others twice.
    const MORE: i8 = 6;
    let (mut sum, mut count, mut scale) = (0_i128, 0_i128, 0);
    for column in batches.iter().filter_map(|batch| batch.get(position)) {
        let Column::Decimal(values, own) = column else { return None };
        scale = *own;
        for units in (0..values.values.len()).filter_map(|row| values.get(row)) {
            sum = sum.checked_add(units)?;
            count += 1;
        }
    }
    let finer = sum.checked_mul(10_i128.pow(u32::from(MORE.unsigned_abs())))?;
    match finer.checked_rem(count)? {
        0 => Some(decimal(finer / count, scale + MORE)),
        _ => Some(decimal(sum, scale) / count as f64),
    }
}

fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    let odd = values.len() % 2 == 1;
    if values.is_empty() {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if odd {
        return Some(upper);
    }
    let lower = below.iter().copied().reduce(f64::max)?;
    Some(lower + (upper - lower) / 2.0)
}

fn gather(column: &Column<'_>, name: &str, out: &mut Vec<f64>) -> Result<()> {
    fn present<T: Copy>(values: &Values<'_, T>, out: &mut Vec<f64>, change: impl Fn(T) -> f64) {
        let present = (0..values.values.len()).filter_map(|row| values.get(row));
        out.extend(present.map(change).filter(|value| !value.is_nan()));
    }
    match column {
        Column::Null(_) => {}
        Column::Int8(values) => present(values, out, f64::from),
        Column::Int16(values) => present(values, out, f64::from),
        Column::Int32(values) => present(values, out, f64::from),
        Column::Int64(values) => present(values, out, |value| value as f64),
        Column::UInt8(values) => present(values, out, f64::from),
        Column::UInt16(values) => present(values, out, f64::from),
        Column::UInt32(values) => present(values, out, f64::from),
        Column::UInt64(values) => present(values, out, |value| value as f64),
        Column::Float32(values) => present(values, out, f64::from),
        Column::Float64(values) => present(values, out, |value| value),
        Column::Decimal(values, scale) => present(values, out, |units| decimal(units, *scale)),
        other => {
            return Err(Error::input(format!(
                "column '{name}' holds {}; a mean or median is learned from numbers",
                other.kind()
            )));
        }
    }
    Ok(())
}
