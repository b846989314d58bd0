//! Which core points hang together. Sets of points are only ever put together, and which are in the end does not depend
//! on the order, so threads may do it side by side.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use super::{
    super::matrix::LANES,
    tree::{Lanes, Node, Tree, bits, side_by_side},
};
use crate::{Result, cancel::Cancel};

/// No point.
const NONE: u32 = u32::MAX;

/// One point of each set of core points that hang together, by point; points that are not core stand for themselves.
pub(super) fn join(tree: &Tree, cores: &[Lanes], limit: f64, cancel: &Cancel) -> Result<Vec<u32>> {
    let mut firsts = vec![NONE; tree.nodes()];
    first_cores(tree.root(), cores, &mut firsts);
    let sets = Sets((0..tree.rows.len() as u32).map(AtomicU32::new).collect());
    let joined = firsts.iter().map(|first| AtomicBool::new(*first == NONE)).collect();
    let join = Join { tree, cores, limit, firsts, joined, sets, cancel };
    join.within(tree.root())?;
    Ok((0..tree.rows.len() as u32).map(|point| join.sets.find(point)).collect())
}

fn first_cores(node: Node, cores: &[Lanes], firsts: &mut [u32]) -> u32 {
    let first = if let Some([left, right]) = node.children() {
        first_cores(left, cores, firsts).min(first_cores(right, cores, firsts))
    } else {
        let lanes = cores.get(node.first).copied().unwrap_or_default();
        bits(lanes).next().map_or(NONE, |lane| (node.first * LANES + lane) as u32)
    };
    if let Some(slot) = firsts.get_mut(node.id) {
        *slot = first;
    }
    first
}

/// Each point's way to the point that stands for its set; the ways lead to ever smaller numbers.
struct Sets(Vec<AtomicU32>);

impl Sets {
    fn up(&self, point: u32) -> u32 {
        self.0.get(point as usize).map_or(point, |up| up.load(Relaxed))
    }

    fn find(&self, mut point: u32) -> u32 {
        loop {
            let up = self.up(point);
            let next = self.up(up);
            if up == next {
                return up;
            }
            // The way is halved; whoever else does so at this moment halves it, too.
            if let Some(slot) = self.0.get(point as usize) {
                slot.store(next, Relaxed);
            }
            point = next;
        }
    }

    fn unite(&self, one: u32, other: u32) {
        loop {
            let (one, other) = (self.find(one), self.find(other));
            let (low, high) = (one.min(other), one.max(other));
            // Only who stands for a set is hung below another; another thread may have been faster.
            let hung = |slot: &AtomicU32| slot.compare_exchange(high, low, Relaxed, Relaxed).is_ok();
            if low == high || self.0.get(high as usize).is_none_or(hung) {
                return;
            }
        }
    }
}

struct Join<'a> {
    tree: &'a Tree,
    cores: &'a [Lanes],
    limit: f64,
    /// The first core point of each node.
    firsts: Vec<u32>,
    /// Nodes whose core points are known to hang together.
    joined: Vec<AtomicBool>,
    sets: Sets,
    cancel: &'a Cancel,
}

impl Join<'_> {
    fn first(&self, node: Node) -> u32 {
        self.firsts.get(node.id).copied().unwrap_or(NONE)
    }

    fn cores(&self, node: Node) -> impl Iterator<Item = u32> {
        let leaves = self.cores.get(node.first..node.first + node.leaves).unwrap_or(&[]);
        let points = |(leaf, lanes): (usize, &Lanes)| bits(*lanes).map(move |lane| (leaf * LANES + lane) as u32);
        (node.first..).zip(leaves).flat_map(points)
    }

    fn is_known(&self, node: Node) -> bool {
        self.joined.get(node.id).is_none_or(|joined| joined.load(Relaxed))
    }

    fn know(&self, node: Node) {
        if let Some(joined) = self.joined.get(node.id) {
            joined.store(true, Relaxed);
        }
    }

    /// Whether all core points of a node hang together, as far as is easily seen.
    fn is_joined(&self, node: Node) -> bool {
        if self.is_known(node) {
            return true;
        }
        let same = |one, other| one == NONE || other == NONE || self.sets.find(one) == self.sets.find(other);
        let joined = if let Some([left, right]) = node.children() {
            self.is_known(left) && self.is_known(right) && same(self.first(left), self.first(right))
        } else {
            let root = self.sets.find(self.first(node));
            self.cores(node).all(|point| self.sets.find(point) == root)
        };
        if joined {
            self.know(node);
        }
        joined
    }

    /// Joins what hangs together within a node.
    fn within(&self, node: Node) -> Result<()> {
        self.cancel.check()?;
        if self.first(node) == NONE {
            return Ok(());
        }
        if self.tree.apart(node, node).1 <= self.limit {
            self.all(node, self.first(node));
            return Ok(());
        }
        if let Some([left, right]) = node.children() {
            side_by_side(node.leaves, || self.within(left), || self.within(right))?;
            self.between(left, right, [false; 2])?;
        } else {
            self.leaves(node, node, [false; 2]);
        }
        self.is_joined(node);
        Ok(())
    }

    /// Joins what hangs together across two nodes; `joined` says which of them are in one piece anyway.
    fn between(&self, one: Node, other: Node, joined: [bool; 2]) -> Result<()> {
        self.cancel.check()?;
        if self.first(one) == NONE || self.first(other) == NONE {
            return Ok(());
        }
        let (least, most) = self.tree.apart(one, other);
        if least > self.limit {
            return Ok(());
        }
        let [one_joined, other_joined] = joined;
        let joined = [one_joined || self.is_joined(one), other_joined || self.is_joined(other)];
        let [one_joined, other_joined] = joined;
        if joined == [true; 2] && self.sets.find(self.first(one)) == self.sets.find(self.first(other)) {
            return Ok(());
        }
        if most <= self.limit {
            // Every point of one is a neighbour of every point of the other.
            if one_joined {
                self.sets.unite(self.first(one), self.first(other));
            } else {
                self.all(one, self.first(other));
            }
            if !other_joined {
                self.all(other, self.first(one));
            }
            return Ok(());
        }
        let (larger, smaller, joined) =
            if one.leaves >= other.leaves { (one, other, joined) } else { (other, one, [other_joined, one_joined]) };
        let Some([left, right]) = larger.children() else {
            self.leaves(one, other, joined);
            return Ok(());
        };
        // A pair found early spares the search for all others.
        let left_first = self.tree.apart(left, smaller).0 <= self.tree.apart(right, smaller).0;
        let [near, far] = if left_first { [left, right] } else { [right, left] };
        side_by_side(larger.leaves, || self.between(near, smaller, joined), || self.between(far, smaller, joined))
    }

    /// Joins all core points of a node with a point.
    fn all(&self, node: Node, with: u32) {
        self.cores(node).for_each(|point| self.sets.unite(point, with));
        self.know(node);
    }

    /// Joins neighbours across two leaves (or within one).
    fn leaves(&self, one: Node, other: Node, [one_joined, other_joined]: [bool; 2]) {
        let lanes = |node: Node| self.cores.get(node.first).copied().unwrap_or_default();
        let near = self.tree.near(one.first, lanes(one), other.first, self.limit);
        for (lane, near) in near.into_iter().enumerate() {
            let own = (one.first * LANES + lane) as u32;
            for place in bits(near & lanes(other)) {
                self.sets.unite(own, (other.first * LANES + place) as u32);
                if one_joined && other_joined {
                    return;
                }
                if other_joined {
                    break;
                }
            }
        }
    }
}
