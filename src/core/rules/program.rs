//! Checked rules compiled for the fast path: a list of nodes in which every test stands once, however
//! many rules use it, and every node stands behind the nodes it reads.
//!
//! A node gives two bits a row, "true" and "false"; neither is unknown. So NOT is a swap, and OR is the
//! AND of the opposites: AND is the only connective there is.

use std::hash::BuildHasher;

use super::{
    ast::{Comparison, Constant, Expr, Is, Kind, Operator},
    check::ColumnKind,
    config::{Checked, Unknown},
    number::{Number, Units},
};
use crate::Result;

/// A node, or its opposite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Literal {
    pub(crate) node: usize,
    pub(crate) negated: bool,
}

impl Literal {
    pub(crate) fn opposite(self) -> Self {
        Self { negated: !self.negated, ..self }
    }

    fn negated_if(self, negated: bool) -> Self {
        Self { negated: self.negated != negated, ..self }
    }
}

/// What a test asks of a value; every comparison is one of these or its opposite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Test {
    Greater,
    Equal,
}

/// One bit pair per row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// The same for every row; `None` is unknown.
    Always(Option<bool>),
    /// Is the column's value missing? Every other test of the column reads this node first.
    Missing(usize),
    /// A truth column.
    Flag { column: usize, missing: usize },
    /// An integer or decimal column against whole units.
    Units { column: usize, missing: usize, test: Test, units: i128 },
    /// Is an integer or decimal column's value one of these (ascending)?
    UnitsIn { column: usize, missing: usize, units: Vec<i128> },
    /// A float64 column against a number (its bits).
    Double { column: usize, missing: usize, test: Test, bits: u64 },
    /// A float32 column against a number (its bits).
    Single { column: usize, missing: usize, test: Test, bits: u32 },
    /// A text column against a text.
    Text { column: usize, missing: usize, test: Test, text: String },
    /// Is a text column's value one of these (ascending)?
    TextIn { column: usize, missing: usize, texts: Vec<String> },
    /// Two text columns.
    Texts { columns: (usize, usize), missing: (usize, usize), test: Test },
    /// Two calculated numbers.
    Numbers { left: Formula, right: Formula, test: Test },
    /// Does a calculated number have a value?
    Known(Formula),
    /// True when all are true, false when one is false.
    And(Vec<Literal>),
    /// Known to be true? Never unknown itself.
    IsTrue(Literal),
}

/// How a number is calculated.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Formula {
    Column { column: usize, missing: usize },
    Constant(Number),
    Negative(Box<Formula>),
    Chain(Box<Formula>, Vec<(Operator, Formula)>),
}

/// A column's domain and the node that is false where a value lies outside.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) column: usize,
    pub(crate) literal: Literal,
    pub(crate) domain: String,
}

/// Rules ready to run.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) nodes: Vec<Node>,
    pub(crate) rules: Vec<Literal>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) unknown: Unknown,
    pub(crate) default_code: Option<usize>,
}

impl Program {
    /// Compiles checked rules.
    pub(crate) fn compile(checked: &Checked) -> Result<Self> {
        let mut builder = Builder {
            checked,
            nodes: Vec::new(),
            places: hashbrown::HashTable::new(),
            hasher: foldhash::fast::FixedState::default(),
        };
        let rules: Vec<Literal> = checked.rules.iter().map(|rule| builder.condition(&rule.condition)).collect();
        let mut guards = Vec::new();
        for (column, domain) in &checked.domains {
            let name = checked.names.get(*column).map_or("", String::as_str);
            let literal = builder.condition(&domain.condition(name)?);
            guards.push(Guard { column: *column, literal, domain: domain.describe(name) });
        }
        let Builder { nodes, .. } = builder;
        Ok(Self { nodes, rules, guards, unknown: checked.unknown, default_code: checked.default_code() })
    }

    /// Whether anything is calculated, so that an overflow could have to be counted row by row.
    pub(crate) fn calculates(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node, Node::Numbers { .. } | Node::Known(_)))
    }
}

struct Builder<'a> {
    checked: &'a Checked,
    nodes: Vec<Node>,
    places: hashbrown::HashTable<usize>,
    hasher: foldhash::fast::FixedState,
}

/// A side of a comparison.
enum Side {
    Column(usize),
    Constant(Constant),
    Condition(Literal),
    Formula(Formula),
    Missing,
}

