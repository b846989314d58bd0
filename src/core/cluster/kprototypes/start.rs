//! Where runs start: always at rows, different ones while there are any.

use rayon::prelude::*;

use super::{
    super::matrix::LANES,
    config::Start,
    points::{Code, Prototypes, Row, costs_with},
    sums::{Space, Sums},
};
use crate::{
    Result,
    cancel::Cancel,
    parallel::{fill_chunks, map_chunks, map_each_with},
    random::Random,
};

/// Rows in one task.
const CHUNK_ROWS: usize = 1 << 14;

/// Of all rows: their weight and that of every category, and of each column of numbers the mean and the standard
/// deviation.
#[derive(Debug)]
pub(super) struct Everyone {
    sums: Sums,
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Everyone {
    pub(super) fn new<C: Code>(space: &Space<'_, C>, cancel: &Cancel) -> Result<Self> {
        let rows = space.points.rows;
        let mut one = Prototypes { each: vec![space.points.row(0)], gamma: 0.0 };
        let (mut labels, mut least) = (vec![0; rows.next_multiple_of(LANES)], vec![0.0; rows.next_multiple_of(LANES)]);
        let sums = space.sums(&one, &mut labels, &mut least, |_, _, _| 0, cancel)?;
        sums.update(space, &mut one);
        let means = one.each.into_iter().flat_map(|row| row.numbers).collect::<Vec<_>>();
        let parts = map_chunks(rows, CHUNK_ROWS, cancel, |range| {
            let mut squares = vec![0.0; means.len()];
            for (index, (numbers, _)) in space.points.piece(range.start, range.len()).blocks().enumerate() {
                for ((square, lanes), mean) in squares.iter_mut().zip(numbers).zip(&means) {
                    let first = range.start + index * LANES;
                    let each = lanes.iter().enumerate().take(range.end - first);
                    let square_of = |(lane, value): (usize, &f64)| space.weight(first + lane) * (value - mean).powi(2);
                    *square += each.map(square_of).sum::<f64>();
                }
            }
            Ok(squares)
        })?;
        let weight = sums.weights.iter().sum::<f64>();
        let total = |dim: usize| parts.iter().filter_map(|part| part.get(dim)).sum::<f64>();
        let deviations = (0..means.len()).map(|dim| (total(dim) / weight).sqrt()).collect();
        Ok(Self { sums, means, deviations })
    }

    /// Half the mean standard deviation of the columns of numbers; 1 where no number differs from another.
    pub(super) fn gamma(&self) -> f64 {
        let mean = self.deviations.iter().sum::<f64>() / self.deviations.len().max(1) as f64;
        if mean > 0.0 { mean / 2.0 } else { 1.0 }
    }

    /// A number per column, drawn from a normal distribution, and a category, drawn by weight.
    fn draw<C: Code>(&self, space: &Space<'_, C>, random: &mut Random) -> Row<C> {
        let normal = |random: &mut Random| {
            // Box and Muller (1958).
            let length = (-2.0 * (1.0 - random.uniform()).ln()).sqrt();
            length * (std::f64::consts::TAU * random.uniform()).cos()
        };
        let numbers = self.means.iter().zip(&self.deviations).map(|(mean, by)| mean + by * normal(random)).collect();
        let codes = space.columns.iter().map(|column| {
            let weights = self.sums.tallies.get(column.clone()).unwrap_or(&[]);
            let mut goal = random.uniform() * weights.iter().sum::<f64>();
            let passed = weights.iter().position(|weight| {
                goal -= weight;
                goal < 0.0
            });
            C::new(passed.unwrap_or(0))
        });
        Row { numbers, codes: codes.collect() }
    }
}

/// Prototypes drawn from the points.
pub(super) fn drawn<C: Code>(
    space: &Space<'_, C>,
    everyone: &Everyone,
    (clusters, start, gamma): (usize, Start, f64),
    random: &mut Random,
    cancel: &Cancel,
) -> Result<Prototypes<C>> {
    let mut chosen = Chosen { space, gamma, closest: vec![f64::INFINITY; space.points.rows.next_multiple_of(LANES)] };
    let keys = match start {
        Start::Cao => densities(space, everyone, cancel)?,
        Start::Random => lots(space, random.below(usize::MAX) as u64, cancel)?,
        Start::Huang | Start::Given => Vec::new(),
    };
    let key = |row: usize| keys.get(row).copied().unwrap_or(0.0);
    let mut each: Vec<Row<C>> = Vec::with_capacity(clusters);
    for _ in 0..clusters {
        let newest = each.last();
        let row = match start {
            Start::Cao if newest.is_none() => chosen.best(None, None, |row, _, _| key(row), cancel),
            Start::Cao => chosen.best(newest, None, |row, closest, _| key(row) * closest, cancel),
            Start::Random => chosen.best(newest, None, |row, closest, _| different(closest, key(row)), cancel),
            Start::Huang | Start::Given => chosen.huang(newest, clusters, everyone, random, cancel),
        }?;
        each.push(space.points.row(row));
    }
    Ok(Prototypes { each, gamma })
}

/// A score that puts rows equal to a chosen one behind all others.
fn different(closest: f64, score: f64) -> f64 {
    if closest > 0.0 { score } else { -f64::MAX }
}

/// The rows chosen so far.
struct Chosen<'a, C> {
    space: &'a Space<'a, C>,
    gamma: f64,
    /// What each row costs with the nearest of them.
    closest: Vec<f64>,
}

