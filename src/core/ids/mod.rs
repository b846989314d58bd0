//! Ids as a few machine words: equality, hash and order without going back to the caller's data,
//! except for long text.

mod text;

use std::{hash::Hasher as _, ops::Range};

use rayon::prelude::*;

pub(crate) use self::text::{ShortText, TextKey, WideText};
use crate::{
    Error, Result,
    column::{Bits, Column, OwnedText},
};

/// The ids of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerIds {
    /// Whole numbers.
    Signed(Vec<i64>),
    /// Natural numbers.
    Unsigned(Vec<u64>),
    /// Text.
    Text(OwnedText),
}

impl CustomerIds {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Signed(ids) => ids.len(),
            Self::Unsigned(ids) => ids.len(),
            Self::Text(text) => text.offsets.len() - 1,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How ids are hashed. `keep` is all ones, except in the tests that make every id collide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hashing {
    pub(crate) keep: u64,
}

impl Hashing {
    pub(crate) const GOOD: Self = Self { keep: u64::MAX };

    /// Folded multiplication: the high and the low half of the product depend on every bit.
    #[inline]
    pub(crate) fn mix(self, word: u64, other: u64) -> u64 {
        let product = u128::from(word ^ 0x9e37_79b9_7f4a_7c15) * u128::from(other ^ 0xd1b5_4a32_d192_ed03);
        let folded = (product as u64) ^ (product >> 64) as u64;
        folded.wrapping_mul(0xbf58_476d_1ce4_e5b9) & self.keep
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> u64 {
        use std::hash::BuildHasher;
        let mut hasher = foldhash::fast::FixedState::with_seed(0x78_6966_656e).build_hasher();
        hasher.write(bytes);
        hasher.finish() & self.keep
    }
}

/// An id of fixed size. `()` stands for "every row has its own".
pub(crate) trait Key: Copy + Default + Send + Sync + 'static {
    /// Whether there is an id at all.
    const GIVEN: bool = true;

    /// Appends the ids of some rows; `first` is the number of the first among all rows. Rows without one get the
    /// reason given, unless they have an earlier one.
    fn read<R: Copy + Ord>(
        rows: &Column<'_>,
        range: Range<usize>,
        first: usize,
        name: &str,
        hashing: Hashing,
        missing: (R, &mut [R]),
        keys: &mut Vec<Self>,
    ) -> Result<()>;

    /// Whether ids are whole numbers, [`Key::number`] being the number and keeping their order.
    const NUMERIC: bool = false;

    #[inline]
    fn number(self) -> u64 {
        0
    }

    /// A hash whose every bit is good.
    fn hash(self, hashing: Hashing) -> u64;

    /// Whether both are the same id as far as the words tell: certain for all but long text.
    fn alike(self, other: Self) -> bool;

    /// Whether both are the same id.
    fn same(self, other: Self, ids: &Ids<'_>) -> bool;

    /// The row of a long text, which stands in for it.
    #[inline]
    fn long_row(self) -> Option<usize> {
        None
    }

    /// Sorts by id: numbers ascending, text by bytes.
    fn sort(keys: &mut [(Self, Place)], ids: &Ids<'_>);
}

/// Keys that can be customers' ids.
pub(crate) trait IdColumn: Key {
    /// Ids as a column.
    fn column(order: &[(Self, Place)], kind: IdKind, ids: &Ids<'_>) -> CustomerIds;
}

impl IdColumn for u64 {
    fn column(order: &[(Self, Place)], kind: IdKind, _: &Ids<'_>) -> CustomerIds {
        if kind == IdKind::Unsigned {
            CustomerIds::Unsigned(order.iter().map(|(key, _)| *key).collect())
        } else {
            CustomerIds::Signed(order.iter().map(|(key, _)| signed(*key)).collect())
        }
    }
}

/// Where the measures of a customer stand: partition and index in it.
pub(crate) type Place = (u32, u32);

/// The columns that hold ids, one behind the other.
pub(crate) struct Ids<'a> {
    parts: Vec<(usize, &'a Column<'a>)>,
}

impl<'a> Ids<'a> {
    pub(crate) fn new(columns: impl IntoIterator<Item = &'a Column<'a>>) -> Self {
        let mut first = 0;
        let parts = columns.into_iter().map(|column| {
            let start = first;
            first += column.len();
            (start, column)
        });
        Self { parts: parts.collect() }
    }

    /// The column that holds a row, and the number of its first row.
    pub(crate) fn part(&self, row: usize) -> (usize, &'a Column<'a>) {
        let part = self.parts.partition_point(|(first, _)| *first <= row).saturating_sub(1);
        self.parts.get(part).copied().unwrap_or((0, &Column::Null(0)))
    }

    /// The bytes of an id in any row.
    pub(crate) fn bytes(&self, row: usize) -> &'a [u8] {
        let (first, column) = self.part(row);
        text_of(column, row - first).unwrap_or_default()
    }
}

/// The text of a row, unless it is missing or the column holds no text.
#[inline]
pub(crate) fn text_of<'a>(column: &Column<'a>, row: usize) -> Option<&'a [u8]> {
    match column {
        Column::Text(text) => text.bytes(row),
        Column::Dictionary(codes, text) => text.bytes(codes.get(row)?),
        _ => None,
    }
}

/// Gives the rows of `range` whose bit is not set a reason, unless they have an earlier one.
pub(crate) fn mark_missing<R: Copy + Ord>(
    validity: Option<Bits<'_>>,
    range: Range<usize>,
    reason: R,
    reasons: &mut [R],
) {
    let Some(bits) = validity else { return };
    for (row, slot) in range.zip(reasons) {
        if !bits.get(row) {
            *slot = (*slot).min(reason);
        }
    }
}

