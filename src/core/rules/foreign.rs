//! What other dialects and keyboards have and rules have not, and what to write instead.

use sqlparser::{
    ast::Value,
    keywords::Keyword,
    parser::Parser,
    tokenizer::{Token, Word},
};

const SIGNS: &str = "a rule has = <> < <= > >= + - * / % || and round parentheses";
pub(super) const COLUMN: &str = "compute it as a column of the frame first";
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
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
                return Some(format!("it cannot be seen (U+{:04X}): delete it", *wide as u32));
            }
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

/// What to write instead of a function that others have; `None` where it may be one of ours, mistyped.
pub(super) fn instead_of_function(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_uppercase().as_str() {
        "IFNULL" | "NVL" | "VALUE" => "write COALESCE(a, b)",
        "ISNULL" | "ISNA" => "write a IS NULL, or COALESCE(a, b) for another value",
        "MOD" => "write a % b",
        "IF" | "IIF" | "DECODE" => "write CASE WHEN a THEN b ELSE c END",
        "CONCAT" => "write a || b",
        "MIN" => "write LEAST(a, b)",
        "MAX" => "write GREATEST(a, b)",
        "NOW" | "TODAY" | "CURDATE" | "GETDATE" => "write DATE '2026-06-30', or :today and give it in parameters",
        "LENGTH" | "LEN" => COLUMN,
        _ => return None,
    })
}

/// What to do about what stands behind a whole rule, the parser standing before it.
pub(super) fn instead_of_more(parser: &Parser<'_>) -> &'static str {
    let word = |place| match &parser.peek_nth_token_ref(place).token {
        Token::Word(Word { value, .. }) => value.to_ascii_uppercase(),
        other => other.to_string(),
    };
    match (&parser.get_current_token().token, &parser.peek_nth_token_ref(0).token) {
        (Token::Number(..), Token::Word(Word { value, .. })) if value.starts_with('_') => {
            return "write the digits of a number without signs between them";
        }
        (Token::Word(_), Token::SingleQuotedString(_)) => return "a text stands in single quotes alone",
        (Token::Word(Word { value, .. }), _) if value.eq_ignore_ascii_case("if") => {
            return "a rule is a condition without IF; inside of one write CASE WHEN a THEN b ELSE c END";
        }
        _ => {}
    }
    let first = word(0);
    match if first == "NOT" { word(1) } else { first }.as_str() {
        "ILIKE" => "LIKE tells capitals from small letters; make a column of small letters first",
        "REGEXP" | "RLIKE" | "SIMILAR" | "GLOB" | "MATCH" | "CONTAINS" | "STARTS" | "ENDS" => {
            "LIKE knows % for any text and _ for one character; compute other patterns as a column of the frame first"
        }
        "MOD" => "write %",
        "EQ" | "EQUALS" | "EQUAL" | "等于" | "是" => "write =",
        "NE" | "不等于" => "write <>",
        "GT" | "大于" | "超过" | "高于" => "write >",
        "GE" | "GTE" | "大于等于" | "不小于" | "不低于" => "write >=",
        "LT" | "小于" | "低于" => "write <",
        "LE" | "LTE" | "小于等于" | "不大于" | "不超过" => "write <=",
        "且" | "并且" | "和" | "而且" => "write AND",
        "或" | "或者" => "write OR",
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
