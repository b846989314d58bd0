//! Whether a calculated value can become what it would have to be: through which column, and with what value of it.
//!
//! An expression that a change names is no column: `ABS(x)` never falls below 0, and `x * 2` is not 9 while `x` stays 1.
//! So each such change needs a witness: a value of one of the expression's columns with which the rules, everything
//! calculated anew, decide as the change says. Columns are tried at their own constants, at powers of two around what
//! they are, and where the expression crosses the value it should have, which bisection finds to the last bit.

use std::collections::HashMap;

use super::{
    ast::{Constant, Expr, Kind},
    cells::{as_kind, number_of},
    change::Found,
    check::ColumnKind,
    grid,
    interpret::{Cell, Rows},
    near::{Around, Candidate, Nearby, beside},
};
use crate::{Result, cancel::Cancel};

/// Most values of a column that are tried: those that bring the expression nearest to what it should be.
const MAX_VALUES: usize = 24;
/// The widest step from a column's own value, as a power of two: of nanoseconds a century.
const WIDEST: i32 = 62;

/// Columns, with the values that may bring an expression where it should be.
type Way = Vec<(usize, Vec<Candidate>)>;
/// An expression, the place of its value, whether what lies beyond upwards or downwards does as well, and the changed
/// columns it is calculated from with theirs.
type Wanted = (usize, usize, Option<bool>, Vec<(usize, usize)>);

/// What was found for a row so far.
pub(super) type Ways = HashMap<Wanted, Vec<Way>>;

/// What an expression should be: a value, or as far upwards or downwards as it or farther.
struct Target {
    value: f64,
    upwards: Option<bool>,
}

impl Target {
    fn new(around: &Around, column: usize, place: usize, upwards: Option<bool>) -> Option<Self> {
        let wanted = around.columns.get(column)?.get(place)?;
        let value = number_of(&wanted.value)?;
        // "Just above" a constant is no value to be had to the last bit.
        Some(Self { value, upwards: upwards.or(wanted.beside.map(|constant| value > constant.to_f64())) })
    }

    fn is_met(&self, found: f64) -> bool {
        match self.upwards {
            Some(true) => found >= self.value,
            Some(false) => found <= self.value,
            None => found.total_cmp(&self.value).is_eq(),
        }
    }
}

