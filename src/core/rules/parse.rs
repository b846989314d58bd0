//! From a rule's text to its tree. `sqlparser` reads the SQL; what it leaves open is closed here: the
//! limits are counted on the tokens first, every word that is not reserved is a column, the whole text
//! must be used, and every error points at a character.

use sqlparser::{
    ast::{self as sql, BinaryOperator, Spanned, UnaryOperator, Value},
    dialect::Dialect,
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Token, TokenWithSpan, Tokenizer, Word},
};

use super::{
    ast::{Comparison, Constant, Expr, Is, Kind, Operator, RESERVED},
    number::Number,
    text::{Source, short},
};
use crate::Result;

/// Longest rule, in tokens.
pub const MAX_TOKENS: usize = 20_000;
/// Deepest nesting of parentheses and of NOT and minus signs before one operand.
pub const MAX_NESTING: usize = 40;
/// Deepest tree `sqlparser` may build: each nesting holds an OR, an AND, a NOT, a comparison, a sum and a product.
const MAX_DEPTH: usize = 8 * (MAX_NESTING + 1);
/// Texts with more tokens are parsed on a thread with a large stack, because `sqlparser` drops the tree
/// of a long chain by recursion.
const SMALL: usize = 500;
const LARGE_STACK: usize = 256 << 20;

/// Reads one rule; `label` is for error messages.
pub fn parse(label: &str, text: &str) -> Result<Expr> {
    let source = Source::new(label, text);
    let tokens = tokenize(&source, text)?;
    if tokens.len() <= SMALL {
        return read(&source, tokens);
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(LARGE_STACK);
        let reader = builder.spawn_scoped(scope, || read(&source, tokens));
        reader.ok().and_then(|reader| reader.join().ok()).unwrap_or_else(|| {
            Err(source.error(0, "the text is too long to be read with the memory there is; cut it into several rules"))
        })
    })
}

fn read(source: &Source<'_>, tokens: Vec<TokenWithSpan>) -> Result<Expr> {
    let mut parser = Parser::new(&RuleDialect).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens);
    match parser.parse_expr() {
        Ok(tree) => {
            let rest = parser.peek_token_ref();
            if rest.token != Token::EOF {
                let rest_text = match &rest.token {
                    Token::Word(word) => short(&word.value), // our own quotes left out
                    other => other.to_string(),
                };
                let what = format!("the rule ends before '{rest_text}'; join conditions with AND or OR");
                return Err(source.error(source.position(rest.span.start), &what));
            }
            Reader { source }.expression(tree, 0)
        }
        Err(failure) => Err(parser_error(source, &parser, failure)),
    }
}

/// sqlparser's message, with the place it names at its end turned into a character.
fn parser_error(source: &Source<'_>, parser: &Parser<'_>, failure: ParserError) -> crate::Error {
    let here = parser.peek_token_ref();
    let at = source.position(here.span.start);
    match failure {
        ParserError::RecursionLimitExceeded => {
            source.error(at, &format!("the rule nests deeper than {MAX_NESTING}; cut it into several rules"))
        }
        ParserError::TokenizerError(message) => source.error(at, &message),
        ParserError::ParserError(message) => {
            let (what, place) = message.split_once(" at Line: ").unwrap_or((&message, ""));
            let mut numbers = place.split(", Column: ").map(str::parse::<u64>);
            let at = match (numbers.next(), numbers.next()) {
                (Some(Ok(line)), Some(Ok(column))) => source.position(sqlparser::tokenizer::Location { line, column }),
                _ => at,
            };
            let what = what.replace("Expected: ", "expected ").replace("found: EOF", "found the end of the rule");
            source.error(at, &what.replace("found: ", "found "))
        }
    }
}

