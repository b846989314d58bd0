//! From the caller's columns to checked rows: each row gets its id, time and amount, and the reason why it is
//! used or not.

use std::ops::Range;

use super::{
    clock::{Clock, Unit, zone},
    config::{AsOf, Config, Returns, Terms, date_of, day_number},
    duplicates,
    money::{Amount, MoneyKind},
    parse,
    reason::{Reason, Tally},
    with_kinds,
};
use crate::{
    Error, Result,
    cancel::Cancel,
    column::{Batch, Column, TimeUnit, Values},
    ids::{Hashing, IdKind, Key, mark_missing},
    parallel,
    vector::extremes,
};

/// A time that is not there.
pub const MISSING: i64 = i64::MIN;

/// A time before every calendar: what a text means that is written like a date of a day that never was.
pub(super) const NEVER: i64 = i64::MIN + 1;

/// Rows per task: read, checked and scattered within the second-level cache.
const CHUNK_ROWS: usize = 1 << 15;

/// Some neighbouring rows of one batch.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) batch: usize,
    pub(super) rows: Range<usize>,
    /// The number of the first row among all rows.
    pub(super) first: usize,
}

/// The rows of all batches in pieces that one task works on.
pub(super) fn chunks(batches: &[Batch<'_>]) -> Vec<Chunk> {
    let mut first = 0;
    let mut chunks = Vec::new();
    for (batch, columns) in batches.iter().enumerate() {
        let len = columns.first().map_or(0, Column::len);
        chunks.extend(parallel::chunks(len, CHUNK_ROWS).map(|rows| Chunk { batch, first: first + rows.start, rows }));
        first += len;
    }
    chunks
}

/// Where the times of the log stand.
enum Times {
    /// In the caller's column.
    Column,
    /// Parsed from text.
    Parsed(Vec<Vec<i64>>),
}

/// How the times of the output are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeKind {
    /// What one unit is.
    pub unit: Unit,
    /// The zone they are shown in, where they are instants.
    pub zone: Option<String>,
    /// Whether they came from text.
    pub from_text: bool,
}

/// An order log whose columns have been checked, ready to be read row by row.
pub(super) struct Log<'a> {
    pub(super) config: &'a Config,
    pub(super) terms: Terms,
    pub(super) batches: &'a [Batch<'a>],
    pub(super) chunks: Vec<Chunk>,
    pub(super) rows: usize,
    pub(super) clock: Clock,
    pub(super) time_kind: TimeKind,
    pub(super) id_kind: IdKind,
    pub(super) order_kind: Option<IdKind>,
    pub(super) money: MoneyKind,
    pub(super) hashing: Hashing,
    /// The last day that counts, and the first local time after it.
    pub(super) as_of: i32,
    until: i64,
    times: Times,
    /// For each reason that keeps dates out that are text, what the first of them holds.
    refused: Vec<(Reason, String)>,
    /// Per row of the log, when duplicates are looked for.
    pub(super) repeats: Option<Vec<bool>>,
}

