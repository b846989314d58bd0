//! Points in a tree of boxes: halved across their widest column again and again until 16 are left, which stand side by
//! side. It needs no cells, so it does not care how many columns there are, how small eps is against the data, or how
//! many rows are equal.
//!
//! Two rows are neighbours when the squares of their differences, added in float64 in the order of the columns, are at
//! most eps squared: what scikit-learn's trees compute. Boxes are measured by the same steps, each of which keeps order
//! when it rounds, so a box never says other than its points would.

use super::super::matrix::LANES;
use crate::{Result, cancel::Cancel, vector::widest};

/// One bit per point of a leaf.
pub(super) type Lanes = u16;

/// Leaves from which on two halves are worked on side by side.
const SHARED_LEAVES: usize = 64;

/// Points that are copied together before they are halved further.
const LOCAL_POINTS: usize = 1 << 12;

/// A leaf, or all leaves below a branch. Children stand behind their parent, first the whole left side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// Its place among all nodes.
    pub(super) id: usize,
    /// Its first leaf.
    pub(super) first: usize,
    /// How many leaves it has.
    pub(super) leaves: usize,
}

impl Node {
    /// The two sides of a branch.
    pub(super) fn children(self) -> Option<[Self; 2]> {
        let Self { id, first, leaves } = self;
        let left = leaves / 2;
        let right = Self { id: id + 2 * left, first: first + left, leaves: leaves - left };
        (left > 0).then_some([Self { id: id + 1, first, leaves: left }, right])
    }
}

/// The lowest and the highest value of each column.
type Bounds<'a> = &'a [[f64; 2]];

/// The tree.
#[derive(Debug)]
pub(super) struct Tree {
    dims: usize,
    /// The row of each point, leaf after leaf.
    pub(super) rows: Vec<u32>,
    /// Leaf after leaf, column by column; NaN, which is near nothing, beyond the last point.
    blocks: Vec<[f64; LANES]>,
    /// Of all nodes, column by column.
    boxes: Vec<[f64; 2]>,
    /// One bit per lane. Were they known when compiling, comparisons would be cut into narrower ones.
    lane_bits: [u64; LANES],
}

impl Tree {
    /// Of points that stand one behind the other; there is at least one.
    pub(super) fn new(points: &[f64], dims: usize, cancel: &Cancel) -> Result<Self> {
        let mut keys: Vec<(f64, u32)> = (0..(points.len() / dims) as u32).map(|row| (0.0, row)).collect();
        let leaves = keys.len().div_ceil(LANES);
        let mut blocks = vec![[f64::NAN; LANES]; leaves * dims];
        let mut boxes = vec![[0.0; 2]; (2 * leaves - 1) * dims];
        grow(points, dims, Part { keys: &mut keys, blocks: &mut blocks, boxes: &mut boxes }, cancel)?;
        Ok(Self {
            dims,
            rows: keys.into_iter().map(|(_, row)| row).collect(),
            blocks,
            boxes,
            lane_bits: std::array::from_fn(|lane| 1 << lane),
        })
    }

    /// All points.
    pub(super) fn root(&self) -> Node {
        Node { id: 0, first: 0, leaves: self.rows.len().div_ceil(LANES) }
    }

    /// How many nodes there are.
    pub(super) fn nodes(&self) -> usize {
        self.boxes.len() / self.dims
    }

    /// How many points a node has.
    pub(super) fn count(&self, node: Node) -> usize {
        ((node.first + node.leaves) * LANES).min(self.rows.len()) - node.first * LANES
    }

    /// Which lanes of a leaf have a point.
    pub(super) fn lanes(&self, leaf: usize) -> Lanes {
        let used = self.rows.len().saturating_sub(leaf * LANES).min(LANES);
        Lanes::MAX.checked_shr((LANES - used) as u32).unwrap_or(0)
    }

