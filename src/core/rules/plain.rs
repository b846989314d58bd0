//! Rules made of nothing but comparisons, for those who look at every value a column can have.
//!
//! An expression that is more than that (`monetary * gross_margin`, a function) becomes a column of its own, with any
//! value of its kind: a stand-in. What holds for every value of a stand-in holds; what needs a certain value of one
//! is possible, not proven.

use super::{
    ast::{Constant, Expr, Function, Is, Kind, Operator},
    check::ColumnKind,
    config::{Checked, Domain},
    interpret::{Cell, Rows},
    number::Number,
    order::references,
    types::Type,
};

/// Most combinations of listed values for which an expression is calculated instead of standing for itself.
const MAX_LISTED: u64 = 1 << 16;

/// Rules without calculations.
pub(crate) struct Plain {
    /// The rules, with the stand-ins behind the columns.
    pub(crate) checked: Checked,
    /// How many columns are real.
    pub(crate) real: usize,
    /// What the stand-ins stand for.
    pub(crate) expressions: Vec<Expr>,
    /// Columns an expression is calculated from, so that each of their values counts.
    pub(crate) listed: Vec<bool>,
}

/// Replaces what cannot be enumerated.
pub(crate) fn plain(checked: &Checked) -> Plain {
    let real = checked.names.len();
    let mut plain = Plain { checked: checked.clone(), real, expressions: Vec::new(), listed: vec![false; real] };
    // Comparisons see the wall clock; which clock it is makes no difference to them.
    for kind in &mut plain.checked.kinds {
        if let ColumnKind::Timestamp(_, zone) = kind {
            *zone = None;
        }
    }
    let conditions: Vec<Expr> = checked.rules.iter().map(|rule| plain.condition(&rule.condition)).collect();
    for (rule, condition) in plain.checked.rules.iter_mut().zip(conditions) {
        rule.condition = condition;
    }
    plain
}

impl Plain {
    fn condition(&mut self, tree: &Expr) -> Expr {
        let kind = match &tree.kind {
            Kind::And(terms) => Kind::And(self.conditions(terms)),
            Kind::Or(terms) => Kind::Or(self.conditions(terms)),
            Kind::Not(inner) => Kind::Not(Box::new(self.condition(inner))),
            Kind::Is { value, what, negated } if *what != Is::Null => {
                Kind::Is { value: Box::new(self.condition(value)), what: *what, negated: *negated }
            }
            Kind::Column(_) | Kind::Constant(_) | Kind::Rule(_) => return tree.clone(),
            _ if self.keeps(tree) => return tree.clone(),
            Kind::Compare(comparison, left, right) => {
                Kind::Compare(*comparison, Box::new(self.value(left)), Box::new(self.value(right)))
            }
            Kind::In { value, list, negated } => {
                let list = list.iter().map(|member| self.value(member)).collect();
                Kind::In { value: Box::new(self.value(value)), list, negated: *negated }
            }
            Kind::Between { value, low, high, negated } => {
                let [value, low, high] = [value, low, high].map(|side| Box::new(self.value(side)));
                Kind::Between { value, low, high, negated: *negated }
            }
            Kind::Is { value, what, negated } => {
                Kind::Is { value: Box::new(self.value(value)), what: *what, negated: *negated }
            }
            // The opposite of a pattern is no other pattern.
            Kind::Like { value, pattern, escape, negated: true } => {
                let (value, pattern, escape) = (value.clone(), pattern.clone(), *escape);
                let like = Expr { at: tree.at, kind: Kind::Like { value, pattern, escape, negated: false } };
                Kind::Not(Box::new(self.stand_in(&like)))
            }
            _ => return self.stand_in(tree),
        };
        Expr { at: tree.at, kind }
    }

    fn conditions(&mut self, terms: &[Expr]) -> Vec<Expr> {
        terms.iter().map(|term| self.condition(term)).collect()
    }

    fn value(&mut self, tree: &Expr) -> Expr {
        match &tree.kind {
            Kind::Column(_) | Kind::Constant(_) => tree.clone(),
            Kind::And(_)
            | Kind::Or(_)
            | Kind::Not(_)
            | Kind::Compare(..)
            | Kind::Is { .. }
            | Kind::In { .. }
            | Kind::Between { .. } => self.condition(tree),
            _ => match self.folded(tree) {
                Some(constant) => Expr { at: tree.at, kind: Kind::Constant(constant) },
                None => self.stand_in(tree),
            },
        }
    }

