//! Columns of dates that are text.

use std::ops::Range;

use super::{
    clock::{DAYS, FIRST_DAY},
    read::{MISSING, NEVER},
    reason::Reason,
    written::{NoTime, Reading, Written, check_format, described, has_short_year, iso},
};
use crate::{Error, Result, cancel::Cancel, column::Column, ids::text_of, parallel};

/// The times of a column of text: microseconds, instants when an offset is known.
pub(super) struct Parsed {
    pub(super) batches: Vec<Vec<i64>>,
    /// The one offset all rows have, where rows have one.
    pub(super) offset: Option<i32>,
    pub(super) aware: bool,
    /// For each reason that keeps texts out, what the first of them holds.
    pub(super) refused: Vec<(Reason, String)>,
}

/// The microseconds of the years that count.
const CALENDAR: Range<i64> = FIRST_DAY as i64 * 86_400_000_000..(FIRST_DAY as i64 + DAYS as i64) * 86_400_000_000;

/// What some rows held, by the first row of each kind.
#[derive(Default, Clone)]
struct Met {
    naive: Option<usize>,
    aware: Option<(usize, i32)>,
    /// How many rows have an offset, less those that have none.
    balance: i64,
    /// An offset that differs from the first.
    other: Option<(usize, i32)>,
    otherwise: Option<(usize, String)>,
    impossible: Option<(usize, String)>,
}

impl Met {
    fn add(&mut self, row: usize, offset: Option<i32>) {
        self.balance += if offset.is_some() { 1 } else { -1 };
        self.see(row, offset);
    }

    fn see(&mut self, row: usize, offset: Option<i32>) {
        match (offset, self.aware) {
            (None, _) => self.naive = self.naive.or(Some(row)),
            (Some(offset), None) => self.aware = Some((row, offset)),
            (Some(offset), Some((_, first))) if offset != first => self.other = self.other.or(Some((row, offset))),
            _ => {}
        }
    }

    fn refuse(&mut self, row: usize, text: &[u8], why: NoTime) {
        let first = match why {
            NoTime::Otherwise => &mut self.otherwise,
            NoTime::Impossible => &mut self.impossible,
        };
        first.get_or_insert_with(|| (row, String::from_utf8_lossy(text).chars().take(60).collect()));
    }

    /// Adds what later rows held.
    fn merge(&mut self, later: Self) {
        self.balance += later.balance;
        self.naive = self.naive.or(later.naive);
        for (row, offset) in later.aware.into_iter().chain(later.other) {
            self.see(row, Some(offset));
        }
        self.otherwise = self.otherwise.take().or(later.otherwise);
        self.impossible = self.impossible.take().or(later.impossible);
    }

    /// Whether the times are instants: where some rows have an offset from UTC and some have none, most decide.
    fn is_aware(&self) -> bool {
        self.aware.is_some() && (self.naive.is_none() || self.balance >= 0)
    }

    fn refused(self, format: Option<&str>) -> Vec<(Reason, String)> {
        let mut refused = Vec::new();
        if let Some((row, text)) = self.otherwise {
            let wanted = match format {
                _ if text.trim().is_empty() => "names no day: fill it in, or make it missing".into(),
                None => "is no ISO 8601 date such as 2024-01-15 or 2024-01-15T09:30:00: say how it is written, for \
                         example date_format='%d/%m/%Y'"
                    .into(),
                Some(format) => format!(
                    "date_format='{format}' does not read: give the directives of strptime in the order of the text, for \
                     example %d/%m/%Y for 31/12/2024 or %Y%m%d for 20241231"
                ),
            };
            refused.push((Reason::MissingTimestamp, format!("row {row} holds '{text}', which {wanted}")));
        }
        if let (Some(naive), Some((aware, _))) = (self.naive, self.aware) {
            let odd = match self.balance {
                0 => format!("row {naive} has no offset from UTC, but row {aware} has one"),
                1.. => format!("row {naive} has no offset from UTC, but row {aware} and most have one"),
                _ => format!("row {aware} has an offset from UTC, but row {naive} and most have none"),
            };
            refused.push((Reason::MissingTimestamp, format!("{odd}: write all of them one way")));
        }
        if let Some((row, text)) = self.impossible {
            let short_year = if format.is_some_and(|format| has_short_year(&text, format)) {
                " (%y reads a year of two digits)"
            } else {
                ""
            };
            refused.push((
                Reason::TimestampOutOfRange,
                format!("row {row} holds '{text}', which names no day and time of the years 1678 to 2261{short_year}"),
            ));
        }
        refused
    }
}

