//! What a rule can say: a small closed tree. Chains of AND, OR, + and * are flat, so that the depth of a
//! tree is the depth a person wrote, and a chain of thousands of terms costs no stack.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use super::number::Number;

/// A node and the character of the rule's text it begins at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expr {
    /// Index of the first character.
    pub at: usize,
    /// What it is.
    pub kind: Kind,
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Constant {
    /// True or false.
    Bool(bool),
    /// A number, exactly as written.
    Number(Number),
    /// Text.
    Text(String),
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// A column by its name.
    Column(String),
    /// A constant.
    Constant(Constant),
    /// `:name`, a number, text or truth value given or learned at fit.
    Parameter(String),
    /// True when all are true.
    And(Vec<Expr>),
    /// True when one is true.
    Or(Vec<Expr>),
    /// The opposite.
    Not(Box<Expr>),
    /// Two values compared.
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `value [NOT] IN (list)`.
    In {
        /// What is looked for.
        value: Box<Expr>,
        /// Where.
        list: Vec<Expr>,
        /// Whether NOT stands before IN.
        negated: bool,
    },
    /// `value [NOT] BETWEEN low AND high`, both included.
    Between {
        /// What is tested.
        value: Box<Expr>,
        /// The smallest that passes.
        low: Box<Expr>,
        /// The largest that passes.
        high: Box<Expr>,
        /// Whether NOT stands before BETWEEN.
        negated: bool,
    },
    /// `value IS [NOT] NULL | TRUE | FALSE`; never unknown itself.
    Is {
        /// What is tested.
        value: Box<Expr>,
        /// For what.
        what: Is,
        /// Whether NOT stands after IS.
        negated: bool,
    },
    /// The number with the other sign.
    Negative(Box<Expr>),
    /// `first (+ | -) next ...` or `first (* | / | %) next ...`, from left to right.
    Arithmetic(Box<Expr>, Vec<(Operator, Expr)>),
}

/// What IS tests for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Is {
    /// Missing, or unknown.
    Null,
    /// Known to be true.
    True,
    /// Known to be false.
    False,
}

impl Is {
    /// As SQL writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::True => "TRUE",
            Self::False => "FALSE",
        }
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// Whether a pair in this order passes.
    #[must_use]
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// The same comparison read from right to left.
    #[must_use]
    pub fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// As SQL writes it.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// How two numbers make a third.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, real division; by zero is missing.
    Divide,
    /// `%`, what is left over, with the sign of the left side; by zero is missing.
    Remainder,
}

impl Operator {
    /// As SQL writes it.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// Whether it binds like `*`.
    #[must_use]
    pub fn is_product(self) -> bool {
        !matches!(self, Self::Add | Self::Subtract)
    }
}

/// Words that are never a column unless quoted.
pub const RESERVED: [&str; 19] = [
    "AND", "OR", "NOT", "IN", "IS", "NULL", "TRUE", "FALSE", "BETWEEN", "LIKE", "ESCAPE", "CASE", "WHEN", "THEN",
    "ELSE", "END", "SELECT", "FROM", "WHERE",
];

impl Expr {
    /// Calls `visit` for this node and every node below it, from left to right.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        visit(self);
        match &self.kind {
            Kind::Column(_) | Kind::Constant(_) | Kind::Parameter(_) => {}
            Kind::And(terms) | Kind::Or(terms) => terms.iter().for_each(|term| term.walk(visit)),
            Kind::Not(inner) | Kind::Negative(inner) | Kind::Is { value: inner, .. } => inner.walk(visit),
            Kind::Compare(_, left, right) => {
                left.walk(visit);
                right.walk(visit);
            }
            Kind::In { value, list, .. } => {
                value.walk(visit);
                for member in list {
                    member.walk(visit);
                }
            }
            Kind::Between { value, low, high, .. } => {
                value.walk(visit);
                low.walk(visit);
                high.walk(visit);
            }
            Kind::Arithmetic(first, rest) => {
                first.walk(visit);
                for (_, next) in rest {
                    next.walk(visit);
                }
            }
        }
    }

    /// Changes this node and every node below it in place; the first error ends it.
    pub fn try_map<E>(&mut self, change: &mut impl FnMut(&mut Expr) -> Result<(), E>) -> Result<(), E> {
        change(self)?;
        match &mut self.kind {
            Kind::Column(_) | Kind::Constant(_) | Kind::Parameter(_) => Ok(()),
            Kind::And(terms) | Kind::Or(terms) => terms.iter_mut().try_for_each(|term| term.try_map(change)),
            Kind::Not(inner) | Kind::Negative(inner) | Kind::Is { value: inner, .. } => inner.try_map(change),
            Kind::Compare(_, left, right) => {
                left.try_map(change)?;
                right.try_map(change)
            }
            Kind::In { value, list, .. } => {
                value.try_map(change)?;
                list.iter_mut().try_for_each(|member| member.try_map(change))
            }
            Kind::Between { value, low, high, .. } => {
                value.try_map(change)?;
                low.try_map(change)?;
                high.try_map(change)
            }
            Kind::Arithmetic(first, rest) => {
                first.try_map(change)?;
                rest.iter_mut().try_for_each(|(_, next)| next.try_map(change))
            }
        }
    }

    /// The columns it reads, each once, in order of appearance.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        self.walk(&mut |node| {
            if let Kind::Column(name) = &node.kind
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        });
        names
    }

    /// How tightly the outermost operator binds; an operand that binds no tighter needs parentheses.
    fn binding(&self) -> u8 {
        match &self.kind {
            Kind::Or(_) => 1,
            Kind::And(_) => 2,
            Kind::Not(_) => 3,
            Kind::Compare(..) | Kind::In { .. } | Kind::Between { .. } | Kind::Is { .. } => 4,
            Kind::Arithmetic(_, rest) if rest.first().is_some_and(|(operator, _)| operator.is_product()) => 6,
            Kind::Arithmetic(..) => 5,
            Kind::Negative(_) => 7,
            Kind::Constant(Constant::Number(number)) if number.to_f64() < 0.0 => 7,
            Kind::Column(_) | Kind::Constant(_) | Kind::Parameter(_) => 9,
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
            Kind::Column(name) => f.write_str(&column_text(name)),
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
