//! Ids that are text.

use std::{cmp::Ordering, ops::Range};

use rayon::prelude::*;

use super::{CustomerIds, Hashing, IdColumn, IdKind, Ids, Key, Place, text_of};
use crate::{
    Result,
    column::{Column, OwnedText},
};

/// Text of up to `8 * WORDS - 1` bytes: the bytes in the words, the length in the last byte.
/// Longer text: its hash, then zeros, then its row and 255 in the last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextKey<const WORDS: usize>([u64; WORDS]);

/// For numbers and names.
pub(crate) type ShortText = TextKey<2>;
/// For texts such as UUIDs: more to carry, but no way back to the caller's data.
pub(crate) type WideText = TextKey<5>;

impl<const WORDS: usize> Default for TextKey<WORDS> {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl<const WORDS: usize> TextKey<WORDS> {
    const LONG: u64 = 0xff;
    /// The longest text that stands in a key.
    pub(crate) const MOST: usize = 8 * WORDS - 1;

    #[inline]
    fn new(text: &[u8], row: usize, hashing: Hashing) -> Self {
        let mut words = [0; WORDS];
        if text.len() > Self::MOST {
            if let [first, .., last] = words.as_mut_slice() {
                (*first, *last) = (hashing.bytes(text), (row as u64) << 8 | Self::LONG);
            }
            return Self(words);
        }
        leading(text, &mut words);
        if let Some(last) = words.last_mut() {
            *last |= text.len() as u64;
        }
        Self(words)
    }

    #[inline]
    fn first(self) -> u64 {
        self.0.first().copied().unwrap_or_default()
    }

    #[inline]
    fn last(self) -> u64 {
        self.0.last().copied().unwrap_or_default()
    }

    #[inline]
    fn is_long(self) -> bool {
        self.last() & 0xff == Self::LONG
    }

    fn row(self) -> usize {
        (self.last() >> 8) as usize
    }

    /// Appends the text itself.
    pub(crate) fn write(self, ids: &Ids<'_>, text: &mut OwnedText) {
        if self.is_long() {
            text.push(ids.bytes(self.row()));
        } else {
            let bytes = self.0.map(u64::to_be_bytes);
            text.push(bytes.as_flattened().get(..(self.last() & 0xff) as usize).unwrap_or_default());
        }
    }

    /// Words that sort as the bytes do; long text behind its own beginning.
    fn prefix(self, ids: &Ids<'_>) -> [u64; WORDS] {
        if !self.is_long() {
            return self.0;
        }
        let start = ids.bytes(self.row()).get(..Self::MOST).unwrap_or_default();
        let Self(mut words) = Self::new(start, 0, Hashing::GOOD);
        if let Some(last) = words.last_mut() {
            *last |= Self::LONG;
        }
        words
    }
}

/// The bytes in the highest places, in their order, zeros behind: the last word by a load that overlaps the one before.
#[inline]
fn leading<const WORDS: usize>(text: &[u8], words: &mut [u64; WORDS]) {
    let (whole, rest) = text.as_chunks();
    for (word, bytes) in words.iter_mut().zip(whole) {
        *word = u64::from_be_bytes(*bytes);
    }
    if let (Some(word), false) = (words.get_mut(whole.len()), rest.is_empty()) {
        let unused = 8 * (8 - rest.len() as u32);
        *word = if let Some(last) = text.last_chunk() {
            u64::from_be_bytes(*last) << unused
        } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
            u64::from(u32::from_be_bytes(*first)) << 32 | u64::from(u32::from_be_bytes(*last)) << unused
        } else {
            text.iter().rev().fold(0, |word, byte| word >> 8 | u64::from(*byte) << 56)
        };
    }
}

impl<const WORDS: usize> Key for TextKey<WORDS> {
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
        // A long text's row does not say what it is: only its first word does.
        let last = if self.is_long() { Self::LONG } else { self.last() };
        let Some((_, rest)) = self.0.split_last() else { return 0 };
        rest.iter().fold(last.rotate_left(17), |hash, word| hashing.mix(*word, hash))
    }

    #[inline]
    fn alike(self, other: Self) -> bool {
        self == other || self.is_long() && other.is_long() && self.first() == other.first()
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
        if !keys.iter().any(|(key, _)| key.is_long()) {
            return keys.par_sort_unstable_by_key(|(key, _)| key.0);
        }
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

impl<const WORDS: usize> IdColumn for TextKey<WORDS> {
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
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn is_its_own_key<const WORDS: usize>(text: &[u8]) {
        let mut words = [0; WORDS];
        leading(text, &mut words);
        let mut bytes = text.to_vec();
        bytes.resize(8 * WORDS, 0);
        assert_eq!(words.map(u64::to_be_bytes).as_flattened(), bytes);
        let mut written = OwnedText::new();
        TextKey::<WORDS>::new(text, 9, Hashing::GOOD).write(&Ids::new([]), &mut written);
        assert_eq!(written.bytes, text);
    }

    fn sort_as_bytes_do<const WORDS: usize>(mut names: BTreeSet<String>) {
        names.extend([0, 1].map(|more| "a".repeat(TextKey::<WORDS>::MOST + more)));
        let names: Vec<String> = names.into_iter().rev().collect();
        let mut offsets = vec![0i64];
        offsets.extend(names.iter().scan(0, |end, name| {
            *end += name.len() as i64;
            Some(*end)
        }));
        let bytes = names.concat().into_bytes();
        let layout = crate::column::TextLayout::Offsets64(&offsets, &bytes);
        let column = Column::Text(crate::column::Text { layout, validity: None });
        let ids = Ids::new([&column]);
        let key = |row: usize| TextKey::<WORDS>::new(names[row].as_bytes(), row, Hashing::GOOD);
        for keep in [|_: &str| true, |name: &str| name.len() <= TextKey::<WORDS>::MOST] {
            let rows = (0..names.len()).filter(|row| keep(&names[*row]));
            let mut keys: Vec<_> = rows.clone().map(|row| (key(row), (0, row as u32))).collect();
            TextKey::sort(&mut keys, &ids);
            let order: Vec<u32> = keys.iter().map(|(_, (_, row))| *row).collect();
            assert_eq!(order, rows.rev().map(|row| row as u32).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn text_that_fits_is_its_own_key(text in prop::collection::vec(prop::sample::select(vec![0u8, 1, 97, 228, 255]), 0..40)) {
            if text.len() <= ShortText::MOST {
                is_its_own_key::<2>(&text);
            }
            is_its_own_key::<5>(&text);
        }

        #[test]
        fn keys_sort_as_their_bytes_do(names in prop::collection::btree_set("[ab\u{0}]{0,45}", 0..40)) {
            sort_as_bytes_do::<2>(names.clone());
            sort_as_bytes_do::<5>(names);
        }
    }
}
