//! Customers grouped by likeness: k-means ([`kmeans`]) and how good a grouping is ([`metrics`]).

mod distance;
pub mod kmeans;
mod matrix;
pub mod metrics;
mod pack;

pub use matrix::{Matrix, Real};
