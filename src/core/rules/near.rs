//! What it would take for another rule to fire.
//!
//! A change gives some inputs of a row other values. The nearest one changes the fewest inputs, then those by the least
//! (`|new - old| / (1 + |old|)` each, added up; of dates `days / (1 + days)`; 1 for a text, a truth or a value that was
//! missing), then comes first in the order of the rules. Only values beside the rules' own constants are tried: between
//! two of them nothing changes, so that the nearest point of a stretch is its end. What is calculated changes like a
//! column of its own, where a value of one of its columns can bring that about.

use serde::Serialize;

use super::{
    ast::{Constant, Expr},
    axis::{Axis, Group, groups},
    cells::{as_kind, constant_of, laid_out, moment_of, number_of},
    change::{Change, Found},
    check::ColumnKind,
    config::Checked,
    evaluate::Findings,
    grid,
    interpret::{Cell, Rows},
    moments,
    number::{Number, Units},
    order::references,
    plain::{Plain, plain},
    program::{Literal, Program},
    segment::{Choice, every_row},
    witness::Ways,
};
use crate::{Result, cancel::Cancel, column::Batch};

/// Whole numbers of a domain that are tried one by one; of a wider one those beside the rules' constants are enough.
const FEW: u64 = 16;
/// The last code point: a text of it comes after all others.
pub(super) const LAST: char = '\u{10ffff}';
/// Most inputs that are changed.
const MAX_CHANGED: usize = 3;
/// Most combinations of values that are tried for one number of inputs.
const MAX_TRIED: usize = 200_000;
/// Most changes that are found to be impossible before the search is given up.
const MAX_DOUBTS: usize = 5_000;

/// The nearest rule that did not fire.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Near {
    /// Its label.
    pub label: String,
    /// What would have to be otherwise.
    pub changes: Vec<Change>,
    /// By how much in all.
    pub distance: f64,
}

/// Rules made ready to be tried on other values.
pub(crate) struct Nearby {
    pub(super) plain: Plain,
    program: Program,
    pub(super) groups: Vec<Group>,
}

/// A value an input could have: what it is, how far that is, and how it reads.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) value: Cell,
    pub(super) distance: f64,
    /// The constant it lies right beside, where a person would name that.
    pub(super) beside: Option<Number>,
}

/// How far the best found so far is, its code, and the columns it changes with the places of their values.
type Best = (f64, i16, Vec<(usize, usize)>);

/// A row, and for every column the values to try; the first is the row's own.
#[derive(Clone)]
pub(super) struct Around {
    pub(super) columns: Vec<Vec<Candidate>>,
}

impl Nearby {
    pub(crate) fn new(checked: &Checked) -> Result<Self> {
        let plain = plain(checked);
        let program = Program::compile(&plain.checked)?;
        let groups = groups(&plain, FEW)?;
        Ok(Self { plain, program, groups })
    }

    /// The nearest rule that would give a row another label.
    pub(crate) fn segment(&self, around: &Row<'_>, cancel: &Cancel) -> Result<Option<Near>> {
        let around = self.around(around);
        let choice = Choice { default_code: None, ..Choice::of(&self.program) };
        let all: Vec<usize> = (0..around.columns.len()).collect();
        let own = self.codes(&around, &[], &choice, cancel)?.first().copied().unwrap_or(-1);
        self.nearest(&around, &all, &choice, |code| code != own, cancel, |code| code)
    }

    /// The nearest change that would give a row a tag.
    pub(crate) fn tag(&self, tag: usize, row: &Row<'_>, cancel: &Cancel) -> Result<Option<Near>> {
        let around = self.around(row);
        let checked = &self.plain.checked;
        let Some(rule) = checked.rules.get(tag) else { return Ok(None) };
        let condition = checked.tag_condition(tag, rule);
        let mut columns: Vec<usize> =
            condition.columns().into_iter().filter_map(|name| self.plain.place(name)).collect();
        if !references(&condition).is_empty() {
            columns = (0..around.columns.len()).collect(); // those of the rules it refers to
        }
        let rules: Vec<Literal> = self.program.tags.get(tag).copied().into_iter().collect();
        let choice = Choice { rules, stops: true, default_code: None };
        self.nearest(&around, &columns, &choice, |_| true, cancel, |_| tag)
    }

