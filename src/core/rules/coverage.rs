//! What a set of rules does with every combination of values there can be.
//!
//! Where the combinations fit in memory the compiled rules run over all of them as over rows, and they are counted.
//! Where there are more, or where an expression stands for itself, each question is a search of its own.

use serde::Serialize;

use super::{
    axis::{Axis, axes},
    config::Checked,
    direction::{Direction, directions},
    evaluate::Findings,
    grid,
    plain::{Plain, plain},
    program::Program,
    search::{Found, Goal, Search},
    segment::report,
    tally::{Ladder, MAX_PAIRED, Rungs, Spot, Tally, tally},
};
use crate::{Result, cancel::Cancel, column::Batch};

/// Most combinations that are counted one by one.
pub const MAX_CELLS: usize = 2_000_000;
/// Whole numbers of a domain that are listed where listing all would be too many.
const FEW: u64 = 16;
/// Gaps listed one by one.
const LISTED: usize = 1_000;
/// Most rules of one ladder whose pairs are searched for.
const MAX_SEARCHED: usize = 60;

/// The answer of [`coverage`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The columns' names, then the expressions that stand for themselves.
    pub columns: Vec<String>,
    /// How many of them are columns.
    pub real: usize,
    /// How many values of each were combined.
    pub sizes: Vec<usize>,
    /// How many combinations there are; `None` where they were not counted.
    pub cells: Option<u64>,
    /// Every rule, in order.
    pub rules: Vec<RuleCoverage>,
    /// Every group of rules of which one decides.
    pub ladders: Vec<LadderCoverage>,
    /// Columns the rules seem to read in two directions.
    pub directions: Vec<Direction>,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// There is no such combination.
    No,
    /// There is one.
    Proven,
    /// There is one if an expression takes the value it stands for.
    Possible,
    /// The search was given up.
    Undecided,
}

/// Whether combinations of some sort exist, how many, and one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether there are any.
    pub found: Certainty,
    /// How many, where they were counted.
    pub cells: Option<u64>,
    /// One of them.
    pub example: Option<Vec<String>>,
}

/// One rule over all combinations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleCoverage {
    /// Its label.
    pub label: String,
    /// Its condition.
    pub text: String,
    /// Where it is true.
    pub matches: Finding,
    /// Where it decides: `None` for a tag of no exclusive family.
    pub takes: Option<Finding>,
}

/// Rules of which one decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LadderCoverage {
    /// The family's name, if it is one.
    pub name: Option<String>,
    /// Places of its rules, in the order they are tried.
    pub rules: Vec<usize>,
    /// What it gives where every rule is false.
    pub default: Option<String>,
    /// Where every rule is false: a gap, unless there is a default.
    pub rest: Finding,
    /// The first of those combinations.
    pub listed: Vec<Vec<String>>,
    /// Where a rule that cannot be decided leaves no answer.
    pub unknown: Finding,
    /// Pairs of rules that are true together; `None` where there are too many to look at.
    pub overlaps: Option<Vec<Overlap>>,
}

/// Two rules that are true together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overlap {
    /// The earlier rule's place.
    pub first: usize,
    /// The later rule's place.
    pub second: usize,
    /// Where.
    pub finding: Finding,
}

/// Looks at every combination of values.
pub fn coverage(checked: &Checked, cancel: &Cancel) -> Result<Coverage> {
    let plain = plain(checked);
    let mut axes_found = axes(&plain, MAX_CELLS as u64)?;
    let mut cells = cells_of(&axes_found);
    if cells.is_none() {
        axes_found = axes(&plain, FEW)?;
        cells = cells_of(&axes_found);
    }
    let counted = cells.map(|cells| count(&plain, &axes_found, cells, cancel)).transpose()?;
    let mut view = View { axes: &axes_found, tally: counted, search: None };
    if view.tally.is_none() || plain.checked.names.len() > plain.real {
        view.search = Some(Search::new(&axes_found, &plain, cancel)?);
    }
    let mut rules: Vec<RuleCoverage> = Vec::with_capacity(checked.rules.len());
    for (place, rule) in checked.rules.iter().enumerate() {
        let spot = view.tally.as_ref().and_then(|tally| tally.matches.get(place)).copied();
        let matches = view.finding(spot, || Goal::is_true(place))?;
        rules.push(RuleCoverage { label: rule.label.clone(), text: rule.condition.to_string(), matches, takes: None });
    }
    let mut ladders = Vec::new();
    for (number, ladder) in checked.ladders().into_iter().enumerate() {
        let rungs = view.tally.as_ref().and_then(|tally| tally.ladders.get(number)).cloned();
        for (place, rule) in ladder.rules.iter().enumerate() {
            let spot = rungs.as_ref().and_then(|rungs| rungs.takes.get(place)).copied();
            let takes = view.finding(spot, || ladder.takes(place))?;
            if let Some(found) = rules.get_mut(*rule) {
                found.takes = Some(takes);
            }
        }
        ladders.push(view.ladder(ladder, rungs.as_ref())?);
    }
    Ok(Coverage {
        columns: axes_found.iter().map(|axis| axis.name.clone()).collect(),
        real: plain.real,
        sizes: axes_found.iter().map(|axis| axis.shown.len()).collect(),
        cells: cells.map(|cells| cells as u64),
        rules,
        ladders,
        directions: directions(checked),
    })
}