    /// The value of an expression without a column.
    fn folded(&self, tree: &Expr) -> Option<Constant> {
        if !tree.columns().is_empty() || !references(tree).is_empty() {
            return None;
        }
        match Rows::new(&self.checked, &Vec::new()).value(tree, 0) {
            Cell::Constant(number) => Some(Constant::Number(number)),
            Cell::Whole(value) => Some(Constant::Number(Number::whole(value))),
            Cell::Real(value) => Number::parse(&format!("{value:e}")).map(Constant::Number),
            Cell::Text(text) => Some(Constant::Text(text)),
            Cell::Bool(value) => Some(Constant::Bool(value)),
            Cell::Date(day) => i32::try_from(day).ok().map(Constant::Date),
            Cell::Decimal(units, scale) => Some(Constant::Number(Number::decimal(units, scale))),
            Cell::Timestamp(units, scale) => micros(units, scale).map(Constant::Timestamp),
            _ => None,
        }
    }

    /// Whether a test calculates, but only with columns whose every value is listed, and few enough of them.
    fn keeps(&mut self, tree: &Expr) -> bool {
        let mut calculates = false;
        tree.walk(&mut |node| {
            calculates |= !matches!(
                node.kind,
                Kind::Column(_)
                    | Kind::Constant(_)
                    | Kind::And(_)
                    | Kind::Or(_)
                    | Kind::Not(_)
                    | Kind::Compare(..)
                    | Kind::In { .. }
                    | Kind::Between { .. }
                    | Kind::Is { .. }
            );
        });
        let places: Vec<usize> = tree.columns().into_iter().filter_map(|name| self.place(name)).collect();
        let combinations = places.iter().try_fold(1u64, |product, place| {
            product.checked_mul(self.listed_size(*place)?).filter(|product| *product <= MAX_LISTED)
        });
        let keeps = calculates && !places.is_empty() && combinations.is_some() && references(tree).is_empty();
        if keeps {
            for place in places {
                if let Some(listed) = self.listed.get_mut(place) {
                    *listed = true;
                }
            }
        }
        keeps
    }

    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.checked.names.iter().position(|known| known == name)
    }

    /// How many values a column's domain lists.
    fn listed_size(&self, place: usize) -> Option<u64> {
        let domain = self.checked.domains.iter().find(|(column, _)| *column == place).map(|(_, domain)| domain);
        match (domain, self.checked.kinds.get(place)?) {
            (Some(Domain::Whole(low, high)), _) => u64::try_from(high.checked_sub(*low)?).ok()?.checked_add(1),
            (Some(Domain::List(members)), _) => Some(members.len() as u64),
            (None, ColumnKind::Bool) => Some(2),
            _ => None,
        }
    }

    /// A column with any value of its kind, the same wherever the expression stands.
    fn stand_in(&mut self, tree: &Expr) -> Expr {
        let mut name = tree.to_string();
        while self.place(&name).is_some_and(|place| place < self.real) {
            name.push(' ');
        }
        if self.place(&name).is_none() {
            let kind = kind_of(self.checked.type_of(tree));
            self.checked.names.push(name.clone());
            self.checked.kinds.push(kind);
            self.expressions.push(tree.clone());
            self.listed.push(false);
        }
        Expr { at: tree.at, kind: Kind::Column(name) }
    }
}

/// Units of so many digits of a second as whole microseconds, where they are.
fn micros(units: i128, scale: i8) -> Option<i64> {
    let factor = 10i128.checked_pow((i32::from(scale) - 6).unsigned_abs())?;
    let micros =
        if scale > 6 { Some(units / factor).filter(|micros| micros * factor == units)? } else { units * factor };
    i64::try_from(micros).ok()
}

/// The kind of a column that holds what an expression gives.
fn kind_of(kind: Type) -> ColumnKind {
    match kind {
        Type::Missing | Type::Interval => ColumnKind::Null,
        Type::Bool => ColumnKind::Bool,
        Type::Whole => ColumnKind::Whole,
        Type::Decimal(scale) => ColumnKind::Decimal(scale),
        Type::Real => ColumnKind::Double,
        Type::Text => ColumnKind::Text,
        Type::Date => ColumnKind::Date,
        Type::Timestamp(scale) => ColumnKind::Timestamp(scale, None),
    }
}

/// Whether an expression can be missing where its inputs are not. Overflow is left out.
pub(crate) fn can_be_missing(tree: &Expr) -> bool {
    let mut found = false;
    tree.walk(&mut |node| match &node.kind {
        Kind::Arithmetic(_, rest) => {
            found |= rest.iter().any(|(operator, next)| {
                let divides = matches!(operator, Operator::Divide | Operator::Remainder);
                let by_zero = match &next.kind {
                    Kind::Constant(Constant::Number(number)) => number.to_f64() == 0.0,
                    _ => true,
                };
                divides && by_zero
            });
        }
        Kind::Case { .. } | Kind::Call(Function::NullIf, _) => found = true,
        _ => {}
    });
    found
}
