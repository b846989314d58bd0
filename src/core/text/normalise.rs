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
    /// The text (UTF-8) in this form, in `buffer` unless it is in this form already.
    pub(super) fn apply<'a>(self, text: &'a [u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
        if self == Self::AsIs || text.is_ascii() {
            return text;
        }
        if self == Self::Nfkc && simple_nfkc(text, buffer) {
            return if buffer.is_empty() { text } else { buffer };
        }
        let Ok(text) = std::str::from_utf8(text) else { return text };
        buffer.clear();
        let mut push = |character: char| buffer.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        match self {
            Self::Nfc if is_nfc_quick(text.chars()) == IsNormalized::Yes => return text.as_bytes(),
            Self::Nfc => text.nfc().for_each(&mut push),
            _ => text.nfkc().for_each(&mut push),
        }
        buffer
    }
}

/// NFKC without its tables, for texts that have only characters that neither combine with a neighbour nor become more
/// than a plain substitute: nearly every Chinese and Western one. The buffer stays empty where nothing changes; false
/// where a text has other characters (and the buffer then means nothing).
fn simple_nfkc(text: &[u8], buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    let mut copied = 0;
    for (place, byte) in text.iter().enumerate() {
        // ASCII, bytes within a character, Western letters (C3) and Chinese characters (E4 to E9) stay.
        if *byte < 0xc0 || *byte == 0xc3 || (0xe4..=0xe9).contains(byte) {
            continue;
        }
        let substitute = match text.get(place..place + 3) {
            // dashes, quotes and Chinese punctuation: U+2013 to 2015, U+2018 to 201F, U+3001 to 301F
            Some([0xe2, 0x80, 0x93..=0x95 | 0x98..=0x9f] | [0xe3, 0x80, 0x81..=0x9f]) => continue,
            // full-width ASCII: U+FF01 to FF3F, U+FF40 to FF5E
            Some([0xef, 0xbc, last @ 0x81..=0xbf]) => last - 0x60,
            Some([0xef, 0xbd, last @ 0x80..=0x9e]) => last - 0x20,
            Some([0xe3, 0x80, 0x80]) => b' ',
            _ => return false,
        };
        buffer.extend_from_slice(text.get(copied..place).unwrap_or_default());
        buffer.push(substitute);
        copied = place + 3;
    }
    if copied > 0 {
        buffer.extend_from_slice(text.get(copied..).unwrap_or_default());
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn applied(form: Form, text: &str) -> String {
        String::from_utf8(form.apply(text.as_bytes(), &mut b"left over".to_vec()).to_vec()).unwrap()
    }

    #[test]
    fn every_character_becomes_what_the_standard_says() {
        for character in ('\0'..=char::MAX).take(0x30000) {
            let text = format!("a{character}字");
            assert_eq!(applied(Form::Nfkc, &text), text.nfkc().collect::<String>(), "{text:?}");
            assert_eq!(applied(Form::Nfc, &text), text.nfc().collect::<String>(), "{text:?}");
            assert_eq!(applied(Form::AsIs, &text), text);
        }
    }

    proptest! {
        #[test]
        fn neighbours_combine_as_the_standard_says(text in "[a-cé가각ㅏ\u{301}\u{328}\u{3099}ｅＡ，。　か字體①ﬁ…Å\u{212b}]{0,12}") {
            prop_assert_eq!(applied(Form::Nfkc, &text), text.nfkc().collect::<String>());
            prop_assert_eq!(applied(Form::Nfc, &text), text.nfc().collect::<String>());
        }
    }
}
