//! Rules as they arrive (texts, parameters, domains) and as the kernels use them (checked trees).

use serde::Deserialize;
use std::collections::HashSet;

use super::{
    ast::{Comparison, Constant, Expr, Kind, Operator, column_text},
    calendar,
    check::{Checker, ColumnKind},
    family::{self, CheckedFamily, Family},
    number::Number,
    order::{dependency_order, references},
    parse::parse,
    text::{Source, short},
    types::Type,
};
use crate::{
    Error, Result,
    column::{Batch, Column},
    did_you_mean,
    zone::zone,
};

/// How many of a frame's columns a message lists.
const SHOWN_COLUMNS: usize = 20;

/// One rule as a person wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The label of the rows it takes.
    pub label: String,
    /// An SQL boolean expression.
    pub text: String,
}

/// What happens where a rule is unknown before any rule is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    #[default]
    /// The label is missing: it depends on what is not known.
    Stop,
    /// The next rule is tried, as SQL's CASE does.
    Skip,
}

/// What a column may hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// The whole numbers between two, both included.
    Whole(i64, i64),
    /// All numbers between two, both included.
    Interval(f64, f64),
    /// These values.
    List(Vec<Value>),
}

/// A constant as JSON has it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// Text.
    Text(String),
    /// A number with its digits.
    Decimal {
        /// As a rule writes it.
        decimal: String,
    },
    /// A day.
    Date {
        /// As ISO 8601 writes it.
        date: String,
    },
    /// A point of wall clock.
    Timestamp {
        /// As ISO 8601 writes it.
        timestamp: String,
    },
}

impl Value {
    /// The constant a rule would write. A float is calculated with as one.
    pub fn constant(&self) -> Result<Constant> {
        let read = match self {
            Self::Bool(value) => Some(Constant::Bool(*value)),
            Self::Text(text) => Some(Constant::Text(text.clone())),
            Self::Number(number) if number.is_f64() => number.as_f64().and_then(Number::real).map(Constant::Number),
            Self::Number(number) => Number::parse(&number.to_string()).map(Constant::Number),
            Self::Decimal { decimal } => Number::parse(decimal)
                .and_then(Number::to_decimal)
                .map(|(units, scale)| Constant::Number(Number::decimal(units, scale))),
            Self::Date { date } => calendar::parse_date(date).map(Constant::Date),
            Self::Timestamp { timestamp } => calendar::parse_timestamp(timestamp).map(Constant::Timestamp),
        };
        read.ok_or_else(|| match self {
            Self::Number(number) => Error::parameter(format!("the number {number} is out of range")),
            Self::Decimal { decimal } => {
                Error::parameter(format!("the decimal {decimal} is out of range; 38 digits can be compared exactly"))
            }
            Self::Date { date: text } | Self::Timestamp { timestamp: text } | Self::Text(text) => {
                Error::parameter(format!("'{text}' is no date or timestamp of the years 1 to 9999"))
            }
            Self::Bool(_) => Error::parameter("a truth value cannot be read"),
        })
    }
}

/// Everything a segmenter was told, besides its column types.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// In the order they are tried.
    pub rules: Vec<Rule>,
    /// The label of rows no rule takes.
    #[serde(default)]
    pub default: Option<String>,
    /// What an unknown rule does.
    pub unknown: Unknown,
    /// Of a tagger: the tags that belong together.
    #[serde(default)]
    pub families: Option<Vec<Family>>,
    /// What columns may hold.
    #[serde(default)]
    pub domains: Vec<(String, Domain)>,
    /// Values of `:name`.
    #[serde(default)]
    pub parameters: Vec<(String, Value)>,
    /// The names of the batches' columns, in their order.
    #[serde(default)]
    pub names: Vec<String>,
    /// Their kinds, where there is no batch to look at.
    #[serde(default)]
    pub kinds: Vec<ColumnKind>,
}

/// One rule, ready to use: parameters replaced, names and types checked.
#[derive(Debug, Clone)]
pub struct CheckedRule {
    /// The label of the rows it takes.
    pub label: String,
    /// The condition.
    pub condition: Expr,
}

