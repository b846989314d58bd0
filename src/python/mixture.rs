//! Gaussian mixtures: arrays in, arrays out.

use pyo3::{prelude::*, types::PyDict};
use xifen_core::cluster::gmm::{self, Components, Config, Covariance, Given};

use crate::{
    convert::{Matrix, Vector, either, numpy},
    error,
    run::run,
};

/// What a run starts from, or none: weights, means, precisions, one value behind the other.
type Start<'py> = (Option<Vector<'py, f64>>, Option<Vector<'py, f64>>, Option<Vector<'py, f64>>);

/// Finds the components under which rows are most likely.
#[pyfunction]
pub(crate) fn gmm_fit<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    start: Start<'py>,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = xifen_core::from_json::<Config>(config).map_err(|failure| error::to_python(py, failure))?;
    let (weights, means, precisions) = &start;
    let given = Given {
        weights: weights.as_ref().map(Vector::slice).transpose()?,
        means: means.as_ref().map(Vector::slice).transpose()?,
        precisions: precisions.as_ref().map(Vector::slice).transpose()?,
    };
    let out = PyDict::new(py);
    either!(&rows, rows => {
        let matrix = rows.matrix()?;
        let found = run(py, n_jobs, |cancel| gmm::fit(&matrix, given, &config, cancel))?;
        out.set_item("weights", numpy(py, found.weights))?;
        out.set_item("means", numpy(py, found.means))?;
        out.set_item("covariances", numpy(py, found.covariances))?;
        out.set_item("precisions", numpy(py, found.precisions))?;
        out.set_item("precisions_cholesky", numpy(py, found.precisions_cholesky))?;
        out.set_item("converged", found.converged)?;
        out.set_item("rounds", found.rounds)?;
        out.set_item("lower_bound", found.lower_bound)?;
        out.set_item("labels", found.labels.map(|labels| numpy(py, labels)))?;
        out.set_item("collapsed", found.collapsed)?;
    });
    Ok(out)
}

/// A fitted mixture: weights, means, roots of precisions, one value behind the other, and what kind these are.
type Fitted<'py> = (Vector<'py, f64>, Vector<'py, f64>, Vector<'py, f64>, String);

fn components<'a>(py: Python<'_>, fitted: &'a Fitted<'_>) -> PyResult<Components<'a>> {
    let (weights, means, roots, covariance) = fitted;
    Ok(Components {
        weights: weights.slice()?,
        means: means.slice()?,
        precisions_cholesky: roots.slice()?,
        covariance: Covariance::named(covariance).map_err(|failure| error::to_python(py, failure))?,
    })
}

/// The component of each row.
#[pyfunction]
pub(crate) fn gmm_predict<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    fitted: Fitted<'py>,
    columns: Vec<String>,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyAny>> {
    let components = components(py, &fitted)?;
    either!(&rows, rows => {
        let matrix = rows.matrix()?;
        Ok(numpy(py, run(py, n_jobs, |cancel| gmm::predict(&matrix, components, &columns, cancel))?))
    })
}

/// How likely each row belongs to each component, row after row.
#[pyfunction]
pub(crate) fn gmm_probabilities<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    fitted: Fitted<'py>,
    columns: Vec<String>,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyAny>> {
    let components = components(py, &fitted)?;
    either!(&rows, rows => {
        let matrix = rows.matrix()?;
        Ok(numpy(py, run(py, n_jobs, |cancel| gmm::probabilities(&matrix, components, &columns, cancel))?))
    })
}

/// The logarithm of the density at each row.
#[pyfunction]
pub(crate) fn gmm_log_likelihoods<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    fitted: Fitted<'py>,
    columns: Vec<String>,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyAny>> {
    let components = components(py, &fitted)?;
    either!(&rows, rows => {
        let matrix = rows.matrix()?;
        Ok(numpy(py, run(py, n_jobs, |cancel| gmm::log_likelihoods(&matrix, components, &columns, cancel))?))
    })
}
