//! From a rule's text to its tree. `sqlparser` reads the SQL; what it leaves open is closed here: the
//! limits are counted on the tokens first, every word that is not reserved is a column, the whole text
//! must be used, and every error points at a character.

use sqlparser::{
    ast::{self as sql, BinaryOperator, Spanned, UnaryOperator, Value},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Token, TokenWithSpan, Tokenizer, TokenizerError, Word},
};

use super::{
    ast::{Comparison, Constant, Expr, Function, Is, Kind, Operator},
    calendar::{self, Interval},
    dialect::{CALLED, RuleDialect, WITH_TEXT, named},
    foreign::{COLUMN, instead_of, instead_of_function, instead_of_more, instead_of_value},
    number::Number,
    text::{Source, short},
};
use crate::{Result, did_you_mean};

/// Longest rule, in tokens.
pub const MAX_TOKENS: usize = 20_000;
/// Deepest nesting of parentheses and CASEs, and of NOT and minus signs before one operand.
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
                    Token::SingleQuotedString(text) => short(text),
                    other => other.to_string(),
                };
                let what = format!("the rule ends before '{rest_text}'; {}", instead_of_more(&parser));
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
        ParserError::RecursionLimitExceeded => source.error(at, &too_deep()),
        ParserError::TokenizerError(message) => source.error(at, &message),
        ParserError::ParserError(message) => {
            let (what, place) = message.split_once(" at Line: ").unwrap_or((&message, ""));
            let mut numbers = place.split(", Column: ").map(str::parse::<u64>);
            let at = match (numbers.next(), numbers.next()) {
                (Some(Ok(line)), Some(Ok(column))) => source.position(sqlparser::tokenizer::Location { line, column }),
                _ => at,
            };
            let (wanted, found) = what.split_once(", found: ").unwrap_or((what, ""));
            let wanted = wanted.strip_prefix("Expected: ").unwrap_or(wanted);
            let wanted = match wanted {
                "placeholder" => "the name of a parameter behind the colon",
                "an expression" => "a column, a number or 'text'",
                "(" | ")" => &format!("'{wanted}'"),
                _ if wanted.ends_with(" after IS") => "NULL, TRUE or FALSE behind IS or IS NOT",
                _ => wanted,
            };
            let found = match found {
                "" | "EOF" => "the end of the rule".to_owned(),
                _ => format!("'{}'", short(found.trim_matches(['"', '\'']))), // our own quotes left out
            };
            let word = found.trim_matches('\'');
            let name = wanted.starts_with("a column") && word.chars().all(char::is_alphabetic);
            let quote = if name && !matches!(word.to_ascii_uppercase().as_str(), "AND" | "OR" | "NOT") {
                format!("; a column of that name stands in double quotes: \"{word}\"")
            } else {
                String::new()
            };
            source.error(at, &format!("expected {wanted}, found {found}{quote}"))
        }
    }
}

fn too_deep() -> String {
    format!("the rule nests deeper than {MAX_NESTING}; cut it into several rules")
}

/// The error of a text that ends within a token.
fn unfinished(source: &Source<'_>, text: &str, failure: &TokenizerError) -> crate::Error {
    let (place, what) = if failure.message.contains("comment") {
        // sqlparser names the end of the text; where the comment begins, a whole one tells.
        let closed = format!("{text}*/");
        let tokens = Tokenizer::new(&RuleDialect, &closed).tokenize_with_location().unwrap_or_default();
        let begin = tokens.last().map_or(failure.location, |comment| comment.span.start);
        (begin, "the comment that begins here has no */ at its end")
    } else if failure.message.contains("delimiter") {
        (failure.location, "the name that begins here has no \" at its end")
    } else {
        (failure.location, "the text that begins here has no ' at its end")
    };
    source.error(source.position(place), what)
}

