//! All keywords of all groups in one automaton: one pass over a text finds every mention.

use aho_corasick::{
    Anchored, StartKind,
    automaton::Automaton,
    dfa::DFA,
    nfa::{contiguous, noncontiguous},
};

use super::normalise::Form;
use crate::{Error, Result, cancel::Cancel};

/// Up to so many bytes of keywords make a deterministic automaton: the fastest, but it takes memory.
const DETERMINISTIC: usize = 1 << 16;

/// Keywords ready to be looked for.
pub(super) struct Keywords {
    machine: Machine,
    beginnings: Beginnings,
    /// The group of each keyword.
    groups: Vec<u32>,
    form: Form,
}

enum Machine {
    Deterministic(DFA),
    Compact(contiguous::NFA),
}

/// What is known of a group within one text.
#[derive(Debug, Clone, Copy, Default)]
struct Mentions {
    count: u32,
    /// Where the last mention begins and ends.
    start: usize,
    end: usize,
}

/// Room to work in, used for one text after the other.
#[derive(Default)]
pub(super) struct Room {
    folded: Vec<u8>,
    /// By group; all zero between texts.
    mentions: Vec<Mentions>,
    /// The groups whose mentions are not zero.
    mentioned: Vec<u32>,
}

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
            let mut builder = DFA::builder();
            let machine = builder.start_kind(StartKind::Anchored).build_from_noncontiguous(&trie);
            Machine::Deterministic(machine.map_err(failed)?)
        } else {
            Machine::Compact(contiguous::NFA::builder().build_from_noncontiguous(&trie).map_err(failed)?)
        };
        let beginnings = Beginnings::new(each().map(|(_, word)| word.as_bytes()));
        Ok(Self { machine, beginnings, groups: each().map(|(group, _)| group as u32).collect(), form })
    }

    /// How many groups.
    pub(super) fn groups(&self) -> usize {
        self.groups.last().map_or(0, |group| *group as usize + 1)
    }

    /// Calls `add` for every group that a text (UTF-8) mentions, with how often it does.
    ///
    /// In a group the leftmost keyword counts, of those that begin together the longest, and the next is looked for
    /// behind its end. Groups do not see one another.
    pub(super) fn count(
        &self,
        text: &[u8],
        room: &mut Room,
        cancel: &Cancel,
        mut add: impl FnMut(u32, u32),
    ) -> Result<()> {
        room.mentions.resize(self.groups(), Mentions::default());
        let mut folded = std::mem::take(&mut room.folded);
        let text = self.form.apply(text, &mut folded);
        let found = match &self.machine {
            Machine::Deterministic(machine) => self.find(machine, text, room, cancel),
            Machine::Compact(machine) => self.find(machine, text, room, cancel),
        };
        room.folded = folded;
        for group in room.mentioned.drain(..) {
            if let Some(mentions) = room.mentions.get_mut(group as usize) {
                add(group, std::mem::take(mentions).count);
            }
        }
        found
    }

    /// Reads on from every place where a keyword may begin, as far as one may reach.
    fn find(&self, machine: &impl Automaton, text: &[u8], room: &mut Room, cancel: &Cancel) -> Result<()> {
        let Ok(beginning) = machine.start_state(Anchored::Yes) else { return Ok(()) }; // every machine here has it
        let mut steps = 0;
        self.beginnings.each(text, |start| {
            let mut state = beginning;
            for (length, byte) in (1..).zip(text.get(start..).unwrap_or_default()) {
                state = machine.next_state(Anchored::Yes, state, *byte);
                if !machine.is_special(state) {
                    continue;
                }
                if machine.is_dead(state) {
                    steps += length;
                    break;
                }
                let matches = if machine.is_match(state) { machine.match_len(state) } else { 0 };
                for which in 0..matches {
                    let keyword = machine.match_pattern(state, which);
                    // A state also knows the keywords that end here but begin later.
                    if machine.pattern_len(keyword) == length
                        && let Some(group) = self.groups.get(keyword.as_usize())
                    {
                        room.mention(*group, start, start + length);
                    }
                }
            }
            if steps > 1 << 20 {
                steps = 0;
                cancel.check()?; // long keywords that nearly match everywhere
            }
            Ok(())
        })
    }
}

