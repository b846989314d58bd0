//! Ids that are text.

use std::{cmp::Ordering, ops::Range};

use rayon::prelude::*;

use super::{CustomerIds, Hashing, IdColumn, IdKind, Ids, Key, Place, text_of};
use crate::{
    Result,
    column::{Column, OwnedText},
};

/// Text of up to 15 bytes: the bytes in both words, the length in the last byte.
/// Longer text: its hash, then its row and 255 in the last byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TextKey {
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
    pub(crate) fn write(self, ids: &Ids<'_>, text: &mut OwnedText) {
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
    fn read<R: Copy + Ord>(
        column: &Column<'_>,
        range: Range<usize>,
        first: usize,
        _: &str,
        hashing: Hashing,
        (missing, reasons): (R, &mut [R]),
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

impl IdColumn for TextKey {
    fn column(order: &[(Self, Place)], _: IdKind, ids: &Ids<'_>) -> CustomerIds {
        let mut text = OwnedText::new();
        text.offsets.reserve(order.len());
        for (key, _) in order {
            key.write(ids, &mut text);
        }
        CustomerIds::Text(text)
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
