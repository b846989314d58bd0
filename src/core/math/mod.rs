//! Numbers: sums that do not depend on the order of their terms, small matrices, and an exponential for loops.

pub mod cholesky;
pub(crate) mod exp;
pub mod sum;