/// The tokens without white space, every unreserved word marked as a name, within the limits.
fn tokenize(source: &Source<'_>, text: &str) -> Result<Vec<TokenWithSpan>> {
    let tokens = Tokenizer::new(&RuleDialect, text)
        .tokenize_with_location()
        .map_err(|failure| source.error(source.position(failure.location), &failure.message.to_lowercase()))?;
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let (mut open, mut prefixes) = (0usize, 0usize);
    for token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        let error = |what: &str| Err(source.error(source.position(token.span.start), what));
        match &token.token {
            Token::LParen => open += 1,
            Token::RParen => open = open.saturating_sub(1),
            _ => {}
        }
        let is_prefix = match &token.token {
            Token::Minus | Token::Plus => true,
            Token::Word(word) => word.keyword == Keyword::NOT,
            _ => false,
        };
        prefixes = if is_prefix { prefixes + 1 } else { 0 };
        if open + prefixes > MAX_NESTING {
            return error(&format!("the rule nests deeper than {MAX_NESTING}; cut it into several rules"));
        }
        if kept.len() == MAX_TOKENS {
            return error(&format!(
                "the rule is longer than {MAX_TOKENS} words and signs; use IN for lists, or cut it into several rules"
            ));
        }
        if token.token == Token::LParen
            && let Some(Token::Word(word)) = kept.last().map(|last| &last.token)
            && word.quote_style == Some('"')
        {
            let at = kept.last().map_or(0, |last| source.position(last.span.start));
            let what =
                format!("there is no function '{}'; compute it as a column of the frame first", short(&word.value));
            return Err(source.error(at, &what));
        }
        kept.push(named(token));
    }
    if kept.is_empty() {
        return Err(source.error(0, "the text is empty; write a condition such as recency_score >= 4"));
    }
    Ok(kept)
}

/// Marks an unreserved word as a quoted name, which sqlparser never takes for a keyword.
fn named(mut token: TokenWithSpan) -> TokenWithSpan {
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
struct RuleDialect;

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
            Token::Word(Word { value, quote_style: Some(quote), .. }) => {
                let name = sql::Ident { value: value.clone(), quote_style: Some(*quote), span: *span };
                parser.next_token();
                Some(Ok(sql::Expr::Identifier(name)))
            }
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Colon => {
                Some(parser.parse_value().map(sql::Expr::Value))
            }
            // sqlparser would read `a > AND b` as a column named AND.
            Token::Word(word)
                if !matches!(
                    word.keyword,
                    Keyword::NOT | Keyword::TRUE | Keyword::FALSE | Keyword::NULL | Keyword::CASE
                ) =>
            {
                Some(parser.expected_ref("a column, a number or 'text'", parser.peek_token_ref()))
            }
            _ => None,
        }
    }
}

/// From sqlparser's tree to ours.
struct Reader<'a> {
    source: &'a Source<'a>,
}