/// Whether ids are text, whole numbers below zero too, or natural numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdKind {
    Text,
    /// Text of which much fits a [`WideText`] and not a [`ShortText`].
    WideText,
    Signed,
    Unsigned,
}

/// So many texts are looked at to choose their key; the choice decides how fast a call is, never its result.
const LOOK: usize = 1000;

impl IdKind {
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::WideText)
    }

    /// The kind of a column, or an error that says what ids may be. A column without any value is text.
    pub(crate) fn of(column: &Column<'_>, name: &str) -> Result<Self> {
        Ok(match column {
            Column::Null(_) => Self::Text,
            Column::Text(text) | Column::Dictionary(_, text) => {
                let longest = (0..text.len().min(LOOK)).filter_map(|row| text.bytes(row)).map(<[u8]>::len).max();
                let wide = (ShortText::MOST + 1..=WideText::MOST).contains(&longest.unwrap_or_default());
                if wide { Self::WideText } else { Self::Text }
            }
            Column::Int8(_)
            | Column::Int16(_)
            | Column::Int32(_)
            | Column::Int64(_)
            | Column::Float32(_)
            | Column::Float64(_) => Self::Signed,
            Column::UInt8(_) | Column::UInt16(_) | Column::UInt32(_) | Column::UInt64(_) => Self::Unsigned,
            other => {
                return Err(Error::input(format!(
                    "column '{name}' holds {}; an id is text or a whole number: convert it first",
                    other.kind()
                )));
            }
        })
    }
}

impl Key for () {
    const GIVEN: bool = false;

    fn read<R: Copy + Ord>(
        _: &Column<'_>,
        range: Range<usize>,
        _: usize,
        _: &str,
        _: Hashing,
        _: (R, &mut [R]),
        keys: &mut Vec<Self>,
    ) -> Result<()> {
        keys.resize(range.len(), ());
        Ok(())
    }

    fn hash(self, _: Hashing) -> u64 {
        0
    }

    fn alike(self, (): ()) -> bool {
        false
    }

    fn same(self, (): (), _: &Ids<'_>) -> bool {
        false
    }

    fn sort(_: &mut [(Self, Place)], _: &Ids<'_>) {}
}

const SIGN: u64 = 1 << 63;

/// The number a word stands for.
pub(crate) fn signed(word: u64) -> i64 {
    (word ^ SIGN) as i64
}

/// A number as a word that keeps its order.
#[inline]
pub(crate) fn word(number: i64) -> u64 {
    number as u64 ^ SIGN
}

impl Key for u64 {
    const NUMERIC: bool = true;

    fn read<R: Copy + Ord>(
        column: &Column<'_>,
        range: Range<usize>,
        first: usize,
        name: &str,
        _: Hashing,
        (reason, reasons): (R, &mut [R]),
        keys: &mut Vec<Self>,
    ) -> Result<()> {
        macro_rules! widen {
            ($column:expr, $convert:expr) => {{
                mark_missing($column.validity, range.clone(), reason, reasons);
                keys.extend($column.values.get(range).unwrap_or_default().iter().map($convert));
            }};
        }
        match column {
            Column::Int8(column) => widen!(column, |&id| word(id.into())),
            Column::Int16(column) => widen!(column, |&id| word(id.into())),
            Column::Int32(column) => widen!(column, |&id| word(id.into())),
            Column::Int64(column) => widen!(column, |&id| word(id)),
            Column::UInt8(column) => widen!(column, |&id| u64::from(id)),
            Column::UInt16(column) => widen!(column, |&id| u64::from(id)),
            Column::UInt32(column) => widen!(column, |&id| u64::from(id)),
            Column::UInt64(column) => widen!(column, |&id| id),
            Column::Float32(column) => {
                let ids = range.map(|row| column.get(row).map(f64::from));
                whole(ids, first, name, (reason, reasons), keys)?;
            }
            Column::Float64(column) => {
                let ids = range.map(|row| column.get(row));
                whole(ids, first, name, (reason, reasons), keys)?;
            }
            _ => {}
        }
        Ok(())
    }

    #[inline]
    fn number(self) -> u64 {
        self
    }

    #[inline]
    fn hash(self, hashing: Hashing) -> u64 {
        hashing.mix(self, self.rotate_left(32))
    }

    #[inline]
    fn alike(self, other: Self) -> bool {
        self == other
    }

    #[inline]
    fn same(self, other: Self, _: &Ids<'_>) -> bool {
        self == other
    }

    fn sort(keys: &mut [(Self, Place)], _: &Ids<'_>) {
        keys.par_sort_unstable_by_key(|(key, _)| *key);
    }
}

/// Whole numbers that arrived as floats, as integers with nulls do in pandas.
fn whole<R: Copy + Ord>(
    ids: impl Iterator<Item = Option<f64>>,
    first: usize,
    name: &str,
    (missing, reasons): (R, &mut [R]),
    keys: &mut Vec<u64>,
) -> Result<()> {
    const LIMIT: f64 = 9_007_199_254_740_992.0; // 2^53: beyond it a float no longer holds every whole number
    for (row, (id, reason)) in ids.zip(reasons).enumerate() {
        let Some(id) = id.filter(|id| !id.is_nan()) else {
            *reason = (*reason).min(missing);
            keys.push(0);
            continue;
        };
        if id.fract() != 0.0 || id.abs() >= LIMIT {
            let wrong = if id.fract() == 0.0 { "is too large to be exact in a float" } else { "is no whole number" };
            return Err(Error::input(format!(
                "column '{name}' holds the id {id} in row {}, which {wrong}; convert the column to integers or text first",
                first + row
            )));
        }
        keys.push(word(id as i64));
    }
    Ok(())
}
