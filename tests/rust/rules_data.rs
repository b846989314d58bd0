//! Random columns of every kind for the rules' tests.

use proptest::prelude::*;
use xifen_core::column::{Batch, Bits, Codes, Column, Text, TextLayout, TimeUnit, Values};

/// One column of each kind, with small values so that comparisons meet.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    small: Vec<Option<i8>>,
    large: Vec<Option<i64>>,
    natural: Vec<Option<u64>>,
    real: Vec<Option<f64>>,
    single: Vec<Option<f32>>,
    decimal: Vec<Option<i128>>,
    text: Vec<Option<&'static str>>,
    flag: Vec<Option<bool>>,
    /// Decimals with three digits, next to the 38 there can be.
    fine: Vec<Option<i128>>,
    day: Vec<Option<i32>>,
    /// Microseconds.
    moment: Vec<Option<i64>>,
    /// Seconds, shown in Berlin.
    abroad: Vec<Option<i64>>,
}

pub(crate) const NUMBERS: [&str; 7] = ["small", "large", "natural", "real", "single", "decimal", "fine"];
pub(crate) const TIMES: [&str; 3] = ["day", "moment", "abroad"];
pub(crate) const TEXTS: [&str; 4] = ["", "a", "b", "é客"];
const SCALE: i8 = 1;

/// Months' ends, a leap day, the first year, the last day a date can count.
const DAYS: [i32; 8] = [0, 19_751, 19_782, 19_783, 20_634, -1, -719_162, i32::MAX];
/// Hours before and after Berlin's clocks change on 2024-03-31 and 2024-10-27.
const MOMENTS: [i64; 8] =
    [1_711_846_800, 1_711_843_200, 1_729_987_200, 1_729_990_800, 1_729_994_400, 0, -1, 19_782 * 86_400];

pub(crate) fn data() -> impl Strategy<Value = Data> {
    (1usize..200).prop_flat_map(|rows| {
        let column = |values: BoxedStrategy<i64>| prop::collection::vec(prop::option::weighted(0.85, values), rows);
        let near = (-3i64..4).boxed();
        let wide =
            prop_oneof![8 => -3i64..4, 1 => Just(i64::MAX), 1 => Just(i64::MIN), 1 => Just((1i64 << 53) + 1)].boxed();
        (
            (column(near.clone()), column(wide.clone()), column(wide), column(near.clone()), column(near.clone())),
            (column(near.clone()), column((0i64..4).boxed()), column((0i64..2).boxed()), prop::bool::ANY),
            (column(near), column((0i64..8).boxed()), column((0i64..16).boxed()), column((0i64..8).boxed())),
        )
            .prop_map(
                |((small, large, natural, real, single), (decimal, text, flag, nan), (fine, day, moment, abroad))| {
                    let half = |value: i64| value as f64 / 2.0;
                    Data {
                        small: small.into_iter().map(|cell| cell.map(|value| value as i8)).collect(),
                        large,
                        natural: natural.into_iter().map(|cell| cell.map(|value| value as u64)).collect(),
                        real: real
                            .into_iter()
                            .map(|cell| cell.map(|value| if nan && value == 3 { f64::NAN } else { half(value) }))
                            .collect(),
                        single: single.into_iter().map(|cell| cell.map(|value| value as f32 / 10.0)).collect(),
                        decimal: decimal.into_iter().map(|cell| cell.map(|value| i128::from(value) * 5)).collect(),
                        text: text.into_iter().map(|cell| cell.map(|value| TEXTS[value as usize])).collect(),
                        flag: flag.into_iter().map(|cell| cell.map(|value| value == 1)).collect(),
                        fine: fine
                            .into_iter()
                            .map(|cell| {
                                cell.map(|value| if value == 3 { 10i128.pow(38) - 1 } else { i128::from(value) * 250 })
                            })
                            .collect(),
                        day: day.into_iter().map(|cell| cell.map(|value| DAYS[value as usize])).collect(),
                        moment: moment
                            .into_iter()
                            .map(|cell| cell.map(|value| MOMENTS[value as usize / 2] * 1_000_000 + value % 2))
                            .collect(),
                        abroad: abroad.into_iter().map(|cell| cell.map(|value| MOMENTS[value as usize])).collect(),
                    }
                },
            )
    })
}

pub(crate) fn pack(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (row, bit) in bits.enumerate() {
        if row % 8 == 0 {
            bytes.push(0);
        }
        *bytes.last_mut().unwrap() |= u8::from(bit) << (row % 8);
    }
    bytes
}

