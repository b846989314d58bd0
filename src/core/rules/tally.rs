//! How often rules are true, decide, meet and leave rows over, counted 64 rows at a time: over the rows of a frame, or
//! over all combinations of values as if they were one.

use super::{
    config::Checked,
    evaluate::{Evaluator, Findings, Planes, ROWS, WORDS, first_set},
    program::{Literal, Program},
    tag::within,
};
use crate::{
    Result,
    cancel::Cancel,
    column::{Batch, Column},
    parallel::{CHUNK_ROWS, chunks, map_each},
};

/// Most rules of one ladder whose pairs are counted.
pub(crate) const MAX_PAIRED: usize = 300;

/// Rules of which the first that is true decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ladder {
    /// The family's name; `None` where all rules stand on it.
    pub(crate) name: Option<String>,
    /// Places of its rules, in the order they are tried.
    pub(crate) rules: Vec<usize>,
    /// Whether a rule that is unknown ends the search.
    pub(crate) stops: bool,
    /// What rows get for which every rule is false.
    pub(crate) default: Option<String>,
}

impl Checked {
    /// Every group of rules of which one decides.
    pub(crate) fn ladders(&self) -> Vec<Ladder> {
        match &self.families {
            None => vec![Ladder {
                name: None,
                rules: (0..self.rules.len()).collect(),
                stops: self.unknown == super::config::Unknown::Stop,
                default: self.default.clone(),
            }],
            Some(_) => self
                .exclusive_families()
                .map(|family| Ladder {
                    name: Some(family.name.clone()),
                    rules: family.tags.clone(),
                    stops: true,
                    default: family.default.clone(),
                })
                .collect(),
        }
    }
}

/// How many rows, and the first of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) rows: u64,
    pub(crate) first: Option<usize>,
}

impl Spot {
    fn add(&mut self, words: &[u64], start: usize) {
        self.rows += words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        if self.first.is_none() {
            self.first = first_set(words, ROWS).map(|row| start + row);
        }
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.first = self.first.or(later.first);
    }
}

/// The counts of one ladder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rungs {
    /// Per rule of the ladder: rows it decides.
    pub(crate) takes: Vec<Spot>,
    /// Rows every rule is false for (or not true, where unknown is skipped).
    pub(crate) rest: Spot,
    /// The first of those rows.
    pub(crate) listed: Vec<usize>,
    /// Rows an unknown rule leaves without an answer.
    pub(crate) unknown: Spot,
    /// Rows for which both of two rules are true, by `earlier * count + later`; empty above [`MAX_PAIRED`].
    pub(crate) pairs: Vec<Spot>,
}

/// The counts of a set of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) rows: usize,
    /// Per rule: rows it is true for.
    pub(crate) matches: Vec<Spot>,
    /// Per rule: rows it is unknown for.
    pub(crate) unknown: Vec<Spot>,
    pub(crate) ladders: Vec<Rungs>,
}

