//! One row per customer for models of customer lifetime value: purchases merged by calendar day.

use super::{
    config::Config,
    group::{Fold, Purchases, Worker, fold},
    money::{Amount, MoneyKind},
    output::{ids, in_order},
    overflow::overflow,
    read::Log,
    reason::Tally,
};
use crate::{
    Result,
    cancel::Cancel,
    column::Batch,
    ids::{CustomerIds, IdColumn, IdKind, ShortText, WideText},
};

/// The table of `clv_table`, column by column; customers ascend by id.
#[derive(Debug)]
pub struct ClvTable {
    /// Who.
    pub ids: CustomerIds,
    /// What was left out, in words.
    pub warnings: Vec<String>,
    /// Purchase days after the first.
    pub frequency: Vec<i64>,
    /// From the first purchase day to the last, in the unit asked for.
    pub recency: Vec<f64>,
    /// From the first purchase day to `as_of`, in the unit asked for.
    pub age: Vec<f64>,
    /// Mean of the daily totals after the first day.
    pub monetary_value: Vec<f64>,
}

/// Computes the table.
pub fn clv_table(batches: &[Batch<'_>], config: &Config, cancel: &Cancel) -> Result<ClvTable> {
    let log = Log::new(batches, config, false, cancel)?;
    match (log.id_kind, log.money) {
        (IdKind::Text, MoneyKind::Float) => table::<ShortText, f64>(&log, cancel),
        (IdKind::Text, MoneyKind::Decimal(_)) => table::<ShortText, i128>(&log, cancel),
        (IdKind::WideText, MoneyKind::Float) => table::<WideText, f64>(&log, cancel),
        (IdKind::WideText, MoneyKind::Decimal(_)) => table::<WideText, i128>(&log, cancel),
        (IdKind::Signed | IdKind::Unsigned, MoneyKind::Float) => table::<u64, f64>(&log, cancel),
        (IdKind::Signed | IdKind::Unsigned, MoneyKind::Decimal(_)) => table::<u64, i128>(&log, cancel),
    }
}

/// One customer's purchase days.
#[derive(Debug, Clone, Copy)]
struct History {
    repeats: u32,
    first: i32,
    last: i32,
    monetary_value: f64,
}

/// The customers of one partition, and how many had nothing but returns.
struct Partial {
    histories: Vec<History>,
    without_purchase: usize,
}

/// Purchases merged by calendar day.
struct PurchaseDays<'a> {
    log: &'a Log<'a>,
}

impl<A: Amount> Fold<A, ()> for PurchaseDays<'_> {
    type Partial = Partial;

    fn begin(&self, customers: usize) -> Partial {
        Partial { histories: Vec::with_capacity(customers), without_purchase: 0 }
    }

    fn customer(&self, partial: &mut Partial, worker: &mut Worker<()>, rows: &Purchases<'_, A, ()>) -> Result<bool> {
        let day = |time: &i64| self.log.clock.day(*time);
        for (time, amount) in rows.times.iter().zip(rows.amounts) {
            if !amount.is_return() {
                worker.days.insert(day(time));
            }
        }
        let mut days = worker.days.iter();
        let (first, second) = (days.next(), days.next());
        let (count, last) = (worker.days.count(), days.last().or(second).or(first));
        worker.days.clear();
        let (Some(first), Some(last)) = (first, last) else {
            partial.without_purchase += 1;
            return Ok(false);
        };
        // A return belongs to the latest purchase day on or before it: from the second day on, to a later one than the
        // first. A purchase is on its own day.
        let second = second.unwrap_or(i32::MAX);
        let later = rows.times.iter().zip(rows.amounts).filter(|(time, _)| day(time) >= second);
        let total = A::total(later.map(|(_, amount)| *amount)).ok_or_else(|| overflow(self.log))?;
        let repeats = count - 1;
        let monetary_value =
            if repeats == 0 { 0.0 } else { total.to_float(self.log.money.scale()) / f64::from(repeats) };
        partial.histories.push(History { repeats, first, last, monetary_value });
        Ok(true)
    }
}

fn table<K: IdColumn, A: Amount>(log: &Log<'_>, cancel: &Cancel) -> Result<ClvTable> {
    let ids = ids(log, None);
    let mut warnings = Vec::new();
    let verdict = |tally: &Tally| {
        warnings.extend(log.verdict(tally)?);
        Ok(())
    };
    let partials = fold::<_, A, (), _>(log, &[], &ids, cancel, verdict, &PurchaseDays { log })?;
    let left_out: usize = partials.iter().map(|(_, partial)| partial.without_purchase).sum();
    if left_out > 0 {
        let who = if left_out == 1 { "1 customer has" } else { &format!("{left_out} customers have") };
        warnings.push(format!("{who} returns but no purchase; left out"));
    }
    let order = in_order(partials.iter().map(|(keys, _)| keys.as_slice()), &ids);
    let histories: Vec<History> = order
        .iter()
        .filter_map(|(_, (partition, index))| {
            partials.get(*partition as usize)?.1.histories.get(*index as usize).copied()
        })
        .collect();
    let unit = log.terms.days_per_unit;
    let span = |from: i32, to: i32| f64::from(to - from) / unit;
    Ok(ClvTable {
        ids: K::column(&order, log.id_kind, &ids),
        warnings,
        frequency: histories.iter().map(|history| history.repeats.into()).collect(),
        recency: histories.iter().map(|history| span(history.first, history.last)).collect(),
        age: histories.iter().map(|history| span(history.first, log.as_of)).collect(),
        monetary_value: histories.iter().map(|history| history.monetary_value).collect(),
    })
}
