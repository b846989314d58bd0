//! LIKE: a pattern read once, and matched without going back.
//!
//! A pattern is cut at its `%`. What stands before the first must begin the text, what stands behind the last must end
//! it, and each piece between is looked for from where the one before it ended: the leftmost place is always right.

use memchr::memmem;

/// A pattern ready to be matched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Pattern {
    head: Piece,
    /// What stands between two `%`.
    middle: Vec<Piece>,
    /// What stands behind the last `%`; `None` where there is no `%`.
    tail: Option<Piece>,
}

/// Literal text and single characters by turns.
type Piece = Vec<Part>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    /// These bytes of UTF-8.
    Text(Vec<u8>),
    /// Any one code point.
    One,
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub(crate) fn parse(pattern: &str, escape: Option<char>) -> Result<Self, String> {
        let mut pieces: Vec<Piece> = vec![Vec::new()];
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            let literal = if Some(character) == escape {
                match characters.next() {
                    Some(next) if matches!(next, '%' | '_') || Some(next) == escape => Some(next),
                    found => {
                        let found = found.map_or("at the end".to_owned(), |next| format!("before '{next}'"));
                        return Err(format!(
                            "the escape character '{character}' stands {found}; it may only stand before %, _ or itself"
                        ));
                    }
                }
            } else {
                Some(character).filter(|character| !matches!(character, '%' | '_'))
            };
            let piece = pieces.last_mut();
            match (literal, piece) {
                (None, _) if character == '%' => pieces.push(Vec::new()),
                (None, Some(piece)) => piece.push(Part::One),
                (Some(literal), Some(piece)) => {
                    let mut room = [0; 4];
                    let bytes = literal.encode_utf8(&mut room).as_bytes();
                    match piece.last_mut() {
                        Some(Part::Text(text)) => text.extend_from_slice(bytes),
                        _ => piece.push(Part::Text(bytes.to_vec())),
                    }
                }
                (_, None) => {}
            }
        }
        let mut middle = pieces.split_off(1);
        let tail = middle.pop();
        middle.retain(|piece| !piece.is_empty());
        Ok(Self { head: pieces.pop().unwrap_or_default(), middle, tail })
    }

    /// Whether a text (UTF-8) is of this form.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let Some(rest) = begin(&self.head, text) else { return false };
        let Some(tail) = &self.tail else { return rest.is_empty() };
        let Some(mut rest) = end(tail, rest) else { return false };
        self.middle.iter().all(|piece| match find(piece, rest) {
            Some(after) => {
                rest = after;
                true
            }
            None => false,
        })
    }
}

/// What stands behind the piece at the text's beginning.
fn begin<'a>(piece: &[Part], text: &'a [u8]) -> Option<&'a [u8]> {
    piece.iter().try_fold(text, |text, part| match part {
        Part::Text(literal) => text.strip_prefix(literal.as_slice()),
        Part::One => text.get(first_len(text)?..),
    })
}

/// What stands before the piece at the text's end.
fn end<'a>(piece: &[Part], text: &'a [u8]) -> Option<&'a [u8]> {
    piece.iter().rev().try_fold(text, |text, part| match part {
        Part::Text(literal) => text.strip_suffix(literal.as_slice()),
        Part::One => text.get(..text.iter().rposition(|byte| !is_inner(*byte))?),
    })
}

/// What stands behind the piece at its first place in the text.
fn find<'a>(piece: &[Part], mut text: &'a [u8]) -> Option<&'a [u8]> {
    if let [Part::Text(literal)] = piece {
        return text.get(memmem::find(text, literal)? + literal.len()..);
    }
    loop {
        if let Some(rest) = begin(piece, text) {
            return Some(rest);
        }
        text = text.get(first_len(text)?..)?;
    }
}

/// Whether a byte of UTF-8 does not begin a code point.
fn is_inner(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// How many bytes the first code point takes.
fn first_len(text: &[u8]) -> Option<usize> {
    let rest = text.get(1..)?;
    Some(1 + rest.iter().position(|byte| !is_inner(*byte)).unwrap_or(rest.len()))
}

/// The definition, character by character: what the fast way is tested against.
pub(crate) fn like(pattern: &str, escape: Option<char>, text: &str) -> bool {
    let mut characters = pattern.chars();
    // `None` is %, `Some(None)` is _.
    let mut parts: Vec<Option<Option<char>>> = Vec::new();
    while let Some(character) = characters.next() {
        parts.push(match character {
            _ if Some(character) == escape => Some(characters.next()),
            '%' => None,
            '_' => Some(None),
            other => Some(Some(other)),
        });
    }
    // Which beginnings of the pattern match the text so far.
    let mut so_far = vec![true];
    so_far.extend(parts.iter().scan(true, |open, part| {
        *open &= part.is_none();
        Some(*open)
    }));
    for character in text.chars() {
        let mut next = vec![false];
        for (before, (here, part)) in so_far.iter().zip(so_far.iter().skip(1).zip(&parts)) {
            let last = next.last().copied().unwrap_or(false);
            next.push(match part {
                None => last || *here,
                Some(wanted) => *before && wanted.is_none_or(|wanted| wanted == character),
            });
        }
        so_far = next;
    }
    so_far.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn agrees_with_the_definition(pattern in "[ab客𝄞%_]{0,8}", text in "[ab客𝄞]{0,12}") {
            let fast = Pattern::parse(&pattern, None).unwrap();
            prop_assert_eq!(fast.matches(text.as_bytes()), like(&pattern, None, &text));
        }

        #[test]
        fn agrees_with_the_definition_where_escaped(pattern in "([ab%_]|!!|!%|!_){0,6}", text in "[ab%_!]{0,8}") {
            let fast = Pattern::parse(&pattern, Some('!')).unwrap();
            prop_assert_eq!(fast.matches(text.as_bytes()), like(&pattern, Some('!'), &text));
        }
    }

    #[test]
    fn patterns_as_people_write_them() {
        for (pattern, text, matches) in [
            ("", "", true),
            ("%", "", true),
            ("_", "𝄞", true),
            ("_", "", false),
            ("ab%ba", "aba", false),
            ("%客户%", "老客户群", true),
            ("%a_c%", "xabcx", true),
            ("a%_b", "ab", false),
        ] {
            assert_eq!(Pattern::parse(pattern, None).unwrap().matches(text.as_bytes()), matches, "{pattern} {text}");
        }
        assert!(Pattern::parse("50!%", Some('!')).unwrap().matches(b"50%"));
        for pattern in ["a!", "a!b"] {
            assert!(Pattern::parse(pattern, Some('!')).unwrap_err().contains("escape character '!'"));
        }
    }
}
