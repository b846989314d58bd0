//! One label per row: the first rule that is true.

use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::{
    bits::spread,
    config::{Checked, Unknown},
    evaluate::{Evaluator, Findings, Planes, ROWS, WORDS},
    lookup,
    program::{Literal, Program},
};
use crate::{
    Error, Result,
    cancel::Cancel,
    column::{Batch, Column},
    pages::zeros,
    parallel::CHUNK_ROWS,
};

/// A code per row into the labels in declared order; -1 is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codes {
    /// Up to 127 labels.
    Small(Vec<i8>),
    /// More.
    Large(Vec<i16>),
}

/// What a segmenter gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The labels.
    pub codes: Codes,
    /// Whole-number results that did not fit 64 bits and counted as missing.
    pub overflows: u64,
}

/// Labels every row.
pub fn labels(batches: &[Batch<'_>], checked: &Checked, cancel: &Cancel) -> Result<Labelled> {
    let program = Program::compile(checked)?;
    let count = checked.rules.len() + usize::from(checked.default.is_some());
    let findings = Findings::default();
    let choice = Choice::of(&program);
    let codes = if i8::try_from(count).is_ok() {
        let small = match lookup::labels(batches, checked, &program, cancel)? {
            Some(codes) => codes,
            None => every_row(batches, &program, &choice, &findings, cancel)?,
        };
        Codes::Small(small)
    } else if i16::try_from(count).is_ok() {
        Codes::Large(every_row(batches, &program, &choice, &findings, cancel)?)
    } else {
        return Err(Error::parameter(format!("{count} labels are too many; a segmenter takes up to {}", i16::MAX)));
    };
    report(batches, checked, &program, &findings)?;
    Ok(Labelled { codes, overflows: findings.overflows.load(Ordering::Relaxed) })
}

/// Evaluates the rules on every row.
pub(crate) fn every_row<C: Code>(
    batches: &[Batch<'_>],
    program: &Program,
    choice: &Choice,
    findings: &Findings,
    cancel: &Cancel,
) -> Result<Vec<C>> {
    let rows = batches.iter().map(|batch| batch.first().map_or(0, Column::len)).sum();
    let mut codes = zeros(rows);
    let mut rest = codes.as_mut_slice();
    let mut first_row = 0;
    for batch in batches {
        let len = batch.first().map_or(0, Column::len);
        let (piece, later) = rest.split_at_mut(len);
        rest = later;
        let evaluator = Evaluator::new(program, batch, first_row, findings);
        piece.par_chunks_mut(CHUNK_ROWS).enumerate().try_for_each(|(chunk, piece)| {
            cancel.check()?;
            let mut planes = Planes::new(program);
            for (part, piece) in piece.chunks_mut(ROWS).enumerate() {
                let start = chunk * CHUNK_ROWS + part * ROWS;
                evaluator.run(&(start..start + piece.len()), &mut planes);
                C::decide(choice, &planes, piece);
            }
            Ok(())
        })?;
        first_row += len;
    }
    Ok(codes)
}

/// Turns what rows reported into errors, the lowest row first.
pub(crate) fn report(batches: &[Batch<'_>], checked: &Checked, program: &Program, findings: &Findings) -> Result<()> {
    let infinite = findings.infinite.load(Ordering::Relaxed);
    if infinite != u64::MAX {
        let row = infinite as usize;
        let is_infinite = |column: &Column<'_>, row| match column {
            Column::Float64(values) => values.get(row).is_some_and(f64::is_infinite),
            Column::Float32(values) => values.get(row).is_some_and(f32::is_infinite),
            _ => false,
        };
        let name = at_row(batches, row, |batch, row| {
            batch.iter().position(|column| is_infinite(column, row)).and_then(|column| checked.names.get(column))
        });
        let name = name.map_or("", String::as_str);
        return Err(Error::input(format!(
            "column '{name}' is infinite in row {row}; wanted numbers or missing values: correct or drop the row"
        )));
    }
    let outside = findings.outside.load(Ordering::Relaxed);
    if outside != u64::MAX {
        let row = outside as usize;
        let finding = at_row(batches, row, |batch, row| {
            program.guards.iter().zip(&checked.domains).find_map(|(guard, (column, domain))| {
                let (name, kind) = (checked.names.get(*column)?, checked.kinds.get(*column)?);
                let cells = super::interpret::Rows::new(checked, batch);
                let condition = domain.condition(name, *kind).ok()?;
                (cells.condition(&condition, row) == Some(false))
                    .then(|| (name, super::explain::shown(&cells.cell(name, row)), &guard.domain))
            })
        });
        if let Some((name, value, domain)) = finding {
            return Err(Error::input(format!(
                "column '{name}' is {value} in row {row}, outside its domain: {domain}; correct the value, or the domains of the rules"
            )));
        }
    }
    Ok(())
}

fn at_row<'a, 'b, T>(
    batches: &'a [Batch<'b>],
    mut row: usize,
    found: impl Fn(&'a Batch<'b>, usize) -> Option<T>,
) -> Option<T> {
    for batch in batches {
        let len = batch.first().map_or(0, Column::len);
        if row < len {
            return found(batch, row);
        }
        row -= len;
    }
    None
}

/// Rules of which the first that is true decides.
pub(crate) struct Choice {
    pub(crate) rules: Vec<Literal>,
    /// Whether a rule that is unknown ends the search.
    pub(crate) stops: bool,
    pub(crate) default_code: Option<usize>,
}

impl Choice {
    pub(crate) fn of(program: &Program) -> Self {
        let Program { rules, unknown, default_code, .. } = program;
        Self { rules: rules.clone(), stops: *unknown == Unknown::Stop, default_code: *default_code }
    }
}

/// An integer wide enough for the labels.
pub(crate) trait Code: Copy + Default + Send + Sync {
    /// The codes of one chunk from its planes.
    fn decide(choice: &Choice, planes: &Planes, codes: &mut [Self]);
}

/// Calls `take` with every rule's code (counted from 1; the default's too) and the rows it decides. Rows nobody
/// takes keep 0: missing.
fn decisions(choice: &Choice, planes: &Planes, mut take: impl FnMut(usize, &[u64; WORDS])) {
    let mut open = [!0u64; WORDS];
    let mut taken = [0u64; WORDS];
    for (index, rule) in choice.rules.iter().enumerate() {
        let (yes, no) = planes.literal(*rule);
        for ((taken, open), (yes, no)) in taken.iter_mut().zip(&mut open).zip(yes.iter().zip(no)) {
            *taken = *open & yes;
            *open &= if choice.stops { *no } else { !yes };
        }
        take(index + 1, &taken);
    }
    if let Some(code) = choice.default_code {
        take(code + 1, &open);
    }
}

impl Code for i8 {
    /// The codes' binary digits are collected as words, then spread to bytes: no branch per row.
    fn decide(choice: &Choice, planes: &Planes, codes: &mut [Self]) {
        let used = (usize::BITS - (choice.rules.len() + 1).leading_zeros()) as usize;
        let mut digits = vec![[0u64; WORDS]; used];
        decisions(choice, planes, |code, rows| {
            for (_, words) in digits.iter_mut().enumerate().filter(|(digit, _)| code >> digit & 1 == 1) {
                words.iter_mut().zip(rows).for_each(|(word, rows)| *word |= rows);
            }
        });
        spread(&digits, -1, codes);
    }
}

impl Code for i16 {
    fn decide(choice: &Choice, planes: &Planes, codes: &mut [Self]) {
        codes.fill(-1);
        decisions(choice, planes, |code, rows| {
            for (block, rows) in codes.chunks_mut(64).zip(rows) {
                let mut rows = *rows;
                while rows != 0 {
                    if let Some(slot) = block.get_mut(rows.trailing_zeros() as usize) {
                        *slot = (code - 1) as i16;
                    }
                    rows &= rows - 1;
                }
            }
        });
    }
}