/// The tokens without white space, every unreserved word marked as a name, within the limits.
fn tokenize(source: &Source<'_>, text: &str) -> Result<Vec<TokenWithSpan>> {
    let tokens = Tokenizer::new(&RuleDialect, text)
        .tokenize_with_location()
        .map_err(|failure| unfinished(source, text, &failure))?;
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let (mut open, mut prefixes) = (0usize, 0usize);
    for token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        let error = |what: &str| Err(source.error(source.position(token.span.start), what));
        if let Some(next) = instead_of(&token.token) {
            let written = source.between(token.span);
            return error(&format!("there is no '{}' in a rule; {next}", short(&written)));
        }
        if matches!(token.token, Token::Number(..))
            && let Some(TokenWithSpan { token: Token::Word(word), .. }) = kept.last()
            && word.value.eq_ignore_ascii_case("interval")
        {
            return error("an interval stands in single quotes, as in INTERVAL '90' DAY");
        }
        if token.token == Token::Colon
            && let Some(TokenWithSpan {
                token: Token::Word(Word { quote_style: Some(_), .. }) | Token::Number(..), ..
            }) = kept.last()
        {
            return error("a parameter needs a comparison before it, as in order_count > :many");
        }
        match &token.token {
            Token::LParen => open += 1,
            Token::RParen => open = open.saturating_sub(1),
            Token::Word(word) if word.keyword == Keyword::CASE => open += 1,
            Token::Word(word) if word.keyword == Keyword::END => open = open.saturating_sub(1),
            _ => {}
        }
        let is_prefix = match &token.token {
            Token::Minus | Token::Plus => true,
            Token::Word(word) => word.keyword == Keyword::NOT,
            _ => false,
        };
        prefixes = if is_prefix { prefixes + 1 } else { 0 };
        if open + prefixes > MAX_NESTING {
            return error(&too_deep());
        }
        if kept.len() == MAX_TOKENS {
            return error(&format!(
                "the rule is longer than {MAX_TOKENS} words and signs; cut it into several rules, or make a long list a column \
                 of the frame"
            ));
        }
        if let Some(TokenWithSpan { token: Token::Word(word), span }) = kept.last_mut()
            && word.quote_style == Some('"')
            && let at = source.position(span.start)
            && !source.is_quote(at)
        {
            let takes_text =
                ["DATE", "TIMESTAMP", "INTERVAL"].iter().any(|known| known.eq_ignore_ascii_case(&word.value));
            match token.token {
                Token::LParen if Function::named(&word.value).is_some() => word.keyword = CALLED,
                Token::LParen => {
                    let first = word.value.get(..1).unwrap_or_default();
                    let alike = Function::ALL.map(Function::word).into_iter();
                    let near = did_you_mean(
                        &word.value,
                        alike.filter(|known| known.get(..1).is_some_and(|other| other.eq_ignore_ascii_case(first))),
                    );
                    let next = match instead_of_function(&word.value) {
                        None if near.is_empty() => format!("; {COLUMN}"),
                        None => near,
                        Some(instead) => format!("; {instead}"),
                    };
                    return Err(source.error(at, &format!("there is no function '{}'{next}", short(&word.value))));
                }
                Token::SingleQuotedString(_) if takes_text => word.keyword = WITH_TEXT,
                _ => {}
            }
        }
        kept.push(named(token));
    }
    if kept.is_empty() {
        let what = if text.trim().is_empty() { "the text is empty" } else { "the text is a comment, which -- begins" };
        return Err(source.error(0, &format!("{what}; write a condition such as recency_score >= 4")));
    }
    Ok(kept)
}

/// From sqlparser's tree to ours.
struct Reader<'a> {
    source: &'a Source<'a>,
}

