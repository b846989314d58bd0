//! The computing half of xifen: customer segmentation kernels.
//!
//! An ordinary Rust library: it reads borrowed columns ([`column`]), runs on the caller's rayon pool,
//! asks a [`cancel::Cancel`] between chunks whether to go on, and answers with owned vectors or an
//! [`Error`]. Nothing here knows Python or a frame library.

pub mod binning;
pub mod cancel;
pub mod cluster;
pub mod column;
mod config;
mod cuts;
mod error;
pub mod ids;
mod kept;
pub mod math;
mod measure;
mod pages;
pub mod parallel;
mod prefetch;
pub mod processors;
mod random;
pub mod rules;
pub mod scorecard;
pub mod text;
pub mod transactions;
mod vector;
mod zone;

pub use config::from_json;
pub use error::{Error, Result, did_you_mean};
pub use kept::release as release_memory;