    /// The box of a node.
    fn bounds(&self, node: Node) -> Bounds<'_> {
        self.boxes.get(node.id * self.dims..(node.id + 1) * self.dims).unwrap_or(&[])
    }

    /// The points of a leaf.
    fn block(&self, leaf: usize) -> &[[f64; LANES]] {
        self.blocks.get(leaf * self.dims..(leaf + 1) * self.dims).unwrap_or(&[])
    }

    /// The squared distance within which two nodes cannot have neighbours, and that of their two farthest corners.
    pub(super) fn apart(&self, one: Node, other: Node) -> (f64, f64) {
        let (mut least, mut most) = (0.0, 0.0);
        for ([low, high], [other_low, other_high]) in self.bounds(one).iter().zip(self.bounds(other)) {
            let (below, above) = (other_low - high, low - other_high);
            let gap = larger(larger(below, above), 0.0);
            let span = larger(other_high - low, high - other_low);
            least += gap * gap;
            most += span * span;
        }
        (least, most)
    }

    /// For each of some points of a leaf, which points of another leaf are its neighbours.
    pub(super) fn near(&self, leaf: usize, lanes: Lanes, other: usize, limit: f64) -> [Lanes; LANES] {
        let mut found = [0; LANES];
        near(self.block(leaf), lanes, self.block(other), limit, &self.lane_bits, &mut found);
        found
    }

    /// Shows a visitor the neighbours of some points of a leaf, as few nodes as will do, the nearest first.
    pub(super) fn visit(&self, leaf: usize, lanes: Lanes, node: Node, limit: f64, visitor: &mut impl Visit) {
        let lanes = lanes & visitor.open();
        if lanes == 0 || !visitor.wants(node) {
            return;
        }
        let (touched, whole) = reach(self.block(leaf), self.bounds(node), limit, &self.lane_bits);
        if lanes & whole != 0 {
            visitor.all(lanes & whole, node);
        }
        let lanes = lanes & touched & !whole;
        if lanes == 0 {
            return;
        }
        match node.children() {
            None => visitor.some(node.first, &self.near(leaf, lanes, node.first, limit)),
            Some([left, right]) => {
                let sides = if leaf < right.first { [left, right] } else { [right, left] };
                for side in sides {
                    self.visit(leaf, lanes, side, limit, visitor);
                }
            }
        }
    }
}

/// What is done with the neighbours of the points of one leaf.
pub(super) trait Visit {
    /// Which points more neighbours make a difference for.
    fn open(&self) -> Lanes;
    /// Whether neighbours in a node make a difference.
    fn wants(&self, _: Node) -> bool {
        true
    }
    /// All points of a node are neighbours of these points.
    fn all(&mut self, lanes: Lanes, node: Node);
    /// For each point, which points of a leaf are its neighbours.
    fn some(&mut self, leaf: usize, near: &[Lanes; LANES]);
}

/// The places of the bits that are set.
pub(super) fn bits(mut lanes: Lanes) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = lanes.trailing_zeros() as usize;
        lanes &= lanes.wrapping_sub(1);
        (lane < LANES).then_some(lane)
    })
}

/// The room of one node and all below it, while the tree is grown.
struct Part<'a> {
    /// The value by which points are halved, and their rows.
    keys: &'a mut [(f64, u32)],
    blocks: &'a mut [[f64; LANES]],
    boxes: &'a mut [[f64; 2]],
}

fn grow(points: &[f64], dims: usize, part: Part<'_>, cancel: &Cancel) -> Result<()> {
    cancel.check()?;
    let Part { keys, blocks, boxes } = part;
    let point = |row: u32| points.get(row as usize * dims..(row as usize + 1) * dims).unwrap_or(&[]);
    if keys.len() <= LOCAL_POINTS && points.len() > LOCAL_POINTS * dims {
        // From here on all that is read lies together.
        let local: Vec<f64> = keys.iter().flat_map(|(_, row)| point(*row)).copied().collect();
        let rows: Vec<u32> = keys.iter().map(|(_, row)| *row).collect();
        (0..).zip(keys.iter_mut()).for_each(|(place, (_, row))| *row = place);
        grow(&local, dims, Part { keys, blocks, boxes }, cancel)?;
        for (_, row) in keys.iter_mut() {
            *row = rows.get(*row as usize).copied().unwrap_or_default();
        }
        return Ok(());
    }
    let (own, boxes) = boxes.split_at_mut(dims);
    own.fill([f64::INFINITY, f64::NEG_INFINITY]);
    for (_, row) in keys.iter() {
        for ([low, high], value) in own.iter_mut().zip(point(*row)) {
            *low = if *value < *low { *value } else { *low };
            *high = larger(*high, *value);
        }
    }
    let leaves = keys.len().div_ceil(LANES);
    let left = leaves / 2;
    if left == 0 {
        for (lane, (_, row)) in keys.iter().enumerate() {
            for (lanes, value) in blocks.iter_mut().zip(point(*row)) {
                if let Some(slot) = lanes.get_mut(lane) {
                    *slot = *value;
                }
            }
        }
        return Ok(());
    }
    let width = |[low, high]: &[f64; 2]| high - low;
    let widest = (0..dims).zip(own.iter().map(width)).reduce(|best, next| if next.1 > best.1 { next } else { best });
    if let Some((dim, width)) = widest
        && width > 0.0
    {
        for (key, row) in &mut *keys {
            *key = point(*row).get(dim).copied().unwrap_or_default();
        }
        keys.select_nth_unstable_by(left * LANES, |a, b| a.0.total_cmp(&b.0));
    }
    let (keys, right_keys) = keys.split_at_mut(left * LANES);
    let (blocks, right_blocks) = blocks.split_at_mut(left * dims);
    let (boxes, right_boxes) = boxes.split_at_mut((2 * left - 1) * dims);
    let left = Part { keys, blocks, boxes };
    let right = Part { keys: right_keys, blocks: right_blocks, boxes: right_boxes };
    side_by_side(leaves, || grow(points, dims, left, cancel), || grow(points, dims, right, cancel))
}

