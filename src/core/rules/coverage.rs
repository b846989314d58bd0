//! What a set of rules does with every combination of values there can be.

use serde::Serialize;

use super::{
    config::{Checked, Unknown},
    evaluate::{Evaluator, Findings, Planes, ROWS, WORDS},
    grid::{self, Axis},
    program::Program,
};
use crate::{Result, cancel::Cancel, parallel::chunks};

/// Gaps and unknown cells listed one by one.
const LISTED: usize = 1_000;

/// The answer of [`coverage`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The columns' names.
    pub columns: Vec<String>,
    /// How many values of each were combined.
    pub sizes: Vec<usize>,
    /// How many combinations there are.
    pub cells: u64,
    /// Every rule, in order.
    pub rules: Vec<RuleCoverage>,
    /// Combinations left to the default.
    pub default_cells: u64,
    /// The first of them.
    pub default_example: Option<Vec<String>>,
    /// Combinations no rule and no default takes.
    pub gap_cells: u64,
    /// The first of them, one value per column.
    pub gaps: Vec<Vec<String>>,
    /// Combinations whose label is missing because a rule cannot be decided.
    pub unknown_cells: u64,
    /// The first of them.
    pub unknown_example: Option<Vec<String>>,
    /// Pairs of rules that are true together.
    pub overlaps: Vec<Overlap>,
}

/// One rule over all combinations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RuleCoverage {
    /// Its label.
    pub label: String,
    /// Its condition.
    pub text: String,
    /// Combinations for which it is true.
    pub matches: u64,
    /// Those it decides: for which no earlier rule is.
    pub takes: u64,
    /// A combination it takes, or else one it matches.
    pub example: Option<Vec<String>>,
}

/// Two rules that are true together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overlap {
    /// The earlier rule's place.
    pub first: usize,
    /// The later rule's place.
    pub second: usize,
    /// For how many combinations.
    pub cells: u64,
    /// One of them.
    pub example: Vec<String>,
}

/// Looks at every combination.
pub fn coverage(checked: &Checked, cancel: &Cancel) -> Result<Coverage> {
    let (axes, cells) = grid::axes(checked)?;
    let program = Program::compile(checked)?;
    let columns = grid::columns(&axes, cells);
    let batch = grid::batch(&columns, cells);
    let findings = Findings::default();
    let evaluator = Evaluator::new(&program, &batch, 0, &findings);
    let mut planes = Planes::new(&program);
    let count = program.rules.len();
    let mut tally = Tally::new(count);
    for rows in chunks(cells, ROWS) {
        cancel.check()?;
        evaluator.run(&rows, &mut planes);
        let within: Vec<u64> = (0..WORDS)
            .map(|word| match rows.len().saturating_sub(word * 64) {
                0 => 0,
                left @ 1..64 => (1 << left) - 1,
                _ => !0,
            })
            .collect();
        let mut open = within.clone();
        let mut unknown = vec![0; WORDS];
        let mut known_so_far: Vec<Vec<u64>> = Vec::with_capacity(count);
        for (index, rule) in program.rules.iter().enumerate() {
            let (yes, no) = planes.literal(*rule);
            let yes: Vec<u64> = yes.iter().zip(&within).map(|(yes, within)| yes & within).collect();
            let taken: Vec<u64> = yes.iter().zip(&open).map(|(yes, open)| yes & open).collect();
            if let Some(spot) = tally.matches.get_mut(index) {
                spot.add(&yes, rows.start);
            }
            if let Some(spot) = tally.takes.get_mut(index) {
                spot.add(&taken, rows.start);
            }
            for (earlier, other) in known_so_far.iter().enumerate() {
                let both: Vec<u64> = other.iter().zip(&yes).map(|(a, b)| a & b).collect();
                if let Some(spot) = tally.pairs.get_mut(earlier * count + index) {
                    spot.add(&both, rows.start);
                }
            }
            for (((open, unknown), taken), (yes, no)) in
                open.iter_mut().zip(&mut unknown).zip(&taken).zip(yes.iter().zip(no))
            {
                let stuck = if checked.unknown == Unknown::Stop { *open & !yes & !no } else { 0 };
                *unknown |= stuck;
                *open &= !(taken | stuck);
            }
            known_so_far.push(yes);
        }
        tally.rest.add(&open, rows.start);
        if checked.default.is_none() {
            tally.list_gaps(&open, rows.start);
        }
        tally.unknown.add(&unknown, rows.start);
    }
    Ok(tally.coverage(checked, &axes, cells))
}

/// How many cells, and the first of them.
#[derive(Clone, Default)]
struct Spot {
    cells: u64,
    first: Option<usize>,
}

impl Spot {
    fn add(&mut self, words: &[u64], start: usize) {
        self.cells += words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        if self.first.is_none() {
            self.first = super::evaluate::first_set(words, ROWS).map(|cell| start + cell);
        }
    }
}

struct Tally {
    matches: Vec<Spot>,
    takes: Vec<Spot>,
    pairs: Vec<Spot>,
    rest: Spot,
    unknown: Spot,
    gaps: Vec<usize>,
}

impl Tally {
    fn new(rules: usize) -> Self {
        Self {
            matches: vec![Spot::default(); rules],
            takes: vec![Spot::default(); rules],
            pairs: vec![Spot::default(); rules * rules],
            rest: Spot::default(),
            unknown: Spot::default(),
            gaps: Vec::new(),
        }
    }

    fn list_gaps(&mut self, open: &[u64], start: usize) {
        for (index, word) in open.iter().enumerate() {
            let mut word = *word;
            while word != 0 && self.gaps.len() < LISTED {
                self.gaps.push(start + index * 64 + word.trailing_zeros() as usize);
                word &= word - 1;
            }
        }
    }

    fn coverage(self, checked: &Checked, axes: &[Axis], cells: usize) -> Coverage {
        let values = |cell: usize| -> Vec<String> {
            let value = |(index, axis): (usize, &Axis)| axis.shown.get(grid::place(axes, index, cell)).cloned();
            axes.iter().enumerate().filter_map(value).collect()
        };
        let count = checked.rules.len();
        let rules = checked.rules.iter().zip(self.matches.iter().zip(&self.takes)).map(|(rule, (matches, takes))| {
            RuleCoverage {
                label: rule.label.clone(),
                text: rule.condition.to_string(),
                matches: matches.cells,
                takes: takes.cells,
                example: takes.first.or(matches.first).map(values),
            }
        });
        let pairs = self.pairs.iter().enumerate().filter_map(|(place, pair)| {
            let example = values(pair.first?);
            Some(Overlap { first: place / count, second: place % count, cells: pair.cells, example })
        });
        let has_default = checked.default.is_some();
        Coverage {
            columns: axes.iter().map(|axis| axis.name.clone()).collect(),
            sizes: axes.iter().map(|axis| axis.shown.len()).collect(),
            cells: cells as u64,
            rules: rules.collect(),
            default_cells: if has_default { self.rest.cells } else { 0 },
            default_example: self.rest.first.filter(|_| has_default).map(values),
            gap_cells: if has_default { 0 } else { self.rest.cells },
            gaps: self.gaps.iter().map(|cell| values(*cell)).collect(),
            unknown_cells: self.unknown.cells,
            unknown_example: self.unknown.first.map(values),
            overlaps: pairs.collect(),
        }
    }
}