/// Rules whose names and types fit a frame.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// In the order they are tried.
    pub rules: Vec<CheckedRule>,
    /// The label of rows no rule takes.
    pub default: Option<String>,
    /// What an unknown rule does.
    pub unknown: Unknown,
    /// The families of a tagger; `None` where the rules name segments.
    pub families: Option<Vec<CheckedFamily>>,
    /// Domains of columns the rules use: position in `names`, what it may hold.
    pub domains: Vec<(usize, Domain)>,
    /// The names of the batches' columns.
    pub names: Vec<String>,
    /// Their kinds.
    pub kinds: Vec<ColumnKind>,
}

impl Checked {
    /// The default's place among the labels: behind the rules, unless a rule has the same label.
    #[must_use]
    pub fn default_code(&self) -> Option<usize> {
        let default = self.default.as_ref()?;
        Some(self.rules.iter().position(|rule| &rule.label == default).unwrap_or(self.rules.len()))
    }

    /// The families of which a row has one tag at most.
    pub(crate) fn exclusive_families(&self) -> impl Iterator<Item = &CheckedFamily> {
        self.families.iter().flatten().filter(|family| family.exclusive)
    }

    /// What a checked expression gives.
    pub(crate) fn type_of(&self, tree: &Expr) -> Type {
        let source = Source::new("", "");
        Checker { source: &source, names: &self.names, kinds: &self.kinds }.type_of(tree).unwrap_or(Type::Missing)
    }
}

impl Config {
    /// Reads a configuration and refuses what makes no sense before any data is seen.
    pub fn from_json(text: &str) -> Result<Self> {
        let config: Self = crate::from_json(text)?;
        if config.rules.is_empty() {
            return Err(Error::parameter("rules is empty; give at least one label with its condition"));
        }
        for (name, domain) in &config.domains {
            domain.check(name)?;
        }
        Ok(config)
    }

    /// The columns the rules read, in order of appearance; each must be in `known`, where that is given, or be the label
    /// of another rule.
    pub fn columns(&self, known: Option<&[String]>) -> Result<Vec<String>> {
        let labels: HashSet<&str> = self.rules.iter().map(|rule| rule.label.as_str()).collect();
        let known_names: Option<HashSet<&str>> = known.map(|known| known.iter().map(String::as_str).collect());
        let mut names: Vec<String> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        for rule in &self.rules {
            let tree = parse(&rule.label, &rule.text)?;
            let source = Source::new(&rule.label, &rule.text);
            let mut refused = None;
            tree.walk(&mut |node| {
                let Kind::Column(name) = &node.kind else { return };
                let is_other_rule = *name != rule.label && labels.contains(name.as_str());
                let is_column = known_names.as_ref().is_none_or(|known| known.contains(name.as_str()));
                let what = match (is_other_rule, is_column, &known_names) {
                    (true, true, Some(_)) => format!(
                        "'{name}' is a column of the frame and the label of another rule; rename one of them to say which is meant"
                    ),
                    (true, _, _) => return,
                    // A rule that cannot be its own condition means the column, or nothing.
                    (false, false, _) if *name == rule.label => return,
                    (false, false, _) => self.no_column(&source, node.at, name, known.unwrap_or_default()),
                    (false, true, _) => {
                        if seen.insert(name.clone()) {
                            names.push(name.clone());
                        }
                        return;
                    }
                };
                refused.get_or_insert((node.at, what));
            });
            if let Some((at, what)) = refused {
                return Err(source.error(at, &what));
            }
        }
        Ok(names)
    }

    fn no_column(&self, source: &Source<'_>, at: usize, name: &str, known: &[String]) -> String {
        let labels = self.rules.iter().map(|rule| rule.label.as_str()).filter(|label| *label != source.label);
        let mut near = did_you_mean(name, known.iter().map(String::as_str).chain(labels));
        if near.is_empty() {
            let more = if known.len() > SHOWN_COLUMNS { ", ..." } else { "" };
            let shown: Vec<_> = known.iter().take(SHOWN_COLUMNS).map(|name| short(name)).collect();
            near = format!("; the frame has: {}{more}", shown.join(", "));
        }
        let quoted = if source.is_quote(at) { " (text stands in single quotes)" } else { "" };
        format!("there is no column '{}'{quoted}{near}", short(name))
    }

