//! Any number of tags per row: every rule that is true, with what is unknown kept apart from what is false.

use std::{
    mem::take,
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    bits::spread,
    config::Checked,
    evaluate::{Evaluator, Findings, Planes, ROWS, WORDS},
    program::{Literal, Program},
    segment::{Choice, Code, Codes, report},
};
use crate::{
    Error, Result,
    cancel::Cancel,
    column::{Batch, Column},
    pages::zeros,
    parallel::{CHUNK_ROWS, for_each_mut},
    vector::widest,
};

/// Everything a tagger gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged<F> {
    /// Every tag after the other, in the order of the rules.
    pub tags: Flags<F>,
    /// Every exclusive family's label: a code into its tags, its default behind them.
    pub families: Vec<Codes>,
    /// The tags that are true, and those that are unknown, where lists were asked for.
    pub lists: Option<[Lists; 2]>,
    /// Whole-number results that did not fit 64 bits and counted as missing.
    pub overflows: u64,
}

/// Tags of every row, true or false, and where they are unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags<F> {
    /// How many values belong to each tag.
    pub each: usize,
    /// Set where a tag is true.
    pub values: Vec<F>,
    /// Where it is unknown, as [`Flag`] says.
    pub masks: Vec<F>,
    /// Whether a tag is unknown anywhere; where it is not, its mask means nothing.
    pub unknown: Vec<bool>,
}

/// Some tags per row: row `i` has `codes[offsets[i]..offsets[i + 1]]`, places among the rules, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// One more than there are rows, beginning with 0.
    pub offsets: Vec<i64>,
    /// Places among the rules.
    pub codes: Vec<i16>,
}

/// What holds the answers of one or more rows.
pub trait Flag: Copy + Default + Send + Sync {
    /// How many rows it holds.
    const ROWS: usize;
    /// Writes what stands in words of 64 rows.
    fn write(words: &[u64], flags: &mut [Self]);
    /// Turns "unknown" into the mask this layout is read with.
    fn mask(unknown: &mut [Self]);
    /// Brings batches that begin at whole words together, so that every row stands at its own place.
    fn join(flags: &mut [Self], lengths: &[usize]);
}

/// A bit per row, as in Arrow; the mask has a bit where the answer is known.
impl Flag for u64 {
    const ROWS: usize = 64;

    fn write(words: &[u64], flags: &mut [Self]) {
        flags.iter_mut().zip(words).for_each(|(flag, word)| *flag = *word);
    }

    fn mask(unknown: &mut [Self]) {
        for word in unknown {
            *word = !*word;
        }
    }

    fn join(flags: &mut [Self], lengths: &[usize]) {
        let (mut read, mut rows) = (0, 0);
        for length in lengths {
            let words = length.div_ceil(64);
            let shift = rows % 64;
            if read * 64 != rows {
                for word in read..read + words {
                    let bits = flags.get_mut(word).map_or(0, take);
                    let place = rows / 64 + word - read;
                    if let Some(low) = flags.get_mut(place) {
                        *low |= bits << shift;
                    }
                    if shift > 0
                        && let Some(high) = flags.get_mut(place + 1)
                    {
                        *high |= bits >> (64 - shift);
                    }
                }
            }
            read += words;
            rows += length;
        }
    }
}

/// A byte per row, 0 or 1, as in numpy; the mask has 1 where the answer is unknown.
impl Flag for i8 {
    const ROWS: usize = 1;

    fn write(words: &[u64], flags: &mut [Self]) {
        if let Ok(words) = <&[u64; WORDS]>::try_from(words) {
            spread(std::slice::from_ref(words), 0, flags);
        }
    }

    fn mask(_: &mut [Self]) {}

    fn join(_: &mut [Self], _: &[usize]) {}
}

/// What one task fills.
struct Piece<'a, F> {
    batch: usize,
    start: usize,
    rows: usize,
    tags: Vec<(&'a mut [F], &'a mut [F])>,
    families: Vec<CodesMut<'a>>,
    lists: [PieceLists; 2],
}

#[derive(Default)]
struct PieceLists {
    lengths: Vec<u16>,
    codes: Vec<i16>,
}

