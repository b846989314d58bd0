//! From an order log to one row per customer: arguments in, columns out.

use pyo3::{prelude::*, types::PyDict};
use xifen_core::{
    column::TimeUnit,
    transactions::{self, Amounts, Config, TimeKind, Unit},
};

use crate::{
    convert::{Frame, customer_ids, decimal_array, masked, numpy},
    error, run,
};

/// The table of `rfm_table`: `columns` under their names, `warnings`, `as_of`, and how to read the times.
#[pyfunction]
#[pyo3(signature = (orders, customers, config, n_jobs=None))]
pub(crate) fn rfm_table<'py>(
    py: Python<'py>,
    orders: Frame,
    customers: Option<Frame>,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = xifen_core::from_json::<Config>(config).map_err(|failure| error::to_python(py, failure))?;
    let table = run::run(py, n_jobs, |cancel| {
        let customers = customers.as_ref().map(Frame::batches).transpose()?;
        transactions::rfm_table(&orders.batches()?, customers.as_deref(), &config, cancel)
    })?;
    let out = PyDict::new(py);
    out.set_item("customer_id", customer_ids(py, table.ids)?)?;
    out.set_item("first_purchase", numpy(py, table.first_purchase))?;
    out.set_item("last_purchase", numpy(py, table.last_purchase))?;
    out.set_item("recency_days", masked(py, table.recency_days, table.no_purchase.clone())?)?;
    out.set_item("order_count", numpy(py, table.order_count))?;
    out.set_item("purchase_days", numpy(py, table.purchase_days))?;
    out.set_item("row_count", numpy(py, table.row_count))?;
    out.set_item("monetary", amounts(py, table.monetary)?)?;
    out.set_item("gross_amount", amounts(py, table.gross_amount)?)?;
    out.set_item("returned_amount", amounts(py, table.returned_amount)?)?;
    out.set_item("mean_order_value", numpy(py, table.mean_order_value))?;
    out.set_item("tenure_days", masked(py, table.tenure_days, table.no_purchase)?)?;
    out.set_item("orders_per_year", numpy(py, table.orders_per_year))?;
    out.set_item("mean_gap_days", numpy(py, table.mean_gap_days))?;
    if let Some(share) = table.discount_share {
        out.set_item("discount_share", numpy(py, share))?;
    }
    for (name, window) in config.windows.iter().zip(table.windows) {
        out.set_item(format!("order_count_{name}"), numpy(py, window.order_count))?;
        out.set_item(format!("monetary_{name}"), amounts(py, window.monetary)?)?;
        out.set_item(format!("order_count_prev_{name}"), numpy(py, window.order_count_prev))?;
        out.set_item(format!("monetary_prev_{name}"), amounts(py, window.monetary_prev)?)?;
    }
    let about = PyDict::new(py);
    about.set_item("columns", out)?;
    about.set_item("warnings", table.warnings)?;
    about.set_item("as_of", table.as_of)?;
    time_kind(&about, &table.time_kind)?;
    Ok(about)
}

/// The table of `clv_table`: `columns` under their names, and `warnings`.
#[pyfunction]
#[pyo3(signature = (orders, config, n_jobs=None))]
pub(crate) fn clv_table<'py>(
    py: Python<'py>,
    orders: Frame,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = xifen_core::from_json::<Config>(config).map_err(|failure| error::to_python(py, failure))?;
    let table = run::run(py, n_jobs, |cancel| transactions::clv_table(&orders.batches()?, &config, cancel))?;
    let out = PyDict::new(py);
    out.set_item("customer_id", customer_ids(py, table.ids)?)?;
    out.set_item("frequency", numpy(py, table.frequency))?;
    out.set_item("recency", numpy(py, table.recency))?;
    out.set_item("T", numpy(py, table.age))?;
    out.set_item("monetary_value", numpy(py, table.monetary_value))?;
    let about = PyDict::new(py);
    about.set_item("columns", out)?;
    about.set_item("warnings", table.warnings)?;
    Ok(about)
}

/// The ledger of a log: `reasons` as codes into `ledger_reasons`, and `duplicates`.
#[pyfunction]
#[pyo3(signature = (orders, config, n_jobs=None))]
pub(crate) fn order_ledger<'py>(
    py: Python<'py>,
    orders: Frame,
    config: &str,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = xifen_core::from_json::<Config>(config).map_err(|failure| error::to_python(py, failure))?;
    let ledger = run::run(py, n_jobs, |cancel| transactions::order_ledger(&orders.batches()?, &config, cancel))?;
    let out = PyDict::new(py);
    out.set_item("reasons", numpy(py, ledger.reasons))?;
    out.set_item("duplicates", numpy(py, ledger.duplicates))?;
    Ok(out)
}

/// A ledger's summary: codes into `ledger_reasons`, rows and first row of each reason that occurs.
#[pyfunction]
pub(crate) fn ledger_summary(py: Python<'_>, ledger: Frame) -> PyResult<[Bound<'_, PyAny>; 3]> {
    let lines = run::run(py, None, |cancel| transactions::ledger_summary(&ledger.batches()?, cancel))?;
    Ok([
        numpy(py, lines.iter().map(|line| line.reason).collect()),
        numpy(py, lines.iter().map(|line| line.rows).collect()),
        numpy(py, lines.iter().map(|line| line.first_row).collect()),
    ])
}

/// Every reason a ledger may hold, in the order in which they are tried.
#[pyfunction]
pub(crate) fn ledger_reasons() -> Vec<&'static str> {
    transactions::ledger_reasons()
}

/// Gives the buffers kept between calls back to the system; how many bytes they were.
#[pyfunction]
pub(crate) fn release_memory() -> usize {
    xifen_core::release_memory()
}

fn amounts(py: Python<'_>, amounts: Amounts) -> PyResult<Bound<'_, PyAny>> {
    match amounts {
        Amounts::Float(amounts) => Ok(numpy(py, amounts)),
        Amounts::Decimal(units, scale) => decimal_array(py, units, None, scale),
    }
}

fn time_kind(about: &Bound<'_, PyDict>, kind: &TimeKind) -> PyResult<()> {
    let unit = match kind.unit {
        Unit::Day => "D",
        Unit::Part(TimeUnit::Second) => "s",
        Unit::Part(TimeUnit::Millisecond) => "ms",
        Unit::Part(TimeUnit::Microsecond) => "us",
        Unit::Part(TimeUnit::Nanosecond) => "ns",
    };
    about.set_item("unit", unit)?;
    about.set_item("zone", &kind.zone)?;
    about.set_item("from_text", kind.from_text)
}
