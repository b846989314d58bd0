//! What each outcome of an indicator gives, and the loops that give it to many rows.

use std::ops::AddAssign;

use rayon::prelude::*;
use rust_decimal::{
    Decimal,
    prelude::{FromPrimitive, ToPrimitive},
};

use super::{
    Points,
    card::{Indicator, decimal_number},
};
use crate::vector::widest;

/// How the points of one indicator are held.
pub(super) trait Point: Copy + Default + Send + Sync {
    fn of(points: Option<Decimal>) -> Self;
    /// Writes the points of each code.
    fn give(codes: &[u16], points: &[Self], _outcomes: usize, out: &mut [Self]) {
        look_up(codes, points, out, |out, points| *out = points);
    }
    /// Adds points that are their own units; `None` where they cannot be.
    fn adder<U: Sum>() -> Option<Adder<Self, U>>;
    /// The points of all indicators, each of so many rows.
    fn columns(points: Vec<Self>, rows: usize) -> Points;
}

impl Point for i16 {
    fn of(points: Option<Decimal>) -> Self {
        points.and_then(|points| points.to_i16()).unwrap_or(Self::MIN) // no points are that few: see Card::whole
    }

    fn give(codes: &[u16], points: &[Self], outcomes: usize, out: &mut [Self]) {
        match points.get(..outcomes) {
            Some(points) if outcomes <= FEW => pick(codes, points, out),
            _ => look_up(codes, points, out, |out, points| *out = points),
        }
    }

    fn adder<U: Sum>() -> Option<Adder<Self, U>> {
        Some(add)
    }

    fn columns(points: Vec<Self>, rows: usize) -> Points {
        let missing = |values: &[Self]| {
            values.contains(&Self::MIN).then(|| values.iter().map(|&value| value == Self::MIN).collect())
        };
        let missing = points.par_chunks(rows.max(1)).map(missing).collect();
        Points::Whole(points, missing)
    }
}

impl Point for f64 {
    fn of(points: Option<Decimal>) -> Self {
        points.map_or(Self::NAN, decimal_number)
    }

    fn adder<U: Sum>() -> Option<Adder<Self, U>> {
        None
    }

    fn columns(points: Vec<Self>, _: usize) -> Points {
        Points::Any(points)
    }
}

/// Whole units, in as few bits as hold every sum.
pub(super) trait Sum: Copy + Default + AddAssign + From<i16> + Send + Sync {
    fn of(units: i128) -> Self;
    fn units(self) -> i128;
    fn float(self) -> f64;
}

impl Sum for i32 {
    fn of(units: i128) -> Self {
        units as Self // see `score`: they all fit
    }

    fn units(self) -> i128 {
        self.into()
    }

    fn float(self) -> f64 {
        self.into()
    }
}

impl Sum for i64 {
    fn of(units: i128) -> Self {
        units as Self // see `score`: they all fit
    }

    fn units(self) -> i128 {
        self.into()
    }

    fn float(self) -> f64 {
        self as f64
    }
}

impl Sum for i128 {
    fn of(units: i128) -> Self {
        units
    }

    fn units(self) -> i128 {
        self
    }

    fn float(self) -> f64 {
        self as f64
    }
}

/// Adds points to sums of units.
type Adder<P, U> = fn(&[P], &mut [U]);

/// What each outcome of an indicator gives.
pub(super) struct Table<P, U> {
    points: Vec<P>,
    units: Vec<U>,
    /// How many outcomes there are.
    outcomes: usize,
    /// The code of the outcome without points: a missing value, where the card gives it none.
    pub(super) unknown: u16,
    /// How to add points, where they are their own units: whole, and of weight 1.
    adder: Option<Adder<P, U>>,
}

/// Up to so many outcomes are compared one by one, which vectors do quicker than they look up.
const FEW: usize = 16;

impl<P: Point, U: Sum> Table<P, U> {
    pub(super) fn new(indicator: &Indicator, units: &[Option<i128>]) -> Self {
        let outcomes = indicator.outcomes.len();
        let points = indicator.outcomes.iter().map(|outcome| outcome.points);
        let same = points.clone().zip(units).all(|(points, units)| points == units.and_then(Decimal::from_i128));
        // Room for every 8-bit code, so that looking one up needs no check.
        let room = outcomes.max(256);
        let mut points: Vec<P> = points.map(P::of).collect();
        let mut whole: Vec<U> = units.iter().map(|units| U::of(units.unwrap_or_default())).collect();
        points.resize(room, P::default());
        whole.resize(room, U::default());
        let unknown = units.iter().position(Option::is_none).unwrap_or(outcomes) as u16;
        Self { points, units: whole, outcomes, unknown, adder: if same { P::adder() } else { None } }
    }

    /// Writes the points of each row and adds their units to its sum.
    pub(super) fn give(&self, codes: &[u16], out: &mut [P], sums: &mut [U]) {
        P::give(codes, &self.points, self.outcomes, out);
        match self.adder {
            Some(add) => add(out, sums), // what a missing row adds is never looked at
            None => look_up(codes, &self.units, sums, |sum, units| *sum += units),
        }
    }
}

widest! {
    fn add[U: Sum](points: &[i16], sums: &mut [U]) = add_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn add_each<U: Sum>(points: &[i16], sums: &mut [U]) {
    sums.iter_mut().zip(points).for_each(|(sum, points)| *sum += U::from(*points));
}

widest! {
    /// Marks the rows that have a code.
    pub(super) fn mark(codes: &[u16], wanted: u16, rows: &mut [bool]) = mark_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn mark_each(codes: &[u16], wanted: u16, rows: &mut [bool]) {
    rows.iter_mut().zip(codes).for_each(|(row, code)| *row |= *code == wanted);
}

widest! {
    /// Writes the value of each code.
    fn pick(codes: &[u16], values: &[i16], out: &mut [i16]) = pick_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn pick_each(codes: &[u16], values: &[i16], out: &mut [i16]) {
    const LANES: usize = 64;
    let (groups, rest) = codes.as_chunks::<LANES>();
    let (out_groups, out_rest) = out.split_at_mut((groups.len() * LANES).min(out.len()));
    for (group, out) in groups.iter().zip(out_groups.as_chunks_mut::<LANES>().0) {
        let mut picked = [0; LANES];
        for (code, value) in (0u16..).zip(values) {
            for (picked, found) in picked.iter_mut().zip(group) {
                *picked |= value & -i16::from(*found == code); // an if would become a branch
            }
        }
        *out = picked;
    }
    look_up(rest, values, out_rest, |out, value| *out = value);
}

/// Gives `work` the value of each code.
#[allow(clippy::inline_always)] // called from bodies that are compiled for wider vectors
#[inline(always)]
fn look_up<V: Copy + Default, O>(codes: &[u16], values: &[V], out: &mut [O], work: impl Fn(&mut O, V)) {
    if let (Some(values), true) = (values.first_chunk::<256>(), values.len() == 256) {
        for (code, out) in codes.iter().zip(out) {
            let code = usize::from(*code as u8); // there are fewer than 256
            work(out, values.get(code).copied().unwrap_or_default());
        }
    } else {
        for (code, out) in codes.iter().zip(out) {
            work(out, values.get(usize::from(*code)).copied().unwrap_or_default());
        }
    }
}
