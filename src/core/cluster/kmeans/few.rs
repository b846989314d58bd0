//! The few points that may change their cluster: those whose two nearest centres are about equally far away.
//!
//! A point whose second nearest centre is farther by a margin stays where it is until its own centre and the one that
//! moves most have together moved by that margin (the bound of Hamerly, 2010, doi:10.1137/1.9781611972801.12). Asking
//! every point in every round costs more than skipping saves. So the points that may move are put side by side once,
//! and rounds go over them alone for as long as the centres stay within what was allowed.

use super::super::{
    distance::{Label, Piece},
    matrix::{LANES, Real, flagged},
    sums::Sums,
};
use crate::{
    Result,
    cancel::Cancel,
    pages::Lines,
    parallel::{for_each_mut, map_each},
    vector::widest,
};

/// How many rounds like the last one the other points may be left alone.
const ROUNDS: [f32; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
/// Points whose margins are looked at to choose among these.
const SAMPLE: usize = 1 << 12;
/// At most such a share of the points is put side by side.
const MOST: f32 = 0.4;
/// What rounds must at most cost of what they cost with all points.
const WORTH: f32 = 0.8;

/// How far a point's own centre and any other may together move before its label must be looked at again, by cluster.
pub(super) struct Reach {
    allowed: Vec<f64>,
    gone: Vec<f64>,
}

impl Reach {
    /// What makes rounds cheapest if they move the centres on as the last one did by `steps`, but not `farthest` or
    /// farther; `None` where going over all points costs no more.
    pub(super) fn choose<T: Real>(pieces: &[Piece<'_, T>], steps: &[f64], farthest: f64, dims: usize) -> Option<Self> {
        let points: usize = pieces.iter().map(|piece| piece.rows).sum();
        let (mut seen, mut within) = (0.0, [0.0; ROUNDS.len()]);
        for piece in pieces {
            let (labels, _) = piece.labels.as_chunks::<LANES>();
            let (margins, _) = piece.margins.as_chunks::<LANES>();
            let blocks = labels.iter().zip(margins).take(piece.rows / LANES);
            for (label, margin) in blocks.step_by(points.div_ceil(SAMPLE)).flat_map(|(l, m)| l.iter().zip(m)) {
                let step = steps.get(usize::from(*label)).map_or(0.0, |step| *step as f32);
                within.iter_mut().zip(ROUNDS).for_each(|(count, rounds)| *count += f32::from(*margin <= rounds * step));
                seen += 1.0;
            }
        }
        // Of a round's work: what finding the margins costs, and what putting all points side by side would.
        let clusters = steps.len() as f32;
        let once = 1.1 + 60.0 / (clusters * dims as f32) + 40.0 * clusters / points as f32;
        let copied = 40.0 / clusters;
        let shares = ROUNDS.iter().zip(within).map(|(rounds, within)| (rounds, within / seen));
        let costs = shares.filter(|(_, share)| *share < MOST);
        let costs = costs.map(|(rounds, share)| (rounds, (once + (copied + rounds) * share) / (rounds + 1.0)));
        let (rounds, cost) = costs.min_by(|a, b| a.1.total_cmp(&b.1))?;
        if cost < WORTH { Self::of(steps, f64::from(*rounds), farthest) } else { None }
    }

    /// So many rounds like the last one, if the centres may move so far.
    pub(super) fn of(steps: &[f64], rounds: f64, farthest: f64) -> Option<Self> {
        let allowed = steps.iter().map(|step| (step * rounds).min(farthest)).collect();
        let mut reach = Self { allowed, gone: vec![0.0; steps.len()] };
        reach.holds(steps).then_some(reach)
    }

    /// Whether the labels of the other points still hold when the centres move on by `steps`.
    pub(super) fn holds(&mut self, steps: &[f64]) -> bool {
        self.gone.iter_mut().zip(steps).for_each(|(gone, step)| *gone += step);
        self.gone.iter().zip(&self.allowed).all(|(gone, allowed)| gone <= allowed)
    }
}

/// What one piece gave.
pub(super) struct Part<'a, T> {
    /// Which of its points.
    places: Vec<u16>,
    blocks: &'a mut [T],
    labels: Vec<Label>,
    weights: Option<Vec<f64>>,
}

/// The places of the points that are not safe within `reach`, piece by piece.
pub(super) fn movable<T: Real>(pieces: &[Piece<'_, T>], reach: &Reach, cancel: &Cancel) -> Result<Vec<Vec<u16>>> {
    // Rounded up by more than rounding has taken away.
    let allowed: Vec<f32> = reach.allowed.iter().map(|allowed| (*allowed * 1.000_001) as f32).collect();
    map_each(pieces, cancel, |piece| {
        let mut places = within(piece.labels, piece.margins, &allowed);
        // What stands beyond the last point means nothing.
        places.truncate(places.partition_point(|place| usize::from(*place) < piece.rows));
        Ok(places)
    })
}

widest! {
    /// The places of the points with a margin within what is allowed to their label.
    fn within(labels: &[Label], margins: &[f32], allowed: &[f32]) -> Vec<u16> = within_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn within_each(labels: &[Label], margins: &[f32], allowed: &[f32]) -> Vec<u16> {
    let most = allowed.iter().copied().fold(0.0, f32::max);
    let mut places = Vec::new();
    let blocks = labels.as_chunks::<LANES>().0.iter().zip(margins.as_chunks::<LANES>().0);
    for (first, (labels, margins)) in (0..).step_by(LANES).zip(blocks) {
        // First those within what is allowed to any: mostly none.
        for lane in flagged(margins.map(|margin| margin <= most)) {
            let Some((label, margin)) = labels.get(lane).zip(margins.get(lane)) else { break };
            if allowed.get(usize::from(*label)).is_none_or(|allowed| margin <= allowed) {
                places.push(first + lane as u16);
            }
        }
    }
    places
}

/// Room for the points in these places.
pub(super) fn room<T: Real>(places: &[Vec<u16>], dims: usize) -> Lines<T> {
    Lines::new(places.iter().map(|places| places.len().next_multiple_of(LANES) * dims).sum())
}

/// Puts the points in these places side by side.
pub(super) fn gather<'a, T: Real>(
    pieces: &[Piece<'_, T>],
    places: Vec<Vec<u16>>,
    dims: usize,
    mut room: &'a mut [T],
    cancel: &Cancel,
) -> Result<Vec<Part<'a, T>>> {
    let mut parts = Vec::with_capacity(pieces.len());
    for (piece, places) in pieces.iter().zip(places) {
        let slots = places.len().next_multiple_of(LANES);
        let (blocks, rest) = room.split_at_mut_checked(slots * dims).unwrap_or_default();
        room = rest;
        parts.push((piece, Part { places, blocks, labels: vec![0; slots], weights: None }));
    }
    for_each_mut(&mut parts, cancel, |(piece, part)| {
        part.fill(piece, dims);
        Ok(())
    })?;
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

impl<T: Real> Part<'_, T> {
    fn fill(&mut self, piece: &Piece<'_, T>, dims: usize) {
        let (from, _) = piece.blocks.as_chunks::<LANES>();
        let (into, _) = self.blocks.as_chunks_mut::<LANES>();
        for ((block, labels), places) in
            into.chunks_exact_mut(dims).zip(self.labels.chunks_mut(LANES)).zip(self.places.chunks(LANES))
        {
            for (lane, (label, place)) in labels.iter_mut().zip(places).enumerate() {
                let place = usize::from(*place);
                *label = piece.labels.get(place).copied().unwrap_or_default();
                let point = from.iter().skip(place / LANES * dims);
                for (lanes, values) in block.iter_mut().zip(point) {
                    if let (Some(slot), Some(value)) = (lanes.get_mut(lane), values.get(place % LANES)) {
                        *slot = *value;
                    }
                }
            }
        }
        self.weights = piece.weights.map(|_| self.places.iter().map(|place| piece.weight((*place).into())).collect());
    }

    /// Itself as a piece of the points.
    pub(super) fn piece(&mut self, clusters: usize, dims: usize) -> Piece<'_, T> {
        Piece {
            blocks: self.blocks,
            labels: &mut self.labels,
            weights: self.weights.as_deref(),
            rows: self.places.len(),
            sums: Sums::new(clusters, dims),
            margins: &mut [],
        }
    }

    /// Tells the piece the points came from what became of them.
    pub(super) fn put_back(&self, piece: &mut Piece<'_, T>) {
        for (place, label) in self.places.iter().zip(&self.labels) {
            if let Some(slot) = piece.labels.get_mut(usize::from(*place)) {
                *slot = *label;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is chosen where of 1000 points of two clusters so many have a margin below 10 steps, and the others a large
    /// one.
    fn chosen(close: usize, farthest: f64) -> Option<Vec<f64>> {
        let mut labels: Vec<Label> = (0..1008).map(|place| place % 2).collect();
        let mut margins: Vec<f32> = (0..1008).map(|place| if place % 100 < close { 0.9 } else { 1e6 }).collect();
        let piece = Piece {
            blocks: &vec![0.0_f64; 1008 * 50],
            labels: &mut labels,
            weights: None,
            rows: 1000,
            sums: Sums::new(2, 50),
            margins: &mut margins,
        };
        Reach::choose(&[piece], &[0.1, 0.2], farthest, 50).map(|reach| reach.allowed)
    }

    #[test]
    fn as_far_as_is_cheapest() {
        assert_eq!(chosen(10, 100.0), Some(vec![3.2, 6.4]));
        // Where so many are close, not so far that they would have to be looked at.
        assert_eq!(chosen(60, 100.0), Some(vec![0.4, 0.8]));
        assert_eq!(chosen(100, 100.0), Some(vec![0.4, 0.8]));
        assert_eq!(chosen(10, 0.5), Some(vec![0.5, 0.5]));
        assert_eq!(chosen(10, 0.15), None);
    }
}