enum CodesMut<'a> {
    Small(&'a mut [i8]),
    Large(&'a mut [i16]),
}

/// Tags every row; with `lists`, also says which tags each row has.
pub fn tags<F: Flag>(batches: &[Batch<'_>], checked: &Checked, lists: bool, cancel: &Cancel) -> Result<Tagged<F>> {
    let program = Program::compile(checked)?;
    if i16::try_from(program.tags.len()).is_err() {
        let most = i16::MAX;
        return Err(Error::parameter(format!("{} tags are too many; a tagger takes up to {most}", program.tags.len())));
    }
    let choices = choices(checked, &program);
    let lengths: Vec<usize> = batches.iter().map(|batch| batch.first().map_or(0, Column::len)).collect();
    let rows: usize = lengths.iter().sum();
    let held: usize = lengths.iter().map(|length| length.div_ceil(F::ROWS)).sum();
    // Where nothing is unknown, no mask is ever touched.
    let (mut values, mut masks) = (zeros(held * program.tags.len()), zeros(held * program.tags.len()));
    let unknown: Vec<AtomicBool> = program.tags.iter().map(|_| false.into()).collect();
    let mut families: Vec<Codes> = choices.iter().map(|choice| Codes::room(choice, rows)).collect();
    let findings = Findings::default();
    let evaluators: Vec<Evaluator<'_>> = lengths
        .iter()
        .zip(batches)
        .scan(0, |first_row, (length, batch)| {
            let evaluator = Evaluator::new(&program, batch, *first_row, &findings);
            *first_row += length;
            Some(evaluator)
        })
        .collect();
    let mut pieces = pieces(&lengths, held, &mut values, &mut masks, &mut families);
    for_each_mut(&mut pieces, cancel, |piece| {
        let Some(evaluator) = evaluators.get(piece.batch) else { return Ok(()) };
        let mut planes = Planes::new(&program);
        for part in (0..piece.rows).step_by(ROWS) {
            let start = piece.start + part;
            let rows = (piece.rows - part).min(ROWS);
            evaluator.run(&(start..start + rows), &mut planes);
            fill(piece, part, rows, &program.tags, &planes, &unknown, lists);
            for (choice, codes) in choices.iter().zip(&mut piece.families) {
                match codes {
                    CodesMut::Small(codes) => i8::decide(choice, &planes, part_of(codes, part, rows)),
                    CodesMut::Large(codes) => i16::decide(choice, &planes, part_of(codes, part, rows)),
                }
            }
        }
        Ok(())
    })?;
    let lists = lists.then(|| [0, 1].map(|which| gathered(&mut pieces, which, rows)));
    report(batches, checked, &program, &findings)?;
    let unknown: Vec<bool> = unknown.into_iter().map(AtomicBool::into_inner).collect();
    values.chunks_mut(held.max(1)).for_each(|values| F::join(values, &lengths));
    for (mask, _) in masks.chunks_mut(held.max(1)).zip(&unknown).filter(|(_, unknown)| **unknown) {
        F::join(mask, &lengths);
        F::mask(mask);
    }
    let tags = Flags { each: held, values, masks, unknown };
    Ok(Tagged { tags, families, lists, overflows: findings.overflows.load(Ordering::Relaxed) })
}

/// Every exclusive family as a first match over its tags.
fn choices(checked: &Checked, program: &Program) -> Vec<Choice> {
    checked
        .exclusive_families()
        .map(|family| Choice {
            rules: family.tags.iter().filter_map(|tag| program.tags.get(*tag).copied()).collect(),
            stops: true,
            default_code: family.default_code(&checked.rules),
        })
        .collect()
}

impl Codes {
    fn room(choice: &Choice, rows: usize) -> Self {
        let labels = choice.rules.len() + usize::from(choice.default_code.is_some());
        if i8::try_from(labels).is_ok() { Self::Small(vec![-1; rows]) } else { Self::Large(vec![-1; rows]) }
    }
}

/// Cuts all outputs at the same rows.
fn pieces<'a, F: Flag>(
    lengths: &[usize],
    each: usize,
    values: &'a mut [F],
    masks: &'a mut [F],
    families: &'a mut [Codes],
) -> Vec<Piece<'a, F>> {
    let each = each.max(1);
    let mut tags: Vec<(&mut [F], &mut [F])> = values.chunks_mut(each).zip(masks.chunks_mut(each)).collect();
    let mut families: Vec<CodesMut<'_>> = families
        .iter_mut()
        .map(|codes| match codes {
            Codes::Small(codes) => CodesMut::Small(codes),
            Codes::Large(codes) => CodesMut::Large(codes),
        })
        .collect();
    let mut pieces = Vec::new();
    for (batch, length) in lengths.iter().enumerate() {
        for start in (0..*length).step_by(CHUNK_ROWS) {
            let rows = (length - start).min(CHUNK_ROWS);
            let held = rows.div_ceil(F::ROWS);
            let tags = tags
                .iter_mut()
                .map(|(values, masks)| {
                    (values.split_off_mut(..held).unwrap_or_default(), masks.split_off_mut(..held).unwrap_or_default())
                })
                .collect();
            let families = families
                .iter_mut()
                .map(|codes| match codes {
                    CodesMut::Small(codes) => CodesMut::Small(codes.split_off_mut(..rows).unwrap_or_default()),
                    CodesMut::Large(codes) => CodesMut::Large(codes.split_off_mut(..rows).unwrap_or_default()),
                })
                .collect();
            pieces.push(Piece { batch, start, rows, tags, families, lists: Default::default() });
        }
    }
    pieces
}