fn cells_of(axes: &[Axis]) -> Option<usize> {
    axes.iter()
        .try_fold(1usize, |product, axis| product.checked_mul(axis.shown.len()).filter(|product| *product <= MAX_CELLS))
}

fn count(plain: &Plain, axes: &[Axis], cells: usize, cancel: &Cancel) -> Result<Tally> {
    let program = Program::compile(&plain.checked)?;
    let columns = grid::columns(axes, cells);
    let mut batch = grid::batch(&columns, cells);
    if batch.is_empty() {
        batch.push(crate::column::Column::Null(cells)); // rules without a column still need their one combination
    }
    tally(&[batch], &plain.checked, &program, LISTED, &Findings::default(), cancel)
}

impl Ladder {
    /// What must hold for a rule to decide.
    fn takes(&self, place: usize) -> Goal {
        let mut terms = self.passed(place);
        terms.extend(self.rules.get(place).map(|rule| Goal::is_true(*rule)));
        Goal::All(terms)
    }

    /// What must hold for the rules before a place to be passed by.
    fn passed(&self, place: usize) -> Vec<Goal> {
        let earlier = self.rules.iter().take(place);
        earlier.map(|rule| if self.stops { Goal::is_false(*rule) } else { Goal::is_true(*rule).negated() }).collect()
    }

    /// What must hold for an unknown rule to be the first that is not false.
    fn stuck(&self) -> Goal {
        let stuck_at = |(place, rule): (usize, &usize)| {
            let mut terms = self.passed(place);
            terms.extend([Goal::is_true(*rule).negated(), Goal::is_false(*rule).negated()]);
            Goal::All(terms)
        };
        Goal::Any(if self.stops { self.rules.iter().enumerate().map(stuck_at).collect() } else { Vec::new() })
    }
}

/// The counts, the search, or both.
struct View<'a> {
    axes: &'a [Axis],
    tally: Option<Tally>,
    search: Option<Search<'a>>,
}

