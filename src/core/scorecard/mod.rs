//! Points for what is known of a customer, summed exactly: a scorecard ([`score`]), and weights for its indicators by
//! entropy ([`entropy_weights`]) or by pairwise comparison ([`ahp_weights`]).

mod ahp;
mod card;
mod config;
mod decimal;
mod entropy;
mod place;
mod reason;
mod table;

use rayon::prelude::*;

pub use ahp::{AhpConfig, AhpWeights, ahp_weights};
pub use card::Card;
pub use config::{Config, IndicatorConfig, Language};
pub use entropy::{EntropyConfig, entropy_weights};

use self::{
    place::Placer,
    reason::Reasons,
    table::{Point, Sum, Table, mark},
};
use crate::{
    Result,
    cancel::Cancel,
    column::{Batch, OwnedText},
    measure::{self, Piece},
    pages::zeros,
    parallel::chunks,
    vector::widest,
};

/// The points of every indicator, one column after the other.
#[derive(Debug, Clone, PartialEq)]
pub enum Points {
    /// All points of the card are small whole numbers; with the rows that are missing in each column where any is.
    Whole(Vec<i16>, Vec<Option<Vec<bool>>>),
    /// Any numbers; NaN is missing.
    Any(Vec<f64>),
}

/// What a scorecard says of every row.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Unweighted points per indicator.
    pub points: Points,
    /// The weighted sum, rounded once; NaN where points are missing.
    pub total: Vec<f64>,
    /// The same from 0 (the lowest total there can be) to 100 (the highest).
    pub score: Vec<f64>,
    /// Which indicators cost the row most, where a language was asked for.
    pub reasons: Option<OwnedText>,
}

