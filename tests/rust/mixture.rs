//! Gaussian mixtures against expectation and maximisation as it stands in books, and linfa, through the public
//! interface only.

use linfa::{DatasetBase, prelude::Fit};
use linfa_clustering::GaussianMixtureModel;
use ndarray::Array2;
use proptest::prelude::*;
use rand_xoshiro::{Xoshiro256Plus, rand_core::SeedableRng};
use xifen_core::{
    cancel::Cancel,
    cluster::{
        Matrix,
        gmm::{Components, Config, Covariance, Given, fit, log_likelihoods, predict, probabilities},
    },
};

fn config(components: usize, kind: &str, fields: &str) -> Config {
    let rest = r#""n_init": 1, "label_order": null, "seed": 1, "labels": true"#;
    xifen_core::from_json::<Config>(&format!(
        r#"{{"n_components": {components}, "covariance_type": "{kind}", "reg_covar": 1e-6, {fields}, {rest}}}"#
    ))
    .unwrap()
}

type Square = Vec<Vec<f64>>;

/// The inverse and the logarithm of the determinant, by Gauss and Jordan.
fn inverse(matrix: &Square) -> (Square, f64) {
    let n = matrix.len();
    let mut left = matrix.clone();
    let mut right: Square = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let mut log = 0.0;
    for i in 0..n {
        let pivot = left[i][i];
        log += pivot.ln();
        for j in 0..n {
            left[i][j] /= pivot;
            right[i][j] /= pivot;
        }
        for row in (0..n).filter(|row| *row != i) {
            let factor = left[row][i];
            for j in 0..n {
                left[row][j] -= factor * left[i][j];
                right[row][j] -= factor * right[i][j];
            }
        }
    }
    (right, log)
}

/// One mixture, every covariance written out in full.
#[derive(Debug, Clone)]
struct Book {
    weights: Vec<f64>,
    means: Vec<Vec<f64>>,
    covariances: Vec<Square>,
}

impl Book {
    fn logs(&self, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let inverses: Vec<_> = self.covariances.iter().map(inverse).collect();
        let log = |row: &Vec<f64>, k: usize| {
            let apart: Vec<f64> = row.iter().zip(&self.means[k]).map(|(x, mean)| x - mean).collect();
            let (inverse, determinant) = &inverses[k];
            let products = (0..row.len()).flat_map(|i| (0..row.len()).map(move |j| (i, j)));
            let square: f64 = products.map(|(i, j)| apart[i] * inverse[i][j] * apart[j]).sum();
            self.weights[k].ln() - 0.5 * (row.len() as f64 * std::f64::consts::TAU.ln() + determinant + square)
        };
        rows.iter().map(|row| (0..self.weights.len()).map(|k| log(row, k)).collect()).collect()
    }

    /// The mean log-likelihood, and the mixture after one step of expectation and maximisation.
    fn step(&self, rows: &[Vec<f64>], kind: Covariance) -> (f64, Self) {
        let (dims, clusters) = (rows[0].len(), self.weights.len());
        let logs = self.logs(rows);
        let norm = |logs: &Vec<f64>| {
            let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            top + logs.iter().map(|log| (log - top).exp()).sum::<f64>().ln()
        };
        let norms: Vec<f64> = logs.iter().map(norm).collect();
        let share = |row: usize, k: usize| (logs[row][k] - norms[row]).exp();
        let all = 0..rows.len();
        let totals: Vec<f64> = (0..clusters).map(|k| all.clone().map(|row| share(row, k)).sum()).collect();
        let mut next = self.clone();
        #[allow(clippy::needless_range_loop)] // the formulas' own letters
        for k in 0..clusters {
            next.weights[k] = totals[k] / rows.len() as f64;
            #[allow(clippy::needless_range_loop)] // the same
            for i in 0..dims {
                next.means[k][i] = all.clone().map(|row| share(row, k) * rows[row][i]).sum::<f64>() / totals[k];
            }
            let apart = |row: usize, i: usize| rows[row][i] - next.means[k][i];
            for i in 0..dims {
                for j in 0..dims {
                    let product = |row: usize| share(row, k) * apart(row, i) * apart(row, j);
                    next.covariances[k][i][j] = all.clone().map(product).sum::<f64>() / totals[k];
                }
            }
        }
        let separate = next.covariances.clone();
        for (k, covariance) in next.covariances.iter_mut().enumerate() {
            for i in 0..dims {
                for j in 0..dims {
                    covariance[i][j] = match kind {
                        Covariance::Full => separate[k][i][j],
                        Covariance::Tied => (0..clusters).map(|k| next.weights[k] * separate[k][i][j]).sum(),
                        Covariance::Diag if i == j => separate[k][i][i],
                        Covariance::Spherical if i == j => {
                            (0..dims).map(|i| separate[k][i][i]).sum::<f64>() / dims as f64
                        }
                        _ => 0.0,
                    };
                }
                covariance[i][i] += 1e-6;
            }
        }
        (norms.iter().sum::<f64>() / rows.len() as f64, next)
    }
}

const KINDS: [(&str, Covariance); 4] = [
    ("full", Covariance::Full),
    ("tied", Covariance::Tied),
    ("diag", Covariance::Diag),
    ("spherical", Covariance::Spherical),
];

