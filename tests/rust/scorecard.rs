//! Scorecards against sums done one value at a time; weights against published examples.

use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use xifen_core::{
    cancel::Cancel,
    column::{Bits, Column, Values},
    scorecard::{AhpConfig, Config, EntropyConfig, Points, Scored, ahp_weights, check, entropy_weights, score},
};

fn config(value: &Value) -> Config {
    xifen_core::from_json::<Config>(&value.to_string()).unwrap()
}

fn run(card: &Value, columns: Vec<Column<'_>>) -> Result<Scored, String> {
    let card = config(card).card().map_err(|failure| failure.to_string())?;
    let batches = [columns];
    check(&batches, &card, &Cancel::new()).map_err(|failure| failure.to_string())?;
    score(&batches, &card, &Cancel::new()).map_err(|failure| failure.to_string())
}

fn floats(values: &[f64]) -> Column<'_> {
    Column::Float64(Values::dense(values))
}

proptest! {
    #[test]
    fn totals_are_the_exact_weighted_sums(
        ages in prop::collection::vec(prop_oneof![Just(f64::NAN), Just(-999.0), -10.0..90.0, Just(25.0), Just(45.0)], 1..200),
        points in prop::collection::vec(-999i64..999, 3),
        special in -50i64..50,
        missing in -50i64..50,
        share in 1i64..999,
    ) {
        let decimal = |units: i64| Decimal::new(units, 1).to_string();
        let card = json!({
            "columns": ["age", "orders"],
            "indicators": [
                {"name": "age", "label": "age", "column": 0, "edges": ["< 25", "<= 45"],
                 "points": points.iter().copied().map(decimal).collect::<Vec<_>>(),
                 "special": [[-999, decimal(special)]], "missing": decimal(missing)},
                {"name": "orders", "label": "orders", "column": 1, "edges": [50], "points": ["0.1", "1000"]},
            ],
            "weights": [Decimal::new(share, 3).to_string(), (Decimal::ONE - Decimal::new(share, 3)).to_string()],
        });
        let orders: Vec<i32> = (0..ages.len() as i32).collect();
        let scored = run(&card, vec![floats(&ages), Column::Int32(Values::dense(&orders))]).unwrap();
        for (row, age) in ages.iter().enumerate() {
            let tenths = if age.is_nan() {
                missing
            } else if *age == -999.0 {
                special
            } else {
                points[usize::from(*age >= 25.0) + usize::from(*age > 45.0)]
            };
            let weight = Decimal::new(share, 3);
            let second = if row > 50 { Decimal::from(1000) } else { Decimal::new(1, 1) };
            let total = weight * Decimal::new(tenths, 1) + (Decimal::ONE - weight) * second;
            prop_assert_eq!(scored.total[row], total.to_string().parse::<f64>().unwrap());
            let Points::Any(columns) = &scored.points else { panic!() };
            prop_assert_eq!(columns[row], Decimal::new(tenths, 1).to_string().parse::<f64>().unwrap());
            prop_assert!((0.0..=100.0).contains(&scored.score[row]));
        }
    }
}

#[test]
fn whole_points_stay_whole_and_missing_ones_are_marked() {
    let card = json!({
        "columns": ["vip"],
        "indicators": [{"name": "vip", "label": "vip", "column": 0, "categories": [[true, 30], [false, 5]]}],
        "reason": "zh",
    });
    let (bits, validity) = ([0b0101u8], [0b0111u8]);
    let column = Column::Bool(Bits::new(&bits, 0, 4).unwrap(), Bits::new(&validity, 0, 4));
    let scored = run(&card, vec![column]).unwrap();
    let missing = Some(vec![false, false, false, true]);
    assert_eq!(scored.points, Points::Whole(vec![30, 5, 30, i16::MIN], vec![missing]));
    assert_eq!(scored.total[..3], [30.0, 5.0, 30.0]);
    assert!(scored.total[3].is_nan() && scored.score[3].is_nan());
    let reasons = scored.reasons.unwrap();
    let text = String::from_utf8(reasons.bytes).unwrap();
    assert_eq!(text, "各项满分vip false：5/30分各项满分无法评分，缺少vip");
    assert_eq!(reasons.offsets.len(), 5);
}

