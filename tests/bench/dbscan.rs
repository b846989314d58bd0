//! Our DBSCAN beside linfa's over a grid: `cargo run --release -p xifen-core --example dbscan`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value
)]

use std::time::Instant;

use ndarray::Array2;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use xifen_core::{
    cancel::Cancel,
    cluster::{
        Matrix,
        dbscan::{Config, fit},
    },
};

#[path = "../rust/linfa_grid.rs"]
mod linfa_grid;

/// Overlapping groups of normally distributed rows.
fn blobs(rows: usize, dims: usize) -> Vec<f64> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
    let mut uniform = move || (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let mut normal = move || (-2.0 * (1.0 - uniform()).ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    let centres: Vec<f64> = (0..8 * dims).map(|_| normal() * 1.5).collect();
    (0..rows * dims).map(|place| centres[place / dims % 8 * dims + place % dims] + normal() * 0.4).collect()
}

fn main() {
    let arguments: Vec<f64> = std::env::args().skip(1).map(|argument| argument.parse().unwrap()).collect();
    let cases = if let [rows, dims, eps] = arguments[..] {
        vec![(rows as usize, dims as usize, eps)]
    } else {
        vec![(100_000, 2, 0.02), (100_000, 3, 0.05), (100_000, 3, 0.1), (50_000, 5, 0.3)]
    };
    println!("rows x columns, eps: ours ms, linfa over our grid ms");
    for (rows, dims, eps) in cases {
        let values = blobs(rows, dims);
        let matrix = Matrix::new(&values, rows, dims, false).unwrap();
        let config = format!(r#"{{"eps": {eps}, "min_samples": 5, "label_order": null}}"#);
        let config = xifen_core::from_json::<Config>(&config).unwrap();
        let mut best = f64::INFINITY;
        let mut found = fit(&matrix, None, &config, &Cancel::new()).unwrap();
        for _ in 0..5 {
            let start = Instant::now();
            found = fit(&matrix, None, &config, &Cancel::new()).unwrap();
            best = best.min(start.elapsed().as_secs_f64() * 1e3);
        }
        let clusters = found.labels.iter().max().unwrap() + 1;
        print!("{rows} x {dims}, {eps} ({clusters} clusters, {} core): {best:.1}", found.cores.len());
        if rows <= 200_000 {
            let array = Array2::from_shape_vec((rows, dims), values.clone()).unwrap();
            let start = Instant::now();
            let theirs = linfa_grid::labels(&array, eps, 5);
            print!(", {:.1}", start.elapsed().as_secs_f64() * 1e3);
            assert_eq!(found.labels, theirs);
        }
        println!();
    }
}
