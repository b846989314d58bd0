//! A tree as text that reads back as the same tree.

use std::fmt::{self, Write};

use super::{
    ast::{Constant, Expr, Kind, RESERVED},
    calendar,
};

impl Expr {
    /// How tightly the outermost operator binds; an operand that binds no tighter needs parentheses.
    fn binding(&self) -> u8 {
        match &self.kind {
            Kind::Or(_) => 1,
            Kind::And(_) => 2,
            Kind::Not(_) => 3,
            Kind::Compare(..) | Kind::In { .. } | Kind::Between { .. } | Kind::Is { .. } | Kind::Like { .. } => 4,
            Kind::Arithmetic(_, rest) if rest.first().is_some_and(|(operator, _)| operator.is_product()) => 6,
            Kind::Arithmetic(..) | Kind::Join(_) => 5,
            Kind::Negative(_) => 7,
            Kind::Constant(Constant::Number(number)) if number.to_f64() < 0.0 => 7,
            _ => 9,
        }
    }

    fn within(&self, f: &mut fmt::Formatter<'_>, binding: u8) -> fmt::Result {
        if self.binding() > binding { write!(f, "{self}") } else { write!(f, "({self})") }
    }
}

/// The rule as text that reads back as the same tree.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match &self.kind {
            Kind::Column(name) | Kind::Rule(name) => f.write_str(&column_text(name)),
            Kind::Constant(constant) => write!(f, "{constant}"),
            Kind::Parameter(name) => write!(f, ":{name}"),
            Kind::And(terms) => joined(f, terms, " AND ", 2),
            Kind::Or(terms) => joined(f, terms, " OR ", 2),
            Kind::Not(inner) => {
                f.write_str("NOT ")?;
                inner.within(f, 4)
            }
            Kind::Compare(comparison, left, right) => {
                left.within(f, 4)?;
                write!(f, " {} ", comparison.sign())?;
                right.within(f, 4)
            }
            Kind::In { value, list, negated } => {
                value.within(f, 4)?;
                write!(f, " {}IN (", not(negated))?;
                joined(f, list, ", ", 0)?;
                f.write_char(')')
            }
            Kind::Between { value, low, high, negated } => {
                value.within(f, 4)?;
                write!(f, " {}BETWEEN ", not(negated))?;
                low.within(f, 4)?;
                f.write_str(" AND ")?;
                high.within(f, 4)
            }
            Kind::Is { value, what, negated } => {
                value.within(f, 4)?;
                write!(f, " IS {}{}", not(negated), what.word())
            }
            Kind::Like { value, pattern, escape, negated } => {
                value.within(f, 4)?;
                write!(f, " {}LIKE ", not(negated))?;
                pattern.within(f, 4)?;
                escape.iter().try_for_each(|escape| write!(f, " ESCAPE {}", quoted(&escape.to_string(), '\'')))
            }
            Kind::Case { operand, branches, otherwise } => {
                f.write_str("CASE")?;
                operand.iter().try_for_each(|operand| write!(f, " {operand}"))?;
                branches.iter().try_for_each(|(when, then)| write!(f, " WHEN {when} THEN {then}"))?;
                otherwise.iter().try_for_each(|otherwise| write!(f, " ELSE {otherwise}"))?;
                f.write_str(" END")
            }
            Kind::Call(function, arguments) => {
                write!(f, "{}(", function.word())?;
                joined(f, arguments, ", ", 0)?;
                f.write_char(')')
            }
            Kind::Join(terms) => joined(f, terms, " || ", 5),
            Kind::Negative(inner) => {
                f.write_char('-')?;
                inner.within(f, 7)
            }
            Kind::Arithmetic(first, rest) => {
                let binding = self.binding();
                first.within(f, binding)?;
                rest.iter().try_for_each(|(operator, next)| {
                    write!(f, " {} ", operator.sign())?;
                    next.within(f, binding)
                })
            }
        }
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => f.write_str(if *value { "TRUE" } else { "FALSE" }),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(&quoted(text, '\'')),
            Self::Date(day) => write!(f, "DATE '{}'", calendar::date_text((*day).into())),
            Self::Timestamp(micros) => write!(f, "TIMESTAMP '{}'", calendar::timestamp_text(*micros)),
            Self::Interval(interval) => write!(f, "{interval}"),
            Self::Null => f.write_str("NULL"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, terms: &[Expr], between: &str, binding: u8) -> fmt::Result {
    for (index, term) in terms.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        term.within(f, binding)?;
    }
    Ok(())
}

/// A column's name, quoted where it is not a plain word.
#[must_use]
pub fn column_text(name: &str) -> String {
    let mut characters = name.chars();
    let plain = characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|next| next.is_alphanumeric() || next == '_')
        && !RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name));
    if plain { name.to_owned() } else { quoted(name, '"') }
}

/// Text in quotes, with the quotes inside it doubled.
#[must_use]
pub fn quoted(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        if character == quote {
            out.push(quote);
        }
        out.push(character);
    }
    out.push(quote);
    out
}
