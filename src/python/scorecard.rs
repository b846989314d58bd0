//! Scorecards and weights: arguments in, columns out.

use pyo3::{prelude::*, types::PyDict};
use xifen_core::{
    Error,
    scorecard::{self, AhpConfig, Config, EntropyConfig, Points, Scored},
};

use crate::{
    convert::{Frame, numpy, text_array},
    error,
    run::run,
};

/// Scores every row, or (without `place`) only looks at every value.
#[pyfunction]
pub(crate) fn scorecard_points<'py>(
    py: Python<'py>,
    frame: Frame,
    config: &str,
    place: bool,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let scored = run(py, n_jobs, |cancel| {
        let batches = frame.batches()?;
        let card = xifen_core::from_json::<Config>(config)?.card()?;
        if place {
            scorecard::score(&batches, &card, cancel).map(Some)
        } else {
            scorecard::check(&batches, &card, cancel).map(|()| None)
        }
    })?;
    let out = PyDict::new(py);
    let Some(Scored { points, total, score, reasons }) = scored else { return Ok(out) };
    let (points, missing) = match points {
        Points::Whole(points, missing) => {
            let missing = missing.into_iter().map(|missing| missing.map(|missing| numpy(py, missing)));
            (numpy(py, points), Some(missing.collect::<Vec<_>>()))
        }
        Points::Any(points) => (numpy(py, points), None),
    };
    out.set_item("points", (points, missing))?;
    out.set_item("total", numpy(py, total))?;
    out.set_item("score", numpy(py, score))?;
    out.set_item("reasons", reasons.map(|reasons| text_array(py, reasons)).transpose()?)?;
    Ok(out)
}

/// The checked scorecard as JSON: lowest and highest total, and a row per outcome.
#[pyfunction]
pub(crate) fn scorecard_table(py: Python<'_>, config: &str) -> PyResult<String> {
    let card = xifen_core::from_json::<Config>(config).and_then(|config| config.card());
    card.map(|card| card.describe()).map_err(|failure| error::to_python(py, failure))
}

/// Every total there can be, ascending, as points and on the scale from 0 to 100.
#[pyfunction]
pub(crate) fn scorecard_totals<'py>(py: Python<'py>, config: &str) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let (totals, scores) = run(py, Some(1), |_| xifen_core::from_json::<Config>(config)?.card()?.totals())?;
    Ok((numpy(py, totals), numpy(py, scores)))
}

/// One weight per column, by entropy.
#[pyfunction]
pub(crate) fn entropy_weights(py: Python<'_>, frame: Frame, config: &str, n_jobs: Option<i64>) -> PyResult<Vec<f64>> {
    run(py, n_jobs, |cancel| {
        scorecard::entropy_weights(&frame.batches()?, &xifen_core::from_json::<EntropyConfig>(config)?, cancel)
    })
}

/// Weights by pairwise comparison and their consistency, as JSON.
#[pyfunction]
pub(crate) fn ahp_weights(py: Python<'_>, config: &str) -> PyResult<String> {
    let weights = xifen_core::from_json::<AhpConfig>(config).and_then(|config| scorecard::ahp_weights(&config));
    weights
        .and_then(|weights| serde_json::to_string(&weights).map_err(|failure| Error::parameter(failure.to_string())))
        .map_err(|failure| error::to_python(py, failure))
}
