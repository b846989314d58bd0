//! The distinct calendar days of one customer at a time: a bit for every day a log may hold.
//!
//! Setting a bit costs the same whether days come in order or not, and there is nothing to sort.

use super::clock::{DAYS, FIRST_DAY};

pub(super) struct Days {
    words: Vec<u64>,
    /// The words in use lie in `low..high`.
    low: usize,
    high: usize,
    count: u32,
}

impl Default for Days {
    fn default() -> Self {
        Self { words: vec![0; DAYS.div_ceil(64)], low: usize::MAX, high: 0, count: 0 }
    }
}

impl Days {
    #[inline]
    pub(super) fn insert(&mut self, day: i32) {
        let bit = day.wrapping_sub(FIRST_DAY) as usize;
        let place = bit / 64;
        let Some(word) = self.words.get_mut(place) else { return }; // rows of other days are not used
        let day = 1 << (bit % 64);
        self.count += u32::from(*word & day == 0);
        *word |= day;
        self.low = self.low.min(place);
        self.high = self.high.max(place + 1);
    }

    /// How many different days.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The days, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = i32> {
        let words = self.words.get(self.low..self.high).unwrap_or_default();
        words.iter().zip(self.low..).flat_map(|(word, place)| {
            let days = (0..64).filter(move |bit| word >> bit & 1 == 1);
            days.map(move |bit| (place * 64 + bit) as i32 + FIRST_DAY)
        })
    }

    /// Forgets the days of this customer.
    pub(super) fn clear(&mut self) {
        self.words.get_mut(self.low..self.high).unwrap_or_default().fill(0);
        (self.low, self.high, self.count) = (usize::MAX, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_set(customers in prop::collection::vec(prop::collection::vec(-106_650..106_651, 0..20), 0..5)) {
            let mut days = Days::default();
            for customer in customers {
                let set: BTreeSet<i32> = customer.iter().copied().collect();
                for day in &customer {
                    days.insert(*day);
                }
                prop_assert_eq!(days.count() as usize, set.len());
                prop_assert_eq!(days.iter().collect::<Vec<_>>(), set.into_iter().collect::<Vec<_>>());
                days.clear();
            }
        }
    }
}