fn part_of<T>(slice: &mut [T], start: usize, len: usize) -> &mut [T] {
    slice.get_mut(start..start + len).unwrap_or(&mut [])
}

/// Writes one pass's answers.
fn fill<F: Flag>(
    piece: &mut Piece<'_, F>,
    part: usize,
    rows: usize,
    tags: &[Literal],
    planes: &Planes,
    unknown: &[AtomicBool],
    lists: bool,
) {
    let within = within(rows);
    let mut has = [vec![], vec![]];
    for ((literal, (values, mask)), unknown) in tags.iter().zip(&mut piece.tags).zip(unknown) {
        let (mut is_true, mut is_unknown) = ([0u64; WORDS], [0u64; WORDS]);
        let some_unknown = answers(planes.literal(*literal), &within, &mut is_true, &mut is_unknown);
        let held = part / F::ROWS..(part + rows).div_ceil(F::ROWS);
        F::write(&is_true, values.get_mut(held.clone()).unwrap_or(&mut []));
        if some_unknown {
            F::write(&is_unknown, mask.get_mut(held).unwrap_or(&mut []));
            unknown.store(true, Ordering::Relaxed);
        }
        if lists {
            has[0].push(is_true);
            has[1].push(is_unknown);
        }
    }
    if lists {
        piece.lists.iter_mut().zip(&has).for_each(|(lists, has)| lists.add(has, rows));
    }
}

widest! {
    /// Where a literal is true and where it is unknown, within these rows; whether it is unknown anywhere.
    fn answers(
        literal: (&[u64], &[u64]), within: &[u64; WORDS], is_true: &mut [u64; WORDS], is_unknown: &mut [u64; WORDS]
    ) -> bool = each_answer;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn each_answer(
    (yes, no): (&[u64], &[u64]),
    within: &[u64; WORDS],
    is_true: &mut [u64; WORDS],
    is_unknown: &mut [u64; WORDS],
) -> bool {
    let mut any = 0;
    for (((is_true, is_unknown), within), (yes, no)) in
        is_true.iter_mut().zip(is_unknown).zip(within).zip(yes.iter().zip(no))
    {
        *is_true = yes & within;
        *is_unknown = within & !(yes | no);
        any |= *is_unknown;
    }
    any != 0
}

/// The bits of the first rows.
pub(crate) fn within(rows: usize) -> [u64; WORDS] {
    std::array::from_fn(|word| match rows.saturating_sub(word * 64) {
        0 => 0,
        left @ 1..64 => (1 << left) - 1,
        _ => !0,
    })
}

impl PieceLists {
    /// Adds the tags of some rows: how many each has, then, tag by tag, where they go.
    fn add(&mut self, tags: &[[u64; WORDS]], rows: usize) {
        for (word, first) in (0..rows).step_by(64).enumerate() {
            let mut ends = [0u32; 64];
            each_bit(tags, word, |_, row| {
                if let Some(end) = ends.get_mut(row) {
                    *end += 1;
                }
            });
            let lengths = ends.iter().take(rows - first).map(|length| *length as u16);
            self.lengths.extend(lengths);
            let begin = self.codes.len();
            let total = ends.iter_mut().fold(0, |start, length| start + std::mem::replace(length, start));
            self.codes.resize(begin + total as usize, 0);
            each_bit(tags, word, |tag, row| {
                if let Some(place) = ends.get_mut(row) {
                    if let Some(code) = self.codes.get_mut(begin + *place as usize) {
                        *code = tag as i16;
                    }
                    *place += 1;
                }
            });
        }
    }
}

/// Every tag and row of one word's rows, tag by tag.
fn each_bit(tags: &[[u64; WORDS]], word: usize, mut visit: impl FnMut(usize, usize)) {
    for (tag, words) in tags.iter().enumerate() {
        let mut bits = words.get(word).copied().unwrap_or(0);
        while bits != 0 {
            visit(tag, bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
    }
}

/// The lists of all pieces behind one another.
fn gathered<F>(pieces: &mut [Piece<'_, F>], which: usize, rows: usize) -> Lists {
    let mut lists = Lists { offsets: Vec::with_capacity(rows + 1), codes: Vec::new() };
    lists.offsets.push(0);
    let mut end = 0i64;
    for piece in pieces {
        let Some(PieceLists { lengths, codes }) = piece.lists.get_mut(which).map(take) else { continue };
        lists.offsets.extend(lengths.iter().map(|length| {
            end += i64::from(*length);
            end
        }));
        lists.codes.extend(codes);
    }
    lists
}
