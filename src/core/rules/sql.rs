//! Checked rules as SQL a warehouse can run, with the same answers.

use std::fmt::Write;

use super::{
    ast::{Comparison, Constant, Expr, Kind, Operator, quoted},
    check::ColumnKind,
    config::{Checked, Unknown},
};

/// One CASE expression that gives every row its label.
#[must_use]
pub fn case(checked: &Checked) -> String {
    let mut out = String::from("CASE");
    for rule in &checked.rules {
        let condition = condition(checked, &rule.condition);
        let _ = write!(out, "\n  WHEN {condition} THEN {}", quoted(&rule.label, '\'')); // writing to a String cannot fail
        if checked.unknown == Unknown::Stop {
            let _ = write!(out, "\n  WHEN ({condition}) IS NULL THEN NULL");
        }
    }
    if let Some(default) = &checked.default {
        let _ = write!(out, "\n  ELSE {}", quoted(default, '\''));
    }
    out.push_str("\nEND");
    out
}

/// A condition with every name quoted and every number of the type it is calculated in.
#[must_use]
pub fn condition(checked: &Checked, tree: &Expr) -> String {
    Writer { checked }.text(tree).0
}

/// What type SQL gives an expression, as far as calculation needs it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    /// Anything that is not calculated with.
    Other,
    Whole,
    Decimal,
    Real,
    Literal,
}

struct Writer<'a> {
    checked: &'a Checked,
}

impl Writer<'_> {
    fn text(&self, tree: &Expr) -> (String, Type) {
        let not = |negated: bool| if negated { "NOT " } else { "" };
        let text = match &tree.kind {
            Kind::Column(name) => return self.column(name),
            Kind::Constant(Constant::Number(number)) => {
                let whole = number.to_i64().is_some();
                return (number.to_string(), if whole { Type::Whole } else { Type::Literal });
            }
            Kind::Constant(constant) => constant.to_string(),
            Kind::Parameter(name) => format!(":{name}"),
            Kind::And(terms) => self.joined(terms, " AND "),
            Kind::Or(terms) => self.joined(terms, " OR "),
            Kind::Not(inner) => format!("NOT {}", self.inner(inner)),
            Kind::Compare(comparison, left, right) => self.compared(*comparison, left, right),
            Kind::In { value, list, negated } if list.iter().all(is_constant) => {
                let members: Vec<String> = list.iter().map(|member| self.text(member).0).collect();
                format!("{} {}IN ({})", self.inner(value), not(*negated), members.join(", "))
            }
            // A list or a range of several types would be brought to one type first, and lose digits.
            Kind::In { value, list, negated } => {
                let each: Vec<String> =
                    list.iter().map(|member| self.compared(Comparison::Equal, value, member)).collect();
                format!("{}({})", not(*negated), each.join(" OR "))
            }
            Kind::Between { value, low, high, negated } if is_constant(low) && is_constant(high) => {
                let (value, low, high) = (self.inner(value), self.inner(low), self.inner(high));
                format!("{value} {}BETWEEN {low} AND {high}", not(*negated))
            }
            Kind::Between { value, low, high, negated } => {
                let above = self.compared(Comparison::GreaterOrEqual, value, low);
                let below = self.compared(Comparison::LessOrEqual, value, high);
                format!("{}({above} AND {below})", not(*negated))
            }
            Kind::Is { value, what, negated } => {
                format!("{} IS {}{}", self.inner(value), not(*negated), what.word())
            }
            Kind::Negative(inner) => {
                let (text, kind) = self.calculable(inner);
                return (format!("-({text})"), kind);
            }
            Kind::Arithmetic(first, rest) => return self.arithmetic(first, rest),
        };
        (text, Type::Other)
    }

    fn compared(&self, comparison: Comparison, left: &Expr, right: &Expr) -> String {
        let side = |tree: &Expr, other: &Expr| match &tree.kind {
            // Beside anything but a constant, a 32-bit float is compared in 64 bits.
            Kind::Column(name) if self.kind(name) == Some(ColumnKind::Single) && !is_constant(other) => {
                format!("CAST({} AS DOUBLE)", quoted(name, '"'))
            }
            _ => self.inner(tree),
        };
        format!("{} {} {}", side(left, right), comparison.sign(), side(right, left))
    }

    /// In parentheses unless it is a single word.
    fn inner(&self, tree: &Expr) -> String {
        let text = self.text(tree).0;
        match tree.kind {
            Kind::Column(_) | Kind::Constant(_) => text,
            _ => format!("({text})"),
        }
    }

    fn joined(&self, terms: &[Expr], between: &str) -> String {
        terms.iter().map(|term| self.inner(term)).collect::<Vec<_>>().join(between)
    }

    fn kind(&self, name: &str) -> Option<ColumnKind> {
        let column = self.checked.names.iter().position(|known| known == name)?;
        self.checked.kinds.get(column).copied()
    }

    fn column(&self, name: &str) -> (String, Type) {
        let kind = match self.kind(name) {
            Some(ColumnKind::Whole) => Type::Whole,
            Some(ColumnKind::Decimal(_)) => Type::Decimal,
            Some(ColumnKind::Single | ColumnKind::Double) => Type::Real,
            _ => Type::Other,
        };
        (quoted(name, '"'), kind)
    }

    /// A number in the type it is calculated in: integers of every width in 64 bits, floats in float64.
    fn calculable(&self, tree: &Expr) -> (String, Type) {
        let (text, kind) = self.text(tree);
        let is_column = matches!(tree.kind, Kind::Column(_));
        match kind {
            Type::Whole if is_column => (format!("CAST({text} AS BIGINT)"), kind),
            Type::Real if is_column => (format!("CAST({text} AS DOUBLE)"), kind),
            Type::Whole if matches!(tree.kind, Kind::Constant(_)) => (format!("CAST({text} AS BIGINT)"), kind),
            _ => (text, kind),
        }
    }

    fn arithmetic(&self, first: &Expr, rest: &[(Operator, Expr)]) -> (String, Type) {
        let (mut left, mut kind) = self.calculable(first);
        for (operator, next) in rest {
            let (right, right_kind) = self.calculable(next);
            let whole = *operator != Operator::Divide && kind == Type::Whole && right_kind == Type::Whole;
            let (a, b) = if whole { (left, right) } else { (as_double(&left, kind), as_double(&right, right_kind)) };
            let b = match operator {
                Operator::Divide | Operator::Remainder => format!("nullif({b}, 0)"),
                _ => b,
            };
            left = format!("({a} {} {b})", operator.sign());
            kind = if whole { Type::Whole } else { Type::Real };
        }
        (left, kind)
    }
}

fn is_constant(tree: &Expr) -> bool {
    matches!(tree.kind, Kind::Constant(_))
}

fn as_double(text: &str, kind: Type) -> String {
    if kind == Type::Real { text.to_owned() } else { format!("CAST({text} AS DOUBLE)") }
}