/// Does two pieces of work, at the same time where there is much of it.
pub(super) fn side_by_side(
    leaves: usize,
    one: impl FnOnce() -> Result<()> + Send,
    other: impl FnOnce() -> Result<()> + Send,
) -> Result<()> {
    if leaves < SHARED_LEAVES {
        one()?;
        return other();
    }
    let (one, other) = rayon::join(one, other);
    one.and(other)
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// One bit per value that is within the limit.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn within(squares: [f64; LANES], limit: f64, lane_bits: &[u64; LANES]) -> Lanes {
    squares.iter().zip(lane_bits).fold(0, |lanes, (square, bit)| lanes | if *square <= limit { *bit } else { 0 })
        as Lanes
}

widest! {
    /// Which points have a corner or a side of the box within reach, and which the whole box.
    fn reach[](
        block: &[[f64; LANES]], bounds: Bounds<'_>, limit: f64, lane_bits: &[u64; LANES]
    ) -> (Lanes, Lanes) = reach_each;
}

#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn reach_each(block: &[[f64; LANES]], bounds: Bounds<'_>, limit: f64, lane_bits: &[u64; LANES]) -> (Lanes, Lanes) {
    let (mut least, mut most) = ([0.0; LANES], [0.0; LANES]);
    for (values, [low, high]) in block.iter().zip(bounds) {
        for ((least, most), value) in least.iter_mut().zip(&mut most).zip(values) {
            let (below, above) = (low - value, value - high);
            let gap = larger(larger(below, above), 0.0);
            let span = larger(value - low, high - value);
            *least += gap * gap;
            *most += span * span;
        }
    }
    (within(least, limit, lane_bits), within(most, limit, lane_bits))
}

widest! {
    /// For each of some points, which points of the other block are its neighbours.
    fn near[](
        block: &[[f64; LANES]], lanes: Lanes, other: &[[f64; LANES]], limit: f64, lane_bits: &[u64; LANES],
        found: &mut [Lanes; LANES]
    ) = near_each;
}

#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn near_each(
    block: &[[f64; LANES]],
    lanes: Lanes,
    other: &[[f64; LANES]],
    limit: f64,
    lane_bits: &[u64; LANES],
    found: &mut [Lanes; LANES],
) {
    for (lane, found) in found.iter_mut().enumerate() {
        if lanes >> lane & 1 == 0 {
            continue;
        }
        let mut squares = [0.0; LANES];
        for (own, values) in block.iter().zip(other) {
            let own = own.get(lane).copied().unwrap_or(f64::NAN);
            for (square, value) in squares.iter_mut().zip(values) {
                let apart = value - own;
                *square += apart * apart;
            }
        }
        *found = within(squares, limit, lane_bits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::tests::on_every_width;

    #[test]
    fn boxes_and_leaves_say_what_their_points_say_on_every_width() {
        for (rows, dims) in [(1, 1), (15, 2), (16, 3), (17, 1), (100, 5), (333, 3)] {
            let value = |place: usize| f64::from(place as i32 * 37 % 101) * 0.1;
            let points: Vec<f64> = (0..rows * dims).map(value).collect();
            let tree = Tree::new(&points, dims, &Cancel::new()).unwrap();
            let mut seen = tree.rows.clone();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..rows as u32));
            let root = tree.root();
            assert_eq!(tree.nodes(), 2 * root.leaves - 1);
            let point = |leaf: usize, lane: usize| {
                let row = tree.rows[leaf * LANES + lane] as usize;
                &points[row * dims..(row + 1) * dims]
            };
            let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
            let limit = if dims == 1 { 0.09 } else { 4.0 };
            on_every_width(|| {
                let mut nodes = vec![root];
                while let Some(node) = nodes.pop() {
                    nodes.extend(node.children().into_iter().flatten());
                    for leaf in 0..root.leaves {
                        let (touched, whole) = reach(tree.block(leaf), tree.bounds(node), limit, &tree.lane_bits);
                        for lane in bits(tree.lanes(leaf)) {
                            let inside = (node.first..node.first + node.leaves)
                                .flat_map(|other| bits(tree.lanes(other)).map(move |place| (other, place)));
                            let hits =
                                inside.map(|(other, place)| square(point(leaf, lane), point(other, place)) <= limit);
                            let hits: Vec<bool> = hits.collect();
                            assert_eq!(hits.len(), tree.count(node));
                            assert!(touched >> lane & 1 == 1 || !hits.contains(&true));
                            assert!(whole >> lane & 1 == 0 || !hits.contains(&false));
                            if node.leaves == 1 {
                                let near = tree.near(leaf, 1 << lane, node.first, limit);
                                let wanted =
                                    (0..).zip(&hits).fold(0, |lanes, (place, hit)| lanes | Lanes::from(*hit) << place);
                                assert_eq!(near[lane], wanted);
                            }
                        }
                    }
                }
            });
        }
    }
}