/// Counts over all rows; lists up to `listed` rows that a ladder leaves over.
pub(crate) fn tally(
    batches: &[Batch<'_>],
    checked: &Checked,
    program: &Program,
    listed: usize,
    findings: &Findings,
    cancel: &Cancel,
) -> Result<Tally> {
    let ladders = checked.ladders();
    let mut first_row = 0;
    let mut total = Tally::new(program, &ladders);
    for batch in batches {
        let len = batch.first().map_or(0, Column::len);
        let evaluator = Evaluator::new(program, batch, first_row, findings);
        let ranges: Vec<_> = chunks(len, CHUNK_ROWS).collect();
        let pieces = map_each(&ranges, cancel, |range| {
            let mut planes = Planes::new(program);
            let mut tally = Tally::new(program, &ladders);
            for start in range.clone().step_by(ROWS) {
                let rows = start..(start + ROWS).min(range.end);
                evaluator.run(&rows, &mut planes);
                tally.add(&program.rules, &ladders, &planes, rows.len(), first_row + start, listed);
            }
            Ok(tally)
        })?;
        for piece in pieces {
            total.merge(piece, listed);
        }
        first_row += len;
    }
    total.rows = first_row;
    Ok(total)
}

impl Tally {
    fn new(program: &Program, ladders: &[Ladder]) -> Self {
        let none = vec![Spot::default(); program.rules.len()];
        let rungs = |ladder: &Ladder| {
            let count = ladder.rules.len();
            let pairs = if count <= MAX_PAIRED { count * count } else { 0 };
            let (takes, pairs) = (vec![Spot::default(); count], vec![Spot::default(); pairs]);
            Rungs { takes, pairs, ..Rungs::default() }
        };
        Self { rows: 0, matches: none.clone(), unknown: none, ladders: ladders.iter().map(rungs).collect() }
    }

    fn add(
        &mut self,
        rules: &[Literal],
        ladders: &[Ladder],
        planes: &Planes,
        rows: usize,
        start: usize,
        listed: usize,
    ) {
        let within = within(rows);
        let cut = |words: &[u64]| -> [u64; WORDS] {
            let mut cut = within;
            cut.iter_mut().zip(words).for_each(|(cut, word)| *cut &= word);
            cut
        };
        for ((rule, matches), unknown) in rules.iter().zip(&mut self.matches).zip(&mut self.unknown) {
            let (yes, no) = planes.literal(*rule);
            matches.add(&cut(yes), start);
            let mut rest = within;
            rest.iter_mut().zip(yes.iter().zip(no)).for_each(|(rest, (yes, no))| *rest &= !(yes | no));
            unknown.add(&rest, start);
        }
        for (ladder, rungs) in ladders.iter().zip(&mut self.ladders) {
            let (mut open, mut stuck) = (within, [0u64; WORDS]);
            let count = ladder.rules.len();
            let mut earlier: Vec<[u64; WORDS]> = Vec::new();
            for (place, rule) in ladder.rules.iter().filter_map(|rule| rules.get(*rule)).enumerate() {
                let (yes, no) = planes.literal(*rule);
                let mut taken = open;
                for (((taken, open), stuck), (yes, no)) in
                    taken.iter_mut().zip(&mut open).zip(&mut stuck).zip(yes.iter().zip(no))
                {
                    *taken &= yes;
                    let left = if ladder.stops { *no } else { !yes };
                    *stuck |= *open & !left & !yes;
                    *open &= left;
                }
                if let Some(takes) = rungs.takes.get_mut(place) {
                    takes.add(&taken, start);
                }
                if rungs.pairs.is_empty() {
                    continue;
                }
                let yes = cut(yes);
                for (before, other) in earlier.iter().enumerate() {
                    let mut both = yes;
                    both.iter_mut().zip(other).for_each(|(both, other)| *both &= other);
                    if let Some(pair) = rungs.pairs.get_mut(before * count + place) {
                        pair.add(&both, start);
                    }
                }
                earlier.push(yes);
            }
            rungs.rest.add(&open, start);
            rungs.unknown.add(&stuck, start);
            list(&open, start, listed, &mut rungs.listed);
        }
    }

    fn merge(&mut self, later: Self, listed: usize) {
        fn each(spots: &mut [Spot], later: Vec<Spot>) {
            spots.iter_mut().zip(later).for_each(|(spot, later)| spot.merge(later));
        }
        each(&mut self.matches, later.matches);
        each(&mut self.unknown, later.unknown);
        for (rungs, later) in self.ladders.iter_mut().zip(later.ladders) {
            each(&mut rungs.takes, later.takes);
            each(&mut rungs.pairs, later.pairs);
            rungs.rest.merge(later.rest);
            rungs.unknown.merge(later.unknown);
            rungs.listed.extend(later.listed);
            rungs.listed.truncate(listed);
        }
    }
}

fn list(words: &[u64], start: usize, most: usize, rows: &mut Vec<usize>) {
    for (index, word) in words.iter().enumerate() {
        let mut word = *word;
        while word != 0 && rows.len() < most {
            rows.push(start + index * 64 + word.trailing_zeros() as usize);
            word &= word - 1;
        }
    }
}
