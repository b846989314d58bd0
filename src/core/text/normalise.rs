//! The Unicode form in which texts and keywords are compared.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Which texts count as equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Compatibility composition: full-width letters, digits and punctuation are the ordinary ones.
    Nfkc,
    /// Canonical composition: an accent is the same whether it stands alone or in its letter.
    Nfc,
    /// Code points as they came.
    AsIs,
}

impl Form {
    /// The text in this form, in `buffer` unless it is in this form already.
    pub(super) fn apply<'a>(self, text: &'a str, buffer: &'a mut String) -> &'a str {
        buffer.clear();
        match self {
            _ if text.is_ascii() => text,
            Self::AsIs => text,
            Self::Nfc if is_nfc_quick(text.chars()) == IsNormalized::Yes => text,
            Self::Nfc => {
                buffer.extend(text.nfc());
                buffer
            }
            Self::Nfkc => nfkc(text, buffer),
        }
    }
}

/// Whether a byte may begin a character that [`nfkc`] must look at: none of ASCII, of Western letters, of Chinese
/// characters, and no byte within a character.
fn unsure(byte: u8) -> bool {
    byte >= 0xc0 && byte != 0xc3 && !(0xe4..=0xe9).contains(&byte)
}

/// NFKC without its tables while a text has only characters that neither combine with a neighbour nor become more
/// than a plain substitute: nearly every Chinese and Western text.
fn nfkc<'a>(text: &'a str, buffer: &'a mut String) -> &'a str {
    let mut copied = 0;
    for (place, _) in text.bytes().enumerate().filter(|(_, byte)| unsure(*byte)) {
        let Some(character) = text.get(place..).and_then(|rest| rest.chars().next()) else { continue };
        let substitute = match character {
            // dashes, quotes and Chinese punctuation
            '\u{2013}'..='\u{2015}' | '\u{2018}'..='\u{201f}' | '\u{3001}'..='\u{301f}' => continue,
            '\u{ff01}'..='\u{ff5e}' => (character as u32 - 0xfee0) as u8, // full-width ASCII
            '\u{3000}' => b' ',
            _ => {
                buffer.clear();
                buffer.extend(text.nfkc());
                return buffer;
            }
        };
        buffer.push_str(text.get(copied..place).unwrap_or_default());
        buffer.push(char::from(substitute));
        copied = place + character.len_utf8();
    }
    if copied == 0 {
        return text;
    }
    buffer.push_str(text.get(copied..).unwrap_or_default());
    buffer
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_character_becomes_what_the_standard_says() {
        let mut buffer = String::new();
        for character in ('\0'..=char::MAX).take(0x30000) {
            let text = format!("a{character}字");
            assert_eq!(Form::Nfkc.apply(&text, &mut buffer), text.nfkc().collect::<String>(), "{text:?}");
            assert_eq!(Form::Nfc.apply(&text, &mut buffer), text.nfc().collect::<String>(), "{text:?}");
            assert_eq!(Form::AsIs.apply(&text, &mut buffer), text);
        }
    }

    proptest! {
        #[test]
        fn neighbours_combine_as_the_standard_says(text in "[a-cé가각ㅏ\u{301}\u{328}\u{3099}ｅＡ，。　か字體①ﬁ…Å\u{212b}]{0,12}") {
            let mut buffer = String::new();
            prop_assert_eq!(Form::Nfkc.apply(&text, &mut buffer), text.nfkc().collect::<String>());
            prop_assert_eq!(Form::Nfc.apply(&text, &mut buffer), text.nfc().collect::<String>());
        }
    }
}