impl<C: Code> Chosen<'_, C> {
    /// The row of weight with the highest score, the first of equal ones. The score gets the row, what it costs with
    /// the nearest row chosen, `newest` being the last of them, and what it costs with `goal`.
    fn best(
        &mut self,
        newest: Option<&Row<C>>,
        goal: Option<&Row<C>>,
        score: impl Fn(usize, f64, f64) -> f64 + Sync,
        cancel: &Cancel,
    ) -> Result<usize> {
        let (space, gamma) = (self.space, self.gamma);
        let room = || vec![0.0; CHUNK_ROWS];
        let pieces = self.closest.par_chunks_mut(CHUNK_ROWS).enumerate();
        let each = map_each_with(pieces, cancel, room, |costs, (index, closest)| {
            let first = index * CHUNK_ROWS;
            let piece = space.points.piece(first, CHUNK_ROWS);
            if let Some(newest) = newest {
                costs_with(piece, newest, gamma, costs);
                closest.iter_mut().zip(&*costs).for_each(|(closest, cost)| *closest = closest.min(*cost));
            }
            if let Some(goal) = goal {
                costs_with(piece, goal, gamma, costs);
            }
            let mut best = (f64::NEG_INFINITY, first);
            for (row, (closest, cost)) in (first..).zip(closest.iter().zip(&*costs)).take(piece.rows) {
                let score = if space.weight(row) > 0.0 { score(row, *closest, *cost) } else { f64::NEG_INFINITY };
                if score > best.0 {
                    best = (score, row);
                }
            }
            Ok(best)
        })?;
        let better = |best: (f64, usize), next: &(f64, usize)| if next.0 > best.0 { *next } else { best };
        Ok(each.iter().fold((f64::NEG_INFINITY, 0), better).1)
    }

    /// Of the rows nearest to `2 + ln(clusters)` draws the one with which all rows cost least.
    fn huang(
        &mut self,
        mut newest: Option<&Row<C>>,
        clusters: usize,
        everyone: &Everyone,
        random: &mut Random,
        cancel: &Cancel,
    ) -> Result<usize> {
        let mut best = (f64::INFINITY, 0);
        for _ in 0..2 + (clusters as f64).ln() as usize {
            let goal = everyone.draw(self.space, random);
            let row = self.best(newest.take(), Some(&goal), |_, closest, apart| different(closest, -apart), cancel)?;
            let left = self.left(&self.space.points.row(row), cancel)?;
            if left < best.0 {
                best = (left, row);
            }
        }
        Ok(best.1)
    }

    /// What all rows cost when one more is chosen.
    fn left(&self, row: &Row<C>, cancel: &Cancel) -> Result<f64> {
        let each = map_chunks(self.space.points.rows, CHUNK_ROWS, cancel, |range| {
            let mut costs = vec![0.0; CHUNK_ROWS];
            costs_with(self.space.points.piece(range.start, range.len()), row, self.gamma, &mut costs);
            let closest = self.closest.get(range.clone()).unwrap_or(&[]);
            let least = costs.iter().zip(closest).map(|(cost, closest)| cost.min(*closest));
            Ok(range.zip(least).map(|(row, cost)| cost * self.space.weight(row)).sum::<f64>())
        })?;
        Ok(each.iter().sum())
    }
}

/// How common each row's categories are (Cao, Liang and Bai 2009).
fn densities<C: Code>(space: &Space<'_, C>, everyone: &Everyone, cancel: &Cancel) -> Result<Vec<f64>> {
    let mut densities = vec![0.0; space.points.rows];
    let all = everyone.sums.weights.iter().sum::<f64>() * space.points.columns as f64;
    fill_chunks(&mut densities, CHUNK_ROWS, cancel, |first, piece| {
        let blocks = space.points.piece(first, piece.len());
        for ((_, codes), densities) in blocks.blocks().zip(piece.chunks_mut(LANES)) {
            for (lanes, column) in codes.iter().zip(&space.columns) {
                let tally = |code: &C| everyone.sums.tallies.get(column.start + code.index()).copied().unwrap_or(0.0);
                densities.iter_mut().zip(lanes).for_each(|(density, code)| *density += tally(code) / all);
            }
        }
        Ok(())
    })?;
    Ok(densities)
}

/// A random key for each row, so that the rows with the highest keys are drawn by weight and without repetition
/// (Efraimidis and Spirakis 2006, "Weighted random sampling with a reservoir").
fn lots<C: Code>(space: &Space<'_, C>, seed: u64, cancel: &Cancel) -> Result<Vec<f64>> {
    let mut lots = vec![0.0; space.points.rows];
    fill_chunks(&mut lots, CHUNK_ROWS, cancel, |first, piece| {
        for (row, lot) in (first..).zip(piece) {
            *lot = (1.0 - Random::stream(seed, row as u64).uniform()).ln() / space.weight(row);
        }
        Ok(())
    })?;
    Ok(lots)
}
