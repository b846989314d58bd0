//! DBSCAN against the definition, linfa's over a grid, and itself on other threads and in other orders.

use ndarray::Array2;
use proptest::prelude::*;
use xifen_core::{
    Error,
    cancel::Cancel,
    cluster::{
        Matrix,
        dbscan::{Config, Density, fit},
    },
    math::sum::exact_sum,
};

use crate::linfa_grid;

fn config(eps: f64, min_samples: u64) -> Config {
    xifen_core::from_json::<Config>(&format!(r#"{{"eps": {eps}, "min_samples": {min_samples}, "label_order": null}}"#))
        .unwrap()
}

fn dbscan(rows: &[Vec<f64>], weights: Option<&[f64]>, eps: f64, min_samples: u64) -> Density {
    let flat = rows.concat();
    let matrix = Matrix::new(&flat, rows.len(), rows[0].len(), false).unwrap();
    fit(&matrix, weights, &config(eps, min_samples), &Cancel::new()).unwrap()
}

/// The definition, numbered as scikit-learn does: clusters by their first core row, borders to the first cluster.
fn oracle(rows: &[Vec<f64>], weights: Option<&[f64]>, eps: f64, min_samples: u64) -> Density {
    let square = |a: &[f64], b: &[f64]| a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + (a - b) * (a - b));
    let near = |row: &Vec<f64>| (0..rows.len()).filter(|other| square(row, &rows[*other]) <= eps * eps).collect();
    let near: Vec<Vec<usize>> = rows.iter().map(near).collect();
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let heavy = |row: usize| exact_sum(near[row].iter().map(|other| weight(*other))) >= min_samples as f64;
    let core: Vec<bool> = (0..rows.len()).map(heavy).collect();
    let mut labels = vec![-1; rows.len()];
    let mut clusters = 0;
    for row in 0..rows.len() {
        if labels[row] != -1 || !core[row] {
            continue;
        }
        let mut waiting = vec![row];
        while let Some(row) = waiting.pop() {
            if labels[row] == -1 {
                labels[row] = clusters;
                waiting.extend(near[row].iter().filter(|_| core[row]));
            }
        }
        clusters += 1;
    }
    Density { labels, cores: (0..rows.len() as i64).filter(|row| core[*row as usize]).collect() }
}

/// Lattices, where distances tie with eps; equal rows; and rows of any size.
fn rows() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (1usize..8, 1usize..120).prop_flat_map(|(dims, rows)| {
        let tenths = (-4i32..5).prop_map(|value| f64::from(value) * 0.1);
        let wholes = (-3i32..4).prop_map(f64::from);
        let any = prop_oneof![-2.0..2.0, Just(1e-300), Just(5e-324), Just(1e300), Just(-1.7e308)];
        let value = prop_oneof![
            prop::collection::vec(tenths, dims * rows),
            prop::collection::vec(wholes, dims * rows),
            prop::collection::vec(-1.0..1.0, dims * rows),
            prop::collection::vec(any, dims * rows),
        ];
        value.prop_map(move |values| values.chunks(dims).map(<[f64]>::to_vec).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn it_is_what_it_is_defined_to_be(
        rows in rows(),
        eps in prop_oneof![Just(0.1), Just(0.2), Just(1.0), Just(2.0), Just(1e-140), Just(1e140), 0.01..3.0],
        min_samples in 1u64..9,
        weights in prop_oneof![
            Just(None),
            prop::collection::vec((-2i32..6).prop_map(|weight| f64::from(weight) * 0.1), 120).prop_map(Some),
            prop::collection::vec(prop_oneof![Just(1e16), Just(-1e16), Just(1e-20), 0.0..3.0], 120).prop_map(Some),
        ],
    ) {
        let weights = weights.as_deref().map(|weights| &weights[..rows.len()]);
        prop_assume!(weights.is_none_or(|weights| weights.iter().any(|weight| *weight != 0.0)));
        prop_assert_eq!(dbscan(&rows, weights, eps, min_samples), oracle(&rows, weights, eps, min_samples));
    }

    #[test]
    fn the_order_of_rows_changes_numbers_only(rows in rows(), eps in 0.1..2.0, shift in 1usize..100) {
        let shift = shift % rows.len();
        let mut turned = rows.clone();
        turned.rotate_left(shift);
        let (found, turned) = (dbscan(&rows, None, eps, 4), dbscan(&turned, None, eps, 4));
        let mut cores: Vec<i64> =
            turned.cores.iter().map(|row| (row + shift as i64) % rows.len() as i64).collect();
        cores.sort_unstable();
        prop_assert_eq!(found.cores, cores);
    }
}

/// Groups of several densities, some leaves long.
fn scattered(rows: usize, dims: usize) -> Vec<Vec<f64>> {
    let value = |place: usize| ((place as f64 * 12.9898).sin() * 43758.5453).fract();
    let width = |row: usize| [0.1, 0.5, 2.0][row % 3];
    (0..rows)
        .map(|row| (0..dims).map(|dim| value(row * dims + dim + 1) * width(row) + (row % 7) as f64).collect())
        .collect()
}

#[test]
fn many_leaves_agree_with_the_definition_on_any_threads() {
    for (dims, eps) in [(1, 0.003), (2, 0.03), (3, 0.1), (5, 0.3), (11, 0.9)] {
        let rows = scattered(4_001, dims);
        let weights: Vec<f64> = (0..rows.len()).map(|row| f64::from(row as u32 % 5) * 0.3 - 0.1).collect();
        for weights in [None, Some(&weights[..])] {
            let wanted = oracle(&rows, weights, eps, 5);
            assert!(wanted.labels.iter().max().unwrap() > &1);
            for threads in [1, 2, 8] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let found = pool.install(|| dbscan(&rows, weights, eps, 5));
                assert_eq!(found, wanted, "{dims} columns, {threads} threads");
            }
        }
    }
}

#[test]
fn linfa_over_a_grid_finds_the_same_clusters() {
    for (dims, eps) in [(2, 0.03), (3, 0.1), (4, 0.2)] {
        let rows = scattered(3_000, dims);
        let array = Array2::from_shape_vec((rows.len(), dims), rows.concat()).unwrap();
        assert_eq!(dbscan(&rows, None, eps, 5).labels, linfa_grid::labels(&array, eps, 5));
    }
}

#[test]
fn kinds_and_orders_of_numbers_do_not_matter() {
    let rows = scattered(500, 3);
    let narrow: Vec<f32> = rows.concat().into_iter().map(|value| value as f32).collect();
    let wide: Vec<f64> = narrow.iter().map(|value| f64::from(*value)).collect();
    let by_column: Vec<f32> =
        (0..3).flat_map(|column| (0..500).map(move |row| row * 3 + column)).map(|place| narrow[place]).collect();
    let config = config(0.1, 3);
    let wanted = fit(&Matrix::new(&wide, 500, 3, false).unwrap(), None, &config, &Cancel::new()).unwrap();
    for (values, turned) in [(&narrow, false), (&by_column, true)] {
        let matrix = Matrix::new(values, 500, 3, turned).unwrap();
        assert_eq!(fit(&matrix, None, &config, &Cancel::new()).unwrap(), wanted);
    }
}

#[test]
fn equal_rows_take_no_time_of_their_square() {
    let rows = vec![vec![1.5, -2.0, 1e9]; 200_000];
    let found = dbscan(&rows, None, 1e-9, 200_000);
    assert!(found.labels.iter().all(|label| *label == 0));
    assert!(dbscan(&rows, None, 1e-9, 200_001).cores.is_empty());
}

#[test]
fn size_puts_the_heaviest_cluster_first() {
    let values = [0.0, 0.1, 9.0, 5.0, 5.1, 5.2];
    let matrix = Matrix::new(&values, 6, 1, false).unwrap();
    let config = xifen_core::from_json::<Config>(r#"{"eps": 0.11, "min_samples": 2, "label_order": "size"}"#).unwrap();
    let labels = |weights| fit(&matrix, weights, &config, &Cancel::new()).unwrap().labels;
    assert_eq!(labels(None), [1, 1, -1, 0, 0, 0]);
    assert_eq!(labels(Some(&[9.0, 9.0, 1.0, 1.0, 1.0, 1.0])), [0, 0, -1, 1, 1, 1]);
}

#[test]
fn a_raised_flag_ends_a_fit() {
    let flat = scattered(2_000, 3).concat();
    let matrix = Matrix::new(&flat, 2_000, 3, false).unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    assert_eq!(fit(&matrix, None, &config(0.1, 5), &cancel).unwrap_err(), Error::Cancelled);
}
