//! Names and types, before any row is read.

use serde::{Deserialize, Serialize};

use super::{
    ast::{Comparison, Constant, Expr, Function, Is, Kind},
    calendar::Zone,
    number::MAX_DIGITS,
    pattern::Pattern,
    text::{Source, short},
    types::Type,
};
use crate::{
    Result,
    column::{Column, TimeUnit},
    did_you_mean,
};

/// What a column holds, as far as a rule can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Nothing but missing values: fits everywhere.
    Null,
    /// True or false.
    Bool,
    /// Integers of any width.
    Whole,
    /// Decimals with so many digits behind the point.
    Decimal(i8),
    /// 32-bit floating point.
    Single,
    /// 64-bit floating point.
    Double,
    /// Text.
    Text,
    /// Days.
    Date,
    /// Points in time in units of so many digits of a second; with a zone they are read as its wall clock.
    Timestamp(i8, Option<Zone>),
}

impl ColumnKind {
    /// The kind of a column.
    #[must_use]
    pub fn of(column: &Column<'_>) -> Self {
        match column {
            Column::Null(_) => Self::Null,
            Column::Bool(..) => Self::Bool,
            Column::Int8(_)
            | Column::Int16(_)
            | Column::Int32(_)
            | Column::Int64(_)
            | Column::UInt8(_)
            | Column::UInt16(_)
            | Column::UInt32(_)
            | Column::UInt64(_) => Self::Whole,
            Column::Float32(_) => Self::Single,
            Column::Float64(_) => Self::Double,
            Column::Decimal(_, scale) => Self::Decimal(*scale),
            Column::Text(_) | Column::Dictionary(..) => Self::Text,
            Column::Date(_) => Self::Date,
            Column::Timestamp(_, unit, zone) => Self::Timestamp(digits_of_second(*unit), zone.and_then(Zone::new)),
        }
    }

    /// Whether it can be calculated with.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Whole | Self::Decimal(_) | Self::Single | Self::Double)
    }

    /// The name a person would use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "nothing but missing values",
            Self::Bool => "true or false",
            Self::Whole | Self::Decimal(_) | Self::Single | Self::Double => "numbers",
            Self::Text => "text",
            Self::Date => "dates",
            Self::Timestamp(..) => "timestamps",
        }
    }
}

/// How many digits of a second a unit keeps.
pub(crate) fn digits_of_second(unit: TimeUnit) -> i8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// The digits ROUND is asked for; `None` where they are no whole number written in the rule, or too many.
pub(crate) fn round_digits(arguments: &[Expr]) -> Option<i8> {
    let Some(digits) = arguments.get(1) else { return Some(0) };
    let Kind::Constant(Constant::Number(number)) = &digits.kind else { return None };
    number.to_i64().and_then(|digits| i8::try_from(digits).ok()).filter(|digits| digits.abs() <= MAX_DIGITS)
}

/// Checks one rule against the columns there are.
pub(crate) struct Checker<'a> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) names: &'a [String],
    pub(crate) kinds: &'a [ColumnKind],
}

