//! The words of a rule, for `sqlparser`: every word that is not reserved is a name, unless a `(` behind it makes it a
//! function, or a text behind it a date, a timestamp or an interval.

use sqlparser::{
    ast::{self as sql},
    dialect::{Dialect, Precedence},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Token, TokenWithSpan, Word},
};

use super::ast::RESERVED;

/// Marks the name of a function: what is called stands in parentheses behind it.
pub(super) const CALLED: Keyword = Keyword::FUNCTION;
/// Marks DATE, TIMESTAMP and INTERVAL before a text.
pub(super) const WITH_TEXT: Keyword = Keyword::DATE;

/// Marks an unreserved word as a quoted name, which sqlparser never takes for a keyword.
pub(super) fn named(mut token: TokenWithSpan) -> TokenWithSpan {
    if let Token::Word(word) = &mut token.token
        && word.quote_style.is_none()
        && !RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(&word.value))
    {
        word.quote_style = Some('"');
        word.keyword = Keyword::NoKeyword;
    }
    token
}

/// Words begin with a letter of any script, names stand in double quotes, text in single ones.
#[derive(Debug)]
pub(super) struct RuleDialect;

impl Dialect for RuleDialect {
    fn is_identifier_start(&self, character: char) -> bool {
        character.is_alphabetic() || character == '_'
    }

    fn is_identifier_part(&self, character: char) -> bool {
        character.is_alphanumeric() || character == '_'
    }

    fn is_delimited_identifier_start(&self, character: char) -> bool {
        character == '"'
    }

    /// Names and constants need none of sqlparser's guesses about type names before a text.
    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<sql::Expr, ParserError>> {
        let TokenWithSpan { token, span } = parser.peek_token_ref();
        match token {
            Token::Word(Word { value, quote_style: Some(quote), keyword }) => {
                let (name, keyword) =
                    (sql::Ident { value: value.clone(), quote_style: Some(*quote), span: *span }, *keyword);
                parser.next_token();
                Some(match keyword {
                    CALLED => arguments(parser).map(|arguments| prefixed(name, arguments)),
                    WITH_TEXT => with_text(parser).map(|text| prefixed(name, text)),
                    _ => Ok(sql::Expr::Identifier(name)),
                })
            }
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Colon => {
                Some(parser.parse_value().map(sql::Expr::Value))
            }
            // sqlparser would read a CASE without END as a column named CASE.
            Token::Word(word) if word.keyword == Keyword::CASE => {
                parser.next_token();
                Some(parser.parse_case_expr())
            }
            // sqlparser would read a NOT without a condition as a column named NOT.
            Token::Word(word) if word.keyword == Keyword::NOT => {
                parser.next_token();
                let operand = parser.parse_subexpr(self.prec_value(Precedence::UnaryNot));
                Some(operand.map(|expr| sql::Expr::UnaryOp { op: sql::UnaryOperator::Not, expr: Box::new(expr) }))
            }
            // sqlparser would read `a > AND b` as a column named AND.
            Token::Word(word) if !matches!(word.keyword, Keyword::TRUE | Keyword::FALSE | Keyword::NULL) => {
                Some(parser.expected_ref("a column, a number or 'text'", parser.peek_token_ref()))
            }
            _ => None,
        }
    }
}

/// What our reader takes apart again: a name with what belongs to it.
fn prefixed(name: sql::Ident, value: sql::Expr) -> sql::Expr {
    sql::Expr::Prefixed { prefix: name, value: Box::new(value) }
}

/// What stands in parentheses behind a function's name.
fn arguments(parser: &mut Parser<'_>) -> Result<sql::Expr, ParserError> {
    parser.expect_token(&Token::LParen)?;
    let mut arguments = Vec::new();
    if !parser.consume_token(&Token::RParen) {
        loop {
            arguments.push(parser.parse_expr()?);
            if !parser.consume_token(&Token::Comma) {
                break;
            }
        }
        parser.expect_token(&Token::RParen)?;
    }
    Ok(sql::Expr::Tuple(arguments))
}

/// A text, and the word behind it if there is one: `'3' MONTH`.
fn with_text(parser: &mut Parser<'_>) -> Result<sql::Expr, ParserError> {
    let text = sql::Expr::Value(parser.parse_value()?);
    let TokenWithSpan { token, span } = parser.peek_token_ref();
    let Token::Word(Word { value, quote_style: Some(quote), .. }) = token else { return Ok(text) };
    let unit = sql::Ident { value: value.clone(), quote_style: Some(*quote), span: *span };
    parser.next_token();
    Ok(sql::Expr::Tuple(vec![text, sql::Expr::Identifier(unit)]))
}