    fn nearest(
        &self,
        around: &Around,
        columns: &[usize],
        choice: &Choice,
        accepts: impl Fn(i16) -> bool,
        cancel: &Cancel,
        rule_of: impl Fn(usize) -> usize,
    ) -> Result<Option<Near>> {
        let rule = |code: i16| usize::try_from(code).map_or(0, &rule_of);
        let mut ways = Ways::default();
        let mut doubts = 0;
        for count in 1..=MAX_CHANGED.min(columns.len()) {
            let mut best: Option<Best> = None;
            let mut subsets = subsets(columns, count);
            subsets.retain(|subset| self.is_free(subset));
            let others = |column: &usize| around.columns.get(*column).map_or(0, |values| values.len() - 1);
            let tried: usize = subsets.iter().map(|subset| subset.iter().map(others).product::<usize>()).sum();
            if tried > MAX_TRIED {
                return Ok(None); // what would be found with more inputs might not be the nearest
            }
            for subset in subsets {
                cancel.check()?;
                let varied: Vec<(usize, Vec<usize>)> =
                    subset.iter().map(|column| (*column, (1..=others(column)).collect())).collect();
                let codes = self.codes(around, &varied, choice, cancel)?;
                for (cell, code) in codes.iter().enumerate().filter(|(_, code)| **code >= 0 && accepts(**code)) {
                    let chosen = chosen(&varied, cell);
                    let distance = chosen
                        .iter()
                        .filter_map(|(column, place)| around.columns.get(*column)?.get(*place))
                        .map(|candidate| candidate.distance)
                        .sum::<f64>();
                    let is_nearer = best
                        .as_ref()
                        .is_none_or(|(least, first, _)| distance.total_cmp(least).then(code.cmp(first)).is_lt());
                    if !is_nearer {
                        continue;
                    }
                    let found = Found { around, columns, choice, chosen: &chosen, code: *code, rule: rule(*code) };
                    if self.comes_about(&found, &mut ways, cancel)? {
                        best = Some((distance, *code, chosen));
                    } else {
                        doubts += 1;
                        if doubts > MAX_DOUBTS {
                            return Ok(None);
                        }
                    }
                }
            }
            if let Some((distance, code, chosen)) = best {
                let found = Found { around, columns, choice, chosen: &chosen, code, rule: rule(code) };
                let changes = chosen.iter().map(|(column, place)| self.change(&found, *column, *place, cancel));
                let changes = changes.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
                return Ok(self.plain.checked.rules.get(rule(code)).map(|rule| Near {
                    label: rule.label.clone(),
                    changes,
                    distance,
                }));
            }
        }
        Ok(None)
    }

    /// Whether each expression among the columns is calculated from another one, too: it could be anything.
    fn is_free(&self, columns: &[usize]) -> bool {
        let fixed = |name: &str| self.plain.place(name).is_some_and(|place| columns.contains(&place));
        let mut expressions =
            columns.iter().filter_map(|column| self.plain.expressions.get(column.checked_sub(self.plain.real)?));
        expressions.all(|expression| !expression.columns().into_iter().all(fixed))
    }

    /// The answers for every combination of the varied columns' values; the others keep the row's own.
    pub(super) fn codes(
        &self,
        around: &Around,
        varied: &[(usize, Vec<usize>)],
        choice: &Choice,
        cancel: &Cancel,
    ) -> Result<Vec<i16>> {
        let axes = self.axes(around, varied);
        let cells = axes.iter().map(|axis| axis.shown.len()).product();
        let mut columns = grid::columns(&axes, cells);
        // What is calculated from a changed column changes with it, unless it is what is to be otherwise.
        for (place, expression) in (self.plain.real..).zip(&self.plain.expressions) {
            let follows =
                |name: &str| self.plain.place(name).is_some_and(|of| varied.iter().any(|(other, _)| *other == of));
            if varied.iter().any(|(other, _)| *other == place) || !expression.columns().into_iter().any(follows) {
                continue;
            }
            let kind = self.plain.checked.kinds.get(place).copied();
            let batch = grid::batch(&columns, cells);
            let rows = Rows::new(&self.plain.checked, &batch);
            let values: Vec<Cell> = (0..cells).map(|cell| as_kind(kind, rows.value(expression, cell))).collect();
            let values = laid_out(kind.unwrap_or(ColumnKind::Null), values.iter());
            let column = grid::column(&values, &(0..cells).collect::<Vec<_>>());
            if let Some(slot) = columns.get_mut(place) {
                *slot = column;
            }
        }
        let mut batch = grid::batch(&columns, cells);
        if batch.is_empty() {
            batch.push(crate::column::Column::Null(cells));
        }
        every_row(&[batch], &self.program, choice, &Findings::default(), cancel)
    }

