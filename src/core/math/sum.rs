//! Exact summation: the correctly rounded sum of float64 terms, equal to Python's `math.fsum`
//! whatever the order. Shewchuk (1997), "Adaptive precision floating-point arithmetic".

/// `a + b` as a rounded sum and its exact error (Knuth's two-sum).
#[inline]
#[must_use]
pub fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

/// Two-term running sum: exact as long as `is_exact`, which holds for nearly all money.
///
/// `high + low` is the exact total while no third term was ever needed; then rounding `high + low`
/// once gives the same number as `math.fsum`.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    high: f64,
    low: f64,
    /// All third terms, bit over bit: one that is not zero leaves more than a sign.
    lost: u64,
}

impl Default for Sum {
    fn default() -> Self {
        Self { high: 0.0, low: 0.0, lost: 0 }
    }
}

impl Sum {
    /// Adds one finite term.
    #[inline]
    pub fn add(&mut self, term: f64) {
        let (high, error) = two_sum(self.high, term);
        let (low, third) = two_sum(self.low, error);
        self.high = high;
        self.low = low;
        self.lost |= third.to_bits();
    }

    /// Adds what another sum holds.
    #[inline]
    pub fn merge(&mut self, other: &Self) {
        self.add(other.high);
        self.add(other.low);
        self.lost |= other.lost;
    }

    /// The correctly rounded total, or `None` when two terms could not hold it: then use [`exact_sum`].
    #[inline]
    #[must_use]
    pub fn total(&self) -> Option<f64> {
        // A non-finite intermediate makes `third` NaN, which is not zero: overflow counts as lost.
        (self.lost << 1 == 0).then_some(self.high + self.low)
    }
}

/// The correctly rounded sum of finite terms; infinite only when the true sum is beyond float64.
///
/// ```
/// use xifen_core::math::sum::exact_sum;
/// assert_eq!(exact_sum([1e100, 1.0, -1e100]), 1.0);
/// ```
#[must_use]
pub fn exact_sum<I: IntoIterator<Item = f64, IntoIter: Clone>>(terms: I) -> f64 {
    let terms = terms.into_iter();
    let total = sum_of_partials(terms.clone());
    if total.is_finite() {
        return total;
    }
    // A partial overflowed although the total may not: the same sum in units of 2^64.
    let unit = 2f64.powi(64);
    sum_of_partials(terms.map(|term| term / unit)) * unit
}

fn sum_of_partials(terms: impl Iterator<Item = f64>) -> f64 {
    let mut partials: Vec<f64> = Vec::with_capacity(8);
    for term in terms {
        grow(&mut partials, term);
    }
    round(&partials)
}

/// Adds `term` to a list of non-overlapping partials in increasing magnitude.
fn grow(partials: &mut Vec<f64>, mut term: f64) {
    let mut kept = 0;
    for index in 0..partials.len() {
        let Some(&partial) = partials.get(index) else { break };
        let (sum, error) = two_sum(term, partial);
        if error != 0.0 {
            if let Some(slot) = partials.get_mut(kept) {
                *slot = error;
            }
            kept += 1;
        }
        term = sum;
    }
    partials.truncate(kept);
    partials.push(term);
}

/// Rounds the exact value of non-overlapping partials once, half to even.
fn round(partials: &[f64]) -> f64 {
    let mut rest = partials.iter().rev().copied();
    let Some(mut high) = rest.next() else { return 0.0 };
    let mut low = 0.0;
    for partial in rest.by_ref() {
        (high, low) = two_sum(high, partial);
        if low != 0.0 {
            break;
        }
    }
    // When `low` is exactly half a unit in the last place, the next partial decides the direction.
    if let Some(next) = rest.next()
        && low != 0.0
        && (low < 0.0) == (next < 0.0)
        && next != 0.0
    {
        let doubled = low * 2.0;
        let candidate = high + doubled;
        if candidate - high == doubled {
            return candidate;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_cases_of_fsum() {
        // Lib/test/test_math.py of CPython, testFsum: terms and their correctly rounded sum.
        assert_eq!(exact_sum([]), 0.0);
        assert_eq!(exact_sum([1e100, 1.0, -1e100, 1e-100, 1e50, -1.0, -1e50]), 1e-100);
        assert_eq!(exact_sum([9_007_199_254_740_992.0, -0.5, -5.421_010_862_427_522e-20]), 9_007_199_254_740_991.0);
        assert_eq!(exact_sum([9_007_199_254_740_992.0, 1.0, 5.421_010_862_427_522e-20]), 9_007_199_254_740_994.0);
        assert_eq!(exact_sum([0.1; 10]), 1.0);
        assert_eq!(exact_sum([f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(exact_sum([5e-324, 5e-324, 1.0]), 1.0);
        assert_eq!(exact_sum([5e-324, 5e-324]), 1e-323);
        assert_eq!(exact_sum([f64::MAX, f64::MAX]), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn the_order_does_not_matter(mut terms in prop::collection::vec(-1e12..1e12, 0..50)) {
            let forward = exact_sum(terms.iter().copied());
            let mut running = Sum::default();
            for &term in &terms { running.add(term); }
            terms.reverse();
            prop_assert_eq!(forward.to_bits(), exact_sum(terms.iter().copied()).to_bits());
            if let Some(total) = running.total() { prop_assert_eq!(total, forward); }
        }

        #[test]
        fn equals_the_sum_of_exact_integers(cents in prop::collection::vec(-(1i64 << 40)..(1i64 << 40), 0..60)) {
            // Multiples of 2^-20 are exact in float64, so the integer total is the truth.
            let unit = 2f64.powi(-20);
            let truth = cents.iter().map(|&cent| i128::from(cent)).sum::<i128>() as f64 * unit;
            prop_assert_eq!(exact_sum(cents.iter().map(|&cent| cent as f64 * unit)), truth);
        }
    }
}
