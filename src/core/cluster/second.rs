//! By how much the second nearest centre is farther than the nearest: so far centres may move before it can be nearer.

use super::{
    distance::Nearest,
    matrix::{LANES, Real, mul_add},
};
use crate::vector::Fused;

/// Whether the second nearest centre is sought, too, and what rounding can do to its distance.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Second<const YES: bool> {
    /// `2 dims + 4` units of rounding.
    rounding: f32,
    /// The largest squared length of a centre.
    longest: f32,
    /// The smallest distance between two centres.
    apart: f32,
}

impl Second<true> {
    /// For centres, one behind the other.
    pub(super) fn new<T: Real>(centres: &[T], dims: usize) -> Self {
        let square = |a: &[T], b: &[T]| a.iter().zip(b).map(|(a, b)| (a.to_f64() - b.to_f64()).powi(2)).sum::<f64>();
        let zero = vec![T::default(); dims];
        let longest = centres.chunks(dims).map(|centre| square(centre, &zero)).fold(0.0, f64::max);
        let after = |place: usize| centres.chunks(dims).skip(place + 1);
        let pairs =
            centres.chunks(dims).enumerate().flat_map(|(place, one)| after(place).map(move |other| (one, other)));
        let apart = pairs.map(|(one, other)| square(one, other)).fold(f64::INFINITY, f64::min).sqrt();
        Self { rounding: ((2.0 * dims as f64 + 4.0) * T::UNIT) as f32, longest: longest as f32, apart: apart as f32 }
    }

    /// Farther than this centres may not move: for so little, what rounding can do is known.
    pub(super) fn farthest(self) -> f64 {
        f64::from(self.apart) / 2.1
    }
}

impl<const YES: bool> Second<YES> {
    /// How far a point's own centre and any other may together move until the other can be found to be nearer; 0 where
    /// rounding may hide which is.
    ///
    /// A bracket `b` is off by no more than `e = (2 dims + 4) u (|x|^2 + |c|^2)`, where `u` is half the distance from 1
    /// to the next number. The distances to the nearest and the second nearest centre differ by at least
    /// `(b2 - b1 - 2 e) / d2`. Distances that differ by `s` have brackets in the right order if `s (d1 + d2) > 4 e`,
    /// and `d1 + d2` is no less than the distance between the two centres. That may fall by half, and `e` may rise
    /// fourfold, while centres move; together `40 e` over the smallest distance between centres is enough.
    #[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
    #[inline(always)]
    pub(super) fn margins<T: Real, const F: bool>(
        self,
        fused: Fused<F>,
        block: &[[T; LANES]],
        nearest: &Nearest<T, YES>,
    ) -> [f32; LANES] {
        let mut lengths = [T::default(); LANES];
        for values in block {
            for (length, value) in lengths.iter_mut().zip(values) {
                *length = mul_add(fused, *value, *value, *length);
            }
        }
        let mut margins = [0.0; LANES];
        for (((margin, length), first), second) in
            margins.iter_mut().zip(lengths).zip(nearest.bracket).zip(nearest.second)
        {
            let between = (second - first).to_f64() as f32;
            let square = (length + second + second).to_f64() as f32;
            let off = self.rounding * (length.to_f64() as f32 + self.longest);
            let surely = between / (square + 3.0 * off).sqrt() * 0.999_999 - 40.0 * off / self.apart;
            // Numbers too small or too large for this kind of float prove nothing.
            *margin = if surely > 0.0 && square > 1e-20 && square < 1e30 { surely } else { 0.0 };
        }
        margins
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        cancel::Cancel,
        cluster::{
            distance::{Centres, Label, Piece},
            matrix::Matrix,
            pack::Packed,
            sums::Sums,
        },
        vector::tests::on_every_width,
    };

    /// Labels and margins of points.
    fn placed<T: Real>(points: &[Vec<f64>], centres: &[T]) -> (Vec<Label>, Vec<f32>) {
        let dims = points[0].len();
        let values: Vec<T> = points.iter().flatten().map(|value| T::from_f64(*value)).collect();
        let matrix = Matrix::new(&values, points.len(), dims, false).unwrap();
        let packed = Packed::new(&matrix, &vec![T::default(); dims], &Cancel::new()).unwrap();
        let slots = points.len().next_multiple_of(LANES);
        let (mut labels, mut margins) = (vec![0; slots], vec![f32::NAN; slots]);
        Piece {
            blocks: &packed.values,
            labels: &mut labels,
            weights: None,
            rows: points.len(),
            sums: Sums::new(centres.len() / dims, dims),
            margins: &mut margins,
        }
        .assign_and_measure(&Centres::new(centres, dims), false, Second::new(centres, dims));
        labels.truncate(points.len());
        margins.truncate(points.len());
        (labels, margins)
    }

