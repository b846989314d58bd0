//! Customers grouped by likeness: arrays in, arrays out.

use pyo3::{prelude::*, types::PyDict};
use xifen_core::cluster::{
    dbscan,
    kmeans::{self, BatchConfig, Clusters, Config, Moving},
    metrics::{self, Average, SpreadScore},
};

use crate::{
    convert::{Element, Labels, Matrix, Rows, Vector, either, numpy},
    error,
    run::run,
};

/// Groups rows by k-means; `starts` holds the centres of every run, one set behind the other, where they are given.
#[pyfunction]
pub(crate) fn kmeans_fit<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    weights: Option<Vector<'py, f64>>,
    starts: Option<&Bound<'py, PyAny>>,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = xifen_core::from_json::<Config>(config).map_err(|failure| error::to_python(py, failure))?;
    let weights = weights.as_ref().map(Vector::slice).transpose()?;
    let out = PyDict::new(py);
    either!(&rows, rows => {
        let starts = starts.map(|starts| rows.like(starts)).transpose()?;
        let starts = starts.as_ref().map(Rows::matrix).transpose()?;
        let matrix = rows.matrix()?;
        let clusters = run(py, n_jobs, |cancel| kmeans::fit(&matrix, weights, starts.as_ref(), &config, cancel))?;
        put(&out, clusters)?;
    });
    Ok(out)
}

fn put<T: Element>(out: &Bound<'_, PyDict>, clusters: Clusters<T>) -> PyResult<()> {
    let py = out.py();
    out.set_item("centres", numpy(py, clusters.centres))?;
    out.set_item("origin", numpy(py, clusters.origin))?;
    out.set_item("labels", numpy(py, clusters.labels))?;
    out.set_item("inertia", clusters.inertia)?;
    out.set_item("rounds", clusters.rounds)?;
    out.set_item("found", clusters.found)
}

/// The cluster of each row; `origin` is one row, what rows and centres are measured from.
#[pyfunction]
pub(crate) fn kmeans_predict<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    centres: &Bound<'py, PyAny>,
    origin: &Bound<'py, PyAny>,
    columns: Vec<String>,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyAny>> {
    either!(&rows, rows => {
        let (centres, origin) = (rows.like(centres)?, rows.like(origin)?);
        let (matrix, centres, origin) = (rows.matrix()?, centres.matrix()?, origin.matrix()?);
        let labels = run(py, n_jobs, |cancel| kmeans::predict(&matrix, &centres, &origin, &columns, cancel))?;
        Ok(numpy(py, labels))
    })
}

/// The weighted sum of squared distances of rows to their nearest centres.
#[pyfunction]
pub(crate) fn kmeans_inertia<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    weights: Option<Vector<'py, f64>>,
    centres: &Bound<'py, PyAny>,
    origin: &Bound<'py, PyAny>,
    columns: Vec<String>,
    n_jobs: Option<i64>,
) -> PyResult<f64> {
    let weights = weights.as_ref().map(Vector::slice).transpose()?;
    either!(&rows, rows => {
        let (centres, origin) = (rows.like(centres)?, rows.like(origin)?);
        let (matrix, centres, origin) = (rows.matrix()?, centres.matrix()?, origin.matrix()?);
        run(py, n_jobs, |cancel| kmeans::inertia(&matrix, weights, &centres, &origin, &columns, cancel))
    })
}

/// The distance of each row to every centre, row after row.
#[pyfunction]
pub(crate) fn kmeans_distances<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    centres: &Bound<'py, PyAny>,
    origin: &Bound<'py, PyAny>,
    columns: Vec<String>,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyAny>> {
    either!(&rows, rows => {
        let (centres, origin) = (rows.like(centres)?, rows.like(origin)?);
        let (matrix, centres, origin) = (rows.matrix()?, centres.matrix()?, origin.matrix()?);
        let distances = run(py, n_jobs, |cancel| kmeans::distances(&matrix, &centres, &origin, &columns, cancel))?;
        Ok(numpy(py, distances))
    })
}

/// Groups rows by k-means on random batches.
#[pyfunction]
pub(crate) fn kmeans_batches<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    weights: Option<Vector<'py, f64>>,
    starts: Option<&Bound<'py, PyAny>>,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = xifen_core::from_json::<BatchConfig>(config).map_err(|failure| error::to_python(py, failure))?;
    let weights = weights.as_ref().map(Vector::slice).transpose()?;
    let out = PyDict::new(py);
    either!(&rows, rows => {
        let starts = starts.map(|starts| rows.like(starts)).transpose()?;
        let starts = starts.as_ref().map(Rows::matrix).transpose()?;
        let matrix = rows.matrix()?;
        let found = run(py, n_jobs, |cancel| kmeans::fit_batches(&matrix, weights, starts.as_ref(), &config, cancel))?;
        put(&out, found.clusters)?;
        out.set_item("seen", numpy(py, found.seen))?;
        out.set_item("steps", found.steps)?;
    });
    Ok(out)
}

