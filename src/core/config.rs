//! What callers ask for: read from JSON, and the words that stand for choices.

use serde::de::DeserializeOwned;

use crate::{Error, Result, did_you_mean};

/// The configuration the binding hands over.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|failure| Error::parameter(format!("a parameter cannot be read: {failure}")))
}

/// The value that goes with a word, or a sentence listing the words.
pub(crate) fn choice<T: Copy>(parameter: &str, found: &str, choices: &[(&str, T)]) -> Result<T> {
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == found) {
        return Ok(*value);
    }
    let near = did_you_mean(found, choices.iter().map(|(word, _)| *word));
    let words: Vec<_> = choices.iter().map(|(word, _)| format!("'{word}'")).collect();
    let last = words.last().map_or("", String::as_str);
    let wanted = words.get(..words.len().saturating_sub(1)).unwrap_or_default().join(", ");
    Err(Error::parameter(format!("{parameter} is '{found}'; wanted {wanted} or {last}{near}")))
}
