//! Checked rules compiled for the fast path: a list of nodes in which every test stands once, however
//! many rules use it, and every node stands behind the nodes it reads.
//!
//! A node gives two bits a row, "true" and "false"; neither is unknown. So NOT is a swap, and OR is the
//! AND of the opposites: AND is the only connective there is.

use std::{collections::HashMap, hash::BuildHasher};

use super::{
    calculate::Formula,
    check::ColumnKind,
    config::{Checked, CheckedRule, Unknown},
    order::dependency_order,
    pattern::Pattern,
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

    pub(super) fn negated_if(self, negated: bool) -> Self {
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
    /// A test of a text column.
    Text { column: usize, missing: usize, test: TextTest },
    /// Does a calculation have a value? The values themselves are kept for the nodes that read them.
    Value(Formula),
    /// A test of a calculated text.
    TextValue { value: usize, test: TextTest },
    /// Two calculated values.
    Compare { left: usize, right: usize, test: Test },
    /// True when all are true, false when one is false.
    And(Vec<Literal>),
    /// Known to be true? Never unknown itself.
    IsTrue(Literal),
}

/// What a text is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum TextTest {
    /// How does it compare with this one?
    Against(Test, String),
    /// Is it one of these (ascending)?
    In(Vec<String>),
    /// Is it of this form?
    Like(Pattern),
}

impl TextTest {
    /// The answer for one text. UTF-8 bytes have the order of code points.
    pub(crate) fn answer(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Against(Test::Equal, text) => bytes == text.as_bytes(),
            Self::Against(Test::Greater, text) => bytes > text.as_bytes(),
            Self::In(texts) => texts.binary_search_by(|text| text.as_bytes().cmp(bytes)).is_ok(),
            Self::Like(pattern) => pattern.matches(bytes),
        }
    }
}

/// The node that is false where a value lies outside its column's domain, and the domain.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) literal: Literal,
    pub(crate) domain: String,
}

/// Rules ready to run.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) nodes: Vec<Node>,
    pub(crate) rules: Vec<Literal>,
    /// The rules as tags: in an exclusive family a tag is true only where those before it are false.
    pub(crate) tags: Vec<Literal>,
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
            rules: HashMap::new(),
            places: hashbrown::HashTable::new(),
            hasher: foldhash::fast::FixedState::default(),
        };
        for place in dependency_order(&checked.rules).unwrap_or_default() {
            let rule = checked.rules.get(place).map(|rule| (rule.label.as_str(), builder.condition(&rule.condition)));
            builder.rules.extend(rule);
        }
        let never = builder.never_known();
        let literal = |rule: &CheckedRule| builder.rules.get(rule.label.as_str()).copied().unwrap_or(never);
        let rules: Vec<Literal> = checked.rules.iter().map(literal).collect();
        let tags = builder.tags(&rules);
        let mut guards = Vec::new();
        for (column, domain) in &checked.domains {
            let name = checked.names.get(*column).map_or("", String::as_str);
            let literal = builder.condition(&domain.condition(name, builder.kind(*column))?);
            guards.push(Guard { literal, domain: domain.describe(name) });
        }
        let Builder { nodes, .. } = builder;
        Ok(Self { nodes, rules, tags, guards, unknown: checked.unknown, default_code: checked.default_code() })
    }

    /// Whether anything is calculated, so that an overflow could have to be counted row by row.
    pub(crate) fn calculates(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node, Node::Value(_)))
    }
}

pub(super) struct Builder<'a> {
    pub(super) checked: &'a Checked,
    nodes: Vec<Node>,
    /// The rules compiled so far, by label.
    rules: HashMap<&'a str, Literal>,
    places: hashbrown::HashTable<usize>,
    hasher: foldhash::fast::FixedState,
}

impl Builder<'_> {
    pub(super) fn add(&mut self, node: Node) -> Literal {
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

    pub(super) fn missing(&mut self, column: usize) -> usize {
        self.add(Node::Missing(column)).node
    }

    fn tags(&mut self, rules: &[Literal]) -> Vec<Literal> {
        let (checked, mut tags) = (self.checked, rules.to_vec());
        for family in checked.exclusive_families() {
            let mut earlier: Option<Literal> = None;
            for place in &family.tags {
                let Some(tag) = tags.get_mut(*place) else { continue };
                let rule = *tag;
                if let Some(earlier) = earlier {
                    *tag = self.all(vec![rule, earlier.opposite()]);
                }
                earlier = Some(earlier.map_or(rule, |earlier| self.any(vec![earlier, rule])));
            }
        }
        tags
    }

    pub(super) fn never_known(&mut self) -> Literal {
        self.add(Node::Always(None))
    }

    pub(super) fn all(&mut self, mut terms: Vec<Literal>) -> Literal {
        terms.dedup();
        match terms.as_slice() {
            [only] => *only,
            _ => self.add(Node::And(terms)),
        }
    }

    pub(super) fn any(&mut self, terms: Vec<Literal>) -> Literal {
        let opposites = terms.into_iter().map(Literal::opposite).collect();
        self.all(opposites).opposite()
    }

    pub(super) fn kind(&self, column: usize) -> ColumnKind {
        self.checked.kinds.get(column).copied().unwrap_or(ColumnKind::Null)
    }

    pub(super) fn node(&self, place: usize) -> Option<&Node> {
        self.nodes.get(place)
    }

    /// What another rule decides.
    pub(super) fn rule(&mut self, label: &str) -> Literal {
        self.rules.get(label).copied().unwrap_or_else(|| self.never_known())
    }
}
