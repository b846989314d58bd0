//! Segments as SQL rules: arguments in, columns out.
#![allow(clippy::needless_pass_by_value)] // pyo3 hands arguments over by value

use pyo3::{prelude::*, types::PyDict};
use serde::Serialize;
use xifen_core::{
    Error, Result,
    rules::{self, Codes, Config, Flags, Lists, Tagged},
};

use crate::{
    convert::{self, Element, Frame},
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
    run::run(py, n_jobs, |cancel| rules::learn(&frame.batches()?, &xifen_core::from_json::<Vec<_>>(learned)?, cancel))
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
    Ok((numpy_codes(py, labelled.codes), labelled.overflows))
}

/// The tags, families and lists of every row: bits and validity as Arrow has them, or bytes and masks as numpy does.
#[pyfunction]
#[pyo3(signature = (frame, config, bits, lists, n_jobs=None))]
pub(crate) fn rules_tags<'py>(
    py: Python<'py>,
    frame: Frame,
    config: &str,
    bits: bool,
    lists: bool,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let found = run::run(py, n_jobs, |cancel| {
        let batches = frame.batches()?;
        let checked = Config::from_json(config)?.check(&batches)?;
        Ok(if bits {
            Either::Bits(rules::tags(&batches, &checked, lists, cancel)?)
        } else {
            Either::Bytes(rules::tags(&batches, &checked, lists, cancel)?)
        })
    })?;
    match found {
        Either::Bits(tagged) => tagged_columns(py, tagged),
        Either::Bytes(tagged) => tagged_columns(py, tagged),
    }
}

enum Either {
    Bits(Tagged<u64>),
    Bytes(Tagged<i8>),
}

fn tagged_columns<F: Element>(py: Python<'_>, tagged: Tagged<F>) -> PyResult<Bound<'_, PyDict>> {
    let out = PyDict::new(py);
    let Flags { each, values, masks, unknown } = tagged.tags;
    out.set_item("tags", (each, convert::numpy(py, values), convert::numpy(py, masks), unknown))?;
    out.set_item("families", tagged.families.into_iter().map(|codes| numpy_codes(py, codes)).collect::<Vec<_>>())?;
    let list = |list: Lists| (convert::numpy(py, list.offsets), convert::numpy(py, list.codes));
    out.set_item("lists", tagged.lists.into_iter().flatten().map(list).collect::<Vec<_>>())?;
    out.set_item("overflows", tagged.overflows)?;
    Ok(out)
}

fn numpy_codes(py: Python<'_>, codes: Codes) -> Bound<'_, PyAny> {
    match codes {
        Codes::Small(codes) => convert::numpy(py, codes),
        Codes::Large(codes) => convert::numpy(py, codes),
    }
}

/// Why the rows have their labels, as JSON.
#[pyfunction]
pub(crate) fn rules_explain(py: Python<'_>, frame: Frame, config: &str, rows: Vec<usize>) -> PyResult<String> {
    run::run(py, ONE, |cancel| {
        let batches = frame.batches()?;
        let checked = Config::from_json(config)?.check(&batches)?;
        to_json(&rules::explain(&batches, &checked, &rows, cancel)?)
    })
}

/// What the rules do with every combination of values, as JSON, for columns of the configured kinds.
#[pyfunction]
pub(crate) fn rules_coverage(py: Python<'_>, config: &str) -> PyResult<String> {
    run::run(py, ONE, |cancel| to_json(&rules::coverage(&Config::from_json(config)?.check_without_data()?, cancel)?))
}

/// The same questions asked of the rows of a frame, as JSON.
#[pyfunction]
#[pyo3(signature = (frame, config, n_jobs=None))]
pub(crate) fn rules_coverage_of_rows(
    py: Python<'_>,
    frame: Frame,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<String> {
    run::run(py, n_jobs, |cancel| {
        let batches = frame.batches()?;
        let checked = Config::from_json(config)?.check(&batches)?;
        to_json(&rules::coverage_of_rows(&batches, &checked, cancel)?)
    })
}

/// One CASE expression, for columns of the configured kinds.
#[pyfunction]
pub(crate) fn rules_sql(py: Python<'_>, config: &str) -> PyResult<String> {
    let sql = Config::from_json(config).and_then(|config| rules::sql::case(&config.check_without_data()?));
    sql.map_err(|failure| error::to_python(py, failure))
}

/// Every tag's condition and every exclusive family's CASE by name, as JSON.
#[pyfunction]
pub(crate) fn rules_tag_sql(py: Python<'_>, config: &str) -> PyResult<String> {
    let sql = Config::from_json(config).and_then(|config| to_json(&config.check_without_data()?.tag_sql()?));
    sql.map_err(|failure| error::to_python(py, failure))
}

/// The rules' texts with columns renamed.
#[pyfunction]
pub(crate) fn rules_renamed(py: Python<'_>, config: &str, columns: Vec<(String, String)>) -> PyResult<Vec<String>> {
    let texts = Config::from_json(config).and_then(|config| config.renamed(&columns));
    texts.map_err(|failure| error::to_python(py, failure))
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|failure| Error::input(format!("cannot be written: {failure}")))
}
