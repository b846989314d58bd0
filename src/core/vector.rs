//! Plain loops compiled for what the processor offers, chosen when they run.

/// Writes a function that runs an `#[inline(always)]` one, compiled for the widest vectors this processor has. What
/// is generic stands in square brackets.
macro_rules! widest {
    ($(#[$meta:meta])* $visible:vis fn $name:ident $([$($generic:tt)*])? ($($argument:ident: $kind:ty),*)
    $(-> $out:ty)? = $each:ident;) => {
        $(#[$meta])*
        $visible fn $name $(<$($generic)*>)? ($($argument: $kind),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,popcnt")]
                fn avx512 $(<$($generic)*>)? ($($argument: $kind),*) $(-> $out)? {
                    $each($($argument),*)
                }

                #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
                fn avx2 $(<$($generic)*>)? ($($argument: $kind),*) $(-> $out)? {
                    $each($($argument),*)
                }

                match $crate::vector::width() {
                    // SAFETY: the processor has what the function was compiled for.
                    $crate::vector::Width::Avx512 => return unsafe { avx512($($argument),*) },
                    // SAFETY: the same.
                    $crate::vector::Width::Avx2 => return unsafe { avx2($($argument),*) },
                    $crate::vector::Width::Plain => {}
                }
            }
            $each($($argument),*)
        }
    };
}

pub(crate) use widest;

widest! {
    /// Whether all values pass a test; much less work than a bit per value.
    pub(crate) fn all_pass[T: Copy, F: Fn(T) -> bool](values: &[T], test: F) -> bool = pass_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn pass_each<T: Copy, F: Fn(T) -> bool>(values: &[T], test: F) -> bool {
    values.iter().fold(true, |all, value| all & test(*value)) // no early end: many values at once
}

widest! {
    /// The smallest and largest value.
    pub(crate) fn extremes[T: Copy + Ord + Into<i64>](values: &[T]) -> Option<(i64, i64)> = extremes_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn extremes_each<T: Copy + Ord + Into<i64>>(values: &[T]) -> Option<(i64, i64)> {
    let first = values.first().copied()?;
    let low = values.iter().fold(first, |low, value| low.min(*value));
    let high = values.iter().fold(first, |high, value| high.max(*value));
    Some((low.into(), high.into()))
}

/// Whether a product is added in one rounding (where the processor can) or in two. The bits of a result may therefore
/// differ between processors, but never between calls on one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fused<const YES: bool>;

impl<const YES: bool> Fused<YES> {
    /// `a * b + c`.
    #[allow(clippy::inline_always, clippy::unused_self)] // compiled for the caller's instructions, which self names
    #[inline(always)]
    pub(crate) fn mul_add(self, a: f64, b: f64, c: f64) -> f64 {
        if YES { a.mul_add(b, c) } else { a * b + c }
    }
}

/// As [`widest`], for a function that multiplies and adds: it gets a [`Fused`] before its other arguments, because
/// where no instruction does both at once, asking for one rounding would call a routine 25 times slower.
macro_rules! widest_fused {
    ($(#[$meta:meta])* $visible:vis fn $name:ident [$($generic:tt)*] ($($argument:ident: $kind:ty),* $(,)?)
    $(-> $out:ty)? = $each:ident;) => {
        $(#[$meta])*
        $visible fn $name <$($generic)*> ($($argument: $kind),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma,bmi1,bmi2,popcnt")]
                fn avx512 <$($generic)*> ($($argument: $kind),*) $(-> $out)? {
                    $each($crate::vector::Fused::<true>, $($argument),*)
                }

                #[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt")]
                fn avx2 <$($generic)*> ($($argument: $kind),*) $(-> $out)? {
                    $each($crate::vector::Fused::<true>, $($argument),*)
                }

                match $crate::vector::width() {
                    // SAFETY: the processor has what the function was compiled for.
                    $crate::vector::Width::Avx512 => return unsafe { avx512($($argument),*) },
                    // SAFETY: the same.
                    $crate::vector::Width::Avx2 => return unsafe { avx2($($argument),*) },
                    $crate::vector::Width::Plain => {}
                }
            }
            $each($crate::vector::Fused::<{ cfg!(target_arch = "aarch64") }>, $($argument),*)
        }
    };
}

pub(crate) use widest_fused;

/// What this processor offers, the widest first; each holds all that the functions above are compiled for.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Width {
    Avx512,
    Avx2,
    Plain,
}

#[cfg(target_arch = "x86_64")]
pub(crate) fn width() -> Width {
    static WIDTH: std::sync::LazyLock<Width> = std::sync::LazyLock::new(|| {
        let bits = is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("fma");
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        match (bits && wide, bits && is_x86_feature_detected!("avx2")) {
            (true, _) => Width::Avx512,
            (_, true) => Width::Avx2,
            _ => Width::Plain,
        }
    });
    #[cfg(test)]
    return (*WIDTH).max(tests::WIDEST.get());
    #[cfg(not(test))]
    *WIDTH
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    #[cfg(target_arch = "x86_64")]
    use std::cell::Cell;

    #[cfg(target_arch = "x86_64")]
    use super::Width;

    #[cfg(target_arch = "x86_64")]
    thread_local! {
        pub(super) static WIDEST: Cell<Width> = const { Cell::new(Width::Avx512) };
    }

    /// Does a test's work on this thread as this processor does it, and as narrower ones would.
    pub(crate) fn on_every_width(mut work: impl FnMut()) {
        #[cfg(target_arch = "x86_64")]
        for widest in [Width::Avx2, Width::Plain, Width::Avx512] {
            WIDEST.set(widest);
            work();
        }
        #[cfg(not(target_arch = "x86_64"))]
        work();
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn every_width_is_asked_for() {
        let own = super::width();
        let mut seen = Vec::new();
        on_every_width(|| seen.push(super::width()));
        assert_eq!(seen, [own.max(Width::Avx2), Width::Plain, own]);
    }

    proptest! {
        #[test]
        fn all_pass_where_each_does(values in prop::collection::vec(prop_oneof![9 => -1.0..1.0, 1 => Just(f64::NAN)], 0..100)) {
            on_every_width(|| assert_eq!(super::all_pass(&values, |value| value < 0.9), values.iter().all(|value| *value < 0.9)));
        }

        #[test]
        fn extremes_are_the_ends_of_sorted_values(values in prop::collection::vec(any::<i64>(), 0..100)) {
            let ends = values.iter().min().copied().zip(values.iter().max().copied());
            on_every_width(|| assert_eq!(super::extremes(&values), ends));
        }
    }
}
