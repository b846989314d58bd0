//! The fast path: nodes over 2,048 rows at a time, 64 rows to a word, two words (true, false) a node.

use std::{
    borrow::Cow,
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    ahead::Ahead,
    bits::{Compare, pack},
    formula::{self, Place},
    program::{Literal, Node, Program, Test},
    short, texts,
};
use crate::{
    column::{Batch, Bits, Codes, Column, Text, TimeUnit, Values},
    prefetch,
    vector::all_pass,
    zone::{Offsets, zone},
};

/// Words per node and truth value.
pub(crate) const WORDS: usize = 32;
/// Rows per pass over the nodes: few enough that a column's piece and all planes stay in cache.
pub(crate) const ROWS: usize = WORDS * 64;

/// What rows can report besides their bits, whatever thread meets them.
#[derive(Debug)]
pub(crate) struct Findings {
    /// Whole-number results that do not fit 64 bits.
    pub(crate) overflows: AtomicU64,
    /// First row holding an infinite number, or `u64::MAX`.
    pub(crate) infinite: AtomicU64,
    /// First row outside a domain, or `u64::MAX`.
    pub(crate) outside: AtomicU64,
}

impl Default for Findings {
    fn default() -> Self {
        Self { overflows: 0.into(), infinite: u64::MAX.into(), outside: u64::MAX.into() }
    }
}

impl Findings {
    fn first(place: &AtomicU64, row: usize) {
        place.fetch_min(row as u64, Ordering::Relaxed);
    }
}

/// A program over one batch.
pub(crate) struct Evaluator<'a> {
    pub(crate) program: &'a Program,
    pub(crate) batch: &'a Batch<'a>,
    /// How many rows of the frame stand before this batch.
    pub(crate) first_row: usize,
    pub(crate) findings: &'a Findings,
    /// For tests of dictionary columns: the answer for each distinct text.
    by_code: Vec<Option<Vec<bool>>>,
    /// For columns that know their time zone: how far its wall clock is from UTC.
    offsets: Vec<Option<Offsets>>,
    /// For columns that are narrowed: where among these.
    short_places: Vec<Option<usize>>,
    /// What is asked for while these rows are worked on.
    ahead: Ahead,
}

/// The bits of every node for one chunk, and the columns that are narrowed for them.
pub(crate) struct Planes {
    bits: Vec<u64>,
    shorts: Vec<[i16; ROWS]>,
}

impl Planes {
    pub(crate) fn new(program: &Program) -> Self {
        Self { bits: vec![0; program.nodes.len() * 2 * WORDS], shorts: Vec::new() }
    }

    /// The words where a literal is true, and where it is false.
    pub(crate) fn literal(&self, literal: Literal) -> (&[u64], &[u64]) {
        literal_of(&self.bits, literal)
    }
}

