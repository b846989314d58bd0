//! From an order log to one row per customer.
//!
//! [`read`] checks the caller's columns row by row, [`group`] brings the rows of a customer together, and each
//! table folds them: [`rfm`] and [`clv`]. [`ledger`] tells what became of every row.

mod clock;
mod clv;
mod config;
mod days;
mod duplicates;
mod group;
mod ledger;
mod money;
mod output;
mod parse;
mod partition;
mod read;
mod reason;
mod rfm;
mod scratch;

pub use clock::Unit;
pub use clv::{ClvTable, clv_table};
pub use config::Config;
pub use ledger::{Ledger, SummaryLine, ledger_reasons, ledger_summary, order_ledger};
pub use money::{Amounts, MoneyKind};
pub use read::{MISSING, TimeKind};
pub use reason::Reason;
pub use rfm::{RfmTable, WindowColumns, rfm_table};
pub use scratch::release as release_memory;

/// Calls a function for the kinds a log has: of its ids, of its amounts, of its order ids.
macro_rules! with_kinds {
    ($log:expr, $($function:ident)::+ ($($argument:expr),*)) => {{
        use $crate::{ids::{IdKind, TextKey}, transactions::money::MoneyKind};
        let text = |kind: IdKind| kind == IdKind::Text;
        match (text($log.id_kind), $log.money, $log.order_kind.map(text)) {
            (false, MoneyKind::Float, None) => $($function)::+::<u64, f64, ()>($($argument),*),
            (false, MoneyKind::Float, Some(false)) => $($function)::+::<u64, f64, u64>($($argument),*),
            (false, MoneyKind::Float, Some(true)) => $($function)::+::<u64, f64, TextKey>($($argument),*),
            (false, MoneyKind::Decimal(_), None) => $($function)::+::<u64, i128, ()>($($argument),*),
            (false, MoneyKind::Decimal(_), Some(false)) => $($function)::+::<u64, i128, u64>($($argument),*),
            (false, MoneyKind::Decimal(_), Some(true)) => $($function)::+::<u64, i128, TextKey>($($argument),*),
            (true, MoneyKind::Float, None) => $($function)::+::<TextKey, f64, ()>($($argument),*),
            (true, MoneyKind::Float, Some(false)) => $($function)::+::<TextKey, f64, u64>($($argument),*),
            (true, MoneyKind::Float, Some(true)) => $($function)::+::<TextKey, f64, TextKey>($($argument),*),
            (true, MoneyKind::Decimal(_), None) => $($function)::+::<TextKey, i128, ()>($($argument),*),
            (true, MoneyKind::Decimal(_), Some(false)) => $($function)::+::<TextKey, i128, u64>($($argument),*),
            (true, MoneyKind::Decimal(_), Some(true)) => $($function)::+::<TextKey, i128, TextKey>($($argument),*),
        }
    }};
}
use with_kinds;
