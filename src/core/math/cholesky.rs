//! Small symmetric matrices, row after row: their Cholesky factor, its inverse, and what is left of each variance.

/// The lower triangle L with L Lᵀ = `matrix` (of which only the lower triangle is read), or `None` where there is no
/// such: `matrix` is not positive definite, or not finite.
#[must_use]
pub fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    factor(matrix, n, |_, pivot| pivot > 0.0).ok()
}

/// The first column whose variance hardly goes beyond what the columns before it explain: by at most `least` of the
/// column, or by rounding.
#[must_use]
pub fn flat_column(covariance: &[f64], n: usize, least: impl Fn(usize) -> f64) -> Option<usize> {
    let column = |row: usize| covariance.get(row * (n + 1)).copied().unwrap_or(0.0);
    factor(covariance, n, |row, left| left > least(row).max(column(row) * 1e-13)).err()
}

/// The factor, or the first row whose pivot is not good enough.
fn factor(matrix: &[f64], n: usize, good: impl Fn(usize, f64) -> bool) -> Result<Vec<f64>, usize> {
    let mut lower: Vec<f64> = Vec::with_capacity(n * n);
    for (row, values) in matrix.chunks_exact(n.max(1)).enumerate() {
        let mut own: Vec<f64> = Vec::with_capacity(n);
        for (value, before) in values.iter().zip(lower.chunks_exact(n.max(1))) {
            let pivot = before.get(own.len()).copied().unwrap_or(1.0);
            own.push((value - dot(&own, before)) / pivot);
        }
        let pivot = values.get(row).copied().unwrap_or(0.0) - dot(&own, &own);
        if !(pivot.is_finite() && good(row, pivot)) {
            return Err(row);
        }
        own.push(pivot.sqrt());
        own.resize(n, 0.0);
        lower.extend(own);
    }
    Ok(lower)
}

/// The inverse of a lower triangle, which is one too.
#[must_use]
pub fn invert_lower(lower: &[f64], n: usize) -> Vec<f64> {
    let mut inverse: Vec<f64> = Vec::with_capacity(n * n);
    for (row, values) in lower.chunks_exact(n.max(1)).enumerate() {
        let mut own = vec![0.0; n];
        for (factor, before) in values.iter().zip(inverse.chunks_exact(n.max(1))) {
            own.iter_mut().zip(before).for_each(|(own, before)| *own -= factor * before);
        }
        if let Some(one) = own.get_mut(row) {
            *one = 1.0;
        }
        let pivot = values.get(row).copied().unwrap_or(1.0);
        inverse.extend(own.iter().map(|own| own / pivot));
    }
    inverse
}

/// Rows as columns.
#[must_use]
pub fn transpose(matrix: &[f64], n: usize) -> Vec<f64> {
    (0..n).flat_map(|column| matrix.iter().skip(column).step_by(n).copied()).collect()
}

/// `matrix` times its own transpose.
#[must_use]
pub fn times_transpose(matrix: &[f64], n: usize) -> Vec<f64> {
    let rows = || matrix.chunks_exact(n.max(1));
    rows().flat_map(|row| rows().map(move |other| dot(row, other))).collect()
}

/// The sum of products; the shorter one says of how many.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_published_factor() {
        // The example of the article "Cholesky decomposition" in Wikipedia.
        let matrix = [4.0, 12.0, -16.0, 12.0, 37.0, -43.0, -16.0, -43.0, 98.0];
        assert_eq!(cholesky(&matrix, 3).unwrap(), [2.0, 0.0, 0.0, 6.0, 1.0, 0.0, -8.0, 5.0, 3.0]);
    }

    #[test]
    fn what_has_no_factor() {
        assert_eq!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2), None);
        assert_eq!(cholesky(&[0.0], 1), None);
        assert_eq!(cholesky(&[f64::NAN], 1), None);
        assert_eq!(cholesky(&[f64::INFINITY], 1), None);
        assert_eq!(flat_column(&[1.0, 1.0, 1.0, 1.0], 2, |_| 0.0), Some(1));
        assert_eq!(flat_column(&[1.0, 0.0, 0.0, 1e-7], 2, |_| 1e-6), Some(1));
        assert_eq!(flat_column(&[1.0, 0.0, 0.0, 1e-5], 2, |_| 1e-6), None);
    }

    proptest! {
        #[test]
        fn factor_and_inverse_undo_each_other(
            (n, values) in (1usize..7).prop_flat_map(|n| (Just(n), prop::collection::vec(-3.0..3.0f64, n * n)))
        ) {
            let mut matrix = times_transpose(&values, n);
            matrix.iter_mut().step_by(n + 1).for_each(|value| *value += 0.5);
            let lower = cholesky(&matrix, n).unwrap();
            for (found, wanted) in times_transpose(&lower, n).iter().zip(&matrix) {
                prop_assert!((found - wanted).abs() < 1e-12 * 100.0);
            }
            let inverse = invert_lower(&lower, n);
            for (place, one) in lower.chunks_exact(n).flat_map(|row| {
                let inverse = &inverse;
                (0..n).map(move |column| dot(row, &transpose(inverse, n)[column * n..(column + 1) * n]))
            }).enumerate() {
                let wanted = f64::from(u8::from(place % (n + 1) == 0));
                prop_assert!((one - wanted).abs() < 1e-10);
            }
        }
    }
}
