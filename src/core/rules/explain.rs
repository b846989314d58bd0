//! Why a row has its label: the rules tried in order, their conditions and what they saw.

use serde::Serialize;

use super::{
    ast::{Constant, Expr, Kind, quoted},
    config::{Checked, Unknown},
    interpret::{Cell, Rows},
    number::Number,
};
use crate::{
    Error, Result,
    column::{Batch, Column},
};

/// One row, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The row of the frame.
    pub row: usize,
    /// Its label; `None` is missing.
    pub label: Option<String>,
    /// The rules tried; the last one decided, unless none did.
    pub rules: Vec<TriedRule>,
    /// Whether a rule decided (by being true, or unknown where unknown stops), not the default.
    pub decided: bool,
}

/// One rule a row was tried on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TriedRule {
    /// Its label.
    pub label: String,
    /// Its condition.
    pub text: String,
    /// Whether it held; `None` is unknown.
    pub holds: Option<bool>,
    /// Its conditions from left to right, without the AND, OR and NOT between them.
    pub conditions: Vec<Condition>,
}

/// One condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// As the rule has it.
    pub text: String,
    /// Whether it held; `None` is unknown.
    pub holds: Option<bool>,
    /// Each column it reads with the value it saw.
    pub values: Vec<(String, String)>,
    /// The columns that were missing.
    pub missing: Vec<String>,
}

/// Explains some rows.
pub fn explain(batches: &[Batch<'_>], checked: &Checked, rows: &[usize]) -> Result<Vec<Explanation>> {
    rows.iter().map(|row| explain_row(batches, checked, *row)).collect()
}

fn explain_row(batches: &[Batch<'_>], checked: &Checked, row: usize) -> Result<Explanation> {
    let mut place = row;
    for batch in batches {
        let len = batch.first().map_or(0, Column::len);
        if place >= len {
            place -= len;
            continue;
        }
        let cells = Rows::new(checked, batch);
        let mut rules = Vec::new();
        for rule in &checked.rules {
            let holds = cells.condition(&rule.condition, place);
            let mut conditions = Vec::new();
            collect(&cells, &rule.condition, place, &mut conditions);
            let text = rule.condition.to_string();
            rules.push(TriedRule { label: rule.label.clone(), text, holds, conditions });
            if holds == Some(true) || holds.is_none() && checked.unknown == Unknown::Stop {
                let label = holds.is_some().then(|| rule.label.clone());
                return Ok(Explanation { row, label, rules, decided: true });
            }
        }
        return Ok(Explanation { row, label: checked.default.clone(), rules, decided: false });
    }
    Err(Error::input(format!("there is no row {row}")))
}

/// The conditions between the AND, OR and NOT of a rule.
fn collect(cells: &Rows<'_>, tree: &Expr, row: usize, out: &mut Vec<Condition>) {
    match &tree.kind {
        Kind::And(terms) | Kind::Or(terms) => terms.iter().for_each(|term| collect(cells, term, row, out)),
        Kind::Not(inner) => collect(cells, inner, row, out),
        _ => {
            let seen = tree.columns().into_iter().map(|name| (name.to_owned(), cells.cell(name, row)));
            let seen: Vec<(String, Cell)> = seen.collect();
            let missing =
                seen.iter().filter(|(_, cell)| *cell == Cell::Missing).map(|(name, _)| name.clone()).collect();
            out.push(Condition {
                text: tree.to_string(),
                holds: cells.condition(tree, row),
                values: seen.into_iter().map(|(name, cell)| (name, shown(&cell))).collect(),
                missing,
            });
        }
    }
}

/// A value as a rule would write it.
pub(crate) fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Missing => "missing".into(),
        Cell::Bool(value) => if *value { "TRUE" } else { "FALSE" }.into(),
        Cell::Whole(value) => value.to_string(),
        Cell::Decimal(units, scale) => Number::parse(&format!("{units}e{}", -i32::from(*scale)))
            .map_or_else(|| units.to_string(), |number| number.to_string()),
        Cell::Single(value) => value.to_string(),
        Cell::Real(value) => value.to_string(),
        Cell::Constant(number) => number.to_string(),
        Cell::Text(text) => quoted(text, '\''),
        Cell::Date(day) => Constant::Date(*day as i32).to_string(),
        Cell::Timestamp(units, scale) => {
            let micros = units * 1_000_000 / 10i128.pow(scale.unsigned_abs().into());
            Constant::Timestamp(micros as i64).to_string()
        }
    }
}
