//! Coverage against looking at a dense grid of values, and the nearest change against trying every cell of one.

use std::collections::BTreeSet;

use proptest::prelude::*;
use xifen_core::{
    cancel::Cancel,
    column::{Batch, Bits, Column, Text, TextLayout, Values},
    rules::{self, Certainty, Checked, Config, interpret::Rows},
};

/// One value of every column; the sixteenths of `real` make four of every stretch between two constants.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    a: Option<i64>,
    b: Option<i64>,
    real: Option<f64>,
    text: Option<&'static str>,
    flag: Option<bool>,
}

const TEXTS: [&str; 8] = ["", "A", "a", "ab", "b", "bb", "c", "客"];

/// Cells as the columns of a batch.
struct Table {
    whole: [(Vec<i64>, Vec<u8>); 2],
    real: (Vec<f64>, Vec<u8>),
    text: (Vec<i64>, Vec<u8>, Vec<u8>),
    flag: (Vec<u8>, Vec<u8>),
    rows: usize,
}

fn pack(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let bits: Vec<bool> = bits.collect();
    bits.chunks(8).map(|eight| eight.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()
}

impl Table {
    fn new(cells: &[Cell]) -> Self {
        let whole = |value: fn(&Cell) -> Option<i64>| {
            let values = cells.iter().map(|cell| value(cell).unwrap_or(9)).collect();
            (values, pack(cells.iter().map(|cell| value(cell).is_some())))
        };
        let mut text = (vec![0], Vec::new(), pack(cells.iter().map(|cell| cell.text.is_some())));
        for cell in cells {
            text.1.extend_from_slice(cell.text.unwrap_or("?").as_bytes());
            text.0.push(text.1.len() as i64);
        }
        Self {
            whole: [whole(|cell| cell.a), whole(|cell| cell.b)],
            real: (
                cells.iter().map(|cell| cell.real.unwrap_or(9.0)).collect(),
                pack(cells.iter().map(|cell| cell.real.is_some())),
            ),
            text,
            flag: (
                pack(cells.iter().map(|cell| cell.flag == Some(true))),
                pack(cells.iter().map(|cell| cell.flag.is_some())),
            ),
            rows: cells.len(),
        }
    }

    fn batch(&self) -> Batch<'_> {
        let validity = |bits| Bits::new(bits, 0, self.rows);
        let [a, b] = &self.whole;
        vec![
            Column::Int64(Values { values: &a.0, validity: validity(&a.1) }),
            Column::Int64(Values { values: &b.0, validity: validity(&b.1) }),
            Column::Float64(Values { values: &self.real.0, validity: validity(&self.real.1) }),
            Column::Text(Text {
                layout: TextLayout::Offsets64(&self.text.0, &self.text.1),
                validity: validity(&self.text.2),
            }),
            Column::Bool(Bits::new(&self.flag.0, 0, self.rows).unwrap(), validity(&self.flag.1)),
        ]
    }
}

fn atom() -> impl Strategy<Value = String> {
    let sign = prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">="]);
    let number = prop::sample::select(vec!["a", "b", "real"]);
    prop_oneof![
        4 => (number.clone(), sign.clone(), 0..4).prop_map(|(column, sign, value)| format!("{column} {sign} {value}")),
        2 => (number.clone(), sign.clone(), number.clone()).prop_map(|(one, sign, other)| format!("{one} {sign} {other}")),
        1 => (number.clone(), 0..4, 0..4).prop_map(|(column, low, high)| format!("{column} BETWEEN {low} AND {high}")),
        1 => (sign, prop::sample::select(vec!["a", "b", "c"])).prop_map(|(sign, text)| format!("text {sign} '{text}'")),
        1 => Just("text IN ('a', 'c')".to_owned()),
        1 => Just("flag".to_owned()),
        1 => prop::sample::select(vec!["a IS NULL", "text IS NOT NULL", "flag IS NULL", "(a > b) IS TRUE"])
            .prop_map(str::to_owned),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    atom().prop_recursive(3, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|a| format!("(NOT {a})")),
        ]
    })
}

