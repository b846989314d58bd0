//! Checked rules as SQL a warehouse can run, with the same answers.

use std::{cell::Cell, collections::HashMap, fmt::Write};

use super::{
    ast::{Comparison, Constant, Expr, Function, Kind, Operator, quoted},
    check::{ColumnKind, round_digits},
    config::{Checked, Unknown},
    number::Number,
    order::dependency_order,
    types::Type,
};
use crate::{Error, Result, zone::fixed_seconds};

/// The longest condition: rules that refer to one another stand in each other's text, which may double at every step.
const MAX_CHARACTERS: usize = 1_000_000;

/// One CASE expression that gives every row its label.
pub fn case(checked: &Checked) -> Result<String> {
    let all: Vec<usize> = (0..checked.rules.len()).collect();
    case_of(checked, &all, checked.default.as_deref(), checked.unknown)
}

/// The same for some of the rules, by their places.
pub(super) fn case_of(checked: &Checked, places: &[usize], default: Option<&str>, unknown: Unknown) -> Result<String> {
    let mut out = String::from("CASE");
    let mut writer = Writer::new(checked)?;
    for rule in places.iter().filter_map(|place| checked.rules.get(*place)) {
        let condition = writer.condition(&rule.condition)?;
        let _ = write!(out, "\n  WHEN {condition} THEN {}", quoted(&rule.label, '\'')); // writing to a String cannot fail
        if unknown == Unknown::Stop {
            let _ = write!(out, "\n  WHEN ({condition}) IS NULL THEN NULL");
        }
    }
    if let Some(default) = default {
        let _ = write!(out, "\n  ELSE {}", quoted(default, '\''));
    }
    out.push_str("\nEND");
    Ok(out)
}

/// A condition with every name quoted and every number of the type it is calculated in.
pub fn condition(checked: &Checked, tree: &Expr) -> Result<String> {
    Writer::new(checked)?.condition(tree)
}

struct Writer<'a> {
    checked: &'a Checked,
    /// The rules that others refer to, by label.
    rules: HashMap<&'a str, String>,
    too_long: Cell<bool>,
}

