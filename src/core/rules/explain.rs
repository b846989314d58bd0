//! Why a row has its label or its tags: the rules tried in order, their conditions, what they saw, and what it would
//! take for the nearest other rule to fire.

use serde::Serialize;

use super::{
    ast::{Constant, Expr, Kind, quoted},
    config::{Checked, CheckedRule, Unknown},
    interpret::{Cell, Rows},
    near::{Near, Nearby, Row},
    number::Number,
};
use crate::{
    Error, Result,
    cancel::Cancel,
    column::{Batch, Column},
};

/// One row, explained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The row of the frame.
    pub row: usize,
    /// Its label; `None` is missing, or the rules are tags.
    pub label: Option<String>,
    /// The rules tried; the last one decided, unless none did. Of tags all.
    pub rules: Vec<TriedRule>,
    /// Whether a rule decided (by being true, or unknown where unknown stops), not the default.
    pub decided: bool,
    /// The nearest rule that would give another label.
    pub near: Option<Near>,
}

/// One rule a row was tried on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TriedRule {
    /// Its label.
    pub label: String,
    /// Its condition.
    pub text: String,
    /// Whether it held; `None` is unknown.
    pub holds: Option<bool>,
    /// Its conditions from left to right, without the AND, OR and NOT between them.
    pub conditions: Vec<Condition>,
    /// Whether the row has the tag: of an exclusive family the first that holds.
    pub tag: Option<bool>,
    /// The tag before it in its family that keeps it from being one: true, or unknown.
    pub before: Option<String>,
    /// The nearest change by which the row would have the tag.
    pub near: Option<Near>,
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
pub fn explain(batches: &[Batch<'_>], checked: &Checked, rows: &[usize], cancel: &Cancel) -> Result<Vec<Explanation>> {
    let nearby = Nearby::new(checked)?;
    rows.iter()
        .map(|row| {
            let mut place = *row;
            for batch in batches {
                let len = batch.first().map_or(0, Column::len);
                if place < len {
                    let here = Row { checked, batch, place };
                    return match checked.families {
                        Some(_) => tags(&here, *row, &nearby, cancel),
                        None => segment(&here, *row, &nearby, cancel),
                    };
                }
                place -= len;
            }
            Err(Error::input(format!("there is no row {row}")))
        })
        .collect()
}

fn segment(here: &Row<'_>, row: usize, nearby: &Nearby, cancel: &Cancel) -> Result<Explanation> {
    let checked = here.checked;
    let near = nearby.segment(here, cancel)?;
    let mut rules = Vec::new();
    for rule in &checked.rules {
        let tried = tried(here, rule);
        let holds = tried.holds;
        rules.push(tried);
        if holds == Some(true) || holds.is_none() && checked.unknown == Unknown::Stop {
            let label = holds.is_some().then(|| rule.label.clone());
            return Ok(Explanation { row, label, rules, decided: true, near });
        }
    }
    Ok(Explanation { row, label: checked.default.clone(), rules, decided: false, near })
}

fn tags(here: &Row<'_>, row: usize, nearby: &Nearby, cancel: &Cancel) -> Result<Explanation> {
    let checked = here.checked;
    let cells = Rows::new(checked, here.batch);
    let mut rules = Vec::with_capacity(checked.rules.len());
    for (place, rule) in checked.rules.iter().enumerate() {
        let mut tried = tried(here, rule);
        tried.tag = cells.condition(&checked.tag_condition(place, rule), here.place);
        if tried.tag != tried.holds {
            let family = checked.exclusive_families().find(|family| family.tags.contains(&place));
            let earlier = family.iter().flat_map(|family| family.tags.iter().take_while(|tag| **tag != place));
            let earlier: Vec<(&CheckedRule, Option<bool>)> = earlier
                .filter_map(|tag| checked.rules.get(*tag))
                .map(|rule| (rule, cells.condition(&rule.condition, here.place)))
                .collect();
            let found = earlier.iter().find(|(_, holds)| *holds == Some(true));
            let found = found.or_else(|| earlier.iter().find(|(_, holds)| holds.is_none()));
            tried.before = found.map(|(rule, _)| rule.label.clone());
        }
        if tried.tag != Some(true) {
            tried.near = nearby.tag(place, here, cancel)?;
        }
        rules.push(tried);
    }
    Ok(Explanation { row, label: None, rules, decided: false, near: None })
}

fn tried(here: &Row<'_>, rule: &CheckedRule) -> TriedRule {
    let cells = Rows::new(here.checked, here.batch);
    let holds = cells.condition(&rule.condition, here.place);
    let mut conditions = Vec::new();
    collect(&cells, &rule.condition, here.place, &mut conditions);
    let text = rule.condition.to_string();
    TriedRule { label: rule.label.clone(), text, holds, conditions, tag: holds, before: None, near: None }
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