/// Buffers as a frame library would hold them.
pub(crate) struct Buffers {
    pub(crate) rows: usize,
    validity: Vec<Vec<u8>>,
    small: Vec<i8>,
    large: Vec<i64>,
    natural: Vec<u64>,
    real: Vec<f64>,
    single: Vec<f32>,
    decimal: Vec<i128>,
    text: (Vec<i32>, Vec<u8>),
    codes: Vec<u32>,
    dictionary: (Vec<i32>, Vec<u8>),
    flag: Vec<u8>,
    fine: Vec<i128>,
    day: Vec<i32>,
    moment: Vec<i64>,
    abroad: Vec<i64>,
}

impl Buffers {
    pub(crate) fn new(data: &Data) -> Self {
        fn split<T: Copy + Default>(cells: &[Option<T>]) -> (Vec<T>, Vec<u8>) {
            let values = cells.iter().map(|cell| cell.unwrap_or_default()).collect();
            (values, pack(cells.iter().map(Option::is_some)))
        }
        let mut offsets = vec![0];
        let mut bytes = Vec::new();
        for cell in &data.text {
            bytes.extend_from_slice(cell.unwrap_or("").as_bytes());
            offsets.push(bytes.len() as i32);
        }
        let joined: String = TEXTS.concat();
        let ends: Vec<i32> = TEXTS
            .iter()
            .scan(0, |end, text| {
                *end += text.len() as i32;
                Some(*end)
            })
            .collect();
        let code =
            |cell: Option<&str>| cell.map_or(0, |text| TEXTS.iter().position(|known| *known == text).unwrap()) as u32;
        let (small, a) = split(&data.small);
        let (large, b) = split(&data.large);
        let (natural, c) = split(&data.natural);
        let (real, d) = split(&data.real);
        let (single, e) = split(&data.single);
        let (decimal, f) = split(&data.decimal);
        let text = pack(data.text.iter().map(Option::is_some));
        let flag = pack(data.flag.iter().map(Option::is_some));
        let (fine, g) = split(&data.fine);
        let (day, h) = split(&data.day);
        let (moment, i) = split(&data.moment);
        let (abroad, j) = split(&data.abroad);
        Self {
            rows: data.small.len(),
            validity: vec![a, b, c, d, e, f, g, text.clone(), text, flag, h, i, j],
            fine,
            day,
            moment,
            abroad,
            small,
            large,
            natural,
            real,
            single,
            decimal,
            text: (offsets, bytes),
            codes: data.text.iter().copied().map(code).collect(),
            dictionary: (std::iter::once(0).chain(ends).collect(), joined.into_bytes()),
            flag: pack(data.flag.iter().map(|cell| cell.unwrap_or(true))),
        }
    }

    pub(crate) fn names() -> Vec<String> {
        NUMBERS.iter().chain(&["text", "category", "flag"]).chain(&TIMES).map(ToString::to_string).collect()
    }

    pub(crate) fn batch(&self) -> Batch<'_> {
        let valid = |column: usize| Bits::new(&self.validity[column], 0, self.rows);
        vec![
            Column::Int8(Values { values: &self.small, validity: valid(0) }),
            Column::Int64(Values { values: &self.large, validity: valid(1) }),
            Column::UInt64(Values { values: &self.natural, validity: valid(2) }),
            Column::Float64(Values { values: &self.real, validity: valid(3) }),
            Column::Float32(Values { values: &self.single, validity: valid(4) }),
            Column::Decimal(Values { values: &self.decimal, validity: valid(5) }, SCALE),
            Column::Decimal(Values { values: &self.fine, validity: valid(6) }, 3),
            Column::Text(Text { layout: TextLayout::Offsets32(&self.text.0, &self.text.1), validity: valid(7) }),
            Column::Dictionary(
                Codes::Wide(Values { values: &self.codes, validity: valid(8) }),
                Text { layout: TextLayout::Offsets32(&self.dictionary.0, &self.dictionary.1), validity: None },
            ),
            Column::Bool(Bits::new(&self.flag, 0, self.rows).unwrap(), valid(9)),
            Column::Date(Values { values: &self.day, validity: valid(10) }),
            Column::Timestamp(Values { values: &self.moment, validity: valid(11) }, TimeUnit::Microsecond, None),
            Column::Timestamp(
                Values { values: &self.abroad, validity: valid(12) },
                TimeUnit::Second,
                Some("Europe/Berlin"),
            ),
        ]
    }
}