impl Reader<'_> {
    fn expression(&self, tree: sql::Expr, depth: usize) -> Result<Expr> {
        if depth > MAX_DEPTH {
            let at = self.source.position(tree.span().start);
            return Err(self.source.error(at, &format!("the rule nests deeper than {MAX_NESTING}")));
        }
        let boxed = |tree: Box<sql::Expr>| self.expression(*tree, depth + 1).map(Box::new);
        let is = |tree, what, negated| boxed(tree).map(|value| (value.at, Kind::Is { value, what, negated }));
        let (at, kind) = match tree {
            sql::Expr::Identifier(name) => (self.source.position(name.span.start), Kind::Column(name.value)),
            sql::Expr::Value(value) => self.constant(value)?,
            sql::Expr::Nested(inner) => return self.expression(*inner, depth + 1),
            sql::Expr::BinaryOp { .. } => return self.chain(tree, depth),
            sql::Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                let inner = boxed(expr)?;
                (inner.at, Kind::Not(inner))
            }
            sql::Expr::UnaryOp { op: UnaryOperator::Plus, expr } => return self.expression(*expr, depth + 1),
            sql::Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match *boxed(expr)? {
                Expr { at, kind: Kind::Constant(Constant::Number(number)) } => {
                    (at, Kind::Constant(Constant::Number(number.negated())))
                }
                inner => (inner.at, Kind::Negative(Box::new(inner))),
            },
            sql::Expr::IsNull(inner) => is(inner, Is::Null, false)?,
            sql::Expr::IsNotNull(inner) => is(inner, Is::Null, true)?,
            sql::Expr::IsTrue(inner) => is(inner, Is::True, false)?,
            sql::Expr::IsNotTrue(inner) => is(inner, Is::True, true)?,
            sql::Expr::IsFalse(inner) => is(inner, Is::False, false)?,
            sql::Expr::IsNotFalse(inner) => is(inner, Is::False, true)?,
            sql::Expr::InList { expr, list, negated } => {
                let value = boxed(expr)?;
                let list = list.into_iter().map(|member| self.expression(member, depth + 1)).collect::<Result<_>>()?;
                (value.at, Kind::In { value, list, negated })
            }
            sql::Expr::Between { expr, negated, low, high } => {
                let value = boxed(expr)?;
                (value.at, Kind::Between { value, low: boxed(low)?, high: boxed(high)?, negated })
            }
            other => {
                let at = self.source.position(other.span().start);
                let what = format!("'{}' is not something a rule can say", short(&other.to_string()));
                return Err(self.source.error(at, &what));
            }
        };
        Ok(Expr { at, kind })
    }

    /// Takes a left-leaning chain of one level of binary operators apart in a loop.
    fn chain(&self, mut tree: sql::Expr, depth: usize) -> Result<Expr> {
        let mut level = None;
        let mut terms = Vec::new();
        let first = loop {
            match tree {
                sql::Expr::BinaryOp { left, op, right }
                    if level.is_none_or(|level| sign_of(&op).is_ok_and(|sign| sign.level() == level)) =>
                {
                    let sign = sign_of(&op)
                        .map_err(|what| self.source.error(self.source.position(right.span().start), &what))?;
                    level = Some(sign.level());
                    terms.push((sign, self.expression(*right, depth + 1)?));
                    tree = *left;
                }
                first => break self.expression(first, depth + 1)?,
            }
        };
        terms.reverse();
        let at = first.at;
        let kind = match level {
            Some(0) => Kind::Or(std::iter::once(first).chain(terms.into_iter().map(|(_, term)| term)).collect()),
            Some(1) => Kind::And(std::iter::once(first).chain(terms.into_iter().map(|(_, term)| term)).collect()),
            Some(2) => {
                let mut terms = terms.into_iter();
                let (Some((Sign::Compare(comparison), right)), rest) = (terms.next(), terms.next()) else {
                    return Err(self.source.error(at, "a comparison needs two sides"));
                };
                if let Some((_, third)) = rest {
                    let what = "comparisons cannot be chained; write a < b AND b < c, or use parentheses";
                    return Err(self.source.error(third.at, what));
                }
                Kind::Compare(comparison, Box::new(first), Box::new(right))
            }
            _ => {
                let rest = terms.into_iter().filter_map(|(sign, term)| match sign {
                    Sign::Arithmetic(operator) => Some((operator, term)),
                    _ => None,
                });
                Kind::Arithmetic(Box::new(first), rest.collect())
            }
        };
        Ok(Expr { at, kind })
    }

    fn constant(&self, value: sql::ValueWithSpan) -> Result<(usize, Kind)> {
        let at = self.source.position(value.span.start);
        let kind = match value.value {
            Value::Boolean(value) => Kind::Constant(Constant::Bool(value)),
            Value::SingleQuotedString(text) => Kind::Constant(Constant::Text(text)),
            Value::Number(digits, false) => {
                let Some(number) = Number::parse(&digits) else {
                    let what = format!("the number {} has over 38 digits or is out of range", short(&digits));
                    return Err(self.source.error(at, &what));
                };
                Kind::Constant(Constant::Number(number))
            }
            Value::Placeholder(name) => Kind::Parameter(name.trim_start_matches(':').to_owned()),
            Value::Null => {
                return Err(self.source.error(at, "nothing is equal to NULL; write IS NULL or IS NOT NULL"));
            }
            other => {
                let what =
                    format!("{} is not a value a rule knows; write a number or 'text'", short(&other.to_string()));
                return Err(self.source.error(at, &what));
            }
        };
        Ok((at, kind))
    }
}

/// What an operator of sqlparser's stands for, or why it stands for nothing.
fn sign_of(operator: &BinaryOperator) -> Result<Sign, String> {
    use BinaryOperator as B;
    Ok(match operator {
        B::And => Sign::And,
        B::Or => Sign::Or,
        B::Eq => Sign::Compare(Comparison::Equal),
        B::NotEq => Sign::Compare(Comparison::NotEqual),
        B::Lt => Sign::Compare(Comparison::Less),
        B::LtEq => Sign::Compare(Comparison::LessOrEqual),
        B::Gt => Sign::Compare(Comparison::Greater),
        B::GtEq => Sign::Compare(Comparison::GreaterOrEqual),
        B::Plus => Sign::Arithmetic(Operator::Add),
        B::Minus => Sign::Arithmetic(Operator::Subtract),
        B::Multiply => Sign::Arithmetic(Operator::Multiply),
        B::Divide => Sign::Arithmetic(Operator::Divide),
        B::Modulo => Sign::Arithmetic(Operator::Remainder),
        other => return Err(format!("there is no operator '{other}'; a rule has = <> < <= > >= + - * / %")),
    })
}

/// A binary operator with the level it binds at.
#[derive(Clone, Copy)]
enum Sign {
    Or,
    And,
    Compare(Comparison),
    Arithmetic(Operator),
}

impl Sign {
    fn level(self) -> u8 {
        match self {
            Self::Or => 0,
            Self::And => 1,
            Self::Compare(_) => 2,
            Self::Arithmetic(operator) => 3 + u8::from(operator.is_product()),
        }
    }
}
