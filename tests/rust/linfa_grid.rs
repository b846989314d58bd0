//! linfa's DBSCAN over a grid of ours: the reference of tests and of the bench `dbscan.rs`.

use hashbrown::HashMap;
use linfa::{Float, ParamGuard, traits::Transformer};
use linfa_clustering::Dbscan;
use linfa_nn::{
    BuildError, NearestNeighbour, NearestNeighbourIndex, NnError,
    distance::{Distance, L2Dist},
};
use ndarray::{Array2, ArrayBase, ArrayView1, ArrayView2, Data, Ix2};

/// linfa's labels, -1 for noise.
pub(crate) fn labels(rows: &Array2<f64>, eps: f64, min_samples: usize) -> Vec<i32> {
    let params = Dbscan::params_with(min_samples, L2Dist, Grid { eps }).tolerance(eps).check().unwrap();
    params.transform(rows).iter().map(|label| label.map_or(-1, |label| label as i32)).collect()
}

/// Cells half an eps wide.
#[derive(Debug)]
struct Grid {
    eps: f64,
}

impl NearestNeighbour for Grid {
    fn from_batch_with_leaf_size<'a, F: Float, DT: Data<Elem = F>, D: 'a + Distance<F>>(
        &self,
        batch: &'a ArrayBase<DT, Ix2>,
        _: usize,
        _: D,
    ) -> Result<Box<dyn 'a + Send + Sync + NearestNeighbourIndex<F>>, BuildError> {
        Ok(Box::new(Cells::new(batch.view(), F::cast(self.eps / 2.0))))
    }
}

struct Cells<'a, F: Float> {
    rows: ArrayView2<'a, F>,
    side: F,
    /// Rows cell by cell, and the same rows' values.
    order: Vec<usize>,
    values: Vec<F>,
    ranges: HashMap<Vec<i64>, (usize, usize), foldhash::fast::FixedState>,
    /// The way to every cell that may hold neighbours.
    ways: Vec<Vec<i64>>,
}

impl<'a, F: Float> Cells<'a, F> {
    fn new(rows: ArrayView2<'a, F>, side: F) -> Self {
        let mut keyed: Vec<(Vec<i64>, usize)> =
            rows.outer_iter().enumerate().map(|(row, point)| (key(point, side), row)).collect();
        keyed.sort_unstable();
        let mut ranges = HashMap::with_hasher(foldhash::fast::FixedState::default());
        let mut first = 0;
        for cell in keyed.chunk_by(|a, b| a.0 == b.0) {
            ranges.insert(cell[0].0.clone(), (first, first + cell.len()));
            first += cell.len();
        }
        let order: Vec<usize> = keyed.into_iter().map(|(_, row)| row).collect();
        let values = order.iter().flat_map(|row| rows.row(*row).to_vec()).collect();
        let mut ways = vec![vec![]];
        for _ in 0..rows.ncols() {
            ways = ways.iter().flat_map(|way| (-2..=2).map(move |step| [&way[..], &[step]].concat())).collect();
        }
        // Corners farther than eps hold no neighbours, whatever stands in them.
        ways.retain(|way: &Vec<i64>| way.iter().map(|step| (step.abs() - 1).max(0).pow(2)).sum::<i64>() <= 4);
        Self { rows, side, order, values, ranges, ways }
    }
}

fn key<F: Float>(point: ArrayView1<'_, F>, side: F) -> Vec<i64> {
    point.iter().map(|value| (*value / side).floor().to_i64().unwrap()).collect()
}

impl<F: Float> NearestNeighbourIndex<F> for Cells<'_, F> {
    fn k_nearest(&self, _: ArrayView1<'_, F>, _: usize) -> Result<Vec<(ArrayView1<'_, F>, usize)>, NnError> {
        panic!("DBSCAN asks for ranges only")
    }

    fn within_range(&self, point: ArrayView1<'_, F>, range: F) -> Result<Vec<(ArrayView1<'_, F>, usize)>, NnError> {
        let own = key(point, self.side);
        let point = point.to_vec();
        let mut cell = own.clone();
        let mut found = Vec::new();
        for way in &self.ways {
            cell.iter_mut().zip(&own).zip(way).for_each(|((cell, own), step)| *cell = own + step);
            let Some(&(first, end)) = self.ranges.get(&cell) else { continue };
            let values = self.values[first * point.len()..end * point.len()].chunks_exact(point.len());
            for (other, row) in values.zip(&self.order[first..end]) {
                let square = |(a, b): (&F, &F)| (*a - *b) * (*a - *b);
                if other.iter().zip(&point).map(square).fold(F::zero(), |a, b| a + b) <= range * range {
                    found.push((self.rows.row(*row), *row));
                }
            }
        }
        Ok(found)
    }
}
