//! Silhouettes (Rousseeuw 1987): how much nearer a row is to its own group than to the next one. Exact, without ever
//! holding the distances: room grows with the rows, not with their square.

use rayon::prelude::*;

use super::{
    super::{
        distance::squares,
        matrix::{LANES, Matrix, Real},
    },
    codes::{Labels, groups},
    pairs,
};
use crate::{
    Error, Result,
    cancel::Cancel,
    parallel::map_each_with,
    vector::{Fused, widest_fused},
};

/// Queries in one task.
const CHUNK_ROWS: usize = 64;

/// So many sums of all rows to all groups are held at once (128 MB).
const MOST_SUMS: usize = 1 << 24;

/// One group's rows in blocks, dimension by dimension.
pub(super) struct Group {
    pub(super) blocks: Vec<f64>,
    pub(super) rows: usize,
}

/// The silhouette of every row, or of the rows asked for, against all rows.
pub fn silhouettes<T: Real>(
    matrix: &Matrix<'_, T>,
    labels: Labels<'_>,
    queries: Option<&[i64]>,
    columns: &[String],
    cancel: &Cancel,
) -> Result<Vec<f64>> {
    let (rows, dims) = (matrix.rows(), matrix.columns());
    let (codes, counts) = groups(labels, rows)?;
    let (origin, _) = matrix.moments(columns, cancel)?;
    let groups = gather(matrix, &codes, &counts, &origin);
    if queries.is_none() && rows.saturating_mul(groups.len()) <= MOST_SUMS {
        return Ok(from_sums(&pairs::sums(&groups, dims, cancel)?, &groups, &codes));
    }
    let every: Vec<i64>;
    let queries = if let Some(queries) = queries {
        queries
    } else {
        every = (0..rows as i64).collect();
        &every
    };
    if let Some(row) = queries.iter().find(|row| **row < 0 || **row >= rows as i64) {
        return Err(Error::input(format!("row {row} is asked for, but there are {rows} rows")));
    }
    let room = || (vec![0.0; dims], Vec::with_capacity(groups.len()));
    let each = map_each_with(queries.par_chunks(CHUNK_ROWS), cancel, room, |(point, means), queries| {
        let mut out = Vec::with_capacity(queries.len());
        for &query in queries {
            let query = query as usize;
            for ((value, own), origin) in point.iter_mut().zip(matrix.row(query)).zip(&origin) {
                *value = own.to_f64() - origin;
            }
            means.clear();
            for group in &groups {
                means.push(sum_of_distances(&group.blocks, group.rows, point));
            }
            let sums = means.iter().copied();
            out.push(silhouette(sums, &groups, codes.get(query).map_or(0, |code| *code as usize)));
        }
        Ok(out)
    })?;
    Ok(each.concat())
}

/// The silhouettes of all rows, in their order, from what [`pairs::sums`] gives.
fn from_sums(sums: &[f64], groups: &[Group], codes: &[u32]) -> Vec<f64> {
    let mut next = Vec::with_capacity(groups.len());
    let mut rows = 0;
    for group in groups {
        next.push(rows);
        rows += group.rows;
    }
    let of_row = |code: &u32| {
        let place = next.get_mut(*code as usize).map_or(0, |next| {
            *next += 1;
            *next - 1
        });
        silhouette(sums.iter().skip(place).step_by(rows.max(1)).copied(), groups, *code as usize)
    };
    codes.iter().map(of_row).collect()
}

/// From the sums of distances to every group.
fn silhouette(sums: impl Iterator<Item = f64>, groups: &[Group], own: usize) -> f64 {
    let (mut inside, mut outside) = (0.0, f64::INFINITY);
    for (number, (sum, group)) in sums.zip(groups).enumerate() {
        if number != own {
            outside = f64::min(outside, sum / group.rows as f64);
        } else if group.rows == 1 {
            return 0.0;
        } else {
            inside = sum / (group.rows - 1) as f64;
        }
    }
    let larger = f64::max(inside, outside);
    if larger > 0.0 { (outside - inside) / larger } else { 0.0 }
}

/// The rows of each group, measured from `origin`.
fn gather<T: Real>(matrix: &Matrix<'_, T>, codes: &[u32], counts: &[usize], origin: &[f64]) -> Vec<Group> {
    let dims = origin.len();
    let room = |count: &usize| Group { blocks: vec![0.0; count.div_ceil(LANES) * LANES * dims], rows: 0 };
    let mut groups: Vec<Group> = counts.iter().map(room).collect();
    for (row, code) in codes.iter().enumerate() {
        let Some(group) = groups.get_mut(*code as usize) else { continue };
        let first = group.rows / LANES * dims * LANES + group.rows % LANES;
        let places = group.blocks.iter_mut().skip(first).step_by(LANES);
        for ((place, value), origin) in places.zip(matrix.row(row)).zip(origin) {
            *place = value.to_f64() - origin;
        }
        group.rows += 1;
    }
    groups
}

widest_fused! {
    /// The sum of the distances of `rows` points in blocks to one point.
    fn sum_of_distances[](blocks: &[f64], rows: usize, point: &[f64]) -> f64 = sum_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn sum_each<const F: bool>(fused: Fused<F>, blocks: &[f64], rows: usize, point: &[f64]) -> f64 {
    let (lanes, _) = blocks.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    let mut last = 0.0;
    for (index, block) in lanes.chunks_exact(point.len()).enumerate() {
        let squares = squares(fused, block, point);
        let used = rows - index * LANES;
        if used >= LANES {
            sums.iter_mut().zip(squares).for_each(|(sum, square)| *sum += square.sqrt());
        } else {
            last = squares.iter().take(used).map(|square| square.sqrt()).sum();
        }
    }
    last + sums.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::tests::on_every_width;

    #[test]
    fn distances_are_summed_on_every_width() {
        for rows in [1, 15, 16, 17, 100] {
            let values: Vec<f64> = (0..rows * 3).map(|value| f64::from(value as i32 * 7 % 11)).collect();
            let matrix = Matrix::new(&values, rows, 3, false).unwrap();
            let groups = gather(&matrix, &vec![0; rows], &[rows], &[1.0, 2.0, 3.0]);
            let apart = |row: &[f64]| row.iter().zip([1.5, 2.0, 3.0]).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
            let wanted: f64 = values.chunks(3).map(|row| apart(row).sqrt()).sum();
            on_every_width(|| {
                let found = sum_of_distances(&groups[0].blocks, groups[0].rows, &[0.5, 0.0, 0.0]);
                assert!((found - wanted).abs() <= 1e-12 * wanted, "{rows} rows");
            });
        }
    }
}
