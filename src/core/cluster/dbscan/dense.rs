//! Which rows are core: their neighbours, themselves included, are many or heavy enough.

use super::{
    super::matrix::LANES,
    tree::{Lanes, Node, Tree, Visit, bits},
};
use crate::{
    Result,
    cancel::Cancel,
    math::sum::{Sum, exact_sum},
    parallel::fill_chunks,
};

/// Leaves in one task.
pub(super) const CHUNK_LEAVES: usize = 32;

/// The core points of each leaf; `weights` are by row (`None`: each weighs 1).
pub(super) fn cores(
    tree: &Tree,
    limit: f64,
    enough: u64,
    weights: Option<&[f64]>,
    cancel: &Cancel,
) -> Result<Vec<Lanes>> {
    let weights = weights.map(|weights| Weights::new(tree, weights, enough));
    let mut cores = vec![0; tree.root().leaves];
    fill_chunks(&mut cores, CHUNK_LEAVES, cancel, |first, cores| {
        for (leaf, core) in (first..).zip(cores) {
            cancel.check()?;
            let lanes = tree.lanes(leaf);
            *core = if let Some(weights) = &weights {
                weights.core(leaf, limit)
            } else {
                let mut count = Count { tree, enough, counts: [0; LANES], core: 0 };
                tree.visit(leaf, lanes, tree.root(), limit, &mut count);
                count.core & lanes
            };
        }
        Ok(())
    })?;
    Ok(cores)
}

/// How many neighbours points have, as far as that makes a difference.
struct Count<'a> {
    tree: &'a Tree,
    enough: u64,
    counts: [u64; LANES],
    core: Lanes,
}

impl Count<'_> {
    fn add(&mut self, lane: usize, more: u64) {
        if let Some(count) = self.counts.get_mut(lane) {
            *count += more;
            self.core |= Lanes::from(*count >= self.enough) << lane;
        }
    }
}

impl Visit for Count<'_> {
    fn open(&self) -> Lanes {
        !self.core
    }

    fn all(&mut self, lanes: Lanes, node: Node) {
        let count = self.tree.count(node) as u64;
        bits(lanes).for_each(|lane| self.add(lane, count));
    }

    fn some(&mut self, _: usize, near: &[Lanes; LANES]) {
        near.iter().enumerate().for_each(|(lane, near)| self.add(lane, u64::from(near.count_ones())));
    }
}

/// What points weigh.
struct Weights<'a> {
    tree: &'a Tree,
    enough: f64,
    /// Point after point.
    each: Vec<f64>,
    /// Of all nodes.
    totals: Vec<Sum>,
    /// Some are below zero: only all neighbours together say whether they are heavy enough.
    negative: bool,
}

impl<'a> Weights<'a> {
    fn new(tree: &'a Tree, weights: &[f64], enough: u64) -> Self {
        let each: Vec<f64> =
            tree.rows.iter().map(|row| weights.get(*row as usize).copied().unwrap_or_default()).collect();
        let negative = weights.iter().any(|weight| *weight < 0.0);
        let totals = vec![Sum::default(); tree.nodes()];
        let mut all = Self { tree, enough: enough as f64, each, totals, negative };
        all.total(tree.root());
        all
    }

    fn total(&mut self, node: Node) -> Sum {
        let mut sum = Sum::default();
        if let Some(sides) = node.children() {
            for side in sides {
                sum.merge(&self.total(side));
            }
        } else {
            self.of(node).iter().for_each(|weight| sum.add(*weight));
        }
        if let Some(total) = self.totals.get_mut(node.id) {
            *total = sum;
        }
        sum
    }

    /// The weights of a node's points.
    fn of(&self, node: Node) -> &[f64] {
        let first = node.first * LANES;
        self.each.get(first..first + self.tree.count(node)).unwrap_or(&[])
    }

    /// The core points of a leaf.
    fn core(&self, leaf: usize, limit: f64) -> Lanes {
        let (lanes, root) = (self.tree.lanes(leaf), self.tree.root());
        let mut weigh = Weigh { weights: self, sums: [Sum::default(); LANES], core: 0 };
        self.tree.visit(leaf, lanes, root, limit, &mut weigh);
        let mut core = weigh.core;
        for (lane, sum) in weigh.sums.iter().enumerate().filter(|(lane, _)| (lanes & !weigh.core) >> lane & 1 == 1) {
            let total = sum.total().unwrap_or_else(|| {
                let mut gather = Gather { weights: self, terms: Vec::new() };
                self.tree.visit(leaf, 1 << lane, root, limit, &mut gather);
                exact_sum(gather.terms.iter().copied())
            });
            core |= Lanes::from(total >= self.enough) << lane;
        }
        core & lanes
    }
}

/// What the neighbours of points weigh, as far as that makes a difference.
struct Weigh<'a> {
    weights: &'a Weights<'a>,
    sums: [Sum; LANES],
    core: Lanes,
}

impl Weigh<'_> {
    fn add(&mut self, lane: usize, more: impl FnOnce(&mut Sum)) {
        let Some(sum) = self.sums.get_mut(lane) else { return };
        more(sum);
        if !self.weights.negative {
            let heavy = sum.total().is_some_and(|total| total >= self.weights.enough);
            self.core |= Lanes::from(heavy) << lane;
        }
    }
}

impl Visit for Weigh<'_> {
    fn open(&self) -> Lanes {
        !self.core
    }

    fn all(&mut self, lanes: Lanes, node: Node) {
        let Some(total) = self.weights.totals.get(node.id) else { return };
        bits(lanes).for_each(|lane| self.add(lane, |sum| sum.merge(total)));
    }

    fn some(&mut self, leaf: usize, near: &[Lanes; LANES]) {
        let weights = self.weights.each.get(leaf * LANES..).unwrap_or(&[]);
        for (lane, near) in near.iter().enumerate().filter(|(_, near)| **near != 0) {
            let near = bits(*near).filter_map(|other| weights.get(other));
            self.add(lane, |sum| near.for_each(|weight| sum.add(*weight)));
        }
    }
}

/// The weights of the neighbours of one point, for a sum that two terms could not hold.
struct Gather<'a> {
    weights: &'a Weights<'a>,
    terms: Vec<f64>,
}

impl Visit for Gather<'_> {
    fn open(&self) -> Lanes {
        Lanes::MAX
    }

    fn all(&mut self, _: Lanes, node: Node) {
        self.terms.extend(self.weights.of(node));
    }

    fn some(&mut self, leaf: usize, near: &[Lanes; LANES]) {
        let weights = self.weights.each.get(leaf * LANES..).unwrap_or(&[]);
        let near = near.iter().fold(0, |all, near| all | near);
        self.terms.extend(bits(near).filter_map(|other| weights.get(other)));
    }
}
