//! Customers grouped by likeness of numbers and categories: arrays in, arrays out.

use pyo3::{prelude::*, types::PyDict};
use xifen_core::cluster::kprototypes::{self, Config};

use crate::{
    convert::{MixedRows, Vector, numpy},
    error,
    run::run,
};

/// Groups rows by k-prototypes; `starts` are the prototypes to start from, where they are given.
#[pyfunction]
pub(crate) fn prototypes_fit<'py>(
    py: Python<'py>,
    rows: MixedRows<'py>,
    weights: Option<Vector<'py, f64>>,
    starts: Option<MixedRows<'py>>,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = xifen_core::from_json::<Config>(config).map_err(|failure| error::to_python(py, failure))?;
    let weights = weights.as_ref().map(Vector::slice).transpose()?;
    let starts = starts.as_ref().map(MixedRows::mixed).transpose()?;
    let rows = rows.mixed()?;
    let clusters = run(py, n_jobs, |cancel| kprototypes::fit(&rows, weights, starts.as_ref(), &config, cancel))?;
    let out = PyDict::new(py);
    out.set_item("means", numpy(py, clusters.means))?;
    out.set_item("modes", numpy(py, clusters.modes))?;
    out.set_item("labels", numpy(py, clusters.labels))?;
    out.set_item("cost", clusters.cost)?;
    out.set_item("gamma", clusters.gamma)?;
    out.set_item("rounds", clusters.rounds)?;
    out.set_item("found", clusters.found)?;
    Ok(out)
}

/// The cluster of each row.
#[pyfunction]
pub(crate) fn prototypes_predict<'py>(
    py: Python<'py>,
    rows: MixedRows<'py>,
    prototypes: MixedRows<'py>,
    gamma: f64,
    columns: Vec<String>,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyAny>> {
    let (rows, prototypes) = (rows.mixed()?, prototypes.mixed()?);
    let labels = run(py, n_jobs, |cancel| kprototypes::predict(&rows, &prototypes, gamma, &columns, cancel))?;
    Ok(numpy(py, labels))
}

/// What each row costs with every prototype, row after row.
#[pyfunction]
pub(crate) fn prototypes_costs<'py>(
    py: Python<'py>,
    rows: MixedRows<'py>,
    prototypes: MixedRows<'py>,
    gamma: f64,
    columns: Vec<String>,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyAny>> {
    let (rows, prototypes) = (rows.mixed()?, prototypes.mixed()?);
    let costs = run(py, n_jobs, |cancel| kprototypes::costs(&rows, &prototypes, gamma, &columns, cancel))?;
    Ok(numpy(py, costs))
}
