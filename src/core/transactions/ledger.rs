//! What became of every row of the log.

use super::{
    config::Config,
    money::Amount,
    parse::whole_number,
    read::{Log, Rows, chunks},
    reason::Reason,
    with_kinds,
};
use crate::{
    Error, Result,
    cancel::Cancel,
    column::Batch,
    ids::{Key, text_of},
    parallel,
};

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

/// One line of a ledger's summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SummaryLine {
    /// A place in [`Reason::ALL`].
    pub reason: i8,
    /// How many rows have it.
    pub rows: i64,
    /// The smallest row number among them.
    pub first_row: i64,
}

/// Counts a ledger's rows by reason; the batches hold row numbers and reasons as text.
pub fn ledger_summary(batches: &[Batch<'_>], cancel: &Cancel) -> Result<Vec<SummaryLine>> {
    let pieces = parallel::map_each(&chunks(batches), cancel, |chunk| {
        let mut counts = [(0i64, i64::MAX); Reason::ALL.len()];
        let Some([numbers, reasons]) = batches.get(chunk.batch).map(Vec::as_slice) else { return Ok(counts) };
        for (row, position) in chunk.rows.clone().zip(chunk.first..) {
            let name = text_of(reasons, row).unwrap_or_default();
            let code = Reason::ALL.iter().position(|reason| reason.name().as_bytes() == name);
            let Some((count, first)) = code.and_then(|code| counts.get_mut(code)) else {
                return Err(Error::input(format!(
                    "row {position} of the ledger holds the reason '{}', which is none; give what order_ledger gave",
                    String::from_utf8_lossy(name)
                )));
            };
            let Some(number) = whole_number(numbers, row) else {
                return Err(Error::input(format!(
                    "row {position} of the ledger holds no whole row number; give what order_ledger gave"
                )));
            };
            *count += 1;
            *first = number.min(*first);
        }
        Ok(counts)
    })?;
    let totals = pieces.into_iter().fold([(0, i64::MAX); Reason::ALL.len()], |mut totals, piece| {
        for ((count, first), (more, other)) in totals.iter_mut().zip(piece) {
            *count += more;
            *first = other.min(*first);
        }
        totals
    });
    let lines = totals.into_iter().zip(0i8..).filter(|((rows, _), _)| *rows > 0);
    Ok(lines.map(|((rows, first_row), reason)| SummaryLine { reason, rows, first_row }).collect())
}
