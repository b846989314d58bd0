//! Names and types, before any row is read.

use serde::{Deserialize, Serialize};

use super::{
    ast::{Comparison, Constant, Expr, Is, Kind},
    text::{Source, short},
};
use crate::{Result, column::Column, did_you_mean};

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
    /// Dates or timestamps.
    Time,
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
            Column::Date(_) | Column::Timestamp(..) => Self::Time,
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
            Self::Time => "dates",
        }
    }
}

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Unknown,
    Bool,
    Number,
    Text,
    Time,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Unknown => "a missing value",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Text => "text",
            Self::Time => "a date",
        }
    }
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

    fn boolean(&self, tree: &Expr, what: &str) -> Result<()> {
        match self.type_of(tree)? {
            Type::Bool | Type::Unknown => Ok(()),
            other => {
                let shown = short(&tree.to_string());
                let what = format!(
                    "{what} is not a condition: '{shown}' is {}; compare it, as in {shown} = ...",
                    other.name()
                );
                Err(self.source.error(tree.at, &what))
            }
        }
    }

    fn number(&self, tree: &Expr) -> Result<()> {
        match self.type_of(tree)? {
            Type::Number | Type::Unknown => Ok(()),
            other => {
                let what =
                    format!("'{}' is {}; only numbers can be calculated with", short(&tree.to_string()), other.name());
                Err(self.source.error(tree.at, &what))
            }
        }
    }

    fn comparable(&self, left: &Expr, right: &Expr, comparison: Comparison) -> Result<()> {
        let (a, b) = (self.type_of(left)?, self.type_of(right)?);
        let what = match (a, b) {
            (Type::Time, _) | (_, Type::Time) => {
                "dates can only be tested with IS NULL and IS NOT NULL here; use a column of days, such as recency_days"
                    .to_owned()
            }
            (Type::Bool, Type::Bool) if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) => {
                "true and false have no order; compare them with = or <>".to_owned()
            }
            (Type::Unknown, _) | (_, Type::Unknown) => return Ok(()),
            (a, b) if a == b => return Ok(()),
            (a, b) => format!(
                "'{}' is {} and '{}' is {}; the two cannot be compared",
                short(&left.to_string()),
                a.name(),
                short(&right.to_string()),
                b.name()
            ),
        };
        Err(self.source.error(right.at, &what))
    }

    fn type_of(&self, tree: &Expr) -> Result<Type> {
        Ok(match &tree.kind {
            Kind::Column(name) => self.column(tree.at, name)?,
            Kind::Constant(Constant::Bool(_)) => Type::Bool,
            Kind::Constant(Constant::Number(_)) => Type::Number,
            Kind::Constant(Constant::Text(_)) => Type::Text,
            Kind::Parameter(name) => {
                return Err(self.source.error(tree.at, &format!("the parameter ':{name}' has no value")));
            }
            Kind::And(terms) | Kind::Or(terms) => {
                terms.iter().try_for_each(|term| self.boolean(term, "one side of AND or OR"))?;
                Type::Bool
            }
            Kind::Not(inner) => {
                self.boolean(inner, "what follows NOT")?;
                Type::Bool
            }
            Kind::Compare(comparison, left, right) => {
                self.comparable(left, right, *comparison)?;
                Type::Bool
            }
            Kind::In { value, list, .. } => {
                list.iter().try_for_each(|member| self.comparable(value, member, Comparison::Equal))?;
                Type::Bool
            }
            Kind::Between { value, low, high, .. } => {
                self.comparable(value, low, Comparison::GreaterOrEqual)?;
                self.comparable(value, high, Comparison::LessOrEqual)?;
                Type::Bool
            }
            Kind::Is { value, what, .. } => {
                if *what == Is::Null {
                    self.type_of(value)?;
                } else {
                    self.boolean(value, "what stands before IS TRUE or IS FALSE")?;
                }
                Type::Bool
            }
            Kind::Negative(inner) => {
                self.number(inner)?;
                Type::Number
            }
            Kind::Arithmetic(first, rest) => {
                self.number(first)?;
                rest.iter().try_for_each(|(_, next)| self.number(next))?;
                Type::Number
            }
        })
    }

    fn column(&self, at: usize, name: &str) -> Result<Type> {
        let position = self.names.iter().position(|known| known == name);
        let Some(kind) = position.and_then(|position| self.kinds.get(position)) else {
            let near = did_you_mean(name, self.names.iter().map(String::as_str));
            return Err(self.source.error(at, &format!("there is no column '{name}'{near}")));
        };
        Ok(match kind {
            ColumnKind::Null => Type::Unknown,
            ColumnKind::Bool => Type::Bool,
            ColumnKind::Text => Type::Text,
            ColumnKind::Time => Type::Time,
            _ => Type::Number,
        })
    }
}