impl<'a> Log<'a> {
    /// Looks at the columns once: kinds, time zone, `as_of` and, where asked for, duplicates.
    pub(super) fn new(batches: &'a [Batch<'a>], config: &'a Config, for_ledger: bool, cancel: &Cancel) -> Result<Self> {
        let terms = config.check()?;
        let id_kind = IdKind::of(column(batches, config, config.customer_id)?, config.name(config.customer_id))?;
        let order_kind = match config.order_id {
            Some(order) => Some(IdKind::of(column(batches, config, order)?, config.name(order))?),
            None => None,
        };
        if let Some(discount) = config.discount {
            check_discount(column(batches, config, discount)?, config.name(discount))?;
        }
        let money = MoneyKind::of(column(batches, config, config.amount)?, config.name(config.amount))?;
        let (times, time_kind, clock) = read_times(batches, config, cancel)?;
        let (times, refused) = match times {
            None => (Times::Column, Vec::new()),
            Some(parsed) => (Times::Parsed(parsed.batches), parsed.refused),
        };
        let chunks = chunks(batches);
        let rows = chunks.last().map_or(0, |chunk| chunk.first + chunk.rows.len());
        if u32::try_from(rows).is_err() {
            return Err(Error::input(format!("the log has {rows} rows; one call takes up to {}", u32::MAX)));
        }
        let mut log = Self {
            config,
            terms,
            batches,
            chunks,
            rows,
            clock,
            time_kind,
            id_kind,
            order_kind,
            money,
            hashing: Hashing::GOOD,
            as_of: 0,
            until: i64::MAX,
            times,
            refused,
            repeats: None,
        };
        log.set_as_of(for_ledger, cancel)?;
        if for_ledger || log.terms.drop_duplicates {
            log.repeats = Some(duplicates::repeats(batches, &log.chunks, Hashing::GOOD, cancel)?);
        }
        Ok(log)
    }

    /// Resolves "max", the date of the last purchase. Without a purchase no row of a ledger is too young.
    fn set_as_of(&mut self, for_ledger: bool, cancel: &Cancel) -> Result<()> {
        self.as_of = match self.terms.as_of {
            AsOf::Day(date) => day_number(date),
            AsOf::LastPurchase => match with_kinds!(self, Self::last_purchase(self, cancel))? {
                (Some(last), _) => last,
                (None, _) if for_ledger => return Ok(()),
                (None, tally) => {
                    let left_out = self.verdict(&tally)?.map_or_else(String::new, |found| format!(" ({found})"));
                    return Err(Error::input(format!(
                        "as_of='max' needs a purchase, but no row of the log is one{left_out}; give as_of as a date"
                    )));
                }
            },
        };
        self.until = self.clock.start_of(i64::from(self.as_of) + 1);
        Ok(())
    }

    fn last_purchase<K: Key, A: Amount, O: Key>(&self, cancel: &Cancel) -> Result<(Option<i32>, Tally)> {
        let days = parallel::map_each_with(&self.chunks, cancel, Rows::<K, A, O>::default, |rows, chunk| {
            self.rows(chunk, rows)?;
            let times = rows.times.iter().zip(&rows.amounts).zip(&rows.reasons);
            let purchases = times.filter(|((_, amount), reason)| **reason > Reason::AfterAsOf && !amount.is_return());
            let last = purchases.map(|((time, _), _)| self.clock.local(*time)).max();
            Ok((last, Tally::of(&rows.reasons, chunk.first)))
        })?;
        // A local time of day more or less does not matter: the latest wall clock has the latest date.
        let last = days.iter().filter_map(|(last, _)| *last).max();
        let mut tally = Tally::default();
        for (_, more) in &days {
            tally.merge(more);
        }
        Ok((last.map(|local| local.div_euclid(self.clock.start_of(1)) as i32), tally))
    }

    /// Reads and checks the rows of one chunk.
    pub(super) fn rows<K: Key, A: Amount, O: Key>(&self, chunk: &Chunk, rows: &mut Rows<K, A, O>) -> Result<()> {
        self.keys(chunk, rows)?;
        let Some(batch) = self.batches.get(chunk.batch) else { return Ok(()) };
        let column = |place: usize| batch.get(place).unwrap_or(&Column::Null(0));
        let name = |place: usize| self.config.name(place);
        let range = || chunk.rows.clone();
        if let Some(order) = self.config.order_id.filter(|_| O::GIVEN) {
            let missing = (Reason::MissingOrderId, rows.reasons.as_mut_slice());
            O::read(column(order), range(), chunk.first, name(order), self.hashing, missing, &mut rows.orders)?;
        }
        A::read(column(self.config.amount), range(), &mut rows.reasons, &mut rows.amounts);
        self.read_times(column(self.config.timestamp), chunk, rows);
        if let Some(discount) = self.config.discount {
            read_discount(column(discount), range(), chunk.first, name(discount), &mut rows.discounted)?;
        }
        // A column of nothing but missing values gave no rows.
        for (reason, empty) in [
            (Reason::MissingCustomerId, rows.keys.is_empty()),
            (Reason::MissingTimestamp, rows.times.is_empty()),
            (Reason::MissingAmount, rows.amounts.is_empty()),
        ] {
            if empty {
                rows.reasons.iter_mut().for_each(|slot| *slot = (*slot).min(reason));
            }
        }
        let len = chunk.rows.len();
        rows.keys.resize(len, K::default());
        rows.orders.resize(len, O::default());
        rows.times.resize(len, MISSING);
        rows.amounts.resize(len, A::default());
        self.judge(chunk, rows);
        Ok(())
    }

    /// Begins the rows of one chunk with their customers' ids.
    pub(super) fn keys<K: Key, A, O>(&self, chunk: &Chunk, rows: &mut Rows<K, A, O>) -> Result<()> {
        rows.clear(chunk.rows.len());
        let id = self.config.customer_id;
        let Some(column) = self.batches.get(chunk.batch).and_then(|batch| batch.get(id)) else { return Ok(()) };
        let missing = (Reason::MissingCustomerId, rows.reasons.as_mut_slice());
        K::read(column, chunk.rows.clone(), chunk.first, self.config.name(id), self.hashing, missing, &mut rows.keys)
    }

    fn read_times<K, A, O>(&self, column: &Column<'_>, chunk: &Chunk, rows: &mut Rows<K, A, O>) {
        let mark = |validity, reasons: &mut [Reason]| {
            mark_missing(validity, chunk.rows.clone(), Reason::MissingTimestamp, reasons);
        };
        match (&self.times, column) {
            (Times::Parsed(batches), _) => {
                let times =
                    batches.get(chunk.batch).and_then(|times| times.get(chunk.rows.clone())).unwrap_or_default();
                rows.times.extend_from_slice(times);
            }
            (Times::Column, Column::Timestamp(column, ..)) => {
                mark(column.validity, &mut rows.reasons);
                rows.times.extend_from_slice(column.values.get(chunk.rows.clone()).unwrap_or_default());
            }
            (Times::Column, Column::Date(column)) => {
                mark(column.validity, &mut rows.reasons);
                let days = column.values.get(chunk.rows.clone()).unwrap_or_default();
                rows.times.extend(days.iter().map(|day| i64::from(*day)));
            }
            _ => {}
        }
    }

    /// The reasons that depend on times, amounts and other rows.
    fn judge<K, A: Amount, O>(&self, chunk: &Chunk, rows: &mut Rows<K, A, O>) {
        let until = self.until.min(self.clock.beyond);
        let (first, last) = extremes(&rows.times).unwrap_or_default();
        let dated = !self.clock.shifts() && self.clock.earliest <= first && last < until; // nearly every chunk
        for (reason, time) in rows.reasons.iter_mut().zip(&rows.times).filter(|_| !dated) {
            let local = self.clock.local(*time);
            if (self.clock.earliest..until).contains(&local) {
                continue;
            }
            let found = if *time == MISSING {
                Reason::MissingTimestamp // in parsed text, and numpy's NaT, which stands among the values
            } else if local < self.clock.earliest || local >= self.clock.beyond {
                Reason::TimestampOutOfRange
            } else {
                Reason::AfterAsOf
            };
            *reason = (*reason).min(found);
        }
        if self.terms.returns != Returns::Net {
            for (reason, amount) in rows.reasons.iter_mut().zip(&rows.amounts) {
                if amount.is_return() {
                    *reason = (*reason).min(Reason::ReturnExcluded);
                }
            }
        }
        if let Some(repeats) = self.repeats.as_ref().filter(|_| self.terms.drop_duplicates) {
            let repeats = repeats.get(chunk.first..).unwrap_or_default();
            for (reason, repeat) in rows.reasons.iter_mut().zip(repeats) {
                if *repeat {
                    *reason = (*reason).min(Reason::DuplicateDropped);
                }
            }
        }
        rows.earliest = if dated {
            first
        } else {
            let used = rows.times.iter().zip(&rows.reasons).filter(|(_, reason)| **reason == Reason::Used);
            used.fold(i64::MAX, |earliest, (time, _)| earliest.min(*time))
        };
    }

    /// What `invalid=` and `returns=` say about these counts: an error, a warning or nothing.
    pub(super) fn verdict(&self, tally: &Tally) -> Result<Option<String>> {
        let reasons = tally.complaint(|reason| {
            self.config.name(match reason {
                Reason::MissingCustomerId => self.config.customer_id,
                Reason::MissingTimestamp | Reason::TimestampOutOfRange => self.config.timestamp,
                Reason::MissingOrderId => self.config.order_id.unwrap_or_default(),
                _ => self.config.amount,
            })
        });
        let texts = self.refused.iter().filter(|(reason, _)| tally.get(*reason).0 > 0);
        let complaint = reasons.map(|reasons| texts.fold(reasons, |found, (_, text)| format!("{found}; {text}")));
        if let Some(found) = complaint.as_ref().filter(|_| !self.terms.drop_invalid) {
            return Err(Error::input(format!(
                "the log has rows that cannot be used: {found}; repair them, see order_ledger, or leave them out with \
                 invalid='drop'"
            )));
        }
        let (returns, first) = tally.get(Reason::ReturnExcluded);
        if self.terms.returns == Returns::Error && returns > 0 {
            let rows = if returns == 1 { "row" } else { "rows" };
            return Err(Error::input(format!(
                "column '{}' is below zero in {returns} {rows} (first: row {first}); they are returns: count them with \
                 returns='net' or leave them out with returns='exclude'",
                self.config.name(self.config.amount)
            )));
        }
        Ok(complaint.map(|found| format!("rows left out: {found}")))
    }

    /// The date of `as_of`.
    pub(super) fn as_of_date(&self) -> Result<jiff::civil::Date> {
        date_of(self.as_of)
    }
}

