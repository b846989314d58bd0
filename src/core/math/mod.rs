//! Numbers: sums that do not depend on the order of their terms.

pub mod sum;