    /// Moves a point's own centre away and another one towards it as far as its margin allows: nothing within its
    /// margin may change its label, and margins must not be much too small.
    fn check<T: Real>(points: &[Vec<f64>], centres: &[Vec<f64>], scale: f64) {
        let dims = centres[0].len();
        let scaled = |row: &Vec<f64>| row.iter().map(|value| value * scale).collect::<Vec<f64>>();
        let points: Vec<Vec<f64>> = points.iter().map(scaled).collect();
        let flat: Vec<T> = centres.iter().flat_map(scaled).map(T::from_f64).collect();
        let (labels, margins) = placed::<T>(&points, &flat);
        let farthest = Second::new(&flat, dims).farthest();
        let distance = |point: &[f64], centre: &[T]| {
            point.iter().zip(centre).map(|(a, b)| (T::from_f64(*a).to_f64() - b.to_f64()).powi(2)).sum::<f64>().sqrt()
        };
        for ((point, label), margin) in points.iter().zip(&labels).zip(&margins) {
            let own = usize::from(*label);
            let apart: Vec<f64> = flat.chunks(dims).map(|centre| distance(point, centre)).collect();
            let others = || (0..centres.len()).filter(|other| *other != own);
            let next = others().min_by(|a, b| apart[*a].total_cmp(&apart[*b])).unwrap();
            let margin = f64::from(*margin);
            if margin == 0.0 {
                continue;
            }
            assert!(margin <= apart[next] - apart[own] + 1e-12 * scale, "{margin} of {apart:?}");
            for other in others() {
                let step = 0.499_999 * margin.min(farthest);
                let mut moved = flat.clone();
                let line = |centre: usize| {
                    let towards = point.iter().zip(flat.chunks(dims).nth(centre).unwrap());
                    towards.map(|(a, b)| a - b.to_f64()).collect::<Vec<f64>>()
                };
                for (centre, step) in [(own, -step), (other, step)] {
                    let (line, long) = (line(centre), apart[centre].max(f64::MIN_POSITIVE));
                    for (c, part) in moved[centre * dims..(centre + 1) * dims].iter_mut().zip(line) {
                        *c = T::from_f64(c.to_f64() + part / long * step);
                    }
                }
                let gone: Vec<f64> = flat
                    .chunks(dims)
                    .zip(moved.chunks(dims))
                    .map(|(a, b)| distance(&a.iter().map(|v| v.to_f64()).collect::<Vec<_>>(), b))
                    .collect();
                let (after, _) = placed(&points, &moved);
                for (place, (before, after)) in labels.iter().zip(&after).enumerate() {
                    let most =
                        (0..gone.len()).filter(|c| *c != usize::from(*before)).map(|c| gone[c]).fold(0.0, f64::max);
                    if gone[usize::from(*before)] + most < f64::from(margins[place]) {
                        assert_eq!(before, after, "{:?}", points[place]);
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_other_centre_gets_nearer_within_the_margin(
            (centres, points) in (1usize..9).prop_flat_map(|dims| {
                let row = prop::collection::vec(-10.0..10.0f64, dims);
                (prop::collection::vec(row.clone(), 2..6), prop::collection::vec(row, 1..20))
            }),
            nearly in prop::collection::vec((0usize..6, 0usize..6, 0..9), 0..20),
            scale in prop_oneof![Just(1.0), Just(1e-3), Just(1e5)],
        ) {
            // Some points about as far from one centre as from another.
            let tied = nearly.iter().zip(points.iter().cycle()).map(|((a, b, digits), point)| {
                let (a, b) = (&centres[a % centres.len()], &centres[b % centres.len()]);
                a.iter().zip(b).zip(point).map(|((a, b), off)| (a + b) / 2.0 + off * 10f64.powi(-digits)).collect()
            });
            let all: Vec<Vec<f64>> = points.iter().cloned().chain(tied).collect();
            on_every_width(|| {
                check::<f64>(&all, &centres, scale);
                check::<f32>(&all, &centres, scale);
            });
        }
    }

    #[test]
    fn margins_are_nearly_as_wide_as_they_are() {
        let (_, margins) = placed::<f64>(&[vec![1.0, 0.0], vec![4.5, 0.0], vec![5.0, 0.0]], &[0.0, 0.0, 10.0, 0.0]);
        // 5^2 - 4^2 and so on over 2 d2: less than the difference itself, and close to it where it is small.
        for (margin, wanted) in margins.iter().zip([8.0 * 10.0 / 18.0, 10.0 / 11.0, 0.0]) {
            assert!((f64::from(*margin) - wanted).abs() < 1e-5, "{margin} {wanted}");
        }
    }
}
