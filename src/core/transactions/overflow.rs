//! Amounts that add up to more than their kind holds: whose they are.

use std::collections::HashMap;

use super::{
    money::{Amount, MoneyKind},
    read::{Log, Rows},
    reason::Reason,
    with_kinds,
};
use crate::{Error, Result, ids::Key};

/// What a customer's amounts come to, in units so large that no sum leaves the range of a float.
#[derive(Default, Clone, Copy)]
struct Totals {
    gross: f64,
    returned: f64,
    /// The row of the amount farthest from zero, and that amount.
    largest: (usize, f64),
}

impl Totals {
    /// No total of the customer, of whatever rows, is farther from zero.
    fn bound(&self) -> f64 {
        self.gross.max(self.returned)
    }
}

/// The error of a total beyond what its kind holds. It names the largest amount of the customer who has the largest
/// totals: reading the log once more is slow and rare.
pub(super) fn overflow(log: &Log<'_>) -> Error {
    let limit = match log.money {
        MoneyKind::Float => "the largest float64",
        MoneyKind::Decimal(_) => "38 digits",
    };
    let (row, amount) = match with_kinds!(log, largest(log)) {
        Ok(largest) => largest,
        Err(failure) => return failure,
    };
    Error::input(format!(
        "column '{}' adds up to more than {limit} for the customer of row {row}, whose largest amount stands there: \
         {amount:e}; look for a wrong one, or give larger units",
        log.config.name(log.config.amount)
    ))
}

fn largest<K: Key, A: Amount, O: Key>(log: &Log<'_>) -> Result<(usize, f64)> {
    let unit = 2.0f64.powi(-64);
    let mut customers: HashMap<u64, Totals> = HashMap::new();
    let mut rows = Rows::<K, A, O>::default();
    for chunk in &log.chunks {
        log.rows(chunk, &mut rows)?;
        let used = rows.keys.iter().zip(&rows.amounts).zip(&rows.reasons).zip(chunk.first..);
        for (((key, amount), _), row) in used.filter(|((_, reason), _)| **reason == Reason::Used) {
            let amount = amount.to_float(log.money.scale());
            let totals = customers.entry(key.hash(log.hashing)).or_default();
            totals.gross += (amount * unit).max(0.0);
            totals.returned += (-amount * unit).max(0.0);
            if amount.abs() > totals.largest.1.abs() {
                totals.largest = (row, amount);
            }
        }
    }
    let largest = customers.into_values().max_by(|one, other| one.bound().total_cmp(&other.bound()));
    Ok(largest.unwrap_or_default().largest)
}
