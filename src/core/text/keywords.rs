//! All keywords of all groups in one automaton: one pass over a text finds every mention.

use std::cmp::Reverse;

use aho_corasick::{
    Anchored,
    automaton::Automaton,
    dfa::DFA,
    nfa::{contiguous, noncontiguous},
};

use super::normalise::Form;
use crate::{Error, Result};

/// Up to so many bytes of keywords make a deterministic automaton: the fastest, but it takes memory.
const DETERMINISTIC: usize = 1 << 16;

/// Keywords ready to be looked for.
pub(super) struct Keywords {
    machine: Machine,
    /// The group of each keyword.
    groups: Vec<u32>,
    form: Form,
}

enum Machine {
    Deterministic(DFA),
    Compact(contiguous::NFA),
}

/// Room to work in, used for one text after the other.
#[derive(Default)]
pub(super) struct Room {
    folded: String,
    found: Vec<Found>,
}

/// A keyword found: its group, and the bytes where it begins and ends (`Reverse`: the longest sorts first).
type Found = (u32, usize, Reverse<usize>);

impl Keywords {
    /// Puts the keywords of all groups, already in their form and in lower case, into one automaton.
    pub(super) fn new(groups: &[Vec<String>], form: Form) -> Result<Self> {
        let each = || groups.iter().enumerate().flat_map(|(group, words)| words.iter().map(move |word| (group, word)));
        let bytes: usize = each().map(|(_, word)| word.len()).sum();
        let failed = |failure| Error::parameter(format!("keywords cannot be looked for together: {failure}"));
        let trie = noncontiguous::Builder::new()
            .ascii_case_insensitive(true)
            .build(each().map(|(_, word)| word))
            .map_err(failed)?;
        let machine = if bytes <= DETERMINISTIC {
            Machine::Deterministic(DFA::builder().build_from_noncontiguous(&trie).map_err(failed)?)
        } else {
            Machine::Compact(contiguous::NFA::builder().build_from_noncontiguous(&trie).map_err(failed)?)
        };
        Ok(Self { machine, groups: each().map(|(group, _)| group as u32).collect(), form })
    }

    /// How many groups.
    pub(super) fn groups(&self) -> usize {
        self.groups.last().map_or(0, |group| *group as usize + 1)
    }

    /// Calls `add` for every group that a text mentions, with how often it does.
    ///
    /// In a group the leftmost keyword counts, of those that begin together the longest, and the next is looked for
    /// behind its end. Groups do not see one another.
    pub(super) fn count(&self, text: &str, room: &mut Room, mut add: impl FnMut(u32, u32)) {
        let Room { folded, found } = room;
        found.clear();
        let text = self.form.apply(text, folded);
        match &self.machine {
            Machine::Deterministic(machine) => self.find(machine, text, found),
            Machine::Compact(machine) => self.find(machine, text, found),
        }
        longest(found);
        for mentions in found.chunk_by(|(group, ..), (other, ..)| group == other) {
            let Some((group, ..)) = mentions.first() else { continue };
            let (mut count, mut free) = (0, 0);
            for (_, start, Reverse(end)) in mentions {
                if *start >= free {
                    (count, free) = (count + 1, *end);
                }
            }
            add(*group, count);
        }
    }

    /// Finds every keyword everywhere, so that overlaps can be decided group by group.
    fn find(&self, machine: &impl Automaton, text: &str, found: &mut Vec<Found>) {
        let Ok(mut state) = machine.start_state(Anchored::No) else { return }; // every machine has this one
        let mut limit = 1024;
        for (place, byte) in text.bytes().enumerate() {
            state = machine.next_state(Anchored::No, state, byte);
            if !machine.is_special(state) || !machine.is_match(state) {
                continue;
            }
            for which in 0..machine.match_len(state) {
                let keyword = machine.match_pattern(state, which);
                let group = self.groups.get(keyword.as_usize()).copied().unwrap_or_default();
                found.push((group, place + 1 - machine.pattern_len(keyword), Reverse(place + 1)));
            }
            if found.len() >= limit {
                // However many keywords contain one another, one per group and place is enough.
                longest(found);
                limit = limit.max(2 * found.len());
            }
        }
    }
}

/// Sorts by group and place and keeps the longest of those that begin at the same place.
fn longest(found: &mut Vec<Found>) {
    found.sort_unstable();
    found.dedup_by_key(|(group, start, _)| (*group, *start));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, by trying every keyword at every place.
    fn naive(words: &[String], text: &str) -> u32 {
        let (mut rest, mut count) = (text, 0);
        while let Some(character) = rest.chars().next() {
            let longest = words.iter().filter(|word| rest.starts_with(word.as_str())).map(String::len).max();
            count += u32::from(longest.is_some());
            rest = &rest[longest.unwrap_or(character.len_utf8())..];
        }
        count
    }

    fn counts(groups: &[Vec<String>], text: &str) -> Vec<u32> {
        let keywords = Keywords::new(groups, Form::AsIs).unwrap();
        let mut counts = vec![0; groups.len()];
        keywords.count(text, &mut Room::default(), |group, count| counts[group as usize] = count);
        counts
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_trying_every_place_finds(
            groups in prop::collection::vec(prop::collection::btree_set("[ab交期]{1,5}", 1..6), 1..4),
            text in "[ab交期c]{0,40}",
        ) {
            let groups: Vec<Vec<String>> = groups.into_iter().map(|words| words.into_iter().collect()).collect();
            let wanted: Vec<u32> = groups.iter().map(|words| naive(words, &text)).collect();
            prop_assert_eq!(counts(&groups, &text), wanted);
        }
    }

    #[test]
    fn keywords_that_contain_one_another_need_no_more_room_than_the_text() {
        let words: Vec<String> = (1..=100).map(|length| "a".repeat(length)).collect();
        let text = "a".repeat(20_050);
        assert_eq!(counts(&[words.clone(), words[..1].to_vec()], &text), [201, 20_050]);
    }

    #[test]
    fn many_keywords_are_found_without_a_deterministic_automaton() {
        let words: Vec<String> = (0..20_000).map(|number| format!("<{number}>")).collect();
        assert_eq!(counts(&[words], "<7><19999> <20000> <7>"), [3]);
    }
}
