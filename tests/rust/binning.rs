//! Bins against naive oracles and linfa, through the public interface only.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests are tests

use linfa::{
    DatasetBase,
    prelude::{Fit, Predict},
};
use linfa_clustering::KMeans;
use ndarray::{Array1, Array2};
use proptest::prelude::*;
use rand_xoshiro::{Xoshiro256Plus, rand_core::SeedableRng};
use xifen_core::{
    binning::{Bins, Config, fit, rfm, transform},
    cancel::Cancel,
    column::{Batch, Column, Values},
};

fn config(fields: &str) -> Config {
    xifen_core::from_json::<Config>(&format!(r#"{{"columns": [{{"name": "x", {fields}}}], "most_bins": 100}}"#))
        .unwrap()
}

fn floats(values: &[f64]) -> Vec<Batch<'_>> {
    vec![vec![Column::Float64(Values::dense(values))]]
}

fn inertia(values: &[f64], scores: &[i8]) -> f64 {
    let means: Vec<f64> = (0..=127)
        .map(|score| {
            let part = || values.iter().zip(scores).filter(|(_, s)| **s == score).map(|(value, _)| *value);
            part().sum::<f64>() / part().count() as f64
        })
        .collect();
    values.iter().zip(scores).map(|(value, score)| (value - means[*score as usize]).powi(2)).sum()
}

#[test]
fn linfas_kmeans_is_never_better_from_any_start() {
    for seed in 0..6u64 {
        let mut state = seed + 1;
        let values: Vec<f64> = (0..300)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                -((state >> 11) as f64 / (1u64 << 53) as f64).ln() * 100.0
            })
            .collect();
        let k = 2 + seed as usize;
        let config = config(&format!(r#""n_bins": {k}, "strategy": "kmeans""#));
        let (batches, cancel) = (floats(&values), Cancel::new());
        let bins = fit(&batches, &config, &cancel).unwrap();
        let own = inertia(&values, &transform(&batches, &config, &bins, &cancel).unwrap()[0].values);
        let dataset = DatasetBase::from(Array2::from_shape_vec((values.len(), 1), values.clone()).unwrap());
        for start in 0..10 {
            let model = KMeans::params_with_rng(k, Xoshiro256Plus::seed_from_u64(start)).fit(&dataset).unwrap();
            let labels: Array1<usize> = model.predict(&dataset.records);
            let scores: Vec<i8> = labels.iter().map(|&label| label as i8).collect();
            assert!(own <= inertia(&values, &scores) * (1.0 + 1e-12), "k {k}, start {start}");
        }
    }
}

proptest! {
    #[test]
    fn scores_are_one_plus_the_edges_below(
        values in prop::collection::vec(prop_oneof![(-9i32..9).prop_map(f64::from), Just(f64::NAN), -1e6..1e6], 1..300),
        mut edges in prop::collection::vec((-9i32..9).prop_map(f64::from), 1..7),
        left in any::<bool>(), descending in any::<bool>(), cut in 0usize..300,
    ) {
        edges.sort_by(f64::total_cmp);
        let bins = vec![Bins { left: vec![left; edges.len()], edges: edges.clone() }];
        let config = config(&format!(r#""descending": {descending}"#));
        let (front, back) = values.split_at(cut.min(values.len()));
        let batches = [floats(front), floats(back)].concat();
        let found = transform(&batches, &config, &bins, &Cancel::new()).unwrap();
        for (row, value) in values.iter().enumerate() {
            let missing = found[0].missing.as_ref().is_some_and(|missing| missing[row]);
            prop_assert_eq!(missing, value.is_nan());
            if !missing {
                let below = edges.iter().filter(|&edge| if left { value >= edge } else { value > edge }).count();
                let wanted = if descending { edges.len() + 1 - below } else { below + 1 };
                prop_assert_eq!(usize::try_from(found[0].values[row]).unwrap(), wanted);
            }
        }
    }

    #[test]
    fn every_integer_width_bins_like_float64(values in prop::collection::vec(0u8..100, 1..200), n_bins in 2usize..9) {
        let config = config(&format!(r#""n_bins": {n_bins}, "strategy": "quantile""#));
        let wide: Vec<f64> = values.iter().map(|&value| f64::from(value)).collect();
        let signed: Vec<i64> = values.iter().map(|&value| i64::from(value)).collect();
        let units: Vec<i128> = values.iter().map(|&value| i128::from(value) * 100).collect();
        let wanted = fit(&floats(&wide), &config, &Cancel::new()).unwrap();
        for column in [
            Column::UInt8(Values::dense(&values)),
            Column::Int64(Values::dense(&signed)),
            Column::Decimal(Values::dense(&units), 2),
        ] {
            prop_assert_eq!(&fit(&[vec![column]], &config, &Cancel::new()).unwrap(), &wanted);
        }
    }
}

#[test]
fn a_raised_flag_stops_the_work() {
    let values: Vec<f64> = (0..100_000).map(f64::from).collect();
    let cancel = Cancel::new();
    cancel.cancel();
    for strategy in ["quantile", "kmeans", "median"] {
        let config = config(&format!(r#""strategy": "{strategy}""#));
        assert_eq!(fit(&floats(&values), &config, &cancel), Err(xifen_core::Error::Cancelled), "{strategy}");
    }
}

#[test]
fn cells_count_through_the_grid() {
    let (recency, frequency, monetary) = ([10.0, 90.0, f64::NAN], [3.0, 1.0, 1.0], [5.0, 50.0, 5.0]);
    let batch = [&recency, &frequency, &monetary].map(|values| Column::Float64(Values::dense(values))).into();
    let config = xifen_core::from_json::<Config>(
        r#"{"columns": [{"name": "r", "descending": true}, {"name": "f"}, {"name": "m"}],
            "most_bins": 20, "weights": [2, 1, 1]}"#,
    );
    let bins: Vec<_> = [30.0, 2.0, 20.0].iter().map(|&edge| Bins { edges: vec![edge], left: vec![false] }).collect();
    let found = rfm(&[batch], &config.unwrap(), &bins, &Cancel::new()).unwrap();
    assert_eq!(found.cells, ["111", "112", "121", "122", "211", "212", "221", "222"]);
    assert_eq!(found.cell, [6, 1, -1]);
    assert_eq!(found.score[..2], [1.75, 1.25]);
    assert!(found.score[2].is_nan());
}