impl<'a> Writer<'a> {
    fn new(checked: &'a Checked) -> Result<Self> {
        let mut writer = Self { checked, rules: HashMap::new(), too_long: Cell::new(false) };
        let mut wanted: Vec<&str> = Vec::new();
        for rule in &checked.rules {
            wanted.extend(super::order::references(&rule.condition).into_iter().map(|(label, _)| label));
        }
        if !wanted.is_empty() {
            for rule in dependency_order(&checked.rules)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|place| checked.rules.get(place))
            {
                let text = writer.condition(&rule.condition)?;
                writer.rules.insert(&rule.label, text);
            }
        }
        Ok(writer)
    }

    fn condition(&mut self, tree: &Expr) -> Result<String> {
        let text = self.text(tree).0;
        if self.too_long.get() {
            return Err(Error::parameter(format!(
                "the SQL of a rule is longer than {MAX_CHARACTERS} characters, because what rules refer to, or compare more than once, stands in it again and again; write simpler rules"
            )));
        }
        Ok(text)
    }

    /// An expression as SQL, and what it gives there.
    fn text(&self, tree: &Expr) -> (String, Type) {
        if self.too_long.get() {
            return (String::new(), Type::Missing);
        }
        let (text, kind) = self.written(tree);
        if text.len() > MAX_CHARACTERS {
            self.too_long.set(true);
            return (String::new(), kind);
        }
        (text, kind)
    }

    fn written(&self, tree: &Expr) -> (String, Type) {
        let not = |negated: bool| if negated { "NOT " } else { "" };
        let text = match &tree.kind {
            Kind::Column(name) => return self.column(name),
            Kind::Constant(constant) => return (constant.to_string(), Type::of_constant(constant)),
            Kind::Parameter(name) => format!(":{name}"),
            Kind::Rule(label) => self.rules.get(label.as_str()).cloned().unwrap_or_default(),
            Kind::And(terms) => self.joined(terms, " AND "),
            Kind::Or(terms) => self.joined(terms, " OR "),
            Kind::Not(inner) => format!("NOT {}", self.inner(inner)),
            Kind::Compare(comparison, left, right) => self.compared(*comparison, left, right),
            Kind::In { value, list, negated } if list.iter().all(is_constant) && !is_mixed(value, list) => {
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
            Kind::Like { value, pattern, escape, negated } => {
                let escape =
                    escape.map_or(String::new(), |escape| format!(" ESCAPE {}", quoted(&escape.to_string(), '\'')));
                format!("{} {}LIKE {}{escape}", self.inner(value), not(*negated), self.inner(pattern))
            }
            Kind::Is { value, what, negated } => {
                format!("{} IS {}{}", self.inner(value), not(*negated), what.word())
            }
            Kind::Case { operand, branches, otherwise } => {
                let to = self.checked.type_of(tree);
                let mut text = String::from("CASE");
                for (when, then) in branches {
                    let when = match operand {
                        Some(operand) => self.compared(Comparison::Equal, operand, when),
                        None => self.text(when).0,
                    };
                    let _ = write!(text, " WHEN {when} THEN {}", self.cast(then, to)); // as above
                }
                if let Some(otherwise) = otherwise {
                    let _ = write!(text, " ELSE {}", self.cast(otherwise, to));
                }
                return (text + " END", to);
            }
            Kind::Call(function, arguments) => return self.call(*function, arguments, self.checked.type_of(tree)),
            Kind::Join(terms) => return (self.joined(terms, " || "), Type::Text),
            Kind::Negative(inner) => {
                let (text, kind) = self.calculable(inner);
                return (format!("-({text})"), kind);
            }
            Kind::Arithmetic(first, rest) => return self.arithmetic(first, rest),
        };
        (text, Type::Bool)
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
        let (text, kind) = (quoted(name, '"'), self.kind(name).unwrap_or(ColumnKind::Null));
        let text = match kind {
            // The wall clock of the column's own zone, whatever the session's is.
            ColumnKind::Timestamp(_, Some(zone)) => match fixed_seconds(zone.name()) {
                // No warehouse knows offsets as names of zones.
                Some(seconds) => format!("({text} AT TIME ZONE 'UTC' + INTERVAL '{seconds}' SECOND)"),
                None => format!("({text} AT TIME ZONE {})", quoted(zone.name(), '\'')),
            },
            _ => text,
        };
        (text, Type::of_column(kind))
    }

    /// A number in the type it is calculated in: integers of every width in 64 bits, floats in float64.
    fn calculable(&self, tree: &Expr) -> (String, Type) {
        let (text, kind) = self.text(tree);
        if let Kind::Constant(Constant::Number(number)) = &tree.kind {
            return (number_text(*number), kind);
        }
        let is_column = matches!(tree.kind, Kind::Column(_));
        match kind {
            Type::Whole if is_column => (format!("CAST({text} AS BIGINT)"), kind),
            Type::Real if is_column => (format!("CAST({text} AS DOUBLE)"), kind),
            _ => (text, kind),
        }
    }

    /// A value as one of several that stand for one.
    fn cast(&self, tree: &Expr, to: Type) -> String {
        let (text, kind) = self.calculable(tree);
        match to {
            Type::Real => as_double(&text, kind),
            Type::Timestamp(_) if kind == Type::Date => format!("CAST({text} AS TIMESTAMP)"),
            _ => text,
        }
    }

    fn call(&self, function: Function, arguments: &[Expr], to: Type) -> (String, Type) {
        let casts = || arguments.iter().map(|argument| self.cast(argument, to)).collect::<Vec<_>>().join(", ");
        let text = match (function, arguments) {
            (Function::NullIf, [value, other]) => {
                let equal = self.compared(Comparison::Equal, value, other);
                format!("CASE WHEN {equal} THEN NULL ELSE {} END", self.cast(value, to))
            }
            (Function::Round, [value, ..]) => {
                let (value, digits) = (self.calculable(value).0, round_digits(arguments).unwrap_or(0));
                let rounded = format!("round({value}, {digits})");
                // duckdb before version 2 rounds a missing decimal to zero where no digit is left.
                if digits < 0 { format!("CASE WHEN {value} IS NOT NULL THEN {rounded} END") } else { rounded }
            }
            _ => format!("{}({})", function.word().to_lowercase(), casts()),
        };
        (text, to)
    }

    fn arithmetic(&self, first: &Expr, rest: &[(Operator, Expr)]) -> (String, Type) {
        let (mut left, mut kind) = self.calculable(first);
        for (operator, next) in rest {
            let (right, right_kind) = self.calculable(next);
            let result = kind.calculated(*operator, right_kind).unwrap_or(Type::Missing);
            left = match (kind, right_kind) {
                // SQL makes a timestamp of a moved date.
                (Type::Date, Type::Interval) => format!("CAST({left} {} {right} AS DATE)", operator.sign()),
                (_, Type::Interval) => format!("({left} {} {right})", operator.sign()),
                (a, b) if a.is_time() || b.is_time() => format!("(CAST({left} AS DATE) - CAST({right} AS DATE))"),
                _ => {
                    let in_double = result == Type::Real;
                    let (a, b) =
                        if in_double { (as_double(&left, kind), as_double(&right, right_kind)) } else { (left, right) };
                    let b = match operator {
                        Operator::Divide | Operator::Remainder => format!("nullif({b}, 0)"),
                        _ => b,
                    };
                    format!("({a} {} {b})", operator.sign())
                }
            };
            kind = result;
        }
        (left, kind)
    }
}

fn is_constant(tree: &Expr) -> bool {
    matches!(tree.kind, Kind::Constant(_))
}

/// Whether dates stand beside timestamps.
fn is_mixed(value: &Expr, list: &[Expr]) -> bool {
    let is_time = |tree: &Expr| matches!(tree.kind, Kind::Constant(Constant::Date(_) | Constant::Timestamp(_)));
    list.iter().any(is_time) || is_time(value)
}

/// A written number in the type it is calculated in.
fn number_text(number: Number) -> String {
    match (number.to_i64(), number.to_decimal()) {
        (Some(value), _) => format!("CAST({value} AS BIGINT)"),
        (None, Some((units, scale))) => {
            let places = usize::from(scale.unsigned_abs());
            let digits = format!("{:0>width$}", units.unsigned_abs(), width = places + 1);
            let (whole, fraction) = digits.split_at(digits.len() - places);
            let (sign, point) = (if units < 0 { "-" } else { "" }, if places > 0 { "." } else { "" });
            let width = digits.trim_start_matches('0').len().max(places).max(1);
            format!("CAST({sign}{whole}{point}{fraction} AS DECIMAL({width}, {places}))")
        }
        (None, None) => format!("CAST({number} AS DOUBLE)"),
    }
}

fn as_double(text: &str, kind: Type) -> String {
    if kind == Type::Real { text.to_owned() } else { format!("CAST({text} AS DOUBLE)") }
}
