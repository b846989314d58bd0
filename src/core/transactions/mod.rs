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
mod numbers;
mod output;
mod overflow;
mod parse;
mod partition;
mod read;
mod reason;
mod rfm;
mod scratch;
mod together;
mod written;

pub use clock::Unit;
pub use clv::{ClvTable, clv_table};
pub use config::Config;
pub use ledger::{Ledger, SummaryLine, ledger_reasons, ledger_summary, order_ledger};
pub use money::{Amounts, MoneyKind};
pub use read::{MISSING, TimeKind};
pub use reason::Reason;
pub use rfm::{RfmTable, WindowColumns, rfm_table};

/// Calls a function for the kinds a log has: of its ids, of its amounts, of its order ids.
macro_rules! with_kinds {
    ($log:expr, $($function:ident)::+ ($($argument:expr),*)) => {{
        use $crate::{ids::{IdKind, ShortText, WideText}, transactions::money::MoneyKind};
        macro_rules! with_orders {
            ($key:ty, $amount:ty) => {
                match $log.order_kind.map(IdKind::is_text) {
                    None => $($function)::+::<$key, $amount, ()>($($argument),*),
                    Some(false) => $($function)::+::<$key, $amount, u64>($($argument),*),
                    Some(true) => $($function)::+::<$key, $amount, ShortText>($($argument),*),
                }
            };
        }
        match ($log.id_kind, $log.money) {
            (IdKind::Text, MoneyKind::Float) => with_orders!(ShortText, f64),
            (IdKind::Text, MoneyKind::Decimal(_)) => with_orders!(ShortText, i128),
            (IdKind::WideText, MoneyKind::Float) => with_orders!(WideText, f64),
            (IdKind::WideText, MoneyKind::Decimal(_)) => with_orders!(WideText, i128),
            (IdKind::Signed | IdKind::Unsigned, MoneyKind::Float) => with_orders!(u64, f64),
            (IdKind::Signed | IdKind::Unsigned, MoneyKind::Decimal(_)) => with_orders!(u64, i128),
        }
    }};
}
use with_kinds;
