//! From messages to one row per customer: how often they mention what.
//!
//! [`normalise`] brings a text into the form in which it is compared, [`keywords`] finds the mentions in it in one
//! pass, and [`table`] adds them up by customer.

mod config;
mod keywords;
mod normalise;
mod table;

pub use config::Config;
pub use table::{GroupColumns, KeywordTable, keyword_table};