impl Room {
    /// Notes a keyword found; those of one group come by their start, then by their end.
    fn mention(&mut self, group: u32, start: usize, end: usize) {
        let Some(mentions) = self.mentions.get_mut(group as usize) else { return };
        if mentions.count == 0 {
            self.mentioned.push(group);
        }
        if mentions.count == 0 || start >= mentions.end {
            *mentions = Mentions { count: mentions.count + 1, start, end };
        } else if start == mentions.start {
            mentions.end = end; // a longer one from the same place
        }
    }
}

/// The first bytes of all keywords, as a set that may contain a few more: most places of a text are none.
struct Beginnings {
    /// How many bytes are looked at: no more than the shortest keyword has.
    width: usize,
    bits: Vec<u64>,
}

impl Beginnings {
    /// Bits in the set, as a power of two.
    const SIZE: u32 = 16;

    fn new<'a>(words: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        let width = words.clone().map(<[u8]>::len).min().unwrap_or(1).clamp(1, 3);
        let mut set = Self { width, bits: vec![0; 1 << (Self::SIZE - 6)] };
        for word in words {
            // Upper or lower case, letter by letter.
            for upper in 0..1 << width {
                let bytes = word.iter().take(width).enumerate();
                let cased = bytes.map(|(place, byte)| match upper >> place & 1 {
                    0 => *byte,
                    _ => byte.to_ascii_uppercase(),
                });
                let slot = Self::slot(cased);
                if let Some(bits) = set.bits.get_mut(slot >> 6) {
                    *bits |= 1 << (slot & 63);
                }
            }
        }
        set
    }

    #[inline]
    fn slot(bytes: impl IntoIterator<Item = u8>) -> usize {
        let key = bytes.into_iter().fold(0, |key, byte| key << 8 | u32::from(byte));
        (key.wrapping_mul(0x9e37_79b1) >> (32 - Self::SIZE)) as usize
    }

    /// Calls `visit` with every place of a text where a keyword may begin, in their order.
    #[inline]
    fn each(&self, text: &[u8], visit: impl FnMut(usize) -> Result<()>) -> Result<()> {
        match self.width {
            1 => self.each_of::<1>(text, visit),
            2 => self.each_of::<2>(text, visit),
            _ => self.each_of::<3>(text, visit),
        }
    }

    #[inline]
    fn each_of<const WIDTH: usize>(&self, text: &[u8], mut visit: impl FnMut(usize) -> Result<()>) -> Result<()> {
        let Ok(bits) = <&[u64; 1 << (Self::SIZE - 6)]>::try_from(self.bits.as_slice()) else { return Ok(()) };
        for (start, window) in text.windows(WIDTH).enumerate() {
            let Ok(window) = <[u8; WIDTH]>::try_from(window) else { break };
            let slot = Self::slot(window);
            // Of known length, so nothing is checked at run time.
            if bits.get(slot >> 6).is_some_and(|bits| bits >> (slot & 63) & 1 == 1) {
                visit(start)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, by trying every keyword at every place.
    fn naive(words: &[String], text: &str) -> u32 {
        let text = text.to_ascii_lowercase();
        let (mut rest, mut count) = (text.as_str(), 0);
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
        let add = |group, count| counts[group as usize] = count;
        keywords.count(text.as_bytes(), &mut Room::default(), &Cancel::new(), add).unwrap();
        counts
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_trying_every_place_finds(
            groups in prop::collection::vec(prop::collection::btree_set("[ab交期é]{1,5}", 1..6), 1..4),
            text in "[abAB交期cé]{0,40}",
        ) {
            let groups: Vec<Vec<String>> = groups.into_iter().map(|words| words.into_iter().collect()).collect();
            let wanted: Vec<u32> = groups.iter().map(|words| naive(words, &text)).collect();
            prop_assert_eq!(counts(&groups, &text), wanted);
        }
    }

    #[test]
    fn keywords_that_contain_one_another_are_one_mention() {
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
