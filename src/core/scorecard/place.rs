//! Which outcome of an indicator each row has: bands, categories, special values, missing ones.

use hashbrown::HashMap;

use super::{
    card::{Card, Indicator, Reading},
    config::near,
};
use crate::{
    Error, Result,
    column::{Batch, Bits, Codes, Column, Text},
    cuts::{Step, place},
    measure::{self, Measure, Piece},
    vector::widest,
};

/// A table of so many codes is looked up by a byte without a check.
const EVERY_BYTE: usize = 256;
/// The code of a category nobody named, where there is no default.
const UNKNOWN: u16 = u16::MAX;

/// One indicator over its column's data.
pub(super) struct Placer<'a> {
    indicator: &'a Indicator,
    column: &'a str,
    missing: u16,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Bands { measure: Measure<'a>, steps: Vec<Step>, range: Option<(f64, f64)>, special: Vec<(f64, u16)> },
    Numbers { measure: Measure<'a>, codes: Vec<(f64, u16)>, default: u16 },
    Texts { batches: Vec<&'a Text<'a>>, codes: HashMap<&'a [u8], u16, foldhash::fast::RandomState>, default: u16 },
    Dictionaries(Vec<(Codes<'a>, &'a Text<'a>, Vec<u16>)>),
    Bools(Vec<(Bits<'a>, Option<Bits<'a>>)>, [u16; 2]),
}

impl<'a> Placer<'a> {
    /// Reads the kind of the column; a kind the indicator cannot use is an error.
    pub(super) fn new(card: &'a Card, indicator: &'a Indicator, batches: &'a [Batch<'a>]) -> Result<Self> {
        let column = card.columns.get(indicator.column).map_or("", String::as_str);
        let found: Vec<&Column<'a>> = batches.iter().filter_map(|batch| batch.get(indicator.column)).collect();
        let missing = indicator.missing() as u16;
        let wrong = |kind: &str, wanted: &str| {
            let name = &indicator.name;
            Error::input(format!("column '{column}' holds {kind}, but indicator '{name}' {wanted}"))
        };
        let numeric = |wanted: &str| {
            measure::measure(batches, indicator.column, column)
                .map_err(|_| wrong(found.first().map_or("nothing", |column| column.kind()), wanted))
        };
        let kind = match (&indicator.reading, found.first()) {
            (Reading::Bands { cuts, range }, _) => Kind::Bands {
                measure: numeric("cuts a measure: convert it to numbers, or give categories")?,
                steps: cuts.thresholds().map(|threshold| Step { threshold, more: 1 }).collect(),
                range: *range,
                special: numbers(indicator, 0, &wrong)?,
            },
            (Reading::Categories { count }, Some(Column::Text(_) | Column::Dictionary(..))) => {
                let codes: HashMap<_, _, _> =
                    pairs(indicator, *count).map(|(text, code)| (text.as_bytes(), code)).collect();
                texts(indicator, &found, codes)
            }
            (Reading::Categories { count }, Some(Column::Bool(..))) => {
                let mut table = [indicator.default.map_or(UNKNOWN, |code| code as u16); 2];
                for (text, code) in pairs(indicator, *count) {
                    let [no, yes] = &mut table;
                    match text {
                        "true" => *yes = code,
                        "false" => *no = code,
                        other => return Err(wrong("true or false", &format!("has a category '{other}'"))),
                    }
                }
                let bools = found.iter().filter_map(|column| match column {
                    Column::Bool(bits, validity) => Some((*bits, *validity)),
                    _ => None,
                });
                Kind::Bools(bools.collect(), table)
            }
            (Reading::Categories { count }, _) => Kind::Numbers {
                measure: numeric("has categories: convert the column to text, or to numbers")?,
                // Where all values are missing nothing says whether categories are texts or numbers.
                codes: match found.first() {
                    Some(Column::Null(_)) => Vec::new(),
                    _ => numbers(indicator, *count, &wrong)?,
                },
                default: indicator.default.map_or(UNKNOWN, |code| code as u16),
            },
        };
        Ok(Self { indicator, column, missing, kind })
    }

    /// Writes the code of every row of `piece`, whose first row is row `first` of the frame.
    pub(super) fn codes(&self, piece: &Piece, first: usize, codes: &mut Vec<u16>) -> Result<()> {
        codes.clear();
        codes.reserve(piece.len());
        match &self.kind {
            Kind::Bands { measure, steps, range, special } => {
                let (mut problem, mut bands) = (None, Vec::new());
                measure.blocks(piece, |block| {
                    let start = codes.len();
                    bands.resize(block.len(), 0);
                    codes.resize(start + block.len(), 0);
                    let placed = codes.get_mut(start..).unwrap_or(&mut []);
                    let finite = place(block, 0, steps, &mut bands);
                    widen(&bands, placed);
                    if finite && special.is_empty() && range.is_none() {
                        return;
                    }
                    let (low, high) = range.unwrap_or((f64::MIN, f64::MAX));
                    for (row, (value, code)) in block.iter().zip(placed).enumerate() {
                        if value.is_nan() {
                            *code = self.missing;
                        } else if let Some((_, found)) = special.iter().find(|(key, _)| key == value) {
                            *code = *found;
                        } else if !(low..=high).contains(value) {
                            problem = problem.or(Some((start + row, *value)));
                        }
                    }
                });
                if let Some((row, value)) = problem {
                    return Err(self.outside(first + row, value, *range));
                }
            }
            Kind::Numbers { measure, codes: known, default } => {
                let mut infinite = None;
                measure.blocks(piece, |block| {
                    let start = codes.len();
                    codes.extend(block.iter().map(|value| {
                        let found = known.binary_search_by(|(key, _)| key.total_cmp(&(value + 0.0)));
                        match found.ok().and_then(|place| known.get(place)) {
                            Some((_, code)) => *code,
                            None if value.is_nan() => self.missing,
                            None => *default,
                        }
                    }));
                    let found = block.iter().position(|value| value.is_infinite());
                    infinite = infinite.or_else(|| found.map(|row| start + row));
                });
                if let Some(row) = infinite {
                    return Err(self.outside(first + row, f64::INFINITY, None));
                }
            }
            Kind::Texts { batches, codes: known, default } => {
                if let Some(text) = batches.get(piece.batch) {
                    let code = |bytes: &[u8]| known.get(bytes).copied().unwrap_or(*default);
                    codes.extend(piece.rows.clone().map(|row| text.bytes(row).map_or(self.missing, code)));
                }
            }
            Kind::Dictionaries(batches) => {
                if let Some((found, _, table)) = batches.get(piece.batch) {
                    let rows = piece.rows.clone();
                    match (found, table.first_chunk::<EVERY_BYTE>()) {
                        (Codes::Narrow(found), Some(table)) => {
                            let found = found.values.get(rows).unwrap_or(&[]);
                            codes.extend(found.iter().map(|place| table.get(usize::from(*place)).unwrap_or(&0)));
                        }
                        (found, _) => {
                            let code = |row| table.get(found.get(row)?).copied();
                            codes.extend(rows.map(|row| code(row).unwrap_or(self.missing)));
                        }
                    }
                    if let Some(present) = found.validity() {
                        let rows = codes.iter_mut().zip(piece.rows.clone());
                        rows.filter(|(_, row)| !present.get(*row)).for_each(|(code, _)| *code = self.missing);
                    }
                }
            }
            Kind::Bools(batches, [no, yes]) => {
                if let Some((bits, validity)) = batches.get(piece.batch) {
                    codes.extend(piece.rows.clone().map(|row| match validity {
                        Some(validity) if !validity.get(row) => self.missing,
                        _ if bits.get(row) => *yes,
                        _ => *no,
                    }));
                }
            }
        }
        if codes.iter().copied().max() != Some(UNKNOWN) {
            return Ok(()); // a whole look without branches is quicker than one that ends early
        }
        match codes.iter().position(|&code| code == UNKNOWN) {
            Some(place) => Err(self.unknown(piece, place, first + place)),
            None => Ok(()),
        }
    }

    fn outside(&self, row: usize, value: f64, range: Option<(f64, f64)>) -> Error {
        let Self { column, indicator, .. } = self;
        match range {
            Some((low, high)) if value.is_finite() => Error::input(format!(
                "column '{column}' is {value} in row {row}, outside the range {low} to {high} of indicator '{}'; correct \
                 it, or name it in special",
                indicator.name
            )),
            _ => Error::input(format!(
                "column '{column}' holds infinity in row {row}; infinity is never data: correct it, or make it missing"
            )),
        }
    }

    /// The error of a category nobody named: `place` in the piece, `row` of the frame.
    fn unknown(&self, piece: &Piece, place: usize, row: usize) -> Error {
        let at = piece.rows.start + place;
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let value = match &self.kind {
            Kind::Texts { batches, .. } => text(batches.get(piece.batch).and_then(|batch| batch.bytes(at))),
            Kind::Dictionaries(batches) => {
                text(batches.get(piece.batch).and_then(|(codes, texts, _)| texts.bytes(codes.get(at)?)))
            }
            Kind::Bools(batches, _) => batches.get(piece.batch).is_some_and(|(bits, _)| bits.get(at)).to_string(),
            Kind::Bands { measure, .. } | Kind::Numbers { measure, .. } => {
                let (mut seen, mut value) = (0, f64::NAN);
                measure.blocks(piece, |block| {
                    value = place.checked_sub(seen).and_then(|place| block.get(place)).copied().unwrap_or(value);
                    seen += block.len();
                });
                value.to_string()
            }
        };
        let Self { column, indicator, .. } = self;
        let count = if let Reading::Categories { count } = indicator.reading { count } else { 0 };
        Error::input(format!(
            "column '{column}' is '{value}' in row {row}, which indicator '{}' gives no points; its categories are {}. \
             Add it, or give a default",
            indicator.name,
            near(&value, indicator, count)
        ))
    }
}

widest! {
    fn widen(bands: &[i8], codes: &mut [u16]) = widen_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn widen_each(bands: &[i8], codes: &mut [u16]) {
    codes.iter_mut().zip(bands).for_each(|(code, band)| *code = *band as u16);
}

/// Categories and special values as text, with their codes.
fn pairs(indicator: &Indicator, count: usize) -> impl Iterator<Item = (&str, u16)> {
    let named = indicator.outcomes.iter().take(count).enumerate().map(|(code, outcome)| (outcome.text.as_str(), code));
    let special = indicator.special.iter().map(|(text, code)| (text.as_str(), code.unwrap_or(indicator.missing())));
    named.chain(special).map(|(text, code)| (text, code as u16))
}

/// The same as numbers, ascending.
fn numbers(indicator: &Indicator, count: usize, wrong: &dyn Fn(&str, &str) -> Error) -> Result<Vec<(f64, u16)>> {
    let number = |(text, code): (&str, u16)| match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((number + 0.0, code)),
        _ => Err(wrong("numbers", &format!("names '{text}'; wanted a number"))),
    };
    let mut found = pairs(indicator, count).map(number).collect::<Result<Vec<_>>>()?;
    found.sort_by(|one, other| one.0.total_cmp(&other.0));
    match found.iter().zip(found.iter().skip(1)).find(|(one, other)| one.0 == other.0) {
        Some((twice, _)) => Err(wrong("numbers", &format!("names {} twice", twice.0))),
        None => Ok(found),
    }
}

fn texts<'a>(
    indicator: &'a Indicator,
    found: &[&'a Column<'a>],
    codes: HashMap<&'a [u8], u16, foldhash::fast::RandomState>,
) -> Kind<'a> {
    let default = indicator.default.map_or(UNKNOWN, |code| code as u16);
    let mut plain = Vec::new();
    let mut dictionaries = Vec::new();
    for column in found {
        match column {
            Column::Text(text) => plain.push(text),
            Column::Dictionary(places, text) => {
                let code = |bytes: &[u8]| codes.get(bytes).copied().unwrap_or(default);
                let missing = indicator.missing() as u16;
                let mut table: Vec<u16> = (0..text.len()).map(|row| text.bytes(row).map_or(missing, code)).collect();
                table.resize(table.len().max(EVERY_BYTE), missing);
                dictionaries.push((*places, text, table));
            }
            _ => {}
        }
    }
    if dictionaries.is_empty() {
        Kind::Texts { batches: plain, codes, default }
    } else {
        Kind::Dictionaries(dictionaries)
    }
}
