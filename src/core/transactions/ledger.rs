//! What became of every row of the log.

use super::{
    config::Config,
    key::Key,
    money::Amount,
    read::{Log, Rows},
    reason::Reason,
    with_kinds,
};
use crate::{Result, cancel::Cancel, column::Batch, parallel};

/// One entry per row of the log, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Why the row is used or not, as a place in [`Reason::ALL`].
    pub reasons: Vec<i8>,
    /// Whether the row repeats an earlier one in every column.
    pub duplicates: Vec<bool>,
}

/// Reads the log as the tables do and tells, row by row, what becomes of it.
pub fn order_ledger(batches: &[Batch<'_>], config: &Config, cancel: &Cancel) -> Result<Ledger> {
    let log = Log::new(batches, config, true, cancel)?;
    let reasons = with_kinds!(log, reasons(&log, cancel))?;
    Ok(Ledger { reasons, duplicates: log.repeats.unwrap_or_default() })
}

fn reasons<K: Key, A: Amount, O: Key>(log: &Log<'_>, cancel: &Cancel) -> Result<Vec<i8>> {
    let pieces = parallel::map_each_with(&log.chunks, cancel, Rows::<K, A, O>::default, |rows, chunk| {
        log.rows(chunk, rows)?;
        Ok(rows.reasons.iter().map(|reason| *reason as i8).collect::<Vec<_>>())
    })?;
    Ok(pieces.concat())
}

/// The names of all reasons, in the order in which they are tried.
#[must_use]
pub fn ledger_reasons() -> Vec<&'static str> {
    Reason::ALL.map(Reason::name).to_vec()
}
