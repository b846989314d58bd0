//! From an order log to one row per customer.

mod clock;
mod config;
mod duplicates;
mod group;
mod key;
mod money;
mod output;
mod parse;
mod read;
mod rfm;
mod scratch;

pub use clock::Unit;
pub use config::Config;
pub use money::{Amounts, MoneyKind};
pub use output::CustomerIds;
pub use read::{MISSING, Reason, TimeKind};
pub use rfm::{RfmTable, WindowColumns, rfm_table};
pub use scratch::release as release_memory;