fn checked(conditions: &[String], stops: bool, families: Option<&[usize]>, domains: &str) -> Checked {
    let rules: Vec<_> =
        (0..).zip(conditions).map(|(place, text)| format!(r#"{{"label": "r{place}", "text": "{text}"}}"#)).collect();
    let unknown = if stops { "stop" } else { "skip" };
    let families = families.map_or("null".to_owned(), |tags| {
        let tags: Vec<_> = tags.iter().map(|tag| format!("\"r{tag}\"")).collect();
        format!(r#"[{{"name": "f", "tags": [{}], "exclusive": true}}]"#, tags.join(", "))
    });
    let config = format!(
        r#"{{"rules": [{}], "unknown": "{unknown}", "families": {families}, "domains": {domains},
        "names": ["a", "b", "real", "text", "flag"], "kinds": ["whole", "whole", "double", "text", "bool"]}}"#,
        rules.join(", ")
    );
    Config::from_json(&config).unwrap().check_without_data().unwrap()
}

fn values<T: Copy>(reads: bool, asks: bool, all: &[T]) -> Vec<Option<T>> {
    let all = all.iter().copied().map(Some).take(if reads { all.len() } else { 1 });
    all.chain(asks.then_some(None)).collect()
}

/// Every combination of values dense enough to have four in each stretch, of the columns the rules read; `missing`
/// ones, too, in each of these columns or where a rule asks for them.
fn dense(conditions: &[String], missing: bool) -> Vec<Cell> {
    let reads = |name: &str| conditions.iter().any(|text| text.contains(name));
    let asks = |name: &str| {
        let inside = name == "a" || name == "b";
        let asked = |text: &String| {
            text.contains(&format!("{name} IS N")) || text.contains("(a > b) IS NULL") && inside || missing
        };
        conditions.iter().any(asked)
    };
    let whole: Vec<i64> = (-3..7).collect();
    let real: Vec<f64> = (-12..=24).map(|quarter| f64::from(quarter) / 4.0).collect();
    let mut cells = Vec::new();
    for a in values(reads("a ") || reads(" a"), asks("a"), &whole) {
        for b in values(reads("b ") || reads(" b"), asks("b"), &whole) {
            for real in values(reads("real"), missing, &real) {
                for text in values(reads("text"), asks("text"), &TEXTS) {
                    for flag in values(reads("flag"), asks("flag"), &[true, false]) {
                        cells.push(Cell { a, b, real, text, flag });
                    }
                }
            }
        }
    }
    cells
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// What coverage finds, and only that, a dense grid has too.
    #[test]
    fn coverage_finds_what_a_dense_grid_has(conditions in prop::collection::vec(condition(), 1..4), stops in any::<bool>()) {
        let checked = checked(&conditions, stops, None, "[]");
        let found = rules::coverage(&checked, &Cancel::new()).unwrap();
        let cells = dense(&conditions, !stops);
        let table = Table::new(&cells);
        let batch = table.batch();
        let rows = Rows::new(&checked, &batch);
        let count = conditions.len();
        let (mut matches, mut takes, mut pairs) = (vec![false; count], vec![false; count], BTreeSet::new());
        let (mut rest, mut unknown) = (false, false);
        for row in 0..cells.len() {
            let truths: Vec<_> = checked.rules.iter().map(|rule| rows.condition(&rule.condition, row)).collect();
            for (place, truth) in truths.iter().enumerate() {
                matches[place] |= *truth == Some(true);
                pairs.extend((0..place).filter(|first| *truth == Some(true) && truths[*first] == Some(true)).map(|first| (first, place)));
            }
            match truths.iter().position(|truth| *truth == Some(true) || stops && truth.is_none()) {
                Some(place) if truths[place].is_some() => takes[place] = true,
                Some(_) => unknown = true,
                None => rest = true,
            }
        }
        let proven = |finding: &rules::Finding| finding.found == Certainty::Proven;
        for (place, rule) in found.rules.iter().enumerate() {
            prop_assert_eq!(proven(&rule.matches), matches[place], "matches {}", place);
            prop_assert_eq!(proven(rule.takes.as_ref().unwrap()), takes[place], "takes {}", place);
        }
        let ladder = &found.ladders[0];
        prop_assert_eq!((proven(&ladder.rest), proven(&ladder.unknown)), (rest, unknown));
        let overlaps: BTreeSet<_> = ladder.overlaps.iter().flatten().map(|pair| (pair.first, pair.second)).collect();
        prop_assert_eq!(overlaps, pairs);
    }

    /// The nearest change is the nearest of all cells of a grid.
    #[test]
    fn nearest_change_is_the_nearest_cell(
        conditions in prop::collection::vec(condition(), 1..4),
        stops in any::<bool>(),
        tags in any::<bool>(),
        own in (prop::option::weighted(0.9, -2i64..6), prop::option::weighted(0.9, -2i64..6), prop::option::weighted(0.9, 0usize..8), prop::option::weighted(0.9, any::<bool>())),
    ) {
        // Of a line of floats the nearest point of a stretch is none of a grid's.
        let conditions: Vec<_> = conditions.iter().map(|text| text.replace("real", "b")).collect();
        let family: Vec<usize> = (0..conditions.len()).rev().collect();
        let checked = checked(&conditions, stops || tags, tags.then_some(&family), "[]");
        let (a, b, text, flag) = own;
        let own = Cell { a, b, real: Some(0.0), text: text.map(|place| TEXTS[place]), flag };
        let mut cells = vec![own];
        for a in (-5i64..9).map(Some).chain([own.a]) {
            for b in (-5i64..9).map(Some).chain([own.b]) {
                for text in TEXTS.into_iter().map(Some).chain([own.text]) {
                    cells.extend([Some(true), Some(false), own.flag].map(|flag| Cell { a, b, text, flag, ..own }));
                }
            }
        }
        let table = Table::new(&cells);
        let batch = table.batch();
        let told = rules::explain(std::slice::from_ref(&batch), &checked, &[0], &Cancel::new()).unwrap().remove(0);
        let rows = Rows::new(&checked, &batch);
        let label = |row| {
            let truths = checked.rules.iter().map(|rule| rows.condition(&rule.condition, row));
            truths.enumerate().find(|(_, truth)| *truth == Some(true) || stops && truth.is_none())
                .and_then(|(place, truth)| truth.map(|_| place))
        };
        let away = |cell: &Cell| {
            let number = |old: Option<i64>, new: Option<i64>| match (old, new) {
                (Some(old), Some(new)) => ((new - old).abs() as f64) / (1.0 + old.abs() as f64),
                _ => 1.0,
            };
            let changed = [cell.a != own.a, cell.b != own.b, cell.text != own.text, cell.flag != own.flag];
            let costs = [number(own.a, cell.a), number(own.b, cell.b), 1.0, 1.0];
            let distance: f64 = changed.iter().zip(costs).filter(|(changed, _)| **changed).map(|(_, cost)| cost).sum();
            (changed.iter().filter(|changed| **changed).count(), distance)
        };
        let nearest = |wanted: &dyn Fn(usize) -> bool| {
            let found = (0..cells.len()).filter(|row| wanted(*row)).map(|row| away(&cells[row]));
            found.min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))).filter(|(count, _)| *count <= 3)
        };
        let same = |near: Option<&rules::Near>, wanted: Option<(usize, f64)>| match (near, wanted) {
            (Some(near), Some((count, distance))) => near.changes.len() == count && (near.distance - distance).abs() < 1e-9,
            (near, wanted) => near.is_none() && wanted.is_none(),
        };
        if tags {
            for (place, rule) in told.rules.iter().enumerate() {
                let before: Vec<usize> = family.iter().copied().take_while(|other| *other != place).collect();
                let has = |row| {
                    rows.condition(&checked.rules[place].condition, row) == Some(true)
                        && before.iter().all(|other| rows.condition(&checked.rules[*other].condition, row) == Some(false))
                };
                prop_assert_eq!(has(0), rule.tag == Some(true));
                let wanted = if has(0) { None } else { nearest(&has) };
                prop_assert!(same(rule.near.as_ref(), wanted), "{:?} {:?}", rule.near, wanted);
            }
        } else {
            let wanted = nearest(&|row| label(row).is_some_and(|place| Some(place) != label(0)));
            prop_assert!(same(told.near.as_ref(), wanted), "{:?} {:?}", told.near, wanted);
        }
    }
}
