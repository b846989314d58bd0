//! Clusters get their numbers as in scikit-learn: in the order of their first core rows. A row that is not core but has
//! core neighbours belongs to the first of their clusters.

use super::{
    super::matrix::LANES,
    dense::CHUNK_LEAVES,
    tree::{Lanes, Node, Tree, Visit, bits},
};
use crate::{Result, cancel::Cancel, parallel::map_chunks};

/// Not in a cluster.
const NOISE: i32 = -1;
/// Beyond every cluster.
const NONE: i32 = i32::MAX;

/// The label of each row; `sets` names one point of each core point's set.
pub(super) fn labels(tree: &Tree, cores: &[Lanes], sets: &[u32], limit: f64, cancel: &Cancel) -> Result<Vec<i32>> {
    let mut set_of_row = vec![u32::MAX; tree.rows.len()]; // which is no point, and so has no number below
    for (point, (row, set)) in tree.rows.iter().zip(sets).enumerate() {
        if is_core(cores, point)
            && let Some(slot) = set_of_row.get_mut(*row as usize)
        {
            *slot = *set;
        }
    }
    let mut numbers = vec![NOISE; tree.rows.len()]; // of sets, at the points that stand for them
    let mut clusters = 0;
    let mut labels = Vec::with_capacity(tree.rows.len());
    for set in set_of_row {
        labels.push(numbers.get_mut(set as usize).map_or(NOISE, |number| {
            if *number == NOISE {
                *number = clusters;
                clusters += 1;
            }
            *number
        }));
    }
    if clusters > 0 {
        for (row, label) in borders(tree, cores, &labels, limit, cancel)? {
            if let Some(slot) = labels.get_mut(row as usize) {
                *slot = label;
            }
        }
    }
    Ok(labels)
}

fn is_core(cores: &[Lanes], point: usize) -> bool {
    cores.get(point / LANES).is_some_and(|lanes| lanes >> (point % LANES) & 1 == 1)
}

/// The rows that are not core but have core neighbours, with their labels.
fn borders(tree: &Tree, cores: &[Lanes], labels: &[i32], limit: f64, cancel: &Cancel) -> Result<Vec<(u32, i32)>> {
    let label = |(point, row): (usize, &u32)| {
        if is_core(cores, point) { labels.get(*row as usize).copied().unwrap_or(NONE) } else { NONE }
    };
    let each: Vec<i32> = tree.rows.iter().enumerate().map(label).collect();
    let mut lowest = vec![NONE; tree.nodes()];
    lowest_labels(tree.root(), &each, &mut lowest);
    let found = map_chunks(cores.len(), CHUNK_LEAVES, cancel, |leaves| {
        let mut found = Vec::new();
        for leaf in leaves {
            cancel.check()?;
            let lanes = tree.lanes(leaf) & !cores.get(leaf).copied().unwrap_or_default();
            let mut first = First { each: &each, lowest: &lowest, lanes, best: [NONE; LANES] };
            tree.visit(leaf, lanes, tree.root(), limit, &mut first);
            let rows = tree.rows.iter().skip(leaf * LANES);
            found.extend(rows.copied().zip(first.best).filter(|(_, label)| *label != NONE));
        }
        Ok(found)
    })?;
    Ok(found.concat())
}

fn lowest_labels(node: Node, each: &[i32], lowest: &mut [i32]) -> i32 {
    let label = if let Some([left, right]) = node.children() {
        lowest_labels(left, each, lowest).min(lowest_labels(right, each, lowest))
    } else {
        each.iter().skip(node.first * LANES).take(LANES).copied().min().unwrap_or(NONE)
    };
    if let Some(slot) = lowest.get_mut(node.id) {
        *slot = label;
    }
    label
}

/// The lowest label among core neighbours.
struct First<'a> {
    /// The labels of core points.
    each: &'a [i32],
    /// The lowest of them in each node.
    lowest: &'a [i32],
    /// The points that are asked about.
    lanes: Lanes,
    best: [i32; LANES],
}

impl First<'_> {
    fn lower(&mut self, lane: usize, label: i32) {
        if let Some(best) = self.best.get_mut(lane) {
            *best = label.min(*best);
        }
    }
}

impl Visit for First<'_> {
    fn open(&self) -> Lanes {
        self.lanes
    }

    fn wants(&self, node: Node) -> bool {
        let label = self.lowest.get(node.id).copied().unwrap_or(NONE);
        bits(self.lanes).any(|lane| self.best.get(lane).is_some_and(|best| label < *best))
    }

    fn all(&mut self, lanes: Lanes, node: Node) {
        let label = self.lowest.get(node.id).copied().unwrap_or(NONE);
        bits(lanes).for_each(|lane| self.lower(lane, label));
    }

    fn some(&mut self, leaf: usize, near: &[Lanes; LANES]) {
        for (lane, near) in near.iter().enumerate() {
            let labels = bits(*near).filter_map(|other| self.each.get(leaf * LANES + other));
            let label = labels.copied().min().unwrap_or(NONE);
            self.lower(lane, label);
        }
    }
}

/// Numbers clusters anew, the heaviest first; of equally heavy ones the one that was first.
pub(super) fn by_size(labels: &mut [i32], weights: Option<&[f64]>) {
    let clusters = labels.iter().max().map_or(0, |label| (label + 1) as usize);
    let mut sizes: Vec<(usize, f64)> = (0..clusters).map(|cluster| (cluster, 0.0)).collect();
    for (row, label) in labels.iter().enumerate() {
        if let Some((_, size)) = usize::try_from(*label).ok().and_then(|label| sizes.get_mut(label)) {
            *size += weights.map_or(1.0, |weights| weights.get(row).copied().unwrap_or_default());
        }
    }
    sizes.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let mut numbers = vec![NOISE; clusters];
    for (number, (cluster, _)) in (0..).zip(sizes) {
        if let Some(slot) = numbers.get_mut(cluster) {
            *slot = number;
        }
    }
    for label in labels {
        *label = usize::try_from(*label).ok().and_then(|label| numbers.get(label)).copied().unwrap_or(NOISE);
    }
}