    /// The varied columns' values; of the others the row's own.
    pub(super) fn axes(&self, around: &Around, varied: &[(usize, Vec<usize>)]) -> Vec<Axis> {
        let columns = around.columns.iter().enumerate();
        let axis = |(column, values): (usize, &Vec<Candidate>)| {
            let places = varied.iter().find(|(other, _)| *other == column).map_or(&[0][..], |(_, places)| places);
            let cells: Vec<&Cell> = places.iter().filter_map(|place| Some(&values.get(*place)?.value)).collect();
            let values = laid_out(self.kind(column), cells.iter().copied());
            Axis { name: String::new(), shown: vec![String::new(); cells.len()], values }
        };
        columns.map(axis).collect()
    }

    pub(super) fn kind(&self, column: usize) -> ColumnKind {
        self.plain.checked.kinds.get(column).copied().unwrap_or(ColumnKind::Null)
    }

    /// The values to try around a row.
    fn around(&self, row: &Row<'_>) -> Around {
        let cells: Vec<Cell> = (0..self.plain.checked.names.len()).map(|column| self.own(row, column)).collect();
        let columns = (0..cells.len()).map(|column| self.candidates(column, &cells)).collect();
        Around { columns }
    }

    /// What a column, or what a stand-in stands for, is in the row.
    fn own(&self, row: &Row<'_>, column: usize) -> Cell {
        let rows = Rows::new(row.checked, row.batch);
        match column.checked_sub(self.plain.real).and_then(|place| self.plain.expressions.get(place)) {
            Some(expression) => {
                as_kind(self.plain.checked.kinds.get(column).copied(), rows.value(expression, row.place))
            }
            None => self.plain.checked.names.get(column).map_or(Cell::Missing, |name| rows.cell(name, row.place)),
        }
    }

    fn candidates(&self, column: usize, cells: &[Cell]) -> Vec<Candidate> {
        let own = cells.get(column).cloned().unwrap_or(Cell::Missing);
        let kind = self.kind(column);
        let mut found: Vec<(Cell, Option<Number>)> = Vec::new();
        let group = self.groups.get(column);
        let mut constants: Vec<Constant> = group.map_or_else(Vec::new, |group| group.constants.clone());
        let others = group.map_or(&[][..], |group| &group.members);
        constants.extend(
            others.iter().filter(|other| **other != column).filter_map(|other| constant_of(cells.get(*other)?)),
        );
        if constants.is_empty() && own == Cell::Missing {
            // Compared with nothing but what is missing, or with itself: any value will do.
            constants = vec![Constant::Number(Number::whole(0)), Constant::Date(0)];
        }
        for constant in &constants {
            beside(kind, constant, others.len().max(1), &mut found);
        }
        if kind == ColumnKind::Bool {
            found = vec![(Cell::Bool(false), None), (Cell::Bool(true), None)];
        }
        if kind == ColumnKind::Text {
            let longest = found.iter().map(|(cell, _)| if let Cell::Text(text) = cell { text.len() } else { 0 }).max();
            found.push((Cell::Text(LAST.to_string().repeat(longest.unwrap_or(0) + 1)), None));
            found.push((Cell::Text(String::new()), None));
        }
        let in_order = group.is_some_and(|group| group.ordered);
        found.retain(|(cell, _)| in_order || !is_after(cell));
        found.retain(|(cell, _)| *cell != own && self.allows(column, cell));
        let mut candidates = vec![Candidate { value: own.clone(), distance: 0.0, beside: None }];
        for (value, beside) in found {
            if candidates.iter().all(|known| known.value != value) {
                candidates.push(Candidate { distance: distance(&own, &value), value, beside });
            }
        }
        candidates
    }

    /// Whether the column's domain has the value.
    pub(super) fn allows(&self, column: usize, cell: &Cell) -> bool {
        let checked = &self.plain.checked;
        let Some((_, domain)) = checked.domains.iter().find(|(of, _)| *of == column) else { return true };
        let kind = checked.kinds.get(column).copied().unwrap_or(ColumnKind::Null);
        let axis =
            Axis { name: String::new(), shown: vec![String::new()], values: laid_out(kind, std::iter::once(cell)) };
        let columns = grid::columns(std::slice::from_ref(&axis), 1);
        let batch = grid::batch(&columns, 1);
        let name = checked.names.get(column).cloned().unwrap_or_default();
        let one = Checked { names: vec![name.clone()], kinds: vec![kind], ..Checked::default() };
        domain
            .condition(&name, kind)
            .is_ok_and(|condition: Expr| Rows::new(&one, &batch).condition(&condition, 0) != Some(false))
    }
}

