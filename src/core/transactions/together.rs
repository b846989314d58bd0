//! The measures of all customers of a partition from rows as they stand, where nothing but days has to be told apart:
//! what [`super::rfm`] folds customer by customer, without bringing a customer's rows together first.

use super::{clock::Clock, group::Record, money::Amount, read::MISSING, rfm::Measures};

/// All rows of a partition that are used, as they stand, each with the number of its customer.
pub(super) struct Together<'a, K, A, O> {
    pub(super) blocks: Vec<&'a [Record<K, A, O>]>,
    pub(super) slots: &'a [u32],
    /// Rows per customer.
    pub(super) counts: &'a [u32],
    /// Which numbers are customers of the result.
    pub(super) present: &'a [bool],
    /// No row of the log is earlier.
    pub(super) earliest: i64,
}

impl<K: Copy, A: Copy, O: Copy> Together<'_, K, A, O> {
    /// Calls `each` with the customer's number, time and amount of every row.
    #[allow(clippy::inline_always)] // into the loop over rows
    #[inline(always)]
    pub(super) fn rows(&self, mut each: impl FnMut(usize, i64, A)) {
        let mut slots = self.slots.iter();
        for block in &self.blocks {
            for (record, slot) in block.iter().zip(slots.by_ref()) {
                each(*slot as usize, record.time, record.amount);
            }
        }
    }

    /// The amounts of one customer, in row order.
    pub(super) fn amounts(&self, customer: usize) -> impl Iterator<Item = A> + Clone {
        let records = self.blocks.iter().copied().flatten().zip(self.slots);
        records.filter(move |(_, slot)| **slot as usize == customer).map(|(record, _)| record.amount)
    }
}

/// So many words of day bits fit into the second-level cache beside the rows.
const WORDS: usize = 1 << 17;

/// What is known of a customer after some rows; sums of returns, of which there are few, stand elsewhere, so that more
/// customers fit into the cache.
#[derive(Clone)]
struct Running<S> {
    first: i64,
    last: i64,
    purchases: u32,
    days: u32,
    gross: S,
}

/// Appends the measures of every customer in order of their numbers; `false`, and nothing appended, where days need
/// too many bits; `None` when a total is beyond what amounts hold.
pub(super) fn measures<K: Copy, A: Amount, O: Copy>(
    measures: &mut Vec<Measures<A>>,
    rows: &Together<'_, K, A, O>,
    clock: &Clock,
    as_of: i32,
    bits: &mut Vec<u64>,
) -> Option<bool> {
    // Zones differ by less than two days, so no wall clock is earlier.
    let before = clock.day(rows.earliest.min(clock.start_of(i64::from(as_of)))) - 2;
    let span = (i64::from(as_of) - i64::from(before)) as usize + 1;
    let words = span.div_ceil(64);
    let customers = rows.counts.len();
    if customers.saturating_mul(words) > WORDS {
        return Some(false);
    }
    bits.clear();
    bits.resize(customers * words, 0);
    let nothing = Running { first: i64::MAX, last: MISSING, purchases: 0, days: 0, gross: <_>::default() };
    let mut running: Vec<Running<A::Sum>> = vec![nothing; customers];
    let mut returned: Vec<A::Sum> = vec![<_>::default(); customers];
    rows.rows(|customer, time, amount| {
        if amount.is_return() {
            if let Some(returned) = returned.get_mut(customer) {
                A::add(returned, amount);
            }
            return;
        }
        let Some(running) = running.get_mut(customer) else { return };
        running.first = running.first.min(time);
        running.last = running.last.max(time);
        running.purchases += 1;
        A::add(&mut running.gross, amount);
        let day = clock.day(time).wrapping_sub(before) as usize;
        if let Some(word) = bits.get_mut(customer * words + day / 64) {
            let day = 1 << (day % 64);
            running.days += u32::from(*word & day == 0);
            *word |= day;
        }
    });
    for (customer, (running, returned)) in
        running.iter().zip(&returned).enumerate().filter(|(customer, _)| rows.present.get(*customer) == Some(&true))
    {
        let terms = rows.amounts(customer);
        let row_count = rows.counts.get(customer).copied().unwrap_or_default();
        let gross = A::finish(&running.gross, terms.clone().filter(|amount| !amount.is_return()))?;
        let (monetary, returned) = if running.purchases == row_count {
            (gross, A::default())
        } else {
            let mut both = running.gross.clone();
            A::merge(&mut both, returned);
            let returned = A::finish(returned, terms.clone().filter(|amount| amount.is_return()))?;
            (A::finish(&both, terms)?, returned.negated())
        };
        measures.push(Measures {
            first: if running.purchases == 0 { MISSING } else { running.first },
            last: running.last,
            order_count: running.purchases,
            discounted: 0,
            purchase_days: running.days,
            row_count,
            monetary,
            gross,
            returned,
        });
    }
    Some(true)
}
