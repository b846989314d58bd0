//! Rows of numbers and categories as the loops like them, and what a row costs with a prototype: the squared distance
//! of their numbers, and `gamma` for every category that differs (Huang 1998).

use std::{fmt::Debug, ops::AddAssign};

use super::super::{
    distance::{Label, squares},
    matrix::{LANES, Matrix, Real, mul_add},
    pack::Packed,
};
use crate::{
    Error, Result,
    cancel::Cancel,
    pages::Lines,
    parallel::fill_chunks,
    vector::{Fused, all_pass, widest_fused},
};

/// Rows as they arrive: numbers, and for every category its number in its column, or -1 for one of no number.
#[derive(Debug, Clone, Copy)]
pub struct Mixed<'a> {
    numbers: Matrix<'a, f64>,
    codes: &'a [i32],
    columns: usize,
}

impl<'a> Mixed<'a> {
    /// Borrows the numbers of all rows and `columns` columns of codes, column after column; `None` when there are not
    /// as many codes as there are rows.
    #[must_use]
    pub fn new(numbers: Matrix<'a, f64>, codes: &'a [i32], columns: usize) -> Option<Self> {
        (numbers.rows().checked_mul(columns)? == codes.len()).then_some(Self { numbers, codes, columns })
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.numbers.rows()
    }

    /// How many columns of numbers.
    pub(super) fn dims(&self) -> usize {
        self.numbers.columns()
    }

    /// How many columns of categories.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The codes of one column.
    fn column(&self, column: usize) -> &'a [i32] {
        self.codes.get(column * self.rows()..(column + 1) * self.rows()).unwrap_or(&[])
    }

    /// How many categories each column has.
    pub(super) fn categories(&self) -> Vec<usize> {
        let most = |column| self.column(column).iter().copied().max().unwrap_or(-1);
        (0..self.columns).map(|column| (most(column) + 1).max(0) as usize).collect()
    }

    /// All codes, row after row.
    fn modes(&self) -> impl Iterator<Item = i32> {
        let code = move |row, column| self.column(column).get(row).copied().unwrap_or(-1);
        (0..self.rows()).flat_map(move |row| (0..self.columns).map(move |column| code(row, column)))
    }
}

/// A category's number in as few bits as do: they also count the columns in which a row differs.
pub(super) trait Code:
    Copy + Default + Debug + PartialEq + Send + Sync + AddAssign + From<bool> + Into<f64> + 'static
{
    /// In a row: a category of no number, unlike every prototype's.
    const NONE: Self;
    /// In a prototype: the same, unlike every row's.
    const NO_MODE: Self;

    fn new(code: usize) -> Self;
    fn index(self) -> usize;

    /// The code, or what stands for none.
    fn or(code: i32, none: Self) -> Self {
        usize::try_from(code).map_or(none, Self::new)
    }
}

macro_rules! code {
    ($kind:ty) => {
        impl Code for $kind {
            const NONE: Self = <$kind>::MAX;
            const NO_MODE: Self = <$kind>::MAX - 1;

            #[inline]
            fn new(code: usize) -> Self {
                code as $kind
            }
            #[inline]
            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

code!(u16);
code!(u32);

/// Whether 16 bits hold every code and every count of columns.
pub(super) fn narrow(categories: &[usize]) -> bool {
    categories.len() < 1 << 16 && categories.iter().all(|count| *count < usize::from(u16::NO_MODE))
}

/// Rows in blocks of [`LANES`]: each number of all of them, then (elsewhere) each category of all of them.
#[derive(Debug)]
pub(super) struct Points<C> {
    pub(super) numbers: Lines<f64>,
    pub(super) codes: Vec<C>,
    pub(super) rows: usize,
    pub(super) dims: usize,
    pub(super) columns: usize,
}

impl<C: Code> Points<C> {
    /// Puts rows down; a number that cannot be used is an error naming its column and row.
    pub(super) fn new(mixed: &Mixed<'_>, names: &[String], cancel: &Cancel) -> Result<Self> {
        let (rows, dims, columns) = (mixed.rows(), mixed.dims(), mixed.columns());
        let numbers =
            if dims == 0 { Lines::new(0) } else { Packed::new(&mixed.numbers, &vec![0.0; dims], cancel)?.values };
        if !all_pass(&numbers, |value| value.abs() <= f64::LARGEST) {
            let unusable = mixed.numbers.unusable(names);
            return Err(unusable.unwrap_or_else(|| Error::input("a value cannot be used")));
        }
        let mut codes = vec![C::NONE; rows.div_ceil(LANES) * LANES * columns];
        if columns > 0 {
            fill_chunks(&mut codes, (1 << 10) * LANES * columns, cancel, |first, piece| {
                let (lanes, _) = piece.as_chunks_mut::<LANES>();
                for (index, block) in lanes.chunks_exact_mut(columns).enumerate() {
                    let row = first / columns + index * LANES;
                    for (column, lanes) in block.iter_mut().enumerate() {
                        let codes = mixed.column(column).get(row..).unwrap_or(&[]);
                        lanes.iter_mut().zip(codes).for_each(|(lane, code)| *lane = C::or(*code, C::NONE));
                    }
                }
                Ok(())
            })?;
        }
        Ok(Self { numbers, codes, rows, dims, columns })
    }

    /// As many rows from `first` (the first of a block) on as there are, `most` at most.
    pub(super) fn piece(&self, first: usize, most: usize) -> Piece<'_, C> {
        Piece {
            numbers: self.numbers.get(first * self.dims..).unwrap_or(&[]),
            codes: self.codes.get(first * self.columns..).unwrap_or(&[]),
            rows: (self.rows - first.min(self.rows)).min(most),
            dims: self.dims,
            columns: self.columns,
        }
    }

    /// One row.
    pub(super) fn row(&self, row: usize) -> Row<C> {
        let place = |width: usize| row / LANES * width * LANES + row % LANES;
        Row {
            numbers: self.numbers.iter().skip(place(self.dims)).step_by(LANES).take(self.dims).copied().collect(),
            codes: self.codes.iter().skip(place(self.columns)).step_by(LANES).take(self.columns).copied().collect(),
        }
    }
}

/// One row, or one prototype.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row<C> {
    pub(super) numbers: Vec<f64>,
    pub(super) codes: Vec<C>,
}

/// Some blocks of points.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a, C> {
    numbers: &'a [f64],
    codes: &'a [C],
    pub(super) rows: usize,
    dims: usize,
    columns: usize,
}

