//! The binding between xifen-core and Python: one file per room, one door for data (`convert`), one for
//! calls (`run`). No loops over data and no decisions here.

#![allow(clippy::needless_pass_by_value)] // pyo3 hands arguments over by value

mod binning;
mod cluster;
mod convert;
mod error;
mod mixture;
mod prototypes;
mod rules;
mod run;
mod scorecard;
mod text;
mod transactions;

use pyo3::prelude::*;

#[pymodule]
mod _core {
    #[pymodule_export]
    use super::binning::bin_columns;
    #[pymodule_export]
    use super::cluster::{
        cluster_agreement, cluster_silhouettes, cluster_spread, dbscan_fit, kmeans_batch, kmeans_batches,
        kmeans_distances, kmeans_fit, kmeans_inertia, kmeans_predict,
    };
    #[pymodule_export]
    use super::did_you_mean;
    #[pymodule_export]
    use super::mixture::{gmm_fit, gmm_log_likelihoods, gmm_predict, gmm_probabilities};
    #[pymodule_export]
    use super::prototypes::{prototypes_costs, prototypes_fit, prototypes_predict};
    #[pymodule_export]
    use super::rules::{
        rules_check, rules_columns, rules_coverage, rules_coverage_of_rows, rules_explain, rules_labels, rules_learn,
        rules_renamed, rules_sql, rules_tag_sql, rules_tags,
    };
    #[pymodule_export]
    use super::scorecard::{ahp_weights, entropy_weights, scorecard_points, scorecard_table, scorecard_totals};
    #[pymodule_export]
    use super::text::keyword_table;
    #[pymodule_export]
    use super::transactions::{clv_table, ledger_reasons, ledger_summary, order_ledger, release_memory, rfm_table};
}

/// `"; did you mean 'x'?"` for the nearest candidate, or an empty text.
#[pyfunction]
fn did_you_mean(name: &str, candidates: Vec<String>) -> String {
    xifen_core::did_you_mean(name, candidates.iter().map(String::as_str))
}