impl View<'_> {
    /// The spot where everything was counted, else what the search finds.
    fn finding(&mut self, spot: Option<Spot>, goal: impl FnOnce() -> Goal) -> Result<Finding> {
        let cells = spot.map(|spot| spot.rows);
        let found = match &mut self.search {
            // Stand-ins take every value, so that what is not found even so is nowhere.
            Some(search) if cells != Some(0) => search.find(&goal())?,
            _ => match spot.and_then(|spot| spot.first) {
                Some(cell) => {
                    Found::Proven((0..self.axes.len()).map(|axis| grid::place(self.axes, axis, cell)).collect())
                }
                None => Found::Nothing,
            },
        };
        let (found, places) = match found {
            Found::Nothing => (Certainty::No, None),
            Found::Proven(places) => (Certainty::Proven, Some(places)),
            Found::Possible(places) => (Certainty::Possible, Some(places)),
            Found::Undecided => (Certainty::Undecided, None),
        };
        Ok(Finding { found, cells, example: places.map(|places| self.shown(&places)) })
    }

    fn shown(&self, places: &[usize]) -> Vec<String> {
        self.axes.iter().zip(places).filter_map(|(axis, place)| axis.shown.get(*place).cloned()).collect()
    }

    fn ladder(&mut self, ladder: Ladder, rungs: Option<&Rungs>) -> Result<LadderCoverage> {
        let rest = self.finding(rungs.map(|rungs| rungs.rest), || Goal::All(ladder.passed(ladder.rules.len())))?;
        let unknown = self.finding(rungs.map(|rungs| rungs.unknown), || ladder.stuck())?;
        let listed = match rungs {
            Some(rungs) if self.search.is_none() => {
                let places = |cell: &usize| -> Vec<usize> {
                    (0..self.axes.len()).map(|axis| grid::place(self.axes, axis, *cell)).collect()
                };
                rungs.listed.iter().map(|cell| self.shown(&places(cell))).collect()
            }
            _ => rest.example.iter().cloned().collect(),
        };
        let count = ladder.rules.len();
        let most = if rungs.is_some() { MAX_PAIRED } else { MAX_SEARCHED };
        let mut overlaps = (count <= most).then(Vec::new);
        for (second, later) in ladder.rules.iter().enumerate() {
            let Some(overlaps) = &mut overlaps else { break };
            for (first, earlier) in ladder.rules.iter().enumerate().take(second) {
                let spot = rungs.and_then(|rungs| rungs.pairs.get(first * count + second)).copied();
                let both = || Goal::All(vec![Goal::is_true(*earlier), Goal::is_true(*later)]);
                let finding = self.finding(spot, both)?;
                if finding.found != Certainty::No {
                    overlaps.push(Overlap { first: *earlier, second: *later, finding });
                }
            }
        }
        if let Some(overlaps) = &mut overlaps {
            let rank = |rule: usize| ladder.rules.iter().position(|other| *other == rule);
            overlaps.sort_by_key(|pair| (rank(pair.first), rank(pair.second)));
        }
        let Ladder { name, rules, default, .. } = ladder;
        Ok(LadderCoverage { name, rules, default, rest, listed, unknown, overlaps })
    }
}

/// The answer of [`coverage_of_rows`]: how many rows, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowCoverage {
    /// All rows.
    pub rows: usize,
    /// Per rule: rows it is true for, rows it is unknown for.
    pub rules: Vec<(Rows, Rows)>,
    /// Per ladder.
    pub ladders: Vec<LadderRows>,
}

/// Some rows of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// How many.
    pub rows: u64,
    /// The first.
    pub first: Option<usize>,
}

/// One ladder over the rows of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LadderRows {
    /// Per rule of the ladder: rows it decides.
    pub takes: Vec<Rows>,
    /// Rows every rule is false for.
    pub rest: Rows,
    /// Rows an unknown rule leaves without an answer.
    pub unknown: Rows,
    /// Pairs of rules, by their places, with the rows both are true for, where there are some.
    pub pairs: Vec<(usize, usize, Rows)>,
}

impl From<Spot> for Rows {
    fn from(Spot { rows, first }: Spot) -> Self {
        Self { rows, first }
    }
}

/// The same questions asked of the rows of a frame.
pub fn coverage_of_rows(batches: &[Batch<'_>], checked: &Checked, cancel: &Cancel) -> Result<RowCoverage> {
    let program = Program::compile(checked)?;
    let findings = Findings::default();
    let Tally { rows, matches, unknown, ladders } = tally(batches, checked, &program, 0, &findings, cancel)?;
    report(batches, checked, &program, &findings)?;
    let pairs = |ladder: &Ladder, pairs: Vec<Spot>| {
        let count = ladder.rules.len().max(1);
        let pair = |(place, spot): (usize, Spot)| {
            let (first, second) = (ladder.rules.get(place / count)?, ladder.rules.get(place % count)?);
            (spot.rows > 0).then(|| (*first, *second, spot.into()))
        };
        pairs.into_iter().enumerate().filter_map(pair).collect()
    };
    let ladders = checked.ladders().into_iter().zip(ladders).map(|(ladder, rungs)| LadderRows {
        takes: rungs.takes.into_iter().map(Rows::from).collect(),
        rest: rungs.rest.into(),
        unknown: rungs.unknown.into(),
        pairs: pairs(&ladder, rungs.pairs),
    });
    let rules = matches.into_iter().zip(unknown).map(|(matches, unknown)| (matches.into(), unknown.into()));
    Ok(RowCoverage { rows, rules: rules.collect(), ladders: ladders.collect() })
}
