//! Ids as one or two machine words: equality, hash and order without going back to the caller's data,
//! except for text longer than 15 bytes.

use std::{cmp::Ordering, hash::Hasher as _, ops::Range};

use rayon::prelude::*;

use super::reason::{Reason, mark_missing};
use crate::{
    Error, Result,
    column::{Column, OwnedText},
};

/// How ids are hashed. `keep` is all ones, except in the tests that make every id collide.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hashing {
    pub(super) keep: u64,
}

impl Hashing {
    pub(super) const GOOD: Self = Self { keep: u64::MAX };

    /// Folded multiplication: the high and the low half of the product depend on every bit.
    #[inline]
    pub(super) fn mix(self, word: u64, other: u64) -> u64 {
        let product = u128::from(word ^ 0x9e37_79b9_7f4a_7c15) * u128::from(other ^ 0xd1b5_4a32_d192_ed03);
        let folded = (product as u64) ^ (product >> 64) as u64;
        folded.wrapping_mul(0xbf58_476d_1ce4_e5b9) & self.keep
    }

    pub(super) fn bytes(self, bytes: &[u8]) -> u64 {
        use std::hash::BuildHasher;
        let mut hasher = foldhash::fast::FixedState::with_seed(0x78_6966_656e).build_hasher();
        hasher.write(bytes);
        hasher.finish() & self.keep
    }
}

/// An id of fixed size. `()` stands for "every row has its own".
pub(super) trait Key: Copy + Default + Send + Sync + 'static {
    /// Whether there is an id at all.
    const GIVEN: bool = true;

    /// Appends the ids of some rows; `first` is the number of the first among all rows.
    fn read(
        rows: &Column<'_>,
        range: Range<usize>,
        first: usize,
        name: &str,
        hashing: Hashing,
        missing: (Reason, &mut [Reason]),
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

/// Where the measures of a customer stand: partition and index in it.
pub(super) type Place = (u32, u32);

/// The columns that hold ids, one behind the other.
pub(super) struct Ids<'a> {
    parts: Vec<(usize, &'a Column<'a>)>,
}

impl<'a> Ids<'a> {
    pub(super) fn new(columns: impl IntoIterator<Item = &'a Column<'a>>) -> Self {
        let mut first = 0;
        let parts = columns.into_iter().map(|column| {
            let start = first;
            first += column.len();
            (start, column)
        });
        Self { parts: parts.collect() }
    }

    /// The column that holds a row, and the number of its first row.
    pub(super) fn part(&self, row: usize) -> (usize, &'a Column<'a>) {
        let part = self.parts.partition_point(|(first, _)| *first <= row).saturating_sub(1);
        self.parts.get(part).copied().unwrap_or((0, &Column::Null(0)))
    }

    /// The bytes of an id in any row.
    pub(super) fn bytes(&self, row: usize) -> &'a [u8] {
        let (first, column) = self.part(row);
        text_of(column, row - first).unwrap_or_default()
    }
}

/// The text of a row, unless it is missing or the column holds no text.
#[inline]
pub(super) fn text_of<'a>(column: &Column<'a>, row: usize) -> Option<&'a [u8]> {
    match column {
        Column::Text(text) => text.bytes(row),
        Column::Dictionary(codes, text) => text.bytes(codes.get(row)? as usize),
        _ => None,
    }
}

/// Whether ids are text, whole numbers below zero too, or natural numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdKind {
    Text,
    Signed,
    Unsigned,
}

