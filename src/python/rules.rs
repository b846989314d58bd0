//! Segments as SQL rules: arguments in, columns out.
#![allow(clippy::needless_pass_by_value)] // pyo3 hands arguments over by value

use pyo3::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use xifen_core::{
    Error, Result,
    rules::{self, Codes, Config},
};

use crate::{
    convert::{self, Frame},
    error, run,
};

/// Work for one thread.
const ONE: Option<i64> = Some(1);

/// The columns the rules read, each of which must be among the known ones (None: any may be).
#[pyfunction]
pub(crate) fn rules_columns(py: Python<'_>, config: &str, known: Option<Vec<String>>) -> PyResult<Vec<String>> {
    let columns = Config::from_json(config).and_then(|config| config.columns(known.as_deref()));
    columns.map_err(|failure| error::to_python(py, failure))
}

/// The kinds of the frame's columns, as JSON, once the rules fit them.
#[pyfunction]
pub(crate) fn rules_check(py: Python<'_>, frame: Frame, config: &str) -> PyResult<String> {
    run::run(py, ONE, |_| to_json(&Config::from_json(config)?.check(&frame.batches()?)?.kinds))
}

/// Learns parameters from the frame's columns.
#[pyfunction]
#[pyo3(signature = (frame, learned, n_jobs=None))]
pub(crate) fn rules_learn(py: Python<'_>, frame: Frame, learned: &str, n_jobs: Option<i64>) -> PyResult<Vec<f64>> {
    run::run(py, n_jobs, |cancel| rules::learn(&frame.batches()?, &from_json::<Vec<_>>(learned)?, cancel))
}

/// A code per row (-1 is missing), and how many whole-number results did not fit 64 bits.
#[pyfunction]
#[pyo3(signature = (frame, config, n_jobs=None))]
pub(crate) fn rules_labels<'py>(
    py: Python<'py>,
    frame: Frame,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<(Bound<'py, PyAny>, u64)> {
    let labelled = run::run(py, n_jobs, |cancel| {
        let batches = frame.batches()?;
        let checked = Config::from_json(config)?.check(&batches)?;
        rules::labels(&batches, &checked, cancel)
    })?;
    let codes = match labelled.codes {
        Codes::Small(codes) => convert::numpy(py, codes),
        Codes::Large(codes) => convert::numpy(py, codes),
    };
    Ok((codes, labelled.overflows))
}

/// Why the rows have their labels, as JSON.
#[pyfunction]
pub(crate) fn rules_explain(py: Python<'_>, frame: Frame, config: &str, rows: Vec<usize>) -> PyResult<String> {
    run::run(py, ONE, |_| {
        let batches = frame.batches()?;
        let checked = Config::from_json(config)?.check(&batches)?;
        to_json(&rules::explain(&batches, &checked, &rows)?)
    })
}

/// What the rules do with every combination of values, as JSON, for columns of the configured kinds.
#[pyfunction]
pub(crate) fn rules_coverage(py: Python<'_>, config: &str) -> PyResult<String> {
    run::run(py, ONE, |cancel| to_json(&rules::coverage(&Config::from_json(config)?.check_without_data()?, cancel)?))
}

/// One CASE expression, for columns of the configured kinds.
#[pyfunction]
pub(crate) fn rules_sql(py: Python<'_>, config: &str) -> PyResult<String> {
    let sql = Config::from_json(config).and_then(|config| rules::sql::case(&config.check_without_data()?));
    sql.map_err(|failure| error::to_python(py, failure))
}

/// The rules' texts with columns renamed.
#[pyfunction]
pub(crate) fn rules_renamed(py: Python<'_>, config: &str, columns: Vec<(String, String)>) -> PyResult<Vec<String>> {
    let texts = Config::from_json(config).and_then(|config| config.renamed(&columns));
    texts.map_err(|failure| error::to_python(py, failure))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|failure| Error::parameter(format!("cannot be read: {failure}")))
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|failure| Error::input(format!("cannot be written: {failure}")))
}
