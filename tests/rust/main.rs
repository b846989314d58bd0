//! Kernels against naive oracles and published values, through the core's public interface only.

mod binning;
mod rules;
mod transactions;
