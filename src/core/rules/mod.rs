//! Segments and tags as SQL boolean expressions with three-valued logic.
//!
//! A rule's text is parsed into a small closed tree ([`ast`]), its names and types are checked against the
//! frame's columns ([`config`]), and the tree is compiled into bit operations over 64 rows at a time.
//! [`interpret`] reads the same tree row by row: it explains, and the fast path is tested against it.

mod ahead;
pub mod ast;
mod axis;
mod bits;
mod calculate;
mod calendar;
mod cells;
mod change;
mod check;
mod choose;
mod compile;
mod config;
mod coverage;
mod dialect;
mod direction;
mod display;
mod evaluate;
mod explain;
mod family;
mod foreign;
mod formula;
mod grid;
pub mod interpret;
mod learn;
mod lookup;
mod moments;
mod near;
mod number;
mod order;
mod parse;
mod pattern;
mod plain;
mod program;
mod search;
mod segment;
mod short;
pub mod sql;
mod stretch;
mod tag;
mod tally;
mod text;
mod texts;
mod types;
mod witness;

pub use calendar::{Interval, Zone};
pub use change::Change;
pub use check::ColumnKind;
pub use config::{Checked, CheckedRule, Config, Domain, Rule, Unknown, Value};
pub use coverage::{
    Certainty, Coverage, Finding, LadderCoverage, LadderRows, MAX_CELLS, Overlap, RowCoverage, Rows, RuleCoverage,
    coverage, coverage_of_rows,
};
pub use direction::Direction;
pub use explain::{Condition, Explanation, TriedRule, explain};
pub use family::{CheckedFamily, Family};
pub use learn::{Learned, Statistic, learn};
pub use near::Near;
pub use number::{Number, Units};
pub use parse::{MAX_NESTING, MAX_TOKENS, parse};
pub use segment::{Codes, Labelled, labels};
pub use tag::{Flag, Flags, Lists, Tagged, tags};
