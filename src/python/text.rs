//! From messages to one row per customer: arguments in, columns out.

use pyo3::{prelude::*, types::PyDict};
use xifen_core::text::{self, Config};

use crate::{
    convert::{Frame, customer_ids, numpy},
    error, run,
};

/// The table of `keyword_table`: `columns` under their names, and `warnings`.
#[pyfunction]
#[pyo3(signature = (messages, config, n_jobs=None))]
pub(crate) fn keyword_table<'py>(
    py: Python<'py>,
    messages: Frame,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = xifen_core::from_json::<Config>(config).map_err(|failure| error::to_python(py, failure))?;
    let table = run::run(py, n_jobs, |cancel| text::keyword_table(&messages.batches()?, &config, cancel))?;
    let out = PyDict::new(py);
    out.set_item("customer_id", customer_ids(py, table.ids)?)?;
    out.set_item("message_count", numpy(py, table.message_count))?;
    for ((group, _), columns) in config.keywords.iter().zip(table.groups) {
        out.set_item(format!("{group}_count"), numpy(py, columns.count))?;
        out.set_item(format!("{group}_per_message"), numpy(py, columns.per_message))?;
        out.set_item(format!("{group}_messages_with"), numpy(py, columns.messages_with))?;
    }
    let about = PyDict::new(py);
    about.set_item("columns", out)?;
    about.set_item("warnings", table.warnings)?;
    Ok(about)
}