/// The rows of a chunk, column by column.
pub(super) struct Rows<K, A, O> {
    pub(super) reasons: Vec<Reason>,
    pub(super) keys: Vec<K>,
    pub(super) times: Vec<i64>,
    pub(super) amounts: Vec<A>,
    pub(super) orders: Vec<O>,
    pub(super) discounted: Vec<bool>,
    /// No used row is earlier.
    pub(super) earliest: i64,
}

impl<K, A, O> Default for Rows<K, A, O> {
    fn default() -> Self {
        Self {
            reasons: Vec::new(),
            keys: Vec::new(),
            times: Vec::new(),
            amounts: Vec::new(),
            orders: Vec::new(),
            discounted: Vec::new(),
            earliest: i64::MAX,
        }
    }
}

impl<K, A, O> Rows<K, A, O> {
    fn clear(&mut self, len: usize) {
        self.reasons.clear();
        self.reasons.resize(len, Reason::Used);
        self.keys.clear();
        self.times.clear();
        self.amounts.clear();
        self.orders.clear();
        self.discounted.clear();
    }
}

/// The column in the first batch; every stream has at least one, if an empty one.
fn column<'a>(batches: &'a [Batch<'a>], config: &Config, place: usize) -> Result<&'a Column<'a>> {
    batches
        .first()
        .and_then(|batch| batch.get(place))
        .ok_or_else(|| Error::parameter(format!("column {place} ('{}') is not in the stream", config.name(place))))
}