fn close(found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() <= 1e-8 * (1.0 + wanted.abs()), "{found} {wanted}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn from_the_same_start_it_goes_the_way_of_the_book(
        (rows, clusters, rounds) in (1usize..6, 1usize..4).prop_flat_map(|(dims, clusters)| (
            prop::collection::vec(prop::collection::vec(-3.0..3.0f64, dims), 30..300), Just(clusters), 1usize..6,
        )),
        far in prop_oneof![Just(0.0), Just(1e6)],
    ) {
        let rows: Vec<Vec<f64>> = rows.into_iter().map(|row| row.into_iter().map(|x| x + far).collect()).collect();
        let dims = rows[0].len();
        let flat = rows.concat();
        let matrix = Matrix::new(&flat, rows.len(), dims, false).unwrap();
        let unit: Square = (0..dims).map(|i| (0..dims).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        for (name, kind) in KINDS {
            let mut book = Book {
                weights: vec![1.0 / clusters as f64; clusters],
                means: rows[..clusters].to_vec(),
                covariances: vec![unit.clone(); clusters],
            };
            let (weights, means) = (book.weights.clone(), book.means.concat());
            let precisions = match kind {
                Covariance::Full => unit.concat().repeat(clusters),
                Covariance::Tied => unit.concat(),
                Covariance::Diag => vec![1.0; clusters * dims],
                Covariance::Spherical => vec![1.0; clusters],
            };
            let given = Given { weights: Some(&weights), means: Some(&means), precisions: Some(&precisions) };
            let config = config(clusters, name, &format!(r#""init_params": "kmeans", "tol": 0, "max_iter": {rounds}"#));
            let found = fit(&matrix, given, &config, &Cancel::new()).unwrap();
            let mut bound = 0.0;
            for _ in 0..rounds {
                (bound, book) = book.step(&rows, kind);
            }
            // Where a component shrinks onto few rows, what rounding leaves grows from round to round.
            if book.covariances.iter().any(|covariance| (0..dims).any(|i| covariance[i][i] < 1e-2)) || far > 0.0 && bound > 0.0 {
                continue;
            }
            prop_assert_eq!(found.rounds, rounds);
            close(&[found.lower_bound], &[bound]);
            close(&found.weights, &book.weights);
            let near: Vec<f64> = found.means.iter().map(|mean| mean - far).collect();
            close(&near, &book.means.concat().iter().map(|mean| mean - far).collect::<Vec<_>>());
            let wanted = match kind {
                Covariance::Full => book.covariances.iter().flat_map(|c| c.concat()).collect(),
                Covariance::Tied => book.covariances[0].concat(),
                Covariance::Diag => book.covariances.iter().flat_map(|c| (0..dims).map(|i| c[i][i])).collect(),
                Covariance::Spherical => book.covariances.iter().map(|c| c[0][0]).collect::<Vec<_>>(),
            };
            close(&found.covariances, &wanted);

            let cancel = Cancel::new();
            let components = Components {
                weights: &found.weights,
                means: &found.means,
                precisions_cholesky: &found.precisions_cholesky,
                covariance: kind,
            };
            prop_assert_eq!(Some(predict(&matrix, components, &[], &cancel).unwrap()), found.labels.clone());
            let shares = probabilities(&matrix, components, &[], &cancel).unwrap();
            let likely = log_likelihoods(&matrix, components, &[], &cancel).unwrap();
            for ((shares, likely), logs) in shares.chunks_exact(clusters).zip(likely).zip(book.logs(&rows)) {
                let norm = logs.iter().map(|log| log.exp()).sum::<f64>().ln();
                prop_assert!((likely - norm).abs() < 1e-6 * (1.0 + norm.abs()));
                prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                for (share, log) in shares.iter().zip(logs) {
                    prop_assert!((share - (log - norm).exp()).abs() < 1e-6);
                }
            }
        }
    }
}

/// Three groups of irrational-looking numbers.
fn scattered(rows: usize) -> Vec<f64> {
    let value = |place: usize| ((place as f64 * 12.9898).sin() * 43758.5453).fract();
    (0..rows).flat_map(|row| (0..3).map(move |dim| value(row * 3 + dim + 1) + 2.0 * (row % 3) as f64)).collect()
}

#[test]
fn linfas_mixture_is_not_likelier() {
    let flat = scattered(600);
    let matrix = Matrix::new(&flat, 600, 3, false).unwrap();
    let fields = r#""init_params": "kmeans", "tol": 1e-6, "max_iter": 500"#;
    let ours = fit(&matrix, Given::default(), &config(3, "full", fields), &Cancel::new()).unwrap();
    let dataset = DatasetBase::from(Array2::from_shape_vec((600, 3), flat.clone()).unwrap());
    let theirs = GaussianMixtureModel::params_with_rng(3, Xoshiro256Plus::seed_from_u64(3)).n_runs(5).fit(&dataset);
    let theirs = theirs.unwrap();
    let rows: Vec<Vec<f64>> = flat.chunks_exact(3).map(<[f64]>::to_vec).collect();
    let book = Book {
        weights: theirs.weights().to_vec(),
        means: theirs.means().outer_iter().map(|mean| mean.to_vec()).collect(),
        covariances: theirs
            .covariances()
            .outer_iter()
            .map(|matrix| matrix.outer_iter().map(|row| row.to_vec()).collect())
            .collect(),
    };
    assert!(ours.lower_bound >= book.step(&rows, Covariance::Full).0 - 1e-6);
}

#[test]
fn a_raised_flag_ends_a_fit() {
    let flat = scattered(50_000);
    let matrix = Matrix::new(&flat, 50_000, 3, false).unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    let config = config(3, "diag", r#""init_params": "random", "tol": 0, "max_iter": 100"#);
    assert_eq!(fit(&matrix, Given::default(), &config, &cancel).unwrap_err(), xifen_core::Error::Cancelled);
}