    /// Checks the rules against the columns of a frame, of which only the kinds are read.
    pub fn check(&self, batches: &[Batch<'_>]) -> Result<Checked> {
        for column in batches.iter().flatten() {
            if let Column::Timestamp(_, _, Some(name)) = column {
                zone(name, "the time zone of a column")?;
            }
        }
        let kind = |column| {
            let mut pieces = batches.iter().filter_map(|batch| batch.get(column)).map(ColumnKind::of);
            pieces.find(|kind| *kind != ColumnKind::Null).unwrap_or(ColumnKind::Null)
        };
        self.check_kinds((0..self.names.len()).map(kind).collect())
    }

    /// Checks the rules against columns of the configured kinds.
    pub fn check_without_data(&self) -> Result<Checked> {
        self.check_kinds(self.kinds.clone())
    }

    fn check_kinds(&self, kinds: Vec<ColumnKind>) -> Result<Checked> {
        let labels: HashSet<&str> = self.rules.iter().map(|rule| rule.label.as_str()).collect();
        let columns: HashSet<&str> = self.names.iter().map(String::as_str).collect();
        let mut unused: Vec<&str> = self.parameters.iter().map(|(name, _)| name.as_str()).collect();
        let mut rules = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            let source = Source::new(&rule.label, &rule.text);
            let mut condition = parse(&rule.label, &rule.text)?;
            condition.try_map(&mut |node| {
                match &node.kind {
                    Kind::Parameter(name) => {
                        unused.retain(|other| other != name);
                        node.kind = Kind::Constant(self.parameter(&source, node.at, name)?);
                    }
                    Kind::Column(name) if labels.contains(name.as_str()) && !columns.contains(name.as_str()) => {
                        node.kind = Kind::Rule(name.clone());
                    }
                    _ => {}
                }
                Ok(())
            })?;
            Checker { source: &source, names: &self.names, kinds: &kinds }.rule(&condition)?;
            rules.push(CheckedRule { label: rule.label.clone(), condition });
        }
        if let Some(name) = unused.first() {
            return Err(Error::parameter(format!(
                "no rule uses the parameter ':{name}'; leave it out, or write it in a rule"
            )));
        }
        self.refuse_circles(&rules)?;
        let mut domains = Vec::new();
        for (name, domain) in &self.domains {
            if let Some(column) = self.names.iter().position(|known| known == name) {
                domain.fits(name, kinds.get(column).copied().unwrap_or(ColumnKind::Null))?;
                domains.push((column, domain.clone()));
            }
        }
        let families = self.families.as_ref().map(|families| family::check(families, &self.rules)).transpose()?;
        let Self { default, unknown, names, .. } = self.clone();
        Ok(Checked { rules, default, unknown, families, domains, names, kinds })
    }

    fn parameter(&self, source: &Source<'_>, at: usize, name: &str) -> Result<Constant> {
        let Some((_, value)) = self.parameters.iter().find(|(known, _)| known == name) else {
            let near = did_you_mean(name, self.parameters.iter().map(|(known, _)| known.as_str()));
            let what = format!("the parameter ':{}' has no value; give it by parameters={near}", short(name));
            return Err(source.error(at, &what));
        };
        value
            .constant()
            .map_err(|failure| Error::parameter(format!("the parameter ':{name}' cannot be used: {failure}")))
    }

    fn refuse_circles(&self, rules: &[CheckedRule]) -> Result<()> {
        let Err(circle) = dependency_order(rules) else { return Ok(()) };
        let labels: Vec<String> =
            circle.iter().filter_map(|place| rules.get(*place)).map(|rule| format!("'{}'", rule.label)).collect();
        let ends = circle.first().and_then(|place| self.rules.get(*place).zip(rules.get(*place)));
        let Some((written, checked)) = ends else { return Ok(()) };
        let next = circle.get(1).and_then(|place| rules.get(*place)).map_or("", |rule| rule.label.as_str());
        let at = references(&checked.condition).iter().find(|(label, _)| *label == next).map_or(0, |(_, at)| *at);
        let what = if circle.len() > 2 {
            format!(
                "rules refer to one another in a circle, {}; none of them can be decided first",
                labels.join(" -> ")
            )
        } else {
            format!("the rule refers to itself, and there is no column '{next}'")
        };
        Err(Source::new(&written.label, &written.text).error(at, &what))
    }