impl Builder<'_> {
    fn add(&mut self, node: Node) -> Literal {
        let hash = self.hasher.hash_one(&node);
        let Self { nodes, places, hasher, .. } = self;
        let entry = places.entry(
            hash,
            |place| nodes.get(*place) == Some(&node),
            |place| nodes.get(*place).map_or(0, |node| hasher.hash_one(node)),
        );
        let node = match entry {
            hashbrown::hash_table::Entry::Occupied(found) => *found.get(),
            hashbrown::hash_table::Entry::Vacant(free) => {
                let place = nodes.len();
                free.insert(place);
                nodes.push(node);
                place
            }
        };
        Literal { node, negated: false }
    }

    fn missing(&mut self, column: usize) -> usize {
        self.add(Node::Missing(column)).node
    }

    fn never_known(&mut self) -> Literal {
        self.add(Node::Always(None))
    }

    fn all(&mut self, mut terms: Vec<Literal>) -> Literal {
        terms.dedup();
        match terms.as_slice() {
            [only] => *only,
            _ => self.add(Node::And(terms)),
        }
    }

    fn any(&mut self, terms: Vec<Literal>) -> Literal {
        let opposites = terms.into_iter().map(Literal::opposite).collect();
        self.all(opposites).opposite()
    }

    fn kind(&self, column: usize) -> ColumnKind {
        self.checked.kinds.get(column).copied().unwrap_or(ColumnKind::Null)
    }

    fn condition(&mut self, tree: &Expr) -> Literal {
        match &tree.kind {
            Kind::And(terms) => {
                let terms = terms.iter().map(|term| self.condition(term)).collect();
                self.all(terms)
            }
            Kind::Or(terms) => {
                let terms = terms.iter().map(|term| self.condition(term)).collect();
                self.any(terms)
            }
            Kind::Not(inner) => self.condition(inner).opposite(),
            Kind::Compare(comparison, left, right) => self.compare(*comparison, left, right),
            Kind::In { value, list, negated } => self.is_in(value, list).negated_if(*negated),
            Kind::Between { value, low, high, negated } => {
                let above = self.compare(Comparison::GreaterOrEqual, value, low);
                let below = self.compare(Comparison::LessOrEqual, value, high);
                self.all(vec![above, below]).negated_if(*negated)
            }
            Kind::Is { value, what: Is::Null, negated } => self.is_null(value).negated_if(*negated),
            Kind::Is { value, what: Is::True, negated } => {
                let inner = self.condition(value);
                self.add(Node::IsTrue(inner)).negated_if(*negated)
            }
            Kind::Is { value, what: Is::False, negated } => {
                let inner = self.condition(value).opposite();
                self.add(Node::IsTrue(inner)).negated_if(*negated)
            }
            Kind::Constant(Constant::Bool(value)) => self.add(Node::Always(Some(*value))),
            Kind::Column(name) => match self.column(name) {
                Some(column) if self.kind(column) == ColumnKind::Bool => {
                    let missing = self.missing(column);
                    self.add(Node::Flag { column, missing })
                }
                _ => self.never_known(),
            },
            _ => self.never_known(), // the checker lets nothing else through
        }
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.checked.names.iter().position(|known| known == name)
    }

    fn is_null(&mut self, tree: &Expr) -> Literal {
        match self.side(tree) {
            Side::Column(column) => self.add(Node::Missing(column)),
            Side::Constant(_) => self.add(Node::Always(Some(false))),
            Side::Missing => self.add(Node::Always(Some(true))),
            Side::Formula(formula) => self.add(Node::Known(formula)).opposite(),
            Side::Condition(literal) => {
                let yes = self.add(Node::IsTrue(literal)).opposite();
                let no = self.add(Node::IsTrue(literal.opposite())).opposite();
                self.all(vec![yes, no])
            }
        }
    }

    fn side(&mut self, tree: &Expr) -> Side {
        match &tree.kind {
            Kind::Constant(constant) => Side::Constant(constant.clone()),
            Kind::Column(name) => match self.column(name) {
                Some(column) if self.kind(column) == ColumnKind::Bool => Side::Condition(self.condition(tree)),
                Some(column) if self.kind(column) != ColumnKind::Null => Side::Column(column),
                _ => Side::Missing,
            },
            Kind::Negative(_) | Kind::Arithmetic(..) => self.formula(tree).map_or(Side::Missing, Side::Formula),
            _ => Side::Condition(self.condition(tree)),
        }
    }

    /// `None` where a column without any value makes the whole number missing.
    fn formula(&mut self, tree: &Expr) -> Option<Formula> {
        Some(match &tree.kind {
            Kind::Column(name) => {
                let column = self.column(name).filter(|column| self.kind(*column) != ColumnKind::Null)?;
                Formula::Column { column, missing: self.missing(column) }
            }
            Kind::Constant(Constant::Number(number)) => Formula::Constant(*number),
            Kind::Negative(inner) => Formula::Negative(Box::new(self.formula(inner)?)),
            Kind::Arithmetic(first, rest) => {
                let first = Box::new(self.formula(first)?);
                let rest = rest
                    .iter()
                    .map(|(operator, next)| self.formula(next).map(|next| (*operator, next)))
                    .collect::<Option<_>>()?;
                Formula::Chain(first, rest)
            }
            _ => return None,
        })
    }

    fn compare(&mut self, comparison: Comparison, left: &Expr, right: &Expr) -> Literal {
        match (self.side(left), self.side(right)) {
            (Side::Missing, _) | (_, Side::Missing) => self.never_known(),
            (Side::Column(column), Side::Constant(constant)) => self.constant(column, comparison, &constant),
            (Side::Constant(constant), Side::Column(column)) => self.constant(column, comparison.flipped(), &constant),
            (Side::Constant(a), Side::Constant(b)) => {
                let order = match (&a, &b) {
                    (Constant::Number(a), Constant::Number(b)) => a.to_f64().total_cmp(&b.to_f64()),
                    (Constant::Text(a), Constant::Text(b)) => a.cmp(b),
                    (Constant::Bool(a), Constant::Bool(b)) => a.cmp(b),
                    _ => return self.never_known(),
                };
                self.add(Node::Always(Some(comparison.holds(order))))
            }
            (Side::Condition(a), Side::Condition(b)) => self.same(a, b, comparison),
            (Side::Condition(a), Side::Constant(Constant::Bool(b)))
            | (Side::Constant(Constant::Bool(b)), Side::Condition(a)) => {
                a.negated_if(b != (comparison == Comparison::Equal))
            }
            (Side::Column(a), Side::Column(b)) if self.kind(a) == ColumnKind::Text => {
                let missing = (self.missing(a), self.missing(b));
                let (swap, test, negated) = canonical(comparison);
                let (columns, missing) = if swap { ((b, a), (missing.1, missing.0)) } else { ((a, b), missing) };
                self.add(Node::Texts { columns, missing, test }).negated_if(negated)
            }
            (left, right) => {
                let (Some(left), Some(right)) = (self.as_formula(left), self.as_formula(right)) else {
                    return self.never_known();
                };
                let (swap, test, negated) = canonical(comparison);
                let (left, right) = if swap { (right, left) } else { (left, right) };
                self.add(Node::Numbers { left, right, test }).negated_if(negated)
            }
        }
    }

    fn as_formula(&mut self, side: Side) -> Option<Formula> {
        match side {
            Side::Column(column) => Some(Formula::Column { column, missing: self.missing(column) }),
            Side::Constant(Constant::Number(number)) => Some(Formula::Constant(number)),
            Side::Formula(formula) => Some(formula),
            _ => None,
        }
    }

    /// Two conditions that are equal, or not: both true or both false.
    fn same(&mut self, a: Literal, b: Literal, comparison: Comparison) -> Literal {
        let both = self.all(vec![a, b]);
        let neither = self.all(vec![a.opposite(), b.opposite()]);
        self.any(vec![both, neither]).negated_if(comparison == Comparison::NotEqual)
    }

    fn constant(&mut self, column: usize, comparison: Comparison, constant: &Constant) -> Literal {
        let missing = self.missing(column);
        let (test, below, negated) = match comparison {
            Comparison::Equal => (Test::Equal, false, false),
            Comparison::NotEqual => (Test::Equal, false, true),
            Comparison::Greater => (Test::Greater, false, false),
            Comparison::LessOrEqual => (Test::Greater, false, true),
            Comparison::GreaterOrEqual => (Test::Greater, true, false),
            Comparison::Less => (Test::Greater, true, true),
        };
        let node = match (self.kind(column), constant) {
            (ColumnKind::Text, Constant::Text(text)) if below => {
                // x >= text is "not text > x": text has no next smaller text to compare with.
                let less = self.add(Node::Text { column, missing, test: Test::Equal, text: text.clone() });
                let greater = self.add(Node::Text { column, missing, test: Test::Greater, text: text.clone() });
                return self.any(vec![less, greater]).negated_if(negated);
            }
            (ColumnKind::Text, Constant::Text(text)) => Node::Text { column, missing, test, text: text.clone() },
            (ColumnKind::Double, Constant::Number(number)) => {
                let value = number.to_f64();
                let value = if below { value.next_down() } else { value };
                // One zero, so that equal tests are one node.
                Node::Double { column, missing, test, bits: if value == 0.0 { 0 } else { value.to_bits() } }
            }
            (ColumnKind::Single, Constant::Number(number)) => {
                let value = number.to_f32();
                let value = if below { value.next_down() } else { value };
                Node::Single { column, missing, test, bits: if value == 0.0 { 0 } else { value.to_bits() } }
            }
            (kind, Constant::Number(number)) => {
                Node::Units { column, missing, test, units: threshold(*number, scale(kind), test, below) }
            }
            _ => return self.never_known(),
        };
        self.add(node).negated_if(negated)
    }

    fn is_in(&mut self, value: &Expr, list: &[Expr]) -> Literal {
        const FEW: usize = 8;
        if list.len() > FEW
            && let Side::Column(column) = self.side(value)
            && let Some(constants) = list.iter().map(as_constant).collect::<Option<Vec<_>>>()
        {
            let missing = self.missing(column);
            match self.kind(column) {
                ColumnKind::Text => {
                    let mut texts: Vec<String> = constants.into_iter().filter_map(as_text).collect();
                    texts.sort_unstable();
                    texts.dedup();
                    return self.add(Node::TextIn { column, missing, texts });
                }
                kind @ (ColumnKind::Whole | ColumnKind::Decimal(_)) => {
                    let mut units: Vec<i128> = constants
                        .iter()
                        .filter_map(|constant| match constant {
                            Constant::Number(number) => match number.units(scale(kind)) {
                                Units::Floor(units, true) => Some(units),
                                _ => None,
                            },
                            _ => None,
                        })
                        .collect();
                    units.sort_unstable();
                    units.dedup();
                    return self.add(Node::UnitsIn { column, missing, units });
                }
                _ => {}
            }
        }
        let terms = list.iter().map(|member| self.compare(Comparison::Equal, value, member)).collect();
        self.any(terms)
    }
}

