//! What can keep a row out of the tables, and how often it did.

use crate::vector::all_pass;

/// Why a row is used or not: the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// There is no customer id.
    MissingCustomerId,
    /// There is no timestamp.
    MissingTimestamp,
    /// There is no amount.
    MissingAmount,
    /// There is no order id, although orders are counted by one.
    MissingOrderId,
    /// The amount is infinite.
    NonFiniteAmount,
    /// The calendar year is before 1678 or after 2261, or a text names a day that no calendar has.
    TimestampOutOfRange,
    /// The row is younger than `as_of`.
    AfterAsOf,
    /// The row is a return, and returns do not count.
    ReturnExcluded,
    /// The row repeats an earlier one in every column.
    DuplicateDropped,
    /// The row counts.
    Used,
}

impl Reason {
    /// All reasons, in the order in which they are tried.
    pub const ALL: [Self; 10] = [
        Self::MissingCustomerId,
        Self::MissingTimestamp,
        Self::MissingAmount,
        Self::MissingOrderId,
        Self::NonFiniteAmount,
        Self::TimestampOutOfRange,
        Self::AfterAsOf,
        Self::ReturnExcluded,
        Self::DuplicateDropped,
        Self::Used,
    ];

    /// The name people read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingCustomerId => "missing_customer_id",
            Self::MissingTimestamp => "missing_timestamp",
            Self::MissingAmount => "missing_amount",
            Self::MissingOrderId => "missing_order_id",
            Self::NonFiniteAmount => "non_finite_amount",
            Self::TimestampOutOfRange => "timestamp_out_of_range",
            Self::AfterAsOf => "after_as_of",
            Self::ReturnExcluded => "return_excluded",
            Self::DuplicateDropped => "duplicate_dropped",
            Self::Used => "used",
        }
    }

    /// Whether `invalid=` decides about such rows.
    fn is_invalid(self) -> bool {
        self < Self::AfterAsOf
    }
}

/// How many rows have each reason, and the first of them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally([(usize, usize); Reason::ALL.len()]);

impl Tally {
    pub(super) fn of(reasons: &[Reason], first: usize) -> Self {
        let mut tally = Self::default();
        if let Some((count, at)) = tally.0.last_mut().filter(|_| all_pass(reasons, |reason| reason == Reason::Used)) {
            (*count, *at) = (reasons.len(), first); // nearly every chunk
            return tally;
        }
        for (row, reason) in reasons.iter().enumerate() {
            if let Some((count, at)) = tally.0.get_mut(*reason as usize) {
                if *count == 0 {
                    *at = first + row;
                }
                *count += 1;
            }
        }
        tally
    }

    /// Adds the tally of later rows.
    pub(super) fn merge(&mut self, later: &Self) {
        for ((count, at), (more, first)) in self.0.iter_mut().zip(&later.0) {
            if *count == 0 {
                *at = *first;
            }
            *count += more;
        }
    }

    pub(super) fn get(&self, reason: Reason) -> (usize, usize) {
        self.0.get(reason as usize).copied().unwrap_or_default()
    }

    /// `"3 rows missing_amount in column 'sum' (first: row 7)"` for each invalid reason that occurs; `None` when none
    /// does. `column` tells the name of the column a reason is about.
    pub(super) fn complaint<'a>(&self, column: impl Fn(Reason) -> &'a str) -> Option<String> {
        let parts: Vec<_> = Reason::ALL
            .into_iter()
            .filter(|reason| reason.is_invalid() && self.get(*reason).0 > 0)
            .map(|reason| {
                let (count, first) = self.get(reason);
                let rows = if count == 1 { "row" } else { "rows" };
                let range = if reason == Reason::TimestampOutOfRange { "no day from 1678 to 2261; " } else { "" };
                format!("{count} {rows} {} in column '{}' ({range}first: row {first})", reason.name(), column(reason))
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