    /// Each rule with its columns renamed (`(from, to)`), as text.
    pub fn renamed(&self, columns: &[(String, String)]) -> Result<Vec<String>> {
        let rename = |rule: &Rule| {
            let mut tree = parse(&rule.label, &rule.text)?;
            tree.try_map(&mut |node| {
                if let Kind::Column(name) = &mut node.kind
                    && let Some((_, to)) = columns.iter().find(|(from, _)| from == name)
                {
                    name.clone_from(to);
                }
                Ok(())
            })?;
            Ok(tree.to_string())
        };
        self.rules.iter().map(rename).collect()
    }
}

impl Domain {
    fn check(&self, name: &str) -> Result<()> {
        let empty = match self {
            Self::Whole(low, high) => low > high,
            Self::Interval(low, high) => low > high,
            Self::List(members) => members.is_empty(),
        };
        if empty {
            return Err(Error::parameter(format!(
                "the domain of '{name}' is empty; a pair is (lowest, highest), a list names every value"
            )));
        }
        Ok(())
    }

    fn fits(&self, name: &str, kind: ColumnKind) -> Result<()> {
        let fits = match self {
            _ if kind == ColumnKind::Null => true,
            Self::Whole(..) | Self::Interval(..) => kind.is_number(),
            Self::List(members) => members.iter().all(|member| match member {
                Value::Bool(_) => kind == ColumnKind::Bool,
                Value::Number(_) | Value::Decimal { .. } => kind.is_number(),
                Value::Text(_) => kind == ColumnKind::Text,
                Value::Date { .. } | Value::Timestamp { .. } => {
                    matches!(kind, ColumnKind::Date | ColumnKind::Timestamp(..))
                }
            }),
        };
        if fits {
            return Ok(());
        }
        Err(Error::parameter(format!(
            "the domain of '{name}' does not fit: the column holds {}; give values of that kind",
            kind.name()
        )))
    }

    /// The domain as a condition on its column.
    pub(crate) fn condition(&self, name: &str, kind: ColumnKind) -> Result<Expr> {
        let node = |kind| Expr { at: 0, kind };
        let number = |text: String| {
            Number::parse(&text).map(|number| Box::new(node(Kind::Constant(Constant::Number(number))))).ok_or_else(
                || Error::parameter(format!("the domain of '{name}' has the bound {text}; wanted a number")),
            )
        };
        let value = Box::new(node(Kind::Column(name.to_owned())));
        Ok(node(match self {
            Self::Whole(low, high) => {
                let within = Kind::Between {
                    value: value.clone(),
                    low: number(low.to_string())?,
                    high: number(high.to_string())?,
                    negated: false,
                };
                if kind == ColumnKind::Whole {
                    within
                } else {
                    // A column that can hold fractions may hold none.
                    let rest = node(Kind::Arithmetic(value, vec![(Operator::Remainder, *number("1".to_owned())?)]));
                    let none = Kind::Compare(Comparison::Equal, Box::new(rest), number("0".to_owned())?);
                    Kind::And(vec![node(within), node(none)])
                }
            }
            Self::Interval(low, high) => {
                Kind::Between { value, low: number(low.to_string())?, high: number(high.to_string())?, negated: false }
            }
            Self::List(members) => Kind::In {
                value,
                list: members
                    .iter()
                    .map(|member| Ok(node(Kind::Constant(member.constant()?))))
                    .collect::<Result<_>>()?,
                negated: false,
            },
        }))
    }

    /// The domain as a person would say it.
    pub(crate) fn describe(&self, name: &str) -> String {
        let name = column_text(name);
        match self {
            Self::Whole(low, high) => format!("{name} is a whole number from {low} to {high}"),
            Self::Interval(low, high) => format!("{name} lies between {low} and {high}"),
            Self::List(members) => {
                let members: Vec<String> = members
                    .iter()
                    .filter_map(|member| member.constant().ok())
                    .map(|member| member.to_string())
                    .collect();
                format!("{name} is one of {}", members.join(", "))
            }
        }
    }
}
