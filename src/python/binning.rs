//! From a measure to a few ordered bins: arguments in, columns out.

use pyo3::{prelude::*, types::PyDict};
use xifen_core::{
    Result,
    binning::{self, Bins, Config, RfmScores, Scores},
};

use crate::{
    convert::{Frame, masked, numpy},
    error,
    run::run,
};

/// One column's inner edges and, per edge, whether it belongs to the upper bin.
type Edges = (Vec<f64>, Vec<bool>);

/// What one call computed: the bins it found, if it was asked to; then scores and what is made of them.
#[derive(Default)]
struct Outcome {
    fitted: Option<Vec<Bins>>,
    scores: Vec<Scores>,
    rfm: Option<RfmScores>,
}

/// Finds bins (unless `edges` brings them) and places rows by them (if `place`), in one crossing.
///
/// With weights in the configuration the three scores are put together as well.
#[pyfunction]
pub(crate) fn bin_columns<'py>(
    py: Python<'py>,
    frame: Frame,
    config: &str,
    edges: Option<Vec<Edges>>,
    place: bool,
    n_jobs: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = xifen_core::from_json::<Config>(config).map_err(|failure| error::to_python(py, failure))?;
    let given = edges.map(|edges| edges.into_iter().map(|(edges, left)| Bins { edges, left }).collect::<Vec<_>>());
    let outcome = run(py, n_jobs, move |cancel| -> Result<Outcome> {
        let batches = frame.batches()?;
        let mut outcome = Outcome::default();
        if given.is_none() {
            outcome.fitted = Some(binning::fit(&batches, &config, cancel)?);
        }
        let bins = given.as_ref().or(outcome.fitted.as_ref()).map_or(&[][..], Vec::as_slice);
        match (place, config.weights.is_null()) {
            (false, _) => {}
            (true, true) => outcome.scores = binning::transform(&batches, &config, bins, cancel)?,
            (true, false) => outcome.rfm = Some(binning::rfm(&batches, &config, bins, cancel)?),
        }
        Ok(outcome)
    })?;
    let out = PyDict::new(py);
    let fitted = outcome.fitted.unwrap_or_default().into_iter();
    out.set_item("edges", fitted.map(|bins| (numpy(py, bins.edges), bins.left)).collect::<Vec<_>>())?;
    let mut scores = outcome.scores;
    if let Some(rfm) = outcome.rfm {
        scores = rfm.scores;
        out.set_item("cell", numpy(py, rfm.cell))?;
        out.set_item("cells", rfm.cells)?;
        out.set_item("score", numpy(py, rfm.score))?;
    }
    let scores: Vec<_> =
        scores.into_iter().map(|scores| masked(py, scores.values, scores.missing)).collect::<PyResult<_>>()?;
    out.set_item("scores", scores)?;
    Ok(out)
}