impl<'a, C> Piece<'a, C> {
    /// The numbers and the categories of every block; the last one may hold lanes beyond the last row.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (&'a [[f64; LANES]], &'a [[C; LANES]])> {
        let Self { numbers, codes, dims, columns, .. } = *self;
        let (numbers, codes) = (numbers.as_chunks::<LANES>().0, codes.as_chunks::<LANES>().0);
        (0..self.rows.div_ceil(LANES)).map(move |block| {
            let numbers = numbers.get(block * dims..(block + 1) * dims).unwrap_or(&[]);
            (numbers, codes.get(block * columns..(block + 1) * columns).unwrap_or(&[]))
        })
    }
}

/// What clusters stand for, one behind the other, and what a category that differs costs.
#[derive(Debug, Clone)]
pub(super) struct Prototypes<C> {
    pub(super) each: Vec<Row<C>>,
    pub(super) gamma: f64,
}

impl<C: Code> Prototypes<C> {
    pub(super) fn of(mixed: &Mixed<'_>, gamma: f64) -> Self {
        let codes: Vec<C> = mixed.modes().map(|code| C::or(code, C::NO_MODE)).collect();
        let row = |row| Row {
            numbers: mixed.numbers.row(row).collect(),
            codes: codes.get(row * mixed.columns..(row + 1) * mixed.columns).unwrap_or(&[]).to_vec(),
        };
        Self { each: (0..mixed.rows()).map(row).collect(), gamma }
    }
}

widest_fused! {
    /// Labels every row with the prototype it costs least with, the first of equal ones, and tells the cost; says how
    /// many labels are new. There is room for whole blocks of labels and costs.
    pub(super) fn assign[C: Code](
        piece: Piece<'_, C>, prototypes: &Prototypes<C>, labels: &mut [Label], least: &mut [f64]
    ) -> usize = assign_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn assign_each<C: Code, const F: bool>(
    fused: Fused<F>,
    piece: Piece<'_, C>,
    prototypes: &Prototypes<C>,
    labels: &mut [Label],
    least: &mut [f64],
) -> usize {
    let mut moved = 0;
    let room = labels.as_chunks_mut::<LANES>().0.iter_mut().zip(least.as_chunks_mut::<LANES>().0);
    for (index, ((numbers, codes), (labels, least))) in piece.blocks().zip(room).enumerate() {
        let mut best = [f64::INFINITY; LANES];
        let mut place = [0u64; LANES];
        for (cluster, prototype) in (0u64..).zip(&prototypes.each) {
            let costs = costs(fused, numbers, codes, prototype, prototypes.gamma);
            for ((best, place), cost) in best.iter_mut().zip(&mut place).zip(costs) {
                let better = cost < *best;
                *best = if better { cost } else { *best };
                *place = if better { cluster } else { *place };
            }
        }
        let new = place.map(|place| place as Label);
        if new != *labels {
            let pairs = new.iter().zip(labels.iter()).take(piece.rows - index * LANES);
            moved += pairs.filter(|(new, old)| new != old).count();
        }
        *labels = new;
        *least = best;
    }
    moved
}

widest_fused! {
    /// The cost of every row with one prototype. There is room for whole blocks.
    pub(super) fn costs_with[C: Code](piece: Piece<'_, C>, prototype: &Row<C>, gamma: f64, out: &mut [f64])
        = costs_with_each;
}

#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn costs_with_each<C: Code, const F: bool>(
    fused: Fused<F>,
    piece: Piece<'_, C>,
    prototype: &Row<C>,
    gamma: f64,
    out: &mut [f64],
) {
    for ((numbers, codes), out) in piece.blocks().zip(out.as_chunks_mut::<LANES>().0) {
        *out = costs(fused, numbers, codes, prototype, gamma);
    }
}

/// What each row of a block costs with a prototype.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn costs<C: Code, const F: bool>(
    fused: Fused<F>,
    numbers: &[[f64; LANES]],
    codes: &[[C; LANES]],
    prototype: &Row<C>,
    gamma: f64,
) -> [f64; LANES] {
    let (mut costs, unlike) = apart(fused, numbers, codes, prototype);
    for (cost, unlike) in costs.iter_mut().zip(unlike) {
        *cost = mul_add(fused, gamma, unlike, *cost);
    }
    costs
}