pub(crate) fn literal_of(planes: &[u64], literal: Literal) -> (&[u64], &[u64]) {
    let begin = literal.node * 2 * WORDS;
    let pair = planes.get(begin..begin + 2 * WORDS).unwrap_or(&[0; 2 * WORDS]);
    let (yes, no) = pair.split_at(WORDS);
    if literal.negated { (no, yes) } else { (yes, no) }
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(program: &'a Program, batch: &'a Batch<'a>, first_row: usize, findings: &'a Findings) -> Self {
        let by_code = program.nodes.iter().map(|node| answers_by_code(node, batch)).collect();
        let offsets = batch.iter().map(offsets_of).collect();
        let short_places = short::places(program, batch);
        let ahead = Ahead::of(batch);
        Self { program, batch, first_row, findings, by_code, offsets, short_places, ahead }
    }

    /// Times of a column as wall clock.
    pub(crate) fn wall_clock<'t>(&self, column: usize, times: &'t [i64]) -> Cow<'t, [i64]> {
        match self.offsets.get(column) {
            Some(Some(offsets)) => offsets.wall(times).into(),
            _ => times.into(),
        }
    }

    /// Fills the planes for up to [`ROWS`] rows; `rows.start` is a multiple of 64.
    pub(crate) fn run(&self, rows: &Range<usize>, planes: &mut Planes) {
        let Planes { bits, shorts } = planes;
        short::fill(&self.short_places, self.batch, rows, shorts);
        let count = if self.program.calculates() { self.program.nodes.len() } else { 0 };
        let mut values: Vec<formula::Values<'a>> = std::iter::repeat_with(Default::default).take(count).collect();
        let mut ask = self.ahead.in_parts(rows, self.program.nodes.len(), prefetch::line);
        for (place, node) in self.program.nodes.iter().enumerate() {
            ask();
            let (done, rest) = bits.split_at_mut(place * 2 * WORDS);
            let (yes, rest) = rest.split_at_mut(WORDS);
            let (no, _) = rest.split_at_mut(WORDS);
            if let Node::Value(formula) = node {
                yes.fill(!0);
                let found = formula::evaluate(&Place { on: self, rows, done, values: &values, shorts }, formula, yes);
                no.iter_mut().zip(yes.iter()).for_each(|(no, yes)| *no = !yes);
                if let Some(slot) = values.get_mut(place) {
                    *slot = found;
                }
            } else {
                self.node(place, node, &Place { on: self, rows, done, values: &values, shorts }, yes, no);
            }
        }
        for guard in &self.program.guards {
            let (_, outside) = planes.literal(guard.literal);
            if let Some(row) = first_set(outside, rows.len()) {
                Findings::first(&self.findings.outside, self.first_row + rows.start + row);
            }
        }
    }

    fn node(&self, place: usize, node: &Node, at: &Place<'_, 'a>, yes: &mut [u64], no: &mut [u64]) {
        let (rows, done) = (at.rows, at.done);
        match node {
            Node::Always(value) => {
                yes.fill(if *value == Some(true) { !0 } else { 0 });
                no.fill(if *value == Some(false) { !0 } else { 0 });
            }
            Node::And(literals) => {
                yes.fill(!0);
                no.fill(0);
                for literal in literals {
                    let (other_yes, other_no) = literal_of(done, *literal);
                    for ((yes, no), (other_yes, other_no)) in
                        yes.iter_mut().zip(no.iter_mut()).zip(other_yes.iter().zip(other_no))
                    {
                        *yes &= other_yes;
                        *no |= other_no;
                    }
                }
            }
            Node::IsTrue(literal) => {
                yes.copy_from_slice(literal_of(done, *literal).0);
                no.iter_mut().zip(yes.iter()).for_each(|(no, yes)| *no = !yes);
            }
            Node::Missing(column) => {
                self.present(*column, rows, no);
                yes.iter_mut().zip(no.iter()).for_each(|(yes, no)| *yes = !no);
            }
            Node::Value(_) => {} // evaluated where its values are kept
            Node::Compare { left, right, test } => {
                formula::compare(at, *left, *right, *test, yes);
                let mut present = [!0; WORDS];
                at.narrow(*left, &mut present);
                at.narrow(*right, &mut present);
                settle(&present, yes, no);
            }
            Node::TextValue { value, test } => {
                if let formula::Values::Texts(texts) = at.node(*value) {
                    texts::ask(texts, rows.len(), test, yes);
                }
                settle(at.known(*value), yes, no);
            }
            Node::Flag { missing, .. }
            | Node::Units { missing, .. }
            | Node::UnitsIn { missing, .. }
            | Node::Double { missing, .. }
            | Node::Single { missing, .. }
            | Node::Text { missing, .. } => {
                self.test(place, node, at, yes);
                settle(literal_of(done, Literal { node: *missing, negated: false }).1, yes, no);
            }
        }
    }

    /// One test of one column, wherever the value is present.
    fn test(&self, place: usize, node: &Node, at: &Place<'_, 'a>, yes: &mut [u64]) {
        let rows = at.rows;
        let column = |column: &usize| self.batch.get(*column);
        match node {
            Node::Flag { column: flag, .. } => {
                if let Some(Column::Bool(flags, _)) = column(flag) {
                    words_of(*flags, rows, yes);
                }
            }
            Node::Units { column: of, test, units, .. } => match column(of) {
                Some(Column::Int8(values)) => compare_units(values, rows, *test, *units, yes),
                Some(Column::Int16(values)) => compare_units(values, rows, *test, *units, yes),
                Some(Column::Int32(values) | Column::Date(values)) => compare_units(values, rows, *test, *units, yes),
                Some(Column::Int64(values)) => match self.shorts(at, *of).zip(short::constant(*units)) {
                    Some((shorts, constant)) => i16::compare(shorts, *test, constant, yes),
                    None => compare_units(values, rows, *test, *units, yes),
                },
                Some(Column::UInt8(values)) => compare_units(values, rows, *test, *units, yes),
                Some(Column::UInt16(values)) => compare_units(values, rows, *test, *units, yes),
                Some(Column::UInt32(values)) => compare_units(values, rows, *test, *units, yes),
                Some(Column::UInt64(values)) => compare_units(values, rows, *test, *units, yes),
                Some(Column::Decimal(values, _)) => compare_units(values, rows, *test, *units, yes),
                Some(Column::Timestamp(values, ..)) => {
                    let times = self.wall_clock(*of, piece(values, rows));
                    compare_piece(&times, *test, *units, yes);
                }
                _ => {}
            },
            Node::UnitsIn { column: of, units, .. } => match column(of) {
                Some(Column::Int8(values)) => find_units(values, rows, units, yes),
                Some(Column::Int16(values)) => find_units(values, rows, units, yes),
                Some(Column::Int32(values) | Column::Date(values)) => find_units(values, rows, units, yes),
                Some(Column::Int64(values)) => find_units(values, rows, units, yes),
                Some(Column::UInt8(values)) => find_units(values, rows, units, yes),
                Some(Column::UInt16(values)) => find_units(values, rows, units, yes),
                Some(Column::UInt32(values)) => find_units(values, rows, units, yes),
                Some(Column::UInt64(values)) => find_units(values, rows, units, yes),
                Some(Column::Decimal(values, _)) => find_units(values, rows, units, yes),
                Some(Column::Timestamp(values, ..)) => {
                    let times = self.wall_clock(*of, piece(values, rows));
                    pack(&times, yes, |time| units.binary_search(&time.into()).is_ok());
                }
                _ => {}
            },
            Node::Double { column: of, test, bits, .. } => {
                if let Some(Column::Float64(values)) = column(of) {
                    f64::compare(piece(values, rows), *test, f64::from_bits(*bits), yes);
                }
            }
            Node::Single { column: of, test, bits, .. } => {
                if let Some(Column::Float32(values)) = column(of) {
                    f32::compare(piece(values, rows), *test, f32::from_bits(*bits), yes);
                }
            }
            Node::Text { column: of, test, .. } => {
                match (column(of), self.by_code.get(place).and_then(Option::as_ref)) {
                    (Some(Column::Dictionary(Codes::Narrow(codes), _)), Some(answers)) => {
                        any_code(piece(codes, rows), answers, yes);
                    }
                    (Some(Column::Dictionary(Codes::Wide(codes), _)), Some(answers)) => {
                        any_code(piece(codes, rows), answers, yes);
                    }
                    (Some(Column::Text(text)), _) => {
                        texts::ask(&texts::Texts::Column(text, rows.start), rows.len(), test, yes);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// The narrowed values of a column.
    fn shorts<'s>(&self, at: &Place<'s, 'a>, column: usize) -> Option<&'s [i16]> {
        at.shorts.get((*self.short_places.get(column)?)?)?.get(..at.rows.len())
    }

    /// Where a column has a value. An infinite one is reported.
    fn present(&self, column: usize, rows: &Range<usize>, present: &mut [u64]) {
        let Some(column) = self.batch.get(column) else { return present.fill(0) };
        match column {
            Column::Null(_) => present.fill(0),
            Column::Bool(_, validity) => validity_words(*validity, rows, present),
            Column::Int8(values) => validity_words(values.validity, rows, present),
            Column::Int16(values) => validity_words(values.validity, rows, present),
            Column::Int32(values) | Column::Date(values) => validity_words(values.validity, rows, present),
            Column::Int64(values) | Column::Timestamp(values, ..) => validity_words(values.validity, rows, present),
            Column::UInt8(values) => validity_words(values.validity, rows, present),
            Column::UInt16(values) => validity_words(values.validity, rows, present),
            Column::UInt32(values) => validity_words(values.validity, rows, present),
            Column::UInt64(values) => validity_words(values.validity, rows, present),
            Column::Decimal(values, _) => validity_words(values.validity, rows, present),
            Column::Text(text) => validity_words(text.validity, rows, present),
            Column::Dictionary(codes, text) => {
                validity_words(codes.validity(), rows, present);
                if text.validity.is_some() {
                    let places: Vec<usize> = rows.clone().map(|row| codes.get(row).unwrap_or(usize::MAX)).collect();
                    let mut valued = [0; WORDS];
                    pack(&places, &mut valued, |code| text.bytes(code).is_some());
                    present.iter_mut().zip(valued).for_each(|(present, valued)| *present &= valued);
                }
            }
            Column::Float32(values) => {
                validity_words(values.validity, rows, present);
                self.finite(piece(values, rows), rows, present, [f32::NEG_INFINITY, f32::INFINITY]);
            }
            Column::Float64(values) => {
                validity_words(values.validity, rows, present);
                self.finite(piece(values, rows), rows, present, [f64::NEG_INFINITY, f64::INFINITY]);
            }
        }
    }

    /// Takes NaN out of `present` and reports infinity; `ends` are the two infinities.
    fn finite<T: Compare>(&self, values: &[T], rows: &Range<usize>, present: &mut [u64], ends: [T; 2]) {
        let [lowest, highest] = ends;
        if all_pass(values, |value| lowest < value && value < highest) {
            return;
        }
        let [mut low, mut high] = [[0; WORDS]; 2];
        T::compare(values, Test::Equal, lowest, &mut low);
        T::compare(values, Test::Equal, highest, &mut high);
        clear_nan(values, lowest, present);
        let infinite: [u64; WORDS] = std::array::from_fn(|word| {
            let [low, high, present] = [&low, &high, &*present].map(|words| words.get(word).copied().unwrap_or(0));
            (low | high) & present
        });
        if let Some(row) = first_set(&infinite, rows.len()) {
            Findings::first(&self.findings.infinite, self.first_row + rows.start + row);
        }
    }
}

/// Clears the bits of rows without a number; `lowest` is the number below all others.
pub(crate) fn clear_nan<T: Compare>(values: &[T], lowest: T, bits: &mut [u64]) {
    let [mut above, mut equal] = [[0; WORDS]; 2];
    T::compare(values, Test::Greater, lowest, &mut above);
    T::compare(values, Test::Equal, lowest, &mut equal);
    bits.iter_mut().zip(above.iter().zip(equal)).for_each(|(bits, (above, equal))| *bits &= above | equal);
}

/// Cuts a test's raw bits down to present rows; the other present rows are false.
fn settle(present: &[u64], yes: &mut [u64], no: &mut [u64]) {
    for ((yes, no), present) in yes.iter_mut().zip(no.iter_mut()).zip(present) {
        *no = present & !*yes;
        *yes &= present;
    }
}

/// The first set bit among the first `len`.
pub(crate) fn first_set(words: &[u64], len: usize) -> Option<usize> {
    let (index, word) = words.iter().take(len.div_ceil(64)).enumerate().find(|(_, word)| **word != 0)?;
    let row = index * 64 + word.trailing_zeros() as usize;
    (row < len).then_some(row)
}

/// The values of some rows.
pub(crate) fn piece<'a, T>(values: &Values<'a, T>, rows: &Range<usize>) -> &'a [T] {
    values.values.get(rows.clone()).unwrap_or(&[])
}

fn words_of(source: Bits<'_>, rows: &Range<usize>, words: &mut [u64]) {
    for (index, word) in words.iter_mut().enumerate() {
        *word = source.word(rows.start + index * 64);
    }
}

fn validity_words(validity: Option<Bits<'_>>, rows: &Range<usize>, words: &mut [u64]) {
    match validity {
        None => words.fill(!0),
        Some(validity) => words_of(validity, rows, words),
    }
}

fn compare_units<T>(values: &Values<'_, T>, rows: &Range<usize>, test: Test, units: i128, yes: &mut [u64])
where
    T: Compare + TryFrom<i128>,
{
    compare_piece(piece(values, rows), test, units, yes);
}

/// Whole units against a constant of the same units.
pub(crate) fn compare_piece<T>(values: &[T], test: Test, units: i128, yes: &mut [u64])
where
    T: Compare + TryFrom<i128>,
{
    match T::try_from(units) {
        Ok(constant) => T::compare(values, test, constant, yes),
        // Beyond what the column can hold: all of it is greater, or none.
        Err(_) => yes.fill(if test == Test::Greater && units < 0 { !0 } else { 0 }),
    }
}

/// Which codes have the answer "yes".
fn any_code<T: Compare + TryFrom<usize> + Into<u64>>(codes: &[T], answers: &[bool], yes: &mut [u64]) {
    const FEW: usize = 4;
    let wanted = answers.iter().enumerate().filter(|(_, answer)| **answer);
    let mut wanted = wanted.filter_map(|(code, _)| T::try_from(code).ok());
    if wanted.clone().nth(FEW).is_some() {
        return pack(codes, yes, |code| answers.get(code.into() as usize).copied().unwrap_or(false));
    }
    let Some(first) = wanted.next() else { return yes.fill(0) };
    T::compare(codes, Test::Equal, first, yes);
    for code in wanted {
        let mut more = [0; WORDS];
        T::compare(codes, Test::Equal, code, &mut more);
        yes.iter_mut().zip(more).for_each(|(yes, more)| *yes |= more);
    }
}

fn find_units<T: Copy + Into<i128>>(values: &Values<'_, T>, rows: &Range<usize>, units: &[i128], yes: &mut [u64]) {
    pack(piece(values, rows), yes, |value| units.binary_search(&value.into()).is_ok());
}

/// The offsets of a column's zone from 1678 to 2261, the years that fit into nanoseconds.
fn offsets_of(column: &Column<'_>) -> Option<Offsets> {
    const SECONDS: std::ops::Range<i64> = -9_214_560_000..9_214_646_400;
    let Column::Timestamp(_, unit, Some(name)) = column else { return None };
    let (zone, per_second) = (zone(name, "the time zone of a column").ok()?, TimeUnit::per_second(*unit));
    Offsets::new(&zone, *unit, SECONDS.start * per_second, SECONDS.end * per_second)
}

fn answers_by_code(node: &Node, batch: &Batch<'_>) -> Option<Vec<bool>> {
    let Node::Text { column, test, .. } = node else { return None };
    let Some(Column::Dictionary(_, texts)) = batch.get(*column) else { return None };
    let answer = |code| Text::bytes(texts, code).is_some_and(|bytes| test.answer(bytes));
    Some((0..texts.len()).map(answer).collect())
}
