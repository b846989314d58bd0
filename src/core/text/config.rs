//! What the caller asked for: the one JSON object that crosses from Python, and its checked form.

use std::collections::HashSet;

use serde::Deserialize;

use super::{keywords::Keywords, normalise::Form};
use crate::{Error, Result, config::choice};

/// The parameters of `keyword_table`, unchecked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The names of the batches' columns, in their order.
    pub names: Vec<String>,
    /// Which of them is the customer's id.
    pub customer_id: usize,
    /// Which of them is the text.
    pub text: usize,
    /// Groups and the keywords of each.
    pub keywords: Vec<(String, Vec<String>)>,
    /// "nfkc", "nfc" or "none".
    pub form: String,
    /// "raise" or "drop".
    pub invalid: String,
}

/// The checked parameters.
pub(super) struct Terms {
    pub(super) keywords: Keywords,
    pub(super) drop_invalid: bool,
}

impl Config {
    /// The name of a column.
    pub(super) fn name(&self, column: usize) -> &str {
        self.names.get(column).map_or("?", String::as_str)
    }

    /// Checks everything that can be checked without the data.
    pub(super) fn check(&self) -> Result<Terms> {
        let form = choice("form", &self.form, &[("nfkc", Form::Nfkc), ("nfc", Form::Nfc), ("none", Form::AsIs)])?;
        let drop_invalid = choice("invalid", &self.invalid, &[("raise", false), ("drop", true)])?;
        if self.keywords.is_empty() {
            return Err(Error::parameter("keywords is empty; give at least one group, {'price': ['price', '价格']}"));
        }
        let mut groups = HashSet::new();
        let mut folded = Vec::new();
        for (group, words) in &self.keywords {
            if group == "message" || !groups.insert(group) {
                let twice = if group == "message" { "message_count" } else { group };
                return Err(Error::parameter(format!(
                    "the group '{group}' would give the table '{twice}' twice; rename it"
                )));
            }
            folded.push(fold(group, words, form)?);
        }
        Ok(Terms { keywords: Keywords::new(&folded, form)?, drop_invalid })
    }
}

/// A group's keywords as they are compared; none may be empty, none may stand twice.
fn fold(group: &str, words: &[String], form: Form) -> Result<Vec<String>> {
    let mut folded: Vec<String> = Vec::with_capacity(words.len());
    let mut known = HashSet::new();
    for (place, word) in words.iter().enumerate() {
        let mut buffer = Vec::new();
        let plain = String::from_utf8_lossy(form.apply(word.as_bytes(), &mut buffer)).to_ascii_lowercase();
        if plain.trim().is_empty() {
            return Err(Error::parameter(format!(
                "keyword {place} of group '{group}' is empty ({word:?}); it would be found everywhere: leave it out"
            )));
        }
        if !known.insert(plain.clone()) {
            return Err(Error::parameter(format!(
                "group '{group}' has the keyword '{word}' twice (letter case and width do not matter where form and \
                 folding make them equal); leave one out"
            )));
        }
        folded.push(plain);
    }
    if folded.is_empty() {
        return Err(Error::parameter(format!("group '{group}' has no keyword; give it one or leave the group out")));
    }
    Ok(folded)
}