/// How far each row of a block is from a prototype: the squared distance, and in how many categories it differs.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
pub(super) fn apart<C: Code, const F: bool>(
    fused: Fused<F>,
    numbers: &[[f64; LANES]],
    codes: &[[C; LANES]],
    prototype: &Row<C>,
) -> ([f64; LANES], [f64; LANES]) {
    let mut unlike = [C::default(); LANES];
    for (values, mode) in codes.iter().zip(&prototype.codes) {
        for (unlike, value) in unlike.iter_mut().zip(values) {
            *unlike += C::from(*value != *mode);
        }
    }
    (squares(fused, numbers, &prototype.numbers), unlike.map(Into::into))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vector::tests::on_every_width;

    proptest! {
        // Whole numbers: every sum is exact, so every width must find the same, ties included.
        #[test]
        fn every_width_finds_the_first_cheapest_prototype(
            (dims, columns, numbers, codes, rows, clusters) in (0usize..4, 0usize..5, 1usize..60, 1usize..8).prop_flat_map(
                |(dims, columns, rows, clusters)| (
                    Just(dims),
                    Just(columns),
                    prop::collection::vec((-4i32..4).prop_map(f64::from), (rows + clusters) * dims),
                    prop::collection::vec(-1i32..3, (rows + clusters) * columns),
                    Just(rows),
                    Just(clusters),
                )
            ),
            gamma in 0i32..4,
        ) {
            let gamma = f64::from(gamma);
            let (own, others) = numbers.split_at(rows * dims);
            let (own_codes, other_codes) = codes.split_at(rows * columns);
            let matrix = |values, rows| Matrix::new(values, rows, dims, false).unwrap();
            let mixed = Mixed::new(matrix(own, rows), own_codes, columns).unwrap();
            let given = Mixed::new(matrix(others, clusters), other_codes, columns).unwrap();
            let cost = |row: usize, cluster: usize| -> f64 {
                let square: f64 = (0..dims).map(|d| (own[row * dims + d] - others[cluster * dims + d]).powi(2)).sum();
                let unlike = (0..columns).filter(|j| {
                    let (a, b) = (own_codes[j * rows + row], other_codes[j * clusters + cluster]);
                    a != b || a < 0
                });
                square + gamma * unlike.count() as f64
            };
            let least = |row| (0..clusters).map(|c| cost(row, c)).fold(f64::INFINITY, f64::min);
            let wanted: Vec<f64> = (0..rows).map(least).collect();
            on_every_width(|| {
                let points = Points::<u16>::new(&mixed, &[], &Cancel::new()).unwrap();
                let (mut labels, mut costs) = (vec![Label::MAX; 64], vec![0.0; 64]);
                let moved = assign(points.piece(0, 64), &Prototypes::of(&given, gamma), &mut labels, &mut costs);
                assert_eq!(moved, rows);
                assert_eq!(&costs[..rows], wanted);
                for (row, label) in labels.iter().take(rows).enumerate() {
                    assert_eq!((0..clusters).find(|c| cost(row, *c) == wanted[row]), Some(usize::from(*label)));
                }
                let points = Points::<u32>::new(&mixed, &[], &Cancel::new()).unwrap();
                let prototypes = Prototypes::of(&given, gamma);
                costs_with(points.piece(0, 64), &prototypes.each[clusters - 1], gamma, &mut costs);
                for (row, found) in costs.iter().take(rows).enumerate() {
                    assert_eq!(*found, cost(row, clusters - 1));
                }
            });
        }
    }
}
