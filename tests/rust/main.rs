//! Kernels against naive oracles and published values, through the core's public interface only.

// clippy excuses test functions but not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::needless_pass_by_value)]

mod binning;
mod cluster;
mod dbscan;
mod linfa_grid;
mod mixture;
mod prototypes;
mod rules;
mod rules_data;
mod rules_reports;
mod scorecard;
mod transactions;
