//! K-means and measures of groupings against naive oracles and linfa, through the public interface only.

use linfa::{DatasetBase, prelude::Fit};
use linfa_clustering::KMeans;
use ndarray::Array2;
use proptest::prelude::*;
use rand_xoshiro::{Xoshiro256Plus, rand_core::SeedableRng};
use xifen_core::{
    cancel::Cancel,
    cluster::{
        Matrix,
        kmeans::{Config, distances, fit, inertia, predict},
        metrics::{self, Average, Labels},
    },
};

fn config(clusters: usize, fields: &str) -> Config {
    let rest = r#""max_iter": 300, "label_order": null, "seed": 1"#;
    xifen_core::from_json::<Config>(&format!(r#"{{"n_clusters": {clusters}, {fields}, {rest}}}"#)).unwrap()
}

fn square(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Lloyd's algorithm as it is written in books, from the first rows.
fn lloyd(rows: &[Vec<f64>], clusters: usize) -> (Vec<usize>, f64) {
    let dims = rows[0].len();
    let mut centres: Vec<Vec<f64>> = rows[..clusters].to_vec();
    let mut labels = vec![usize::MAX; rows.len()];
    loop {
        let nearest = |row: &Vec<f64>| {
            (0..clusters).fold(0, |a, b| if square(row, &centres[b]) < square(row, &centres[a]) { b } else { a })
        };
        let next: Vec<usize> = rows.iter().map(nearest).collect();
        if next == labels {
            let total = rows.iter().zip(&labels).map(|(row, label)| square(row, &centres[*label])).sum();
            return (labels, total);
        }
        labels = next;
        for (cluster, centre) in centres.iter_mut().enumerate() {
            let own: Vec<&Vec<f64>> =
                rows.iter().zip(&labels).filter(|(_, l)| **l == cluster).map(|(r, _)| r).collect();
            if !own.is_empty() {
                *centre = (0..dims).map(|dim| own.iter().map(|row| row[dim]).sum::<f64>() / own.len() as f64).collect();
            }
        }
    }
}

/// Rows of irrational-looking numbers, so that nothing is tied.
fn scattered(rows: usize, dims: usize) -> Vec<Vec<f64>> {
    let value = |place: usize| ((place as f64 * 12.9898).sin() * 43758.5453).fract();
    (0..rows).map(|row| (0..dims).map(|dim| value(row * dims + dim + 1) + (row % 5) as f64).collect()).collect()
}

#[test]
fn from_the_same_centres_it_goes_the_way_of_the_book() {
    for (rows, dims, clusters) in [(200, 1, 3), (1000, 3, 5), (700, 11, 4), (600, 2, 17)] {
        let rows = scattered(rows, dims);
        let flat: Vec<f64> = rows.iter().flatten().copied().collect();
        let matrix = Matrix::new(&flat, rows.len(), dims, false).unwrap();
        let starts = Matrix::new(&flat[..clusters * dims], clusters, dims, false).unwrap();
        let (labels, total) = lloyd(&rows, clusters);
        let given = config(clusters, r#""init": null, "n_init": 1, "tol": 0"#);
        let found = fit(&matrix, None, Some(&starts), &given, &Cancel::new()).unwrap();
        assert_eq!(found.labels.iter().map(|label| *label as usize).collect::<Vec<_>>(), labels);
        assert!((found.inertia - total).abs() <= 1e-10 * total);

        let centres = Matrix::new(&found.centres, clusters, dims, false).unwrap();
        let origin = Matrix::new(&found.origin, 1, dims, false).unwrap();
        let cancel = Cancel::new();
        assert_eq!(predict(&matrix, &centres, &origin, &[], &cancel).unwrap(), found.labels);
        let again = inertia(&matrix, None, &centres, &origin, &[], &cancel).unwrap();
        assert!((again - found.inertia).abs() <= 1e-12 * total);
        let apart = distances(&matrix, &centres, &origin, &[], &cancel).unwrap();
        for (row, apart) in rows.iter().zip(apart.chunks_exact(clusters)) {
            for (centre, apart) in found.centres.chunks_exact(dims).zip(apart) {
                assert!((square(row, centre).sqrt() - apart).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn linfa_is_not_better_from_twenty_starts() {
    let (rows, dims) = (scattered(400, 3), 3);
    let flat: Vec<f64> = rows.iter().flatten().copied().collect();
    let matrix = Matrix::new(&flat, rows.len(), dims, false).unwrap();
    let ours = config(5, r#""init": "k-means++", "n_init": 20, "tol": 0"#);
    let ours = fit(&matrix, None, None, &ours, &Cancel::new()).unwrap().inertia;
    let dataset = DatasetBase::from(Array2::from_shape_vec((rows.len(), dims), flat.clone()).unwrap());
    let model = KMeans::params_with_rng(5, Xoshiro256Plus::seed_from_u64(3)).n_runs(20).fit(&dataset).unwrap();
    let centres = model.centroids().outer_iter().map(|centre| centre.to_vec()).collect::<Vec<_>>();
    let least = |row: &Vec<f64>| centres.iter().map(|centre| square(row, centre)).fold(f64::INFINITY, f64::min);
    assert!(ours <= rows.iter().map(least).sum::<f64>() * 1.001);
}

#[test]
fn a_raised_flag_ends_a_fit() {
    let flat: Vec<f64> = scattered(50_000, 3).concat();
    let matrix = Matrix::new(&flat, 50_000, 3, false).unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    let config = config(5, r#""init": "k-means++", "n_init": 1, "tol": 0"#);
    assert_eq!(fit(&matrix, None, None, &config, &cancel).unwrap_err(), xifen_core::Error::Cancelled);
}

/// Every pair of rows looked at: in how many are both groupings of one mind?
fn adjusted_rand(first: &[i64], second: &[i64]) -> f64 {
    let (mut both, mut one, mut other, mut neither) = (0.0, 0.0, 0.0, 0.0);
    for i in 0..first.len() {
        for j in 0..i {
            match (first[i] == first[j], second[i] == second[j]) {
                (true, true) => both += 1.0,
                (true, false) => one += 1.0,
                (false, true) => other += 1.0,
                (false, false) => neither += 1.0,
            }
        }
    }
    if one == 0.0 && other == 0.0 {
        return 1.0;
    }
    2.0 * (both * neither - one * other) / ((both + other) * (other + neither) + (both + one) * (one + neither))
}

/// The definition, one row at a time.
fn silhouettes(rows: &[Vec<f64>], labels: &[i64]) -> Vec<f64> {
    let mean_to = |row: usize, label: i64| {
        let others = (0..rows.len()).filter(|other| *other != row && labels[*other] == label);
        let apart: Vec<f64> = others.map(|other| square(&rows[row], &rows[other]).sqrt()).collect();
        if apart.is_empty() { f64::NAN } else { apart.iter().sum::<f64>() / apart.len() as f64 }
    };
    let of = |row: usize| {
        let own = mean_to(row, labels[row]);
        let others = labels.iter().filter(|label| **label != labels[row]).map(|label| mean_to(row, *label));
        let next = others.fold(f64::INFINITY, f64::min);
        let value = (next - own) / own.max(next);
        if own.is_nan() || value.is_nan() { 0.0 } else { value }
    };
    (0..rows.len()).map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn measures_are_what_they_are_defined_to_be(
        (labels, other, seed) in (4usize..60).prop_flat_map(|rows| (
            prop::collection::vec(-2i64..3, rows),
            prop::collection::vec(prop_oneof![0i64..3, Just(i64::MAX)], rows),
            1usize..100,
        ))
    ) {
        let cancel = Cancel::new();
        let (a, b) = (Labels::Wide(&labels), Labels::Wide(&other));
        let found = metrics::adjusted_rand(a, b, &cancel).unwrap();
        prop_assert!((found - adjusted_rand(&labels, &other)).abs() < 1e-12);
        prop_assert_eq!(metrics::adjusted_rand(b, a, &cancel).unwrap(), found);
        let info = metrics::normalized_mutual_info(a, b, Average::Max, &cancel).unwrap();
        prop_assert!((0.0..=1.0 + 1e-12).contains(&info));

        let rows = scattered(labels.len() * seed, 3).split_off(labels.len() * (seed - 1));
        let flat = rows.concat();
        let matrix = Matrix::new(&flat, rows.len(), 3, false).unwrap();
        let groups: std::collections::HashSet<_> = labels.iter().collect();
        let each = metrics::silhouettes(&matrix, a, None, &[], &cancel);
        prop_assert_eq!(each.is_ok(), groups.len() >= 2 && groups.len() < rows.len());
        if let Ok(each) = each {
            for (found, wanted) in each.iter().zip(silhouettes(&rows, &labels)) {
                prop_assert!((found - wanted).abs() < 1e-12);
            }
        }
    }
}