impl Checker<'_> {
    /// The rule must be true or false.
    pub(crate) fn rule(&self, tree: &Expr) -> Result<()> {
        self.boolean(tree, "the rule")
    }

    fn refuse<T>(&self, tree: &Expr, what: &str) -> Result<T> {
        Err(self.source.error(tree.at, what))
    }

    /// An expression as a sentence names it: a parameter by its name and value.
    fn said(&self, tree: &Expr) -> String {
        match (&tree.kind, self.source.parameter(tree.at)) {
            (Kind::Constant(constant), Some(name)) => {
                format!("the parameter ':{name}' ({})", short(&constant.to_string()))
            }
            (Kind::Constant(Constant::Text(_)), None) => short(&tree.to_string()), // has quotes of its own
            _ => format!("'{}'", short(&tree.to_string())),
        }
    }

    fn boolean(&self, tree: &Expr, what: &str) -> Result<()> {
        match self.type_of(tree)? {
            Type::Bool | Type::Missing => Ok(()),
            other => {
                let (said, shown) = (self.said(tree), short(&tree.to_string()));
                let what =
                    format!("{what} is not a condition: {said} is {}; compare it, as in {shown} = ...", other.name());
                self.refuse(tree, &what)
            }
        }
    }

    fn number(&self, tree: &Expr, why: &str) -> Result<Type> {
        match self.type_of(tree)? {
            kind if kind.is_number() || kind == Type::Missing => Ok(kind),
            other => self.refuse(tree, &format!("{} is {}; {why}", self.said(tree), other.name())),
        }
    }

    fn text(&self, tree: &Expr, why: &str) -> Result<()> {
        match self.type_of(tree)? {
            Type::Text | Type::Missing => Ok(()),
            other => self.refuse(tree, &format!("{} is {}; {why}", self.said(tree), other.name())),
        }
    }

    /// Whether two values can be compared; each comes with its type, which is looked for once however often it is compared.
    fn comparable(&self, (left, a): (&Expr, Type), (right, b): (&Expr, Type), comparison: Comparison) -> Result<()> {
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if (a, b) == (Type::Bool, Type::Bool) && ordered {
            return self.refuse(right, "true and false have no order; compare them with = or <>");
        }
        for (side, kind) in [(left, a), (right, b)] {
            if kind == Type::Interval {
                return self.refuse(side, INTERVALS);
            }
        }
        if a.common(b).is_some() {
            return Ok(());
        }
        let looks_learned = |tree: &Expr| matches!(&tree.kind, Kind::Constant(Constant::Text(text)) if text.ends_with(')') && text.contains('('));
        let hint = if self.source.parameter(right.at).is_some() && looks_learned(right) {
            "; a learned parameter is mean(column) or median(column)"
        } else if a.is_time() != b.is_time() {
            "; a date is written DATE '2026-06-30'"
        } else if self.source.is_quote(right.at) {
            "; text stands in single quotes"
        } else {
            ""
        };
        let (left, kind) = (self.said(left), a.name());
        let what =
            format!("{left} is {kind} and {} is {}; the two cannot be compared{hint}", self.said(right), b.name());
        self.refuse(right, &what)
    }

    /// What stands for all of several values, of which the first is not yet known.
    fn common(&self, what: &str, values: &[&Expr]) -> Result<Type> {
        let mut so_far: Option<(Type, &Expr)> = None;
        for value in values {
            let kind = if value.kind == Kind::Constant(Constant::Null) { Type::Missing } else { self.type_of(value)? };
            if kind == Type::Interval {
                return self.refuse(value, INTERVALS);
            }
            so_far = match so_far {
                None => Some((kind, value)),
                Some((known, first)) => match known.common(kind) {
                    Some(Type::Missing) => Some((Type::Missing, value)),
                    Some(common) => Some((common, if known == Type::Missing { value } else { first })),
                    None => {
                        let (a, b) = (self.said(first), self.said(value));
                        let sentence = format!(
                            "{what} different kinds of value: {a} is {} and {b} is {}",
                            known.name(),
                            kind.name()
                        );
                        return self.refuse(value, &sentence);
                    }
                },
            };
        }
        Ok(so_far.map_or(Type::Missing, |(known, _)| known))
    }

    fn typed<'t>(&self, tree: &'t Expr) -> Result<(&'t Expr, Type)> {
        Ok((tree, self.type_of(tree)?))
    }

    /// What the expression gives.
    pub(crate) fn type_of(&self, tree: &Expr) -> Result<Type> {
        Ok(match &tree.kind {
            Kind::Column(name) => self.column(tree.at, name)?,
            Kind::Constant(Constant::Null) => {
                return self.refuse(tree, "NULL may only stand behind THEN and ELSE; write IS NULL or IS NOT NULL");
            }
            Kind::Constant(constant) => Type::of_constant(constant),
            Kind::Parameter(name) => return self.refuse(tree, &format!("the parameter ':{name}' has no value")),
            Kind::Rule(_) => Type::Bool,
            Kind::And(terms) | Kind::Or(terms) => {
                terms.iter().try_for_each(|term| self.boolean(term, "one side of AND or OR"))?;
                Type::Bool
            }
            Kind::Not(inner) => {
                self.boolean(inner, "what follows NOT")?;
                Type::Bool
            }
            Kind::Compare(comparison, left, right) => {
                self.comparable(self.typed(left)?, self.typed(right)?, *comparison)?;
                Type::Bool
            }
            Kind::In { value, list, .. } => {
                let value = self.typed(value)?;
                list.iter().try_for_each(|member| self.comparable(value, self.typed(member)?, Comparison::Equal))?;
                Type::Bool
            }
            Kind::Between { value, low, high, .. } => {
                let value = self.typed(value)?;
                self.comparable(value, self.typed(low)?, Comparison::GreaterOrEqual)?;
                self.comparable(value, self.typed(high)?, Comparison::LessOrEqual)?;
                Type::Bool
            }
            Kind::Is { value, what: Is::Null, .. } => {
                if self.type_of(value)? == Type::Interval {
                    return self.refuse(value, INTERVALS);
                }
                Type::Bool
            }
            Kind::Is { value, .. } => {
                self.boolean(value, "what stands before IS TRUE or IS FALSE")?;
                Type::Bool
            }
            Kind::Like { value, pattern, escape, .. } => {
                self.text(value, "LIKE compares text")?;
                let Kind::Constant(Constant::Text(text)) = &pattern.kind else {
                    let said = self.said(pattern);
                    return self
                        .refuse(pattern, &format!("{said} is no pattern; LIKE wants a 'text' with % and _ in it"));
                };
                if let Err(what) = Pattern::parse(text, *escape) {
                    return self.refuse(pattern, &format!("{} is no pattern: {what}", self.said(pattern)));
                }
                Type::Bool
            }
            Kind::Case { operand, branches, otherwise } => {
                let operand = operand.as_ref().map(|operand| self.typed(operand)).transpose()?;
                branches.iter().try_for_each(|(when, _)| match operand {
                    Some(operand) => self.comparable(operand, self.typed(when)?, Comparison::Equal),
                    None => self.boolean(when, "what stands between WHEN and THEN"),
                })?;
                let results = branches.iter().map(|(_, then)| then).chain(otherwise.as_deref());
                self.common("the branches of CASE give", &results.collect::<Vec<_>>())?
            }
            Kind::Call(function, arguments) => self.call(*function, arguments)?,
            Kind::Join(terms) => {
                terms.iter().try_for_each(|term| self.text(term, "|| joins text, OR conditions"))?;
                Type::Text
            }
            Kind::Negative(inner) => self.number(inner, CALCULATED)?,
            Kind::Arithmetic(first, rest) => {
                let mut so_far = self.type_of(first)?;
                for (operator, next) in rest {
                    let kind = self.type_of(next)?;
                    so_far = match so_far.calculated(*operator, kind) {
                        Some(result) => result,
                        None if so_far.is_time() => {
                            return self.refuse(next, &format!("{} is {}; {DATES}", self.said(next), kind.name()));
                        }
                        None if kind == Type::Interval => return self.refuse(next, INTERVALS),
                        None if so_far == Type::Interval => return self.refuse(first, INTERVALS),
                        None if so_far.is_number() || so_far == Type::Missing => {
                            return self.refuse(next, &format!("{} is {}; {CALCULATED}", self.said(next), kind.name()));
                        }
                        None => {
                            return self
                                .refuse(first, &format!("{} is {}; {CALCULATED}", self.said(first), so_far.name()));
                        }
                    };
                }
                so_far
            }
        })
    }

    fn call(&self, function: Function, arguments: &[Expr]) -> Result<Type> {
        let all: Vec<&Expr> = arguments.iter().collect();
        Ok(match (function, arguments) {
            (Function::Coalesce, _) => self.common("COALESCE has", &all)?,
            (Function::Least | Function::Greatest, _) => {
                match self.common(&format!("{} has", function.word()), &all)? {
                    Type::Bool => {
                        let at = arguments.first().map_or(0, |first| first.at);
                        return Err(self
                            .source
                            .error(at, "true and false have no order; use AND for the least, OR for the greatest"));
                    }
                    other => other,
                }
            }
            (Function::NullIf, [value, other]) => {
                let value = self.typed(value)?;
                self.comparable(value, self.typed(other)?, Comparison::Equal)?;
                value.1
            }
            (Function::Abs, [value]) => self.number(value, "ABS wants a number")?,
            (Function::Round, [value, rest @ ..]) => {
                let kind = self.number(value, "ROUND wants a number")?;
                let Some(digits) = round_digits(arguments) else {
                    let digits = rest.first().unwrap_or(value);
                    let what = format!(
                        "{} is not how many digits to keep; write a whole number from -{MAX_DIGITS} to {MAX_DIGITS}",
                        self.said(digits)
                    );
                    return self.refuse(digits, &what);
                };
                kind.rounded(digits)
            }
            _ => Type::Missing, // the reader has counted the arguments
        })
    }

    fn column(&self, at: usize, name: &str) -> Result<Type> {
        let position = self.names.iter().position(|known| known == name);
        let Some(kind) = position.and_then(|position| self.kinds.get(position)) else {
            let near = did_you_mean(name, self.names.iter().map(String::as_str));
            return Err(self.source.error(at, &format!("there is no column '{}'{near}", short(name))));
        };
        Ok(Type::of_column(*kind))
    }
}

const CALCULATED: &str = "only numbers can be calculated with";
const DATES: &str = "to a date or timestamp only an interval can be added, as in + INTERVAL '30 days', and only that or another date taken away";
const INTERVALS: &str = "an interval can only be added to or taken from a date or timestamp that stands before it";
