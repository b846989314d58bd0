//! What other dialects and keyboards have and rules have not, and what to write instead.

use sqlparser::{
    ast::Value,
    keywords::Keyword,
    parser::Parser,
    tokenizer::{Token, Word},
};

const SIGNS: &str = "a rule has = <> < <= > >= + - * / % || and round parentheses";
const COLUMN: &str = "compute it as a column of the frame first";
const PARAMETER: &str = "a parameter is written :name";
const ENDLESS: &str = "a rule is one condition and needs no sign at its end";
const OR: &str = "write OR between conditions and || between texts";

/// What to write instead of a sign or word that no rule has; `None` for those of rules.
pub(super) fn instead_of(token: &Token) -> Option<String> {
    use Token as T;
    let known = matches!(token, T::Number(..) | T::SingleQuotedString(_) | T::Colon | T::Comma)
        || matches!(token, T::Word(word) if word.keyword != Keyword::SELECT)
        || matches!(token, T::Eq | T::DoubleEq | T::Neq | T::Lt | T::LtEq | T::Gt | T::GtEq)
        || matches!(token, T::Plus | T::Minus | T::Mul | T::Div | T::Mod | T::StringConcat | T::LParen | T::RParen);
    let written = match token {
        _ if known => return None,
        T::Char(wide) => match wide {
            '≥' => "write >=",
            '≤' => "write <=",
            '≠' => "write <>",
            '‘' | '’' | '“' | '”' => "text stands in straight single quotes, a name in straight double ones",
            '`' => "a name stands in double quotes",
            '，' => "conditions are joined with AND or OR, a list stands in parentheses, as in x IN (1, 2)",
            '＆' => "write AND",
            '｜' => OR,
            '！' => "write NOT",
            '。' | '；' => ENDLESS,
            '、' => "write ,",
            '：' => PARAMETER,
            '\u{ff01}'..='\u{ff5e}' => {
                let narrow = char::from_u32(*wide as u32 - 0xfee0).unwrap_or(*wide);
                return Some(format!("write '{narrow}', which is half as wide"));
            }
            _ => SIGNS,
        },
        T::Word(_) => COLUMN,
        T::Period => "a name with a point in it stands in double quotes",
        T::LBracket | T::RBracket => "a name stands in double quotes, a list in round parentheses",
        T::Ampersand | T::Overlap => "write AND",
        T::Pipe => OR,
        T::ExclamationMark => "write NOT before a condition, <> between values",
        T::RArrow => "write >=",
        T::SemiColon => ENDLESS,
        T::HexStringLiteral(_) => "write a number in decimal digits, a text in single quotes",
        T::DoubleColon => "a rule changes no kinds: convert the column first",
        T::NationalStringLiteral(_) => "a text stands in single quotes alone",
        T::Placeholder(_) | T::Question | T::AtSign | T::LBrace | T::RBrace => PARAMETER,
        _ => SIGNS,
    };
    Some(written.to_owned())
}

/// What to do about what stands behind a whole rule, the parser standing before it.
pub(super) fn instead_of_more(parser: &Parser<'_>) -> &'static str {
    let word = |place| match &parser.peek_nth_token_ref(place).token {
        Token::Word(Word { value, .. }) => value.to_ascii_uppercase(),
        other => other.to_string(),
    };
    let first = word(0);
    match if first == "NOT" { word(1) } else { first }.as_str() {
        "ILIKE" => "LIKE tells capitals from small letters; make a column of small letters first",
        "REGEXP" | "RLIKE" | "SIMILAR" | "GLOB" | "MATCH" | "CONTAINS" | "STARTS" | "ENDS" => {
            "LIKE knows % for any text and _ for one character; compute other patterns as a column of the frame first"
        }
        "MOD" => "write %",
        "DIV" | "AT" | "COLLATE" | "OVER" | "ISNULL" | "NOTNULL" => COLUMN,
        "XOR" => "write (a OR b) AND NOT (a AND b)",
        ")" => "no ( was open",
        "," => "a list stands in parentheses behind IN, as in x IN (1, 2)",
        _ => "join conditions with AND or OR",
    }
}

/// What to say of a value no rule knows.
pub(super) fn instead_of_value(value: &Value) -> String {
    match value {
        Value::Null => "NULL stands behind IS, IS NOT, THEN and ELSE only, since nothing is equal to it; write IS NULL, or leave it out".into(),
        other => format!("{} is not a value a rule knows; write a number or 'text'", super::text::short(&other.to_string())),
    }
}
