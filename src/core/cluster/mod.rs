//! Customers grouped by likeness: k-means ([`kmeans`]), Gaussian mixtures ([`gmm`]), k-prototypes and k-modes
//! ([`kprototypes`]), by density ([`dbscan`]), and how good a grouping is ([`metrics`]).

pub mod dbscan;
mod distance;
pub mod gmm;
mod inertia;
pub mod kmeans;
pub mod kprototypes;
mod matrix;
pub mod metrics;
mod moments;
mod pack;
mod parameters;
mod second;
mod sums;

pub use matrix::{Matrix, Real};