/// Reads a column of text, or of numbers such as 20240115 when a format is given. A text that is no date is a time that
/// is not there, or one before every calendar where only its numbers are wrong. Where some have an offset from UTC and some
/// have none, those that are fewer are not there either: nobody knows when they were.
pub(super) fn times(
    columns: &[&Column<'_>],
    name: &str,
    format: Option<&str>,
    zone_given: bool,
    cancel: &Cancel,
) -> Result<Parsed> {
    if let Some(format) = format {
        check_format(format)?;
    }
    let (mut batches, met) = read_all(columns, format, None, cancel)?;
    let aware = met.is_aware();
    if met.naive.is_some() && met.aware.is_some() {
        (batches, _) = read_all(columns, format, Some(aware), cancel)?;
    }
    if let (Some((row, _)), true, false) = (met.other, aware, zone_given) {
        return Err(Error::input(format!(
            "column '{name}' changes its offset from UTC in row {row}; say with tz= in which time zone its days are meant"
        )));
    }
    let offset = met.aware.map(|(_, offset)| offset).filter(|_| aware);
    Ok(Parsed { batches, offset, aware, refused: met.refused(format) })
}

fn read_all(
    columns: &[&Column<'_>],
    format: Option<&str>,
    only: Option<bool>,
    cancel: &Cancel,
) -> Result<(Vec<Vec<i64>>, Met)> {
    let mut met = Met::default();
    let mut batches = Vec::with_capacity(columns.len());
    let mut first_row = 0;
    for column in columns {
        let pieces = parallel::map_chunks(column.len(), parallel::CHUNK_ROWS, cancel, |rows| {
            Ok(read(column, rows, first_row, format, only))
        })?;
        let mut times = Vec::with_capacity(column.len());
        for (piece, seen) in pieces {
            times.extend_from_slice(&piece);
            met.merge(seen);
        }
        batches.push(times);
        first_row += column.len();
    }
    Ok((batches, met))
}

fn read(
    column: &Column<'_>,
    rows: Range<usize>,
    first_row: usize,
    format: Option<&str>,
    only: Option<bool>,
) -> (Vec<i64>, Met) {
    let mut met = Met::default();
    let mut times = Vec::with_capacity(rows.len());
    let mut memo = Memo::new();
    for row in rows {
        let digits = number(column, row);
        let Some(text) = digits.as_ref().map(String::as_bytes).or_else(|| text_of(column, row)) else {
            times.push(MISSING);
            continue;
        };
        let reading = match format {
            None => iso(text),
            Some(format) => memo.read(text, format),
        };
        times.push(match reading {
            Ok(written) if !CALENDAR.contains(&written.local) => {
                met.refuse(first_row + row, text, NoTime::Impossible);
                written.local
            }
            Ok(written) if only.is_some_and(|aware| written.offset.is_some() != aware) => MISSING,
            Ok(written) => {
                met.add(first_row + row, written.offset);
                written.local - i64::from(written.offset.unwrap_or(0)) * 1_000_000
            }
            Err(why) => {
                met.refuse(first_row + row, text, why);
                if why == NoTime::Impossible { NEVER } else { MISSING }
            }
        });
    }
    (times, met)
}

/// The value of a row in a column of numbers, in digits.
fn number(column: &Column<'_>, row: usize) -> Option<String> {
    match column {
        Column::Int32(values) => values.get(row).map(|value| value.to_string()),
        Column::Int64(values) => values.get(row).map(|value| value.to_string()),
        Column::UInt32(values) => values.get(row).map(|value| value.to_string()),
        Column::UInt64(values) => values.get(row).map(|value| value.to_string()),
        Column::Float64(values) => values.get(row).filter(|value| !value.is_nan()).map(|value| value.to_string()),
        _ => None,
    }
}

/// The value of a row in a column of numbers, where it is whole.
pub(super) fn whole_number(column: &Column<'_>, row: usize) -> Option<i64> {
    match column {
        Column::Int8(values) => values.get(row).map(i64::from),
        Column::Int16(values) => values.get(row).map(i64::from),
        Column::Int32(values) => values.get(row).map(i64::from),
        Column::Int64(values) => values.get(row),
        Column::UInt32(values) => values.get(row).map(i64::from),
        Column::UInt64(values) => values.get(row).and_then(|value| i64::try_from(value).ok()),
        Column::Float64(values) => values.get(row).filter(|value| value.fract() == 0.0).map(|value| value as i64),
        _ => None,
    }
}

/// The last few texts and what they meant: dates repeat, and strptime is slow.
struct Memo(Vec<(Vec<u8>, Written)>);

impl Memo {
    const ENTRIES: usize = 256;

    fn new() -> Self {
        Self(vec![(Vec::new(), Written { local: 0, offset: None }); Self::ENTRIES])
    }

    fn read(&mut self, text: &[u8], format: &str) -> Reading {
        let place = text.iter().fold(0usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        let Some(entry) = self.0.get_mut(place % Self::ENTRIES) else { return described(text, format) };
        if entry.0 != text || text.is_empty() {
            *entry = (text.to_vec(), described(text, format)?);
        }
        Ok(entry.1)
    }
}