#[test]
fn weights_of_many_digits_need_no_rounding() {
    // 1/3 and 2/3 as float64 writes them; their units do not fit 64 bits.
    let card = json!({
        "columns": ["x"],
        "indicators": [
            {"name": "a", "label": "a", "column": 0, "edges": [0], "points": ["0.001", "99.999"]},
            {"name": "b", "label": "b", "column": 0, "edges": [0], "points": [1, 100]},
        ],
        "weights": [1.0 / 3.0, 2.0 / 3.0],
    });
    let scored = run(&card, vec![floats(&[-1.0, 1.0])]).unwrap();
    // Python: float(Fraction(Decimal("0.3333333333333333")) * Fraction("0.001") + ...) over the sum of the weights;
    // equal points stay what they are.
    assert_eq!(scored.total, [0.667, 99.999_666_666_666_67]);
    assert_eq!(scored.score, [0.0, 100.0]);
}

#[test]
fn a_value_that_cannot_be_scored_names_its_row() {
    let card = |fields: Value| {
        let mut indicator = json!({"name": "a", "label": "a", "column": 0});
        indicator.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({"columns": ["x"], "indicators": [indicator]})
    };
    let ranged = card(json!({"edges": [5], "points": [0, 1], "range": [0, 10]}));
    let mut values = vec![1.0; 70_000];
    values[69_999] = 11.0;
    let found = run(&ranged, vec![floats(&values)]).unwrap_err();
    assert!(found.contains("'x' is 11 in row 69999, outside the range 0 to 10"), "{found}");
    values[66_000] = f64::INFINITY;
    let found = run(&ranged, vec![floats(&values)]).unwrap_err();
    assert!(found.contains("infinity in row 66000"), "{found}");
    let found = run(&card(json!({"categories": [[1, 5], [2, 6]]})), vec![floats(&[1.0, 2.0, 3.0])]).unwrap_err();
    assert!(found.contains("'x' is '3' in row 2") && found.contains("its categories are 1, 2"), "{found}");
}

#[test]
fn every_total_is_listed_once() {
    let card = json!({
        "columns": ["x"],
        "indicators": [
            {"name": "a", "label": "a", "column": 0, "edges": [0, 1], "points": [0, 10, 20]},
            {"name": "b", "label": "b", "column": 0, "edges": [0], "points": [0, 10], "missing": "2.5"},
        ],
    });
    let (totals, scores) = config(&card).card().unwrap().totals().unwrap();
    assert_eq!(totals, [0.0, 2.5, 10.0, 12.5, 20.0, 22.5, 30.0]);
    assert_eq!(scores[2], 100.0 / 3.0);
}

fn ahp(matrix: Value, allow: bool) -> Result<xifen_core::scorecard::AhpWeights, String> {
    let names: Vec<_> = (0..matrix.as_array().unwrap().len()).map(|place| format!("c{place}")).collect();
    let text = json!({"names": names, "matrix": matrix, "allow_inconsistent": allow}).to_string();
    ahp_weights(&xifen_core::from_json::<AhpConfig>(&text).unwrap()).map_err(|failure| failure.to_string())
}

#[test]
fn consistent_comparisons_give_their_ratios_back() {
    let found = ahp(json!([[1, 2, 4], ["1/2", 1, 2], [null, null, 1]]), false).unwrap();
    for (weight, wanted) in found.weights.iter().zip([4.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0]) {
        assert!((weight - wanted).abs() < 1e-15);
    }
    assert!(found.consistency_ratio.abs() < 1e-12);
    assert_eq!(ahp(json!([[1, 9], ["1/9", 1]]), false).unwrap().consistency_ratio, 0.0);
}

#[test]
fn contradictions_are_refused_and_named() {
    let circle = json!([[1, 5, "1/5"], [null, 1, 5], [null, null, 1]]);
    let found = ahp(circle.clone(), false).unwrap_err();
    assert!(found.contains("consistency ratio is") && found.contains("furthest"), "{found}");
    assert!(ahp(circle, true).unwrap().consistency_ratio > 0.1);
}

#[test]
fn entropy_does_not_depend_on_missing_rows_or_batches() {
    let text = json!({"columns": ["a", "b"], "descending": [false, false], "scale": "share"}).to_string();
    let config = xifen_core::from_json::<EntropyConfig>(&text).unwrap();
    let whole = [vec![floats(&[1.0, 2.0, 5.0]), floats(&[3.0, 3.0, 4.0])]];
    let wanted = entropy_weights(&whole, &config, &Cancel::new()).unwrap();
    let parts = [
        vec![floats(&[1.0, f64::NAN]), floats(&[3.0, 100.0])],
        vec![floats(&[2.0, 5.0, 9.0]), floats(&[3.0, 4.0, f64::NAN])],
    ];
    assert_eq!(entropy_weights(&parts, &config, &Cancel::new()).unwrap(), wanted);
    assert!((wanted.iter().sum::<f64>() - 1.0).abs() < 1e-15);
}
