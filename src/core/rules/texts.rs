//! Texts over a chunk of rows: borrowed from a column while nothing is joined or chosen.

use std::cmp::Ordering;

use super::{
    evaluate::WORDS,
    formula::{Place, Values},
    program::{Test, TextTest},
};
use crate::column::{Codes, Text};

/// A text per row, or one for all.
#[derive(Debug)]
pub(crate) enum Texts<'a> {
    Constant(&'a str),
    /// A column from a row on.
    Column(&'a Text<'a>, usize),
    /// Codes into a few texts, from a row on.
    Dictionary(&'a Codes<'a>, &'a Text<'a>, usize),
    /// Our own: where each text ends, and the texts behind one another.
    Built(Vec<usize>, Vec<u8>),
}

impl Texts<'_> {
    /// The text of a row of the chunk; empty where it is missing.
    fn get(&self, row: usize) -> &[u8] {
        match self {
            Self::Constant(text) => text.as_bytes(),
            Self::Column(text, start) => text.bytes(start + row).unwrap_or_default(),
            Self::Dictionary(codes, text, start) => {
                codes.get(start + row).and_then(|code| text.bytes(code)).unwrap_or_default()
            }
            Self::Built(ends, bytes) => {
                let start = row.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
                ends.get(row).and_then(|end| bytes.get(start..*end)).unwrap_or_default()
            }
        }
    }
}

/// One text for every present row.
fn build<'a>(len: usize, present: &[u64], mut add: impl FnMut(usize, &mut Vec<u8>)) -> Texts<'a> {
    let (mut ends, mut bytes) = (Vec::with_capacity(len), Vec::new());
    for row in 0..len {
        if is_set(present, row) {
            add(row, &mut bytes);
        }
        ends.push(bytes.len());
    }
    Texts::Built(ends, bytes)
}

fn is_set(words: &[u64], row: usize) -> bool {
    words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
}

/// Texts behind one another.
pub(crate) fn join<'a>(at: &Place<'_, 'a>, nodes: &[usize], present: &mut [u64]) -> Texts<'a> {
    for node in nodes {
        at.narrow(*node, present);
    }
    let parts: Vec<&Texts<'_>> = nodes.iter().filter_map(|node| texts(at.node(*node))).collect();
    build(at.rows.len(), present, |row, bytes| parts.iter().for_each(|part| bytes.extend_from_slice(part.get(row))))
}

fn texts<'v, 'a>(values: &'v Values<'a>) -> Option<&'v Texts<'a>> {
    if let Values::Texts(texts) = values { Some(texts) } else { None }
}

/// Each row's text from the branch that takes it.
pub(crate) fn choose<'a>(branches: &[([u64; WORDS], &Values<'a>)], len: usize, present: &[u64]) -> Texts<'a> {
    build(len, present, |row, bytes| {
        let taken = branches.iter().find(|(rows, _)| is_set(rows, row)).and_then(|(_, values)| texts(values));
        bytes.extend_from_slice(taken.map_or(&[], |texts| texts.get(row)));
    })
}

/// Each row's greatest or least text among those present.
pub(crate) fn extreme<'a>(at: &Place<'_, 'a>, wanted: Ordering, nodes: &[usize], present: &mut [u64]) -> Texts<'a> {
    present.fill(0);
    let sources: Vec<(&[u64], &Texts<'a>)> =
        nodes.iter().filter_map(|node| texts(at.node(*node)).map(|texts| (at.known(*node), texts))).collect();
    for (known, _) in &sources {
        present.iter_mut().zip(*known).for_each(|(present, known)| *present |= known);
    }
    build(at.rows.len(), present, |row, bytes| {
        let known = sources.iter().filter(|(known, _)| is_set(known, row)).map(|(_, texts)| texts.get(row));
        let best = known.reduce(|best, next| if next.cmp(best) == wanted { next } else { best });
        bytes.extend_from_slice(best.unwrap_or_default());
    })
}

/// Compares two texts a row. UTF-8 bytes have the order of code points.
pub(crate) fn compare(a: &Texts<'_>, b: &Texts<'_>, len: usize, test: Test, yes: &mut [u64]) {
    bits(yes, len, |row| match test {
        Test::Equal => a.get(row) == b.get(row),
        Test::Greater => a.get(row) > b.get(row),
    });
}

/// Asks every text.
pub(crate) fn ask(texts: &Texts<'_>, len: usize, test: &TextTest, yes: &mut [u64]) {
    match texts {
        // The layout of the column is looked at once, not per row.
        Texts::Column(text, start) => {
            bits(yes, len, |row| text.bytes(start + row).is_some_and(|bytes| test.answer(bytes)));
        }
        other => bits(yes, len, |row| test.answer(other.get(row))),
    }
}

fn bits(words: &mut [u64], len: usize, test: impl Fn(usize) -> bool) {
    for (index, word) in words.iter_mut().enumerate() {
        let start = index * 64;
        let block = start.min(len)..(start + 64).min(len);
        *word = block.enumerate().fold(0, |word, (place, row)| word | u64::from(test(row)) << place);
    }
}