/// Every comparison as "greater" or "equal": whether the sides swap, the test, whether the answer turns round.
fn canonical(comparison: Comparison) -> (bool, Test, bool) {
    match comparison {
        Comparison::Equal => (false, Test::Equal, false),
        Comparison::NotEqual => (false, Test::Equal, true),
        Comparison::Greater => (false, Test::Greater, false),
        Comparison::LessOrEqual => (false, Test::Greater, true),
        Comparison::Less => (true, Test::Greater, false),
        Comparison::GreaterOrEqual => (true, Test::Greater, true),
    }
}

fn scale(kind: ColumnKind) -> i8 {
    if let ColumnKind::Decimal(scale) = kind { scale } else { 0 }
}

/// The whole units `x > number` (or `x >= number` with `below`, or `x = number`) compares with.
fn threshold(number: Number, scale: i8, test: Test, below: bool) -> i128 {
    const NONE: i128 = i128::MAX; // beyond what 38 digits hold: nothing equals it, nothing is greater
    match (number.units(scale), test) {
        (Units::Floor(floor, true), Test::Equal) => floor,
        (Units::Floor(floor, exact), Test::Greater) => floor.saturating_sub(i128::from(below && exact)),
        (Units::Below, Test::Greater) => i128::MIN,
        (Units::Above, Test::Greater) | (_, Test::Equal) => NONE,
    }
}

fn as_constant(tree: &Expr) -> Option<Constant> {
    if let Kind::Constant(constant) = &tree.kind { Some(constant.clone()) } else { None }
}

fn as_text(constant: Constant) -> Option<String> {
    if let Constant::Text(text) = constant { Some(text) } else { None }
}
