//! What a rule can say: a small closed tree. Chains of AND, OR, + and * are flat, so that the depth of a
//! tree is the depth a person wrote, and a chain of thousands of terms costs no stack.

use serde::{Deserialize, Serialize};

use super::{calendar::Interval, number::Number};

pub use super::display::{column_text, quoted};

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
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds of wall clock since 1970-01-01.
    Timestamp(i64),
    /// Months and days, to be added to a date.
    Interval(Interval),
    /// No value; only CASE may give it.
    Null,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// A column by its name.
    Column(String),
    /// A constant.
    Constant(Constant),
    /// `:name`, a constant given or learned at fit.
    Parameter(String),
    /// Another rule of the set by its label: what that rule says of the row.
    Rule(String),
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
    /// `value [NOT] LIKE pattern [ESCAPE character]`: `%` is any text, `_` one character.
    Like {
        /// What is tested.
        value: Box<Expr>,
        /// A constant.
        pattern: Box<Expr>,
        /// The character behind which `%` and `_` stand for themselves.
        escape: Option<char>,
        /// Whether NOT stands before LIKE.
        negated: bool,
    },
    /// `CASE [operand] WHEN ... THEN ... [ELSE ...] END`: the first that is true, or equal to the operand, gives the value.
    Case {
        /// What each WHEN is compared with; without it each WHEN is a condition.
        operand: Option<Box<Expr>>,
        /// WHEN and THEN.
        branches: Vec<(Expr, Expr)>,
        /// The value where no branch is taken, otherwise missing.
        otherwise: Option<Box<Expr>>,
    },
    /// A function of some values.
    Call(Function, Vec<Expr>),
    /// Texts behind one another: `first || next ...`.
    Join(Vec<Expr>),
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

/// What can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Function {
    /// `COALESCE(a, b, ...)`, the first that is not missing.
    Coalesce,
    /// `NULLIF(a, b)`, a, but missing where it equals b.
    NullIf,
    /// `ABS(x)`
    Abs,
    /// `LEAST(a, b, ...)` of those that are not missing.
    Least,
    /// `GREATEST(a, b, ...)` of those that are not missing.
    Greatest,
    /// `ROUND(x [, digits])`, half away from zero.
    Round,
}

impl Function {
    /// All there are.
    pub const ALL: [Self; 6] = [Self::Coalesce, Self::NullIf, Self::Abs, Self::Least, Self::Greatest, Self::Round];

    /// As SQL writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Coalesce => "COALESCE",
            Self::NullIf => "NULLIF",
            Self::Abs => "ABS",
            Self::Least => "LEAST",
            Self::Greatest => "GREATEST",
            Self::Round => "ROUND",
        }
    }

    /// How few and how many arguments it takes.
    #[must_use]
    pub fn arguments(self) -> (usize, usize) {
        match self {
            Self::Abs => (1, 1),
            Self::Round => (1, 2),
            Self::NullIf => (2, 2),
            Self::Coalesce | Self::Least | Self::Greatest => (1, usize::MAX),
        }
    }

    /// The function of a name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.word().eq_ignore_ascii_case(name))
    }
}

/// Words that are never a column unless quoted.
pub const RESERVED: [&str; 19] = [
    "AND", "OR", "NOT", "IN", "IS", "NULL", "TRUE", "FALSE", "BETWEEN", "LIKE", "ESCAPE", "CASE", "WHEN", "THEN",
    "ELSE", "END", "SELECT", "FROM", "WHERE",
];

impl Expr {
    /// The nodes right below this one, from left to right.
    #[must_use]
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            Kind::Column(_) | Kind::Constant(_) | Kind::Parameter(_) | Kind::Rule(_) => Vec::new(),
            Kind::And(terms) | Kind::Or(terms) | Kind::Call(_, terms) | Kind::Join(terms) => terms.iter().collect(),
            Kind::Not(inner) | Kind::Negative(inner) | Kind::Is { value: inner, .. } => vec![inner],
            Kind::Compare(_, left, right) | Kind::Like { value: left, pattern: right, .. } => vec![left, right],
            Kind::In { value, list, .. } => std::iter::once(&**value).chain(list).collect(),
            Kind::Between { value, low, high, .. } => vec![value, low, high],
            Kind::Case { operand, branches, otherwise } => {
                let branches = branches.iter().flat_map(|(when, then)| [when, then]);
                operand.as_deref().into_iter().chain(branches).chain(otherwise.as_deref()).collect()
            }
            Kind::Arithmetic(first, rest) => {
                std::iter::once(&**first).chain(rest.iter().map(|(_, next)| next)).collect()
            }
        }
    }

    /// The same nodes, to be changed.
    fn children_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            Kind::Column(_) | Kind::Constant(_) | Kind::Parameter(_) | Kind::Rule(_) => Vec::new(),
            Kind::And(terms) | Kind::Or(terms) | Kind::Call(_, terms) | Kind::Join(terms) => terms.iter_mut().collect(),
            Kind::Not(inner) | Kind::Negative(inner) | Kind::Is { value: inner, .. } => vec![inner],
            Kind::Compare(_, left, right) | Kind::Like { value: left, pattern: right, .. } => vec![left, right],
            Kind::In { value, list, .. } => std::iter::once(&mut **value).chain(list).collect(),
            Kind::Between { value, low, high, .. } => vec![value, low, high],
            Kind::Case { operand, branches, otherwise } => {
                let branches = branches.iter_mut().flat_map(|(when, then)| [when, then]);
                operand.as_deref_mut().into_iter().chain(branches).chain(otherwise.as_deref_mut()).collect()
            }
            Kind::Arithmetic(first, rest) => {
                std::iter::once(&mut **first).chain(rest.iter_mut().map(|(_, next)| next)).collect()
            }
        }
    }

    /// Calls `visit` for this node and every node below it, from left to right.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        visit(self);
        self.children().into_iter().for_each(|child| child.walk(visit));
    }

    /// Changes this node and every node below it in place; the first error ends it.
    pub fn try_map<E>(&mut self, change: &mut impl FnMut(&mut Expr) -> Result<(), E>) -> Result<(), E> {
        change(self)?;
        self.children_mut().into_iter().try_for_each(|child| child.try_map(change))
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
}