/// The times of the log where they are text, what is to be known about all of them, and their clock.
fn read_times(
    batches: &[Batch<'_>],
    config: &Config,
    cancel: &Cancel,
) -> Result<(Option<parse::Parsed>, TimeKind, Clock)> {
    let name = config.name(config.timestamp);
    let asked = config.tz.as_deref().map(|tz| zone(tz, "tz")).transpose()?;
    let found = column(batches, config, config.timestamp)?;
    let text = matches!(found, Column::Text(_) | Column::Dictionary(..));
    let number = matches!(
        found,
        Column::Int32(_) | Column::Int64(_) | Column::UInt32(_) | Column::UInt64(_) | Column::Float64(_)
    );
    if config.date_format.is_some() && !text && !number && !matches!(found, Column::Null(_)) {
        return Err(Error::parameter(format!(
            "date_format is for dates written as text, but column '{name}' holds {}; leave date_format out",
            found.kind()
        )));
    }
    if text || (number && config.date_format.is_some()) {
        let columns: Vec<_> = batches.iter().filter_map(|batch| batch.get(config.timestamp)).collect();
        let parsed = parse::times(&columns, name, config.date_format.as_deref(), asked.is_some(), cancel)?;
        let unit = Unit::Part(TimeUnit::Microsecond);
        let own = parsed.offset.filter(|_| parsed.aware).map(offset_name);
        let shown = config.tz.clone().or(own).filter(|_| parsed.aware);
        let calendar = shown.as_deref().map(|shown| zone(shown, "tz")).transpose()?;
        let clock = Clock::new(unit, calendar.as_ref());
        return Ok((Some(parsed), TimeKind { unit, zone: shown, from_text: true }, clock));
    }
    let (unit, own) = match found {
        Column::Date(_) => (Unit::Day, None),
        Column::Timestamp(_, unit, own) => (Unit::Part(*unit), *own),
        Column::Null(_) => (Unit::Part(TimeUnit::Microsecond), None),
        other => {
            let how = if number { ", or say with date_format= how its numbers are to be read" } else { "" };
            return Err(Error::input(format!(
                "column '{name}' holds {}; wanted dates or timestamps: convert it{how}",
                other.kind()
            )));
        }
    };
    let calendar = match (own, asked) {
        (None, _) => None, // wall clock: never shifted
        (Some(_), Some(asked)) => Some(asked),
        (Some(own), None) => Some(zone(own, &format!("the time zone of column '{name}'"))?),
    };
    let clock = Clock::new(unit, calendar.as_ref());
    Ok((None, TimeKind { unit, zone: own.map(str::to_owned), from_text: false }, clock))
}

fn offset_name(seconds: i32) -> String {
    if seconds == 0 {
        return "UTC".into();
    }
    let minutes = seconds.abs() / 60;
    format!("{}{:02}:{:02}", if seconds < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
}

fn check_discount(column: &Column<'_>, name: &str) -> Result<()> {
    match column {
        Column::Text(_) | Column::Dictionary(..) | Column::Date(_) | Column::Timestamp(..) => Err(Error::input(
            format!("column '{name}' holds {}; a discount is a number or true/false: convert it first", column.kind()),
        )),
        _ => Ok(()),
    }
}

/// A discount is a number above zero or true; a missing one is none.
fn read_discount(
    column: &Column<'_>,
    range: Range<usize>,
    first: usize,
    name: &str,
    discounted: &mut Vec<bool>,
) -> Result<()> {
    fn above<T: Copy + PartialOrd + Default>(column: &Values<'_, T>, range: Range<usize>, out: &mut Vec<bool>) {
        out.extend(range.map(|row| column.get(row).is_some_and(|value| value > T::default())));
    }
    let infinite = |row: usize| {
        Err(Error::input(format!(
            "column '{name}' is infinite in row {}; infinity is never data: repair it",
            first + row
        )))
    };
    match column {
        Column::Bool(bits, validity) => {
            discounted.extend(range.map(|row| bits.get(row) && validity.is_none_or(|validity| validity.get(row))));
        }
        Column::Int8(column) => above(column, range, discounted),
        Column::Int16(column) => above(column, range, discounted),
        Column::Int32(column) => above(column, range, discounted),
        Column::Int64(column) => above(column, range, discounted),
        Column::UInt8(column) => above(column, range, discounted),
        Column::UInt16(column) => above(column, range, discounted),
        Column::UInt32(column) => above(column, range, discounted),
        Column::UInt64(column) => above(column, range, discounted),
        Column::Decimal(column, _) => above(column, range, discounted),
        Column::Float32(column) => {
            if let Some(row) = range.clone().position(|row| column.get(row).is_some_and(f32::is_infinite)) {
                return infinite(row);
            }
            above(column, range, discounted);
        }
        Column::Float64(column) => {
            if let Some(row) = range.clone().position(|row| column.get(row).is_some_and(f64::is_infinite)) {
                return infinite(row);
            }
            above(column, range, discounted);
        }
        _ => discounted.resize(range.len(), false),
    }
    Ok(())
}