impl Reader<'_> {
    fn expression(&self, tree: sql::Expr, depth: usize) -> Result<Expr> {
        if depth > MAX_DEPTH {
            let at = self.source.position(tree.span().start);
            return Err(self.source.error(at, &too_deep()));
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
            sql::Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                let (value, pattern) = (boxed(expr)?, boxed(pattern)?);
                let escape = escape_char.map(|escape| self.escape(*escape)).transpose()?;
                (value.at, Kind::Like { value, pattern, escape, negated })
            }
            sql::Expr::Case { case_token, operand, conditions, else_result, .. } => {
                let at = self.source.position(case_token.0.span.start);
                let operand = operand.map(boxed).transpose()?;
                let branches = conditions.into_iter().map(|branch| {
                    Ok((self.expression(branch.condition, depth + 1)?, self.result(branch.result, depth + 1)?))
                });
                let branches = branches.collect::<Result<_>>()?;
                let otherwise = else_result.map(|result| self.result(*result, depth + 1).map(Box::new)).transpose()?;
                (at, Kind::Case { operand, branches, otherwise })
            }
            sql::Expr::Prefixed { prefix, value } => {
                (self.source.position(prefix.span.start), self.prefixed(&prefix, *value, depth)?)
            }
            other => {
                let at = self.source.position(other.span().start);
                let what = format!("'{}' is not something a rule can say", short(&other.to_string()));
                return Err(self.source.error(at, &what));
            }
        };
        Ok(Expr { at, kind })
    }

    /// What CASE gives: any expression, and NULL.
    fn result(&self, tree: sql::Expr, depth: usize) -> Result<Expr> {
        match tree {
            sql::Expr::Value(sql::ValueWithSpan { value: Value::Null, span }) => {
                Ok(Expr { at: self.source.position(span.start), kind: Kind::Constant(Constant::Null) })
            }
            other => self.expression(other, depth),
        }
    }

    fn escape(&self, tree: sql::Expr) -> Result<char> {
        let at = self.source.position(tree.span().start);
        let text = match tree {
            sql::Expr::Value(sql::ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => text,
            other => other.to_string(),
        };
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(escape), None) => Ok(escape),
            _ => Err(self
                .source
                .error(at, &format!("ESCAPE wants one character in quotes, as in ESCAPE '!'; got '{}'", short(&text)))),
        }
    }

    /// A function with its arguments, or DATE, TIMESTAMP or INTERVAL with its text.
    fn prefixed(&self, name: &sql::Ident, value: sql::Expr, depth: usize) -> Result<Kind> {
        if let (Some(function), sql::Expr::Tuple(arguments)) = (Function::named(&name.value), &value) {
            let (fewest, most) = function.arguments();
            let found = arguments.len();
            if found < fewest || found > most {
                let wanted = match (fewest, most) {
                    (1, 1) => "1 argument".to_owned(),
                    (_, usize::MAX) => format!("{fewest} argument or more"),
                    (fewest, most) if fewest == most => format!("{fewest} arguments"),
                    (fewest, most) => format!("{fewest} or {most} arguments"),
                };
                let what = format!("{} takes {wanted}; got {found}", function.word());
                return Err(self.source.error(self.source.position(name.span.start), &what));
            }
        }
        match (Function::named(&name.value), value) {
            (Some(function), sql::Expr::Tuple(arguments)) => {
                let arguments = arguments.into_iter().map(|argument| self.expression(argument, depth + 1));
                Ok(Kind::Call(function, arguments.collect::<Result<_>>()?))
            }
            (_, value) => self.literal(&name.value, value),
        }
    }

    fn literal(&self, name: &str, value: sql::Expr) -> Result<Kind> {
        let (value, unit) = match value {
            sql::Expr::Tuple(parts) => {
                let mut parts = parts.into_iter();
                (parts.next(), parts.next())
            }
            value => (Some(value), None),
        };
        let Some(sql::Expr::Value(sql::ValueWithSpan { value: Value::SingleQuotedString(text), span })) = value else {
            return Err(self.source.error(0, &format!("{name} wants a text behind it")));
        };
        let at = self.source.position(span.start);
        let unit = match unit {
            Some(sql::Expr::Identifier(unit)) => Some(unit),
            _ => None,
        };
        if let Some(unit) = unit.as_ref().filter(|_| !name.eq_ignore_ascii_case("interval")) {
            let what = format!("the rule ends before '{}'; join conditions with AND or OR", short(&unit.value));
            return Err(self.source.error(self.source.position(unit.span.start), &what));
        }
        let (constant, wanted) = match name.to_ascii_uppercase().as_str() {
            "DATE" => (calendar::parse_date(&text).map(Constant::Date), "a day such as DATE '2026-06-30'"),
            "TIMESTAMP" => (
                calendar::parse_timestamp(&text).map(Constant::Timestamp),
                "a time such as TIMESTAMP '2026-06-30 12:00:00'",
            ),
            _ => {
                let interval = Interval::parse(&text, unit.as_ref().map(|unit| unit.value.as_str()));
                let interval = interval
                    .map_err(|what| self.source.error(at, &format!("'{}' is no interval; {what}", short(&text))))?;
                (Some(Constant::Interval(interval)), "")
            }
        };
        let constant = constant.ok_or_else(|| self.source.error(at, &format!("'{}' is not {wanted}", short(&text))))?;
        Ok(Kind::Constant(constant))
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
                    let (at, what) = if matches!(right.kind, Kind::Join(_)) {
                        (right.at, "|| joins texts; write OR between conditions")
                    } else {
                        (third.at, "comparisons cannot be chained; write a < b AND b < c, or use parentheses")
                    };
                    return Err(self.source.error(at, what));
                }
                Kind::Compare(comparison, Box::new(first), Box::new(right))
            }
            Some(JOIN) => Kind::Join(std::iter::once(first).chain(terms.into_iter().map(|(_, term)| term)).collect()),
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
            other => return Err(self.source.error(at, &instead_of_value(&other))),
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
        B::StringConcat => Sign::Join,
        other => return Err(format!("there is no operator '{other}'; a rule has = <> < <= > >= + - * / % ||")),
    })
}

/// A binary operator with the level it binds at.
#[derive(Clone, Copy)]
enum Sign {
    Or,
    And,
    Compare(Comparison),
    Arithmetic(Operator),
    Join,
}

/// The level of `||`. It binds like `+`, but a chain of one is none of the other.
const JOIN: u8 = 5;

impl Sign {
    fn level(self) -> u8 {
        match self {
            Self::Or => 0,
            Self::And => 1,
            Self::Compare(_) => 2,
            Self::Arithmetic(operator) => 3 + u8::from(operator.is_product()),
            Self::Join => JOIN,
        }
    }
}