impl IdKind {
    /// The kind of a column, or an error that says what ids may be. A column without any value is text.
    pub(super) fn of(column: &Column<'_>, name: &str) -> Result<Self> {
        Ok(match column {
            Column::Null(_) | Column::Text(_) | Column::Dictionary(..) => Self::Text,
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

    fn read(
        _: &Column<'_>,
        range: Range<usize>,
        _: usize,
        _: &str,
        _: Hashing,
        _: (Reason, &mut [Reason]),
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
pub(super) fn signed(word: u64) -> i64 {
    (word ^ SIGN) as i64
}

/// A number as a word that keeps its order.
#[inline]
pub(super) fn word(number: i64) -> u64 {
    number as u64 ^ SIGN
}

impl Key for u64 {
    const NUMERIC: bool = true;

    fn read(
        column: &Column<'_>,
        range: Range<usize>,
        first: usize,
        name: &str,
        _: Hashing,
        (reason, reasons): (Reason, &mut [Reason]),
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
fn whole(
    ids: impl Iterator<Item = Option<f64>>,
    first: usize,
    name: &str,
    (missing, reasons): (Reason, &mut [Reason]),
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

/// Text of up to 15 bytes: the bytes in both words, the length in the last byte.
/// Longer text: its hash, then its row and 255 in the last byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TextKey {
    head: u64,
    tail: u64,
}

impl TextKey {
    const LONG: u64 = 0xff;

    #[inline]
    fn new(text: &[u8], row: usize, hashing: Hashing) -> Self {
        if text.len() > 15 {
            return Self { head: hashing.bytes(text), tail: (row as u64) << 8 | Self::LONG };
        }
        let words = leading(text) | text.len() as u128;
        Self { head: (words >> 64) as u64, tail: words as u64 }
    }

    #[inline]
    fn is_long(self) -> bool {
        self.tail & 0xff == Self::LONG
    }

    fn row(self) -> usize {
        (self.tail >> 8) as usize
    }

    /// Appends the text itself.
    pub(super) fn write(self, ids: &Ids<'_>, text: &mut OwnedText) {
        if self.is_long() {
            text.push(ids.bytes(self.row()));
        } else {
            let bytes = (u128::from(self.head) << 64 | u128::from(self.tail)).to_be_bytes();
            text.push(bytes.get(..(self.tail & 0xff) as usize).unwrap_or_default());
        }
    }

    /// The first 15 bytes as two words that sort as the bytes do; long text behind its own beginning.
    fn prefix(self, ids: &Ids<'_>) -> (u64, u64) {
        if !self.is_long() {
            return (self.head, self.tail);
        }
        let start = ids.bytes(self.row()).get(..15).unwrap_or_default();
        let key = Self::new(start, 0, Hashing::GOOD);
        (key.head, key.tail | Self::LONG)
    }
}

/// Up to 15 bytes in the highest places, in their order, zeros behind: two overlapping loads instead of a loop.
#[inline]
fn leading(text: &[u8]) -> u128 {
    let rest = 8 * 16u32.saturating_sub(text.len() as u32);
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return u128::from(u64::from_be_bytes(*first)) << 64 | u128::from(u64::from_be_bytes(*last)) << rest;
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return u128::from(u32::from_be_bytes(*first)) << 96 | u128::from(u32::from_be_bytes(*last)) << rest;
    }
    text.iter().rev().fold(0, |word, byte| word >> 8 | u128::from(*byte) << 120)
}

impl Key for TextKey {
    fn read(
        column: &Column<'_>,
        range: Range<usize>,
        first: usize,
        _: &str,
        hashing: Hashing,
        (missing, reasons): (Reason, &mut [Reason]),
        keys: &mut Vec<Self>,
    ) -> Result<()> {
        for (index, (row, reason)) in range.zip(reasons).enumerate() {
            if let Some(text) = text_of(column, row) {
                keys.push(Self::new(text, first + index, hashing));
            } else {
                *reason = (*reason).min(missing);
                keys.push(Self::default());
            }
        }
        Ok(())
    }

    #[inline]
    fn hash(self, hashing: Hashing) -> u64 {
        // A long text's tail is a row number: only its head says what it is.
        let tail = if self.is_long() { Self::LONG } else { self.tail };
        hashing.mix(self.head, tail.rotate_left(17))
    }

    #[inline]
    fn alike(self, other: Self) -> bool {
        self.head == other.head && (self.tail == other.tail || self.is_long() && other.is_long())
    }

    #[inline]
    fn same(self, other: Self, ids: &Ids<'_>) -> bool {
        self.alike(other) && (!self.is_long() || ids.bytes(self.row()) == ids.bytes(other.row()))
    }

    #[inline]
    fn long_row(self) -> Option<usize> {
        self.is_long().then(|| self.row())
    }

    fn sort(keys: &mut [(Self, Place)], ids: &Ids<'_>) {
        let mut sorted: Vec<_> = keys.par_iter().map(|(key, place)| (key.prefix(ids), *key, *place)).collect();
        sorted.par_sort_unstable_by(|(prefix, key, _), (other_prefix, other, _)| {
            prefix.cmp(other_prefix).then_with(|| {
                if key.is_long() { ids.bytes(key.row()).cmp(ids.bytes(other.row())) } else { Ordering::Equal }
            })
        });
        for (target, (_, key, place)) in keys.iter_mut().zip(sorted) {
            *target = (key, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn short_text_is_its_own_key(text in prop::collection::vec(prop::sample::select(vec![0u8, 1, 97, 228, 255]), 0..16)) {
            let mut bytes = [0; 16];
            bytes[..text.len()].copy_from_slice(&text);
            prop_assert_eq!(leading(&text), u128::from_be_bytes(bytes));
            let mut written = OwnedText::new();
            TextKey::new(&text, 9, Hashing::GOOD).write(&Ids::new([]), &mut written);
            prop_assert_eq!(written.bytes, text);
        }

        #[test]
        fn keys_sort_as_their_bytes_do(mut names in prop::collection::btree_set("[ab\u{0}]{0,20}", 0..40)) {
            names.insert("aaaaaaaaaaaaaaa".into());
            names.insert("aaaaaaaaaaaaaaaa".into());
            let names: Vec<String> = names.into_iter().rev().collect();
            let mut offsets = vec![0i64];
            offsets.extend(names.iter().scan(0, |end, name| { *end += name.len() as i64; Some(*end) }));
            let bytes = names.concat().into_bytes();
            let layout = crate::column::TextLayout::Offsets64(&offsets, &bytes);
            let column = Column::Text(crate::column::Text { layout, validity: None });
            let ids = Ids::new([&column]);
            let mut keys: Vec<_> =
                names.iter().enumerate().map(|(row, name)| (TextKey::new(name.as_bytes(), row, Hashing::GOOD), (0, row as u32))).collect();
            TextKey::sort(&mut keys, &ids);
            let order: Vec<u32> = keys.iter().map(|(_, (_, row))| *row).collect();
            prop_assert_eq!(order, (0..names.len() as u32).rev().collect::<Vec<_>>());
        }
    }
}
