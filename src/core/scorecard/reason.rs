//! Why a total is what it is, in a few words: the indicators that cost a row the most.

use super::{
    card::{Card, Indicator, Outcome},
    config::Language,
};

/// How many indicators a reason names.
const MOST: usize = 3;

/// The words of a reason.
struct Words {
    missing: &'static str,
    other: &'static str,
    of: &'static str,
    colon: &'static str,
    unit: &'static str,
    between: &'static str,
    full: &'static str,
    unknown: &'static str,
    and: &'static str,
}

const ENGLISH: Words = Words {
    missing: "missing",
    other: "other",
    of: " of ",
    colon: ": ",
    unit: "",
    between: "; ",
    full: "full points",
    unknown: "unknown, missing ",
    and: ", ",
};

const CHINESE: Words = Words {
    missing: "缺失",
    other: "其他",
    of: "/",
    colon: "：",
    unit: "分",
    between: "；",
    full: "各项满分",
    unknown: "无法评分，缺少",
    and: "、",
};

/// Every phrase a reason can be made of, and what each outcome costs.
pub(super) struct Reasons {
    words: &'static Words,
    indicators: Vec<Phrases>,
}

/// What can be said of one indicator.
struct Phrases {
    label: String,
    /// Per outcome the weighted points lost (`None`: unknown), and the words.
    outcomes: Vec<(Option<i128>, String)>,
}

impl Reasons {
    pub(super) fn new(card: &Card, language: Language) -> Self {
        let words = if language == Language::En { &ENGLISH } else { &CHINESE };
        let phrases = |(index, indicator): (usize, &Indicator)| {
            let (most, best) = card.best(index);
            let phrase = |(code, outcome): (usize, &Outcome)| {
                let seen = match outcome.text.as_str() {
                    "" if code == indicator.missing() => words.missing,
                    "" => words.other,
                    text => text,
                };
                let units = card.units.get(index).and_then(|units| *units.get(code)?);
                let points = outcome.points.unwrap_or_default();
                let phrase =
                    format!("{} {seen}{}{points}{}{most}{}", indicator.label, words.colon, words.of, words.unit);
                (units.map(|units| best - units), phrase)
            };
            Phrases {
                label: indicator.label.clone(),
                outcomes: indicator.outcomes.iter().enumerate().map(phrase).collect(),
            }
        };
        Self { words, indicators: card.indicators.iter().enumerate().map(phrases).collect() }
    }

    /// Writes the reason of a row with these outcomes.
    pub(super) fn write(&self, codes: impl Iterator<Item = u16>, text: &mut Vec<u8>) {
        let mut worst: [(i128, &str); MOST] = [(0, ""); MOST];
        let mut unknown = false;
        for (code, Phrases { label, outcomes }) in codes.zip(&self.indicators) {
            let Some((lost, phrase)) = outcomes.get(usize::from(code)) else { continue };
            match *lost {
                None => {
                    let before = if unknown { self.words.and } else { self.words.unknown };
                    text.extend_from_slice(before.as_bytes());
                    text.extend_from_slice(label.as_bytes());
                    unknown = true;
                }
                // The worst first; of equal ones the earlier indicator.
                Some(lost) => {
                    let mut entry = (lost, phrase.as_str());
                    for place in &mut worst {
                        if entry.0 > place.0 {
                            std::mem::swap(&mut entry, place);
                        }
                    }
                }
            }
        }
        if unknown {
            return;
        }
        for (place, (_, phrase)) in worst.iter().take_while(|(lost, _)| *lost > 0).enumerate() {
            if place > 0 {
                text.extend_from_slice(self.words.between.as_bytes());
            }
            text.extend_from_slice(phrase.as_bytes());
        }
        if worst.first().is_some_and(|(lost, _)| *lost == 0) {
            text.extend_from_slice(self.words.full.as_bytes());
        }
    }
}