/// What the last step left: centres, origin, weights seen, rows since centres were looked over.
type Before<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Vector<'py, f64>, usize);

/// One step on one batch.
#[allow(clippy::too_many_arguments)] // Python's keywords, one by one
#[pyfunction]
pub(crate) fn kmeans_batch<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    weights: Option<Vector<'py, f64>>,
    starts: Option<&Bound<'py, PyAny>>,
    before: Option<Before<'py>>,
    steps: u64,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = xifen_core::from_json::<BatchConfig>(config).map_err(|failure| error::to_python(py, failure))?;
    let weights = weights.as_ref().map(Vector::slice).transpose()?;
    let out = PyDict::new(py);
    either!(&rows, rows => {
        let starts = starts.map(|starts| rows.like(starts)).transpose()?;
        let starts = starts.as_ref().map(Rows::matrix).transpose()?;
        let before = match before {
            None => None,
            Some((centres, origin, seen, since)) => Some(Moving {
                centres: rows.like(&centres)?.values()?,
                origin: rows.like(&origin)?.values()?,
                seen: seen.slice()?.to_vec(),
                since,
            }),
        };
        let matrix = rows.matrix()?;
        let (moving, placed) = run(py, n_jobs, |cancel| {
            kmeans::fit_batch(&matrix, weights, starts.as_ref(), before, steps, &config, cancel)
        })?;
        out.set_item("centres", numpy(py, moving.centres))?;
        out.set_item("origin", numpy(py, moving.origin))?;
        out.set_item("seen", numpy(py, moving.seen))?;
        out.set_item("since", moving.since)?;
        if let Some((labels, inertia)) = placed {
            out.set_item("labels", numpy(py, labels))?;
            out.set_item("inertia", inertia)?;
        }
    });
    Ok(out)
}

/// Groups rows by density.
#[pyfunction]
pub(crate) fn dbscan_fit<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    weights: Option<Vector<'py, f64>>,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = xifen_core::from_json::<dbscan::Config>(config).map_err(|failure| error::to_python(py, failure))?;
    let weights = weights.as_ref().map(Vector::slice).transpose()?;
    let found = either!(&rows, rows => {
        let matrix = rows.matrix()?;
        run(py, n_jobs, |cancel| dbscan::fit(&matrix, weights, &config, cancel))?
    });
    let out = PyDict::new(py);
    out.set_item("labels", numpy(py, found.labels))?;
    out.set_item("cores", numpy(py, found.cores))?;
    Ok(out)
}

/// A quality of a grouping of rows, by Davies and Bouldin or by Calinski and Harabasz.
#[pyfunction]
pub(crate) fn cluster_spread<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    labels: Labels<'py>,
    score: &str,
    columns: Vec<String>,
    n_jobs: Option<i64>,
) -> PyResult<f64> {
    let score = SpreadScore::named(score).map_err(|failure| error::to_python(py, failure))?;
    let labels = labels.labels()?;
    either!(&rows, rows => {
        let matrix = rows.matrix()?;
        run(py, n_jobs, |cancel| score.of(&matrix, labels, &columns, cancel))
    })
}

/// The silhouette of every row, or of the rows at `queries`.
#[pyfunction]
pub(crate) fn cluster_silhouettes<'py>(
    py: Python<'py>,
    rows: Matrix<'py>,
    labels: Labels<'py>,
    queries: Option<Vector<'py, i64>>,
    columns: Vec<String>,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyAny>> {
    let labels = labels.labels()?;
    let queries = queries.as_ref().map(Vector::slice).transpose()?;
    either!(&rows, rows => {
        let matrix = rows.matrix()?;
        let each = run(py, n_jobs, |cancel| metrics::silhouettes(&matrix, labels, queries, &columns, cancel))?;
        Ok(numpy(py, each))
    })
}

/// How well two groupings of the same rows agree: the adjusted Rand index, or with an average mutual information
/// divided by it.
#[pyfunction]
pub(crate) fn cluster_agreement<'py>(
    py: Python<'py>,
    first: Labels<'py>,
    second: Labels<'py>,
    average: Option<&str>,
    n_jobs: Option<i64>,
) -> PyResult<f64> {
    let average = average.map(Average::named).transpose().map_err(|failure| error::to_python(py, failure))?;
    let (first, second) = (first.labels()?, second.labels()?);
    run(py, n_jobs, |cancel| match average {
        None => metrics::adjusted_rand(first, second, cancel),
        Some(average) => metrics::normalized_mutual_info(first, second, average, cancel),
    })
}