/// Looks at every value without scoring it: an error where one cannot be scored.
pub fn check(batches: &[Batch<'_>], card: &Card, cancel: &Cancel) -> Result<()> {
    let pieces = measure::pieces(batches);
    let placers = placers(batches, card)?;
    let checked: Vec<Result<()>> = pieces
        .par_iter()
        .zip(first_rows(&pieces))
        .map_init(Vec::new, |codes, (piece, first)| {
            cancel.check()?;
            placers.iter().try_for_each(|placer| placer.codes(piece, first, codes))
        })
        .collect();
    checked.into_iter().collect()
}

/// Scores every row.
pub fn score(batches: &[Batch<'_>], card: &Card, cancel: &Cancel) -> Result<Scored> {
    // Nearly every card fits 64 bits, one without weights 32; weights of 17 digits need more.
    let largest = |units: &Vec<Option<i128>>| units.iter().flatten().map(|units| units.unsigned_abs()).max();
    let largest = card.units.iter().filter_map(largest).sum::<u128>();
    match (card.whole(), largest) {
        (true, 0..0x4000_0000) => scored::<i16, i32>(batches, card, cancel),
        (true, 0..0x4000_0000_0000_0000) => scored::<i16, i64>(batches, card, cancel),
        (true, _) => scored::<i16, i128>(batches, card, cancel),
        (false, 0..0x4000_0000_0000_0000) => scored::<f64, i64>(batches, card, cancel),
        (false, _) => scored::<f64, i128>(batches, card, cancel),
    }
}

/// Rows filled at a time: their sums stay in the first-level cache.
const BLOCK_ROWS: usize = 2048;

/// One piece of the frame and the part of the outputs that is its own.
struct Part<'a, P> {
    piece: &'a Piece,
    first: usize,
    points: Vec<&'a mut [P]>,
    total: &'a mut [f64],
    score: &'a mut [f64],
}

fn scored<P: Point, U: Sum>(batches: &[Batch<'_>], card: &Card, cancel: &Cancel) -> Result<Scored> {
    let pieces = measure::pieces(batches);
    let placers = placers(batches, card)?;
    let tables: Vec<Table<P, U>> =
        card.indicators.iter().zip(&card.units).map(|(indicator, units)| Table::new(indicator, units)).collect();
    let reasons = card.reason.map(|language| Reasons::new(card, language));

    let rows = pieces.iter().map(Piece::len).sum();
    let mut points: Vec<P> = zeros(rows * tables.len());
    let (mut total, mut score) = (zeros(rows), zeros(rows));
    let mut parts: Vec<Part<'_, P>> = measure::split(&mut total, &pieces)
        .into_iter()
        .zip(measure::split(&mut score, &pieces))
        .zip(first_rows(&pieces))
        .map(|(((piece, total), (_, score)), first)| Part { piece, first, points: Vec::new(), total, score })
        .collect();
    for column in points.chunks_mut(rows.max(1)) {
        for (part, (_, points)) in parts.iter_mut().zip(measure::split(column, &pieces)) {
            part.points.push(points);
        }
    }
    // Collected one by one, so that the error is the first row's and not that of the fastest thread.
    let texts: Vec<Result<OwnedText>> = parts
        .into_par_iter()
        .map(|part| {
            cancel.check()?;
            part.fill(card, &placers, &tables, reasons.as_ref())
        })
        .collect();
    let mut together = OwnedText::new();
    for text in texts {
        append(&mut together, &text?);
    }
    Ok(Scored { points: P::columns(points, rows), total, score, reasons: reasons.map(|_| together) })
}

impl<P: Point> Part<'_, P> {
    fn fill<U: Sum>(
        mut self,
        card: &Card,
        placers: &[Placer<'_>],
        tables: &[Table<P, U>],
        reasons: Option<&Reasons>,
    ) -> Result<OwnedText> {
        let mut text = OwnedText::new();
        let mut codes: Vec<Vec<u16>> = vec![Vec::new(); placers.len()];
        let (mut sums, mut missing) = ([U::default(); BLOCK_ROWS], [false; BLOCK_ROWS]);
        for block in chunks(self.piece.len(), BLOCK_ROWS) {
            let start = self.piece.rows.start;
            let piece = Piece { batch: self.piece.batch, rows: start + block.start..start + block.end };
            sums.fill(U::default());
            missing.fill(false);
            for (((placer, table), points), codes) in placers.iter().zip(tables).zip(&mut self.points).zip(&mut codes) {
                placer.codes(&piece, self.first + block.start, codes)?;
                table.give(codes, points.get_mut(block.clone()).unwrap_or(&mut []), &mut sums);
                mark(codes, table.unknown, &mut missing);
            }
            let total = self.total.get_mut(block.clone()).unwrap_or(&mut []);
            card.finish(&sums, &missing, total, self.score.get_mut(block.clone()).unwrap_or(&mut []));
            if let Some(reasons) = reasons {
                for row in 0..piece.len() {
                    reasons.write(codes.iter().filter_map(|codes| codes.get(row).copied()), &mut text.bytes);
                    text.offsets.push(text.bytes.len() as i64);
                }
            }
        }
        Ok(text)
    }
}

impl Card {
    /// Rounds every sum once: as points, and on the scale from 0 to 100.
    fn finish<U: Sum>(&self, sums: &[U], missing: &[bool], total: &mut [f64], score: &mut [f64]) {
        let span = self.highest - self.lowest;
        let largest =
            [self.lowest.unsigned_abs(), self.highest.unsigned_abs(), span.unsigned_abs() * 100, self.per_point];
        if largest.into_iter().all(|number| number <= 1 << f64::MANTISSA_DIGITS) {
            // Every number below is exact in float64, so each division rounds once.
            let scale = Scale { lowest: self.lowest as f64, span: span as f64, per_point: self.per_point as f64 };
            divide(sums, missing, total, score, scale);
        } else {
            for ((sum, missing), (total, score)) in sums.iter().zip(missing).zip(total.iter_mut().zip(score)) {
                let units = sum.units();
                (*total, *score) = if *missing { (f64::NAN, f64::NAN) } else { (self.total(units), self.score(units)) };
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Scale {
    lowest: f64,
    span: f64,
    per_point: f64,
}

widest! {
    fn divide[U: Sum](sums: &[U], missing: &[bool], total: &mut [f64], score: &mut [f64], scale: Scale) = divide_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn divide_each<U: Sum>(sums: &[U], missing: &[bool], total: &mut [f64], score: &mut [f64], scale: Scale) {
    for ((sum, missing), (total, score)) in sums.iter().zip(missing).zip(total.iter_mut().zip(score)) {
        let sum = if *missing { f64::NAN } else { sum.float() };
        (*total, *score) = (sum / scale.per_point, (sum - scale.lowest) * 100.0 / scale.span);
    }
}

fn placers<'a>(batches: &'a [Batch<'a>], card: &'a Card) -> Result<Vec<Placer<'a>>> {
    card.indicators.iter().map(|indicator| Placer::new(card, indicator, batches)).collect()
}

/// The row of the frame each piece begins with.
fn first_rows(pieces: &[Piece]) -> Vec<usize> {
    pieces
        .iter()
        .scan(0, |next, piece| {
            let first = *next;
            *next += piece.len();
            Some(first)
        })
        .collect()
}

fn append(together: &mut OwnedText, text: &OwnedText) {
    let start = together.bytes.len() as i64;
    together.bytes.extend_from_slice(&text.bytes);
    together.offsets.extend(text.offsets.iter().skip(1).map(|offset| start + offset));
}