/// One row of a batch, with the rules it was checked by.
pub(crate) struct Row<'a> {
    pub(crate) checked: &'a Checked,
    pub(crate) batch: &'a Batch<'a>,
    pub(crate) place: usize,
}

/// All ways to take some of the columns, in order.
fn subsets(columns: &[usize], count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    columns
        .iter()
        .enumerate()
        .flat_map(|(place, first)| {
            let rest = columns.get(place + 1..).unwrap_or_default();
            subsets(rest, count - 1).into_iter().map(move |rest| [vec![*first], rest].concat())
        })
        .collect()
}

/// Which value of each varied column a cell has. The last column of the frame changes fastest.
fn chosen(varied: &[(usize, Vec<usize>)], cell: usize) -> Vec<(usize, usize)> {
    let mut order: Vec<&(usize, Vec<usize>)> = varied.iter().collect();
    order.sort_by_key(|(column, _)| std::cmp::Reverse(*column));
    let mut rest = cell;
    let mut found: Vec<(usize, usize)> = order
        .into_iter()
        .filter_map(|(column, places)| {
            let place = places.get(rest % places.len().max(1)).copied();
            rest /= places.len().max(1);
            place.map(|place| (*column, place))
        })
        .collect();
    found.reverse();
    found
}

/// The values at a constant and right beside it: on each side as many as there are columns to be told apart.
pub(super) fn beside(kind: ColumnKind, constant: &Constant, count: usize, found: &mut Vec<(Cell, Option<Number>)>) {
    match (kind, constant) {
        (ColumnKind::Text, Constant::Text(text)) => {
            found.extend((0..=count).map(|after| (Cell::Text(format!("{text}{}", "\0".repeat(after))), None)));
        }
        (ColumnKind::Double, Constant::Number(number)) => {
            let value = number.to_f64();
            found.push((Cell::Real(value), None));
            for step in [f64::next_up, f64::next_down] {
                let near = std::iter::successors(Some(step(value)), |value| Some(step(*value)));
                found.extend(near.take(count).map(|near| (Cell::Real(near), Some(*number))));
            }
        }
        (ColumnKind::Single, Constant::Number(number)) => {
            let value = number.to_f32();
            found.push((Cell::Single(value), None));
            for step in [f32::next_up, f32::next_down] {
                let near = std::iter::successors(Some(step(value)), |value| Some(step(*value)));
                found.extend(near.take(count).map(|near| (Cell::Single(near), Some(*number))));
            }
        }
        (ColumnKind::Whole | ColumnKind::Decimal(_), Constant::Number(number)) => {
            let scale = if let ColumnKind::Decimal(scale) = kind { scale } else { 0 };
            let (Units::Floor(floor, exact), count) = (number.units(scale), count as i128) else { return };
            let lowest = floor.saturating_sub(count - i128::from(!exact));
            found.extend((lowest..=floor.saturating_add(count)).map(|units| match kind {
                ColumnKind::Decimal(scale) => (Cell::Decimal(units, scale), None),
                _ => (Cell::Whole(units), None),
            }));
        }
        (ColumnKind::Date | ColumnKind::Timestamp(..), constant) => {
            let (Some(at), step) = (moments::moment(constant), moments::step(kind)) else { return };
            let (floor, count) = (at.div_euclid(step), count as i128);
            let lowest = floor - count + i128::from(at.rem_euclid(step) != 0);
            found.extend((lowest..=floor + count).map(|units| match kind {
                ColumnKind::Timestamp(digits, _) => (Cell::Timestamp(units, digits), None),
                _ => (Cell::Date(units as i64), None),
            }));
        }
        _ => {}
    }
}

/// Whether a text is the one right after another.
pub(super) fn is_after(cell: &Cell) -> bool {
    matches!(cell, Cell::Text(text) if text.ends_with('\0'))
}

fn distance(own: &Cell, new: &Cell) -> f64 {
    match (number_of(own), number_of(new)) {
        // A date has no size of its own.
        (Some(from), Some(to)) if moment_of(own).is_some() => (to - from).abs() / (1.0 + (to - from).abs()),
        (Some(own), Some(new)) => (new - own).abs() / (1.0 + own.abs()),
        _ => 1.0,
    }
}
