//! K-prototypes against naive oracles and published data, through the public interface only.

use proptest::prelude::*;
use xifen_core::{
    Error,
    cancel::Cancel,
    cluster::{
        Matrix,
        kprototypes::{Clusters, Config, Mixed, costs, fit, predict},
    },
};

/// Rows as a naive reader likes them.
#[derive(Debug, Clone)]
struct Table {
    /// Per row.
    numbers: Vec<Vec<f64>>,
    codes: Vec<Vec<i32>>,
    weights: Vec<f64>,
}

impl Table {
    fn dims(&self) -> usize {
        self.numbers[0].len()
    }

    fn columns(&self) -> usize {
        self.codes[0].len()
    }

    fn with<T>(&self, work: impl FnOnce(&Mixed<'_>) -> T) -> T {
        let numbers = self.numbers.concat();
        let codes: Vec<i32> =
            (0..self.columns()).flat_map(|column| self.codes.iter().map(move |row| row[column])).collect();
        let matrix = Matrix::new(&numbers, self.numbers.len(), self.dims(), false).unwrap();
        work(&Mixed::new(matrix, &codes, self.columns()).unwrap())
    }

    fn fit(&self, clusters: usize, fields: &str) -> Clusters {
        let config = config(clusters, fields);
        self.with(|mixed| fit(mixed, Some(&self.weights), None, &config, &Cancel::new())).unwrap()
    }

    fn cost(&self, row: usize, mean: &[f64], mode: &[i32], gamma: f64) -> f64 {
        let square: f64 = self.numbers[row].iter().zip(mean).map(|(a, b)| (a - b) * (a - b)).sum();
        let unlike = self.codes[row].iter().zip(mode).filter(|(a, b)| a != b).count();
        square + gamma * unlike as f64
    }

    /// What a grouping costs at the least: with the means and modes of its clusters.
    fn cost_of(&self, labels: &[usize], clusters: usize, gamma: f64) -> f64 {
        let mut total = 0.0;
        for cluster in 0..clusters {
            let own: Vec<usize> = (0..labels.len()).filter(|row| labels[*row] == cluster).collect();
            let weight: f64 = own.iter().map(|row| self.weights[*row]).sum();
            if weight == 0.0 {
                continue;
            }
            for dim in 0..self.dims() {
                let mean = own.iter().map(|row| self.weights[*row] * self.numbers[*row][dim]).sum::<f64>() / weight;
                total +=
                    own.iter().map(|row| self.weights[*row] * (self.numbers[*row][dim] - mean).powi(2)).sum::<f64>();
            }
            for column in 0..self.columns() {
                let tally = |code: i32| -> f64 {
                    own.iter().filter(|row| self.codes[**row][column] == code).map(|row| self.weights[*row]).sum()
                };
                total += gamma * (weight - (0..10).map(tally).fold(0.0, f64::max));
            }
        }
        total
    }

    /// Holds a fit to what it must be: prototypes are means and modes, labels the first cheapest ones', and no row
    /// alone can be moved so that the whole costs less.
    fn check(&self, found: &Clusters, clusters: usize) {
        let (dims, columns, gamma) = (self.dims(), self.columns(), found.gamma);
        let labels: Vec<usize> = found.labels.iter().map(|label| *label as usize).collect();
        let mean = |c: usize| &found.means[c * dims..(c + 1) * dims];
        let mode = |c: usize| &found.modes[c * columns..(c + 1) * columns];
        let mut total = 0.0;
        for (row, label) in labels.iter().enumerate() {
            let own = self.cost(row, mean(*label), mode(*label), gamma);
            total += self.weights[row] * own;
            for other in 0..clusters {
                let apart = self.cost(row, mean(other), mode(other), gamma);
                assert!(if other < *label { apart > own - 1e-9 } else { apart >= own - 1e-9 });
            }
        }
        assert!((total - found.cost).abs() <= 1e-9 * (1.0 + total));
        let least = self.cost_of(&labels, clusters, gamma);
        assert!((total - least).abs() <= 1e-9 * (1.0 + total), "{total} is more than {least}");
        for row in 0..labels.len() {
            let alone = (0..labels.len()).filter(|r| labels[*r] == labels[row] && self.weights[*r] > 0.0).count() < 2;
            for other in 0..clusters {
                let mut moved = labels.clone();
                moved[row] = other;
                assert!(alone || self.cost_of(&moved, clusters, gamma) >= total - 1e-7 * (1.0 + total));
            }
        }
    }
}

fn config(clusters: usize, fields: &str) -> Config {
    let rest = r#""max_iter": 100, "label_order": null, "seed": 1"#;
    xifen_core::from_json::<Config>(&format!(r#"{{"n_clusters": {clusters}, {fields}, {rest}}}"#)).unwrap()
}

fn tables() -> impl Strategy<Value = (Table, usize)> {
    (0usize..3, 0usize..4, 4usize..40, 1usize..5).prop_flat_map(|(dims, columns, rows, clusters)| {
        let columns = if dims == 0 { columns.max(1) } else { columns };
        let numbers = prop::collection::vec(prop::collection::vec((-5i32..5).prop_map(f64::from), dims), rows);
        let codes = prop::collection::vec(prop::collection::vec(0i32..4, columns), rows);
        let weights = prop_oneof![
            Just(vec![1.0; rows]),
            prop::collection::vec((0i32..4).prop_map(|weight| f64::from(weight) / 2.0), rows),
        ];
        (numbers, codes, weights)
            .prop_filter("a row must count", |(_, _, weights)| weights.iter().any(|weight| *weight > 0.0))
            .prop_map(move |(numbers, codes, weights)| (Table { numbers, codes, weights }, clusters))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_row_alone_can_make_a_grouping_better(
        (table, clusters) in tables(),
        start in prop_oneof![Just("Huang"), Just("Cao"), Just("random")],
        gamma in prop_oneof![Just("null"), Just("1.5")],
    ) {
        let found = table.fit(clusters, &format!(r#""init": "{start}", "n_init": 2, "gamma": {gamma}"#));
        table.check(&found, clusters);
        let prototypes = Table {
            numbers: (0..clusters).map(|c| found.means[c * table.dims()..(c + 1) * table.dims()].to_vec()).collect(),
            codes: (0..clusters).map(|c| found.modes[c * table.columns()..(c + 1) * table.columns()].to_vec()).collect(),
            weights: vec![1.0; clusters],
        };
        let cancel = Cancel::new();
        let (labels, each) = table.with(|rows| prototypes.with(|prototypes| (
            predict(rows, prototypes, found.gamma, &[], &cancel).unwrap(),
            costs(rows, prototypes, found.gamma, &[], &cancel).unwrap(),
        )));
        prop_assert_eq!(&labels, &found.labels);
        for (place, cost) in each.iter().enumerate() {
            let (row, cluster) = (place / clusters, place % clusters);
            let wanted = table.cost(row, &prototypes.numbers[cluster], &prototypes.codes[cluster], found.gamma);
            prop_assert!((cost - wanted).abs() <= 1e-9);
        }
        // From its own prototypes a fit moves nowhere.
        let given = config(clusters, &format!(r#""init": null, "n_init": 1, "gamma": {}"#, found.gamma));
        let again = table.with(|rows| prototypes.with(|starts| {
            fit(rows, Some(&table.weights), Some(starts), &given, &cancel).unwrap()
        }));
        prop_assert!(again.cost <= found.cost * (1.0 + 1e-12));
    }

    #[test]
    fn many_starts_find_the_best_of_all_groupings(
        (numbers, codes) in (1usize..8).prop_flat_map(|rows| (
            prop::collection::vec(prop::collection::vec((-5i32..5).prop_map(f64::from), 1), rows),
            prop::collection::vec(prop::collection::vec(0i32..3, 2), rows),
        )),
    ) {
        let rows = numbers.len();
        let table = Table { numbers, codes, weights: vec![1.0; rows] };
        let clusters = rows.min(3);
        let found = table.fit(clusters, r#""init": "random", "n_init": 40, "gamma": 2"#);
        let grouping = |number: usize| -> Vec<usize> {
            (0..rows).map(|row| number / clusters.pow(row as u32) % clusters).collect()
        };
        let all = (0..clusters.pow(rows as u32)).map(|number| table.cost_of(&grouping(number), clusters, 2.0));
        let best = all.fold(f64::INFINITY, f64::min);
        prop_assert!((found.cost - best).abs() <= 1e-9 * (1.0 + best), "{} is not {best}", found.cost);
    }

    #[test]
    fn the_largest_cluster_comes_first((table, clusters) in tables()) {
        let text = format!(
            r#"{{"n_clusters": {clusters}, "init": "Huang", "n_init": 1, "gamma": 1, "max_iter": 100, "label_order": "size",
            "seed": 3}}"#
        );
        let config = xifen_core::from_json::<Config>(&text).unwrap();
        let found = table.with(|mixed| fit(mixed, Some(&table.weights), None, &config, &Cancel::new())).unwrap();
        let size = |cluster: usize| -> f64 {
            table.weights.iter().zip(&found.labels).filter(|(_, l)| **l as usize == cluster).map(|(w, _)| w).sum()
        };
        let sizes: Vec<f64> = (0..clusters).map(size).collect();
        prop_assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    }
}

#[test]
fn columns_of_very_many_categories_are_grouped_too() {
    // Every other row has a category of its own; no loss of one makes the cost rise.
    let codes: Vec<Vec<i32>> =
        (0..70_000).map(|row| vec![if row % 2 == 0 { row / 2 } else { row % 7 }, row % 3]).collect();
    let table = Table { numbers: vec![vec![]; 70_000], codes, weights: vec![1.0; 70_000] };
    let found = table.fit(4, r#""init": "Huang", "n_init": 1, "gamma": null"#);
    let labels: Vec<usize> = found.labels.iter().map(|label| *label as usize).collect();
    assert_eq!(found.gamma, 1.0);
    assert!(labels.iter().max() == Some(&3) && found.cost < 2.0 * 70_000.0 - 10_000.0);
}

#[test]
fn a_raised_flag_ends_a_fit() {
    let codes = (0..50_000).map(|row| vec![row % 3, row % 5]).collect();
    let table = Table { numbers: vec![vec![]; 50_000], codes, weights: vec![1.0; 50_000] };
    let cancel = Cancel::new();
    cancel.cancel();
    let config = config(5, r#""init": "Huang", "n_init": 1, "gamma": null"#);
    assert_eq!(table.with(|mixed| fit(mixed, None, None, &config, &cancel)).unwrap_err(), Error::Cancelled);
}