impl Nearby {
    /// Whether all changes can be had at once: those of expressions through other columns, which do not change the outcome.
    pub(super) fn comes_about(&self, found: &Found<'_>, ways: &mut Ways, cancel: &Cancel) -> Result<bool> {
        let Found { around, chosen, choice, code, .. } = *found;
        let (expressions, given): (Vec<_>, Vec<_>) =
            chosen.iter().copied().partition(|(column, _)| self.expression(*column).is_some());
        if expressions.is_empty() {
            return Ok(true);
        }
        let mut all: Vec<Vec<Way>> = vec![Vec::new()];
        let mut targets = Vec::new();
        for (column, place) in expressions {
            let Some(expression) = self.expression(column) else { continue };
            let (place, upwards) = self.bound(found, column, place, cancel)?;
            let Some(target) = Target::new(around, column, place, upwards) else { continue };
            let of_it = |column: usize| {
                let name = self.plain.checked.names.get(column);
                name.is_some_and(|name| expression.columns().contains(&name.as_str()))
            };
            let fixed: Vec<(usize, usize)> = given.iter().copied().filter(|(column, _)| of_it(*column)).collect();
            let wanted = (column, place, upwards, fixed);
            let found =
                ways.entry(wanted).or_insert_with_key(|(.., fixed)| self.ways(around, expression, fixed, &target));
            targets.push((expression, target));
            let longer = |so_far: &Vec<Way>| {
                found.iter().map(|way| [&so_far[..], std::slice::from_ref(way)].concat()).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(longer).collect();
        }
        for one in all {
            let mut changed = around.clone();
            let mut varied: Vec<(usize, Vec<usize>)> =
                given.iter().map(|(column, place)| (*column, vec![*place])).collect();
            for (column, values) in one.into_iter().flatten() {
                let Some(own) = changed.columns.get_mut(column) else { continue };
                if varied.iter().all(|(other, _)| *other != column) {
                    own.truncate(1);
                    varied.push((column, Vec::new()));
                }
                own.extend(values);
                if let Some((_, places)) = varied.iter_mut().find(|(other, _)| *other == column) {
                    *places = (1..own.len()).collect();
                }
            }
            let mut does: Vec<bool> =
                self.codes(&changed, &varied, choice, cancel)?.iter().map(|found| *found == code).collect();
            if does.contains(&true) {
                for (expression, target) in &targets {
                    let results = self.results(&changed, &varied, expression);
                    let met = results.into_iter().map(|found| found.is_some_and(|found| target.is_met(found)));
                    does.iter_mut().zip(met).for_each(|(does, met)| *does &= met);
                }
            }
            if does.contains(&true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a column stands for, where that has values in a line; of a text or a truth any is taken to be possible.
    pub(super) fn expression(&self, column: usize) -> Option<&Expr> {
        let kind = self.plain.checked.kinds.get(column)?;
        let expression = self.plain.expressions.get(column.checked_sub(self.plain.real)?)?;
        (!matches!(kind, ColumnKind::Text | ColumnKind::Bool | ColumnKind::Null)).then_some(expression)
    }

    /// The columns that may bring an expression to a value, each with values of its own, the others as they are or,
    /// where they are missing, 1.
    fn ways(&self, around: &Around, expression: &Expr, fixed: &[(usize, usize)], target: &Target) -> Vec<Way> {
        let columns = expression.columns().into_iter().filter_map(|name| self.plain.place(name));
        let free: Vec<usize> = columns.filter(|column| fixed.iter().all(|(other, _)| other != column)).collect();
        let way = |around: &Around, column: usize| (column, self.values(around, column, expression, fixed, target));
        let mut ways: Vec<Way> = free.iter().map(|column| vec![way(around, *column)]).collect();
        for column in &free {
            let mut filled = around.clone();
            let mut others = Vec::new();
            for other in free.iter().filter(|other| *other != column) {
                let value = filled.columns.get_mut(*other).and_then(|values| values.first_mut());
                if let Some(value) = value.filter(|value| value.value == Cell::Missing) {
                    value.value = one(self.kind(*other));
                    others.push((*other, vec![value.clone()]));
                }
            }
            if !others.is_empty() {
                ways.push([&others[..], &[way(&filled, *column)]].concat());
            }
        }
        ways
    }

    /// Values of a column that bring an expression as far as it should be, the nearest first.
    fn values(
        &self,
        around: &Around,
        column: usize,
        expression: &Expr,
        fixed: &[(usize, usize)],
        target: &Target,
    ) -> Vec<Candidate> {
        let kind = self.kind(column);
        let Some((own, known)) = around.columns.get(column).and_then(|values| values.split_first()) else {
            return Vec::new();
        };
        let mut cells: Vec<Cell> = known.iter().map(|candidate| candidate.value.clone()).collect();
        cells.extend(constants_in(expression).iter().flat_map(|constant| {
            let mut found = Vec::new();
            beside(kind, constant, 1, &mut found);
            found.into_iter().map(|(cell, _)| cell)
        }));
        cells.extend(spread(kind, &own.value));
        let mut tried = around.clone();
        let mut at = |cells: Vec<Cell>| {
            let mut varied: Vec<(usize, Vec<usize>)> =
                fixed.iter().map(|(column, place)| (*column, vec![*place])).collect();
            varied.push((column, (0..cells.len()).collect()));
            if let Some(values) = tried.columns.get_mut(column) {
                *values = cells.into_iter().map(candidate).collect();
            }
            let found = self.results(&tried, &varied, expression);
            let cells = tried.columns.get(column).into_iter().flatten().map(|candidate| candidate.value.clone());
            cells.zip(found).collect::<Vec<_>>()
        };
        let mut known = at(cells);
        let mut line: Vec<(i128, f64)> =
            known.iter().filter_map(|(cell, found)| Some((key(cell)?, (*found)?))).collect();
        line.sort_by_key(|(key, _)| *key);
        let crosses = |pair: &[(i128, f64)]| match pair {
            [(low, below), (high, above)] => {
                ((*below < target.value) != (*above < target.value)).then_some((*low, *high, *below < target.value))
            }
            _ => None,
        };
        let mut spans: Vec<(i128, i128, bool)> = line.windows(2).filter_map(crosses).collect();
        while spans.iter().any(|(low, high, _)| high - low > 1) {
            let middles: Vec<Cell> = spans.iter().map(|(low, high, _)| cell_at(kind, low + (high - low) / 2)).collect();
            for ((low, high, below), (_, found)) in spans.iter_mut().zip(at(middles)) {
                let middle = *low + (*high - *low) / 2;
                match found {
                    Some(found) if (found < target.value) == *below => *low = middle,
                    Some(_) => *high = middle,
                    None => *low = *high, // the expression is not there between the two
                }
            }
        }
        known.extend(at(spans.iter().flat_map(|(low, high, _)| [cell_at(kind, *low), cell_at(kind, *high)]).collect()));
        let mut far: Vec<(Cell, f64)> = known
            .into_iter()
            .filter_map(|(cell, found)| Some((cell, found.filter(|found| target.is_met(*found))?)))
            .filter(|(cell, _)| *cell != own.value && self.allows(column, cell))
            .collect();
        far.sort_by(|(_, a), (_, b)| (a - target.value).abs().total_cmp(&(b - target.value).abs()));
        far.truncate(MAX_VALUES);
        far.into_iter().map(|(value, _)| candidate(value)).collect()
    }

    /// What an expression gives with the varied columns' values.
    fn results(&self, around: &Around, varied: &[(usize, Vec<usize>)], expression: &Expr) -> Vec<Option<f64>> {
        let axes = self.axes(around, varied);
        let cells = axes.iter().map(|axis| axis.shown.len()).product();
        let columns = grid::columns(&axes, cells);
        let batch = grid::batch(&columns, cells);
        let rows = Rows::new(&self.plain.checked, &batch);
        (0..cells).map(|row| number_of(&as_kind(None, rows.value(expression, row)))).collect()
    }
}

fn candidate(value: Cell) -> Candidate {
    Candidate { value, distance: 0.0, beside: None }
}

fn constants_in(expression: &Expr) -> Vec<Constant> {
    let mut found = Vec::new();
    expression.walk(&mut |node| {
        if let Kind::Constant(constant) = &node.kind {
            found.push(constant.clone());
        }
    });
    found
}

fn one(kind: ColumnKind) -> Cell {
    match kind {
        ColumnKind::Double => Cell::Real(1.0),
        ColumnKind::Single => Cell::Single(1.0),
        ColumnKind::Decimal(scale) => Cell::Decimal(10i128.pow(scale.unsigned_abs().into()), scale),
        ColumnKind::Text => Cell::Text(String::new()),
        ColumnKind::Bool | ColumnKind::Null => Cell::Bool(true),
        _ => cell_at(kind, 1),
    }
}

/// Zero and powers of two on both sides of it and of a value.
fn spread(kind: ColumnKind, own: &Cell) -> Vec<Cell> {
    let steps = match kind {
        ColumnKind::Double | ColumnKind::Single => -48..=WIDEST,
        ColumnKind::Date => 0..=16,
        ColumnKind::Whole | ColumnKind::Decimal(_) | ColumnKind::Timestamp(..) => 0..=WIDEST,
        ColumnKind::Text | ColumnKind::Bool | ColumnKind::Null => return Vec::new(),
    };
    let steps = steps.flat_map(|power| [f64::from(power).exp2(), -f64::from(power).exp2()]);
    let moved = |step: f64, from: Option<&Cell>| match (kind, from) {
        (ColumnKind::Double, from) => Cell::Real(step + from.and_then(number_of).unwrap_or(0.0)),
        (ColumnKind::Single, from) => Cell::Single((step + from.and_then(number_of).unwrap_or(0.0)) as f32),
        (_, from) => cell_at(kind, from.and_then(key).unwrap_or(0).saturating_add(step as i128)),
    };
    let mut cells = vec![moved(0.0, None)];
    cells.extend(steps.flat_map(|step| [moved(step, None), moved(step, Some(own))]));
    cells
}

/// Where a value stands in the line of its kind, next to its neighbours.
fn key(cell: &Cell) -> Option<i128> {
    Some(match cell {
        Cell::Whole(units) | Cell::Decimal(units, _) | Cell::Timestamp(units, _) => *units,
        Cell::Date(day) => i128::from(*day),
        Cell::Real(value) => {
            let bits = i128::from(value.to_bits() & !(1 << 63));
            if value.is_sign_negative() { -bits } else { bits }
        }
        Cell::Single(value) => {
            let bits = i128::from(value.to_bits() & !(1 << 31));
            if value.is_sign_negative() { -bits } else { bits }
        }
        _ => return None,
    })
}

fn cell_at(kind: ColumnKind, key: i128) -> Cell {
    match kind {
        ColumnKind::Decimal(scale) => Cell::Decimal(key, scale),
        ColumnKind::Timestamp(digits, _) => Cell::Timestamp(key, digits),
        ColumnKind::Date => Cell::Date(key as i64),
        ColumnKind::Double => {
            let value = f64::from_bits(key.unsigned_abs() as u64);
            Cell::Real(if key < 0 { -value } else { value })
        }
        ColumnKind::Single => {
            let value = f32::from_bits(key.unsigned_abs() as u32);
            Cell::Single(if key < 0 { -value } else { value })
        }
        _ => Cell::Whole(key),
    }
}
