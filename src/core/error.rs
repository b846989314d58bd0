//! The one error type. Every message is a sentence for a person: what went wrong, where, what was
//! found, what was wanted and what to do next.

/// Why a kernel gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The data cannot be used: a column or a row is at fault.
    #[error("{0}")]
    Input(String),
    /// A parameter cannot be used.
    #[error("{0}")]
    Parameter(String),
    /// A rule's text cannot be used.
    #[error("{message}")]
    Rule {
        /// The sentence, the position included where there is one.
        message: String,
        /// Which character (0 is the first) of the rule's text is at fault.
        position: Option<usize>,
    },
    /// The caller asked the work to stop.
    #[error("interrupted")]
    Cancelled,
}

impl Error {
    /// The data cannot be used.
    pub fn input(message: impl Into<String>) -> Self {
        Self::Input(message.into())
    }

    /// A parameter cannot be used.
    pub fn parameter(message: impl Into<String>) -> Self {
        Self::Parameter(message.into())
    }
}

/// What every kernel returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// `"; did you mean 'x'?"` for the candidate nearest to a name nobody knows, or nothing when none is near.
///
/// ```
/// let text = xifen_core::did_you_mean("monetry", ["monetary", "recency_days"]);
/// assert_eq!(text, "; did you mean 'monetary'?");
/// assert_eq!(xifen_core::did_you_mean("x", ["monetary"]), "");
/// ```
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, candidate)| format!("; did you mean '{candidate}'?"))
}
