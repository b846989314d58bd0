//! A rule's text and the places in it: from the tokenizer's lines and columns to character numbers, and
//! from a character number to an error that shows the spot.

use sqlparser::tokenizer::{Location, Span};

use crate::Error;

/// How many characters an error shows on each side of the spot.
const SHOWN: usize = 40;

/// The text of one rule and the label it stands for.
pub(crate) struct Source<'a> {
    pub(crate) label: &'a str,
    characters: Vec<char>,
    lines: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(label: &'a str, text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let after = characters.iter().enumerate().filter(|(_, character)| **character == '\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after).collect();
        Self { label, characters, lines }
    }

    /// How many characters: the position of the end.
    pub(crate) fn len(&self) -> usize {
        self.characters.len()
    }

    /// Whether a name in double quotes begins here.
    pub(crate) fn is_quote(&self, at: usize) -> bool {
        self.characters.get(at) == Some(&'"')
    }

    /// The name of the parameter that begins here.
    pub(crate) fn parameter(&self, at: usize) -> Option<String> {
        let mut characters = self.characters.iter().skip(at);
        characters.next().filter(|first| **first == ':')?;
        Some(characters.take_while(|next| next.is_alphanumeric() || **next == '_').collect())
    }

    /// The character a line and a column (both from 1) stand for; the end where there is none.
    pub(crate) fn position(&self, place: Location) -> usize {
        let line = (place.line as usize).checked_sub(1).and_then(|line| self.lines.get(line));
        line.map_or(self.len(), |start| (start + (place.column as usize).saturating_sub(1)).min(self.len()))
    }

    /// What is written there.
    pub(crate) fn between(&self, span: Span) -> String {
        let (begin, end) = (self.position(span.start), self.position(span.end));
        self.characters.iter().skip(begin).take(end.saturating_sub(begin)).collect()
    }

    /// A rule error that names the label and the character, and shows the spot.
    pub(crate) fn error(&self, at: usize, what: &str) -> Error {
        let begin = at.saturating_sub(SHOWN);
        let before: String = self.shown(begin, at);
        let after: String = self.shown(at, at.saturating_add(SHOWN));
        let indent: usize = before.chars().map(|character| if character < '\u{1100}' { 1 } else { 2 }).sum();
        let (cut, rest) = (if begin > 0 { "..." } else { "" }, if at + SHOWN < self.len() { "..." } else { "" });
        let indent = indent + cut.len();
        Error::Rule {
            message: format!(
                "rule '{}', character {at}: {what}\n  {cut}{before}{after}{rest}\n  {:indent$}^",
                short(self.label),
                ""
            ),
            position: Some(at),
        }
    }

    fn shown(&self, begin: usize, end: usize) -> String {
        let characters = self.characters.iter().skip(begin).take(end.saturating_sub(begin));
        characters.map(|character| if character.is_control() { ' ' } else { *character }).collect()
    }
}

/// Text shortened for a sentence.
pub(crate) fn short(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(SHOWN).collect();
    if characters.next().is_some() { format!("{start}...") } else { start }
}
