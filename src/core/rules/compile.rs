//! Compiling conditions: comparisons become tests of a column where a constant stands on the other side, everything
//! else compares calculated values.

use super::{
    ast::{Comparison, Constant, Expr, Function, Is, Kind},
    calculate::Calculated,
    calendar::units_per_day,
    check::ColumnKind,
    interpret::{Cell, Rows},
    number::{Number, Units},
    pattern::Pattern,
    program::{Builder, Literal, Node, Test, TextTest},
    types::Type,
};

/// A side of a comparison.
#[derive(Clone)]
enum Side {
    Column(usize),
    Constant(Constant),
    Condition(Literal),
    Value(Calculated),
    Missing,
}

impl Builder<'_> {
    /// A condition as a node.
    pub(super) fn condition(&mut self, tree: &Expr) -> Literal {
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
            Kind::Compare(comparison, left, right) => {
                let (left, right) = (self.side(left), self.side(right));
                self.compare(*comparison, left, right)
            }
            Kind::In { value, list, negated } => self.is_in(value, list).negated_if(*negated),
            Kind::Between { value, low, high, negated } => {
                let (value, low, high) = (self.side(value), self.side(low), self.side(high));
                let above = self.compare(Comparison::GreaterOrEqual, value.clone(), low);
                let below = self.compare(Comparison::LessOrEqual, value, high);
                self.all(vec![above, below]).negated_if(*negated)
            }
            Kind::Like { value, pattern, escape, negated } => {
                let Kind::Constant(Constant::Text(pattern)) = &pattern.kind else { return self.never_known() };
                let Ok(pattern) = Pattern::parse(pattern, *escape) else { return self.never_known() };
                let side = self.side(value);
                self.text_test(side, TextTest::Like(pattern)).negated_if(*negated)
            }
            Kind::Rule(label) => self.rule(label),
            Kind::Case { operand, branches, otherwise } => {
                self.case(operand.as_deref(), branches, otherwise.as_deref())
            }
            Kind::Call(Function::Coalesce, arguments) => self.first_known(arguments),
            Kind::Call(Function::NullIf, arguments) => self.unless_equal(arguments),
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

    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.checked.names.iter().position(|known| known == name)
    }

    fn is_null(&mut self, tree: &Expr) -> Literal {
        match self.side(tree) {
            Side::Column(column) => self.add(Node::Missing(column)),
            Side::Constant(_) => self.add(Node::Always(Some(false))),
            Side::Missing => self.add(Node::Always(Some(true))),
            Side::Value((node, _)) => Literal { node, negated: true },
            Side::Condition(literal) => self.known(literal).opposite(),
        }
    }

    /// Is a condition true or false?
    fn known(&mut self, literal: Literal) -> Literal {
        let yes = self.add(Node::IsTrue(literal));
        let no = self.add(Node::IsTrue(literal.opposite()));
        self.any(vec![yes, no])
    }

    fn side(&mut self, tree: &Expr) -> Side {
        match &tree.kind {
            Kind::Constant(Constant::Null) => Side::Missing,
            Kind::Constant(constant) => Side::Constant(constant.clone()),
            Kind::Column(name) => match self.column(name) {
                Some(column) if self.kind(column) == ColumnKind::Bool => Side::Condition(self.condition(tree)),
                Some(column) if self.kind(column) != ColumnKind::Null => Side::Column(column),
                _ => Side::Missing,
            },
            Kind::Negative(_) | Kind::Arithmetic(..) | Kind::Call(..) | Kind::Join(_) | Kind::Case { .. } => {
                if self.checked.type_of(tree) == Type::Bool {
                    return Side::Condition(self.condition(tree));
                }
                let constant = self.folded(tree).map(Side::Constant);
                constant.or_else(|| self.value(tree).map(Side::Value)).unwrap_or(Side::Missing)
            }
            _ => Side::Condition(self.condition(tree)),
        }
    }

    /// The date, timestamp or text that an expression without columns gives; numbers are left to be calculated, because
    /// a written number is compared in other ways than a calculated one.
    fn folded(&self, tree: &Expr) -> Option<Constant> {
        let kind = self.checked.type_of(tree);
        let mut reads = false;
        tree.walk(&mut |node| reads |= matches!(node.kind, Kind::Column(_) | Kind::Rule(_)));
        if reads || !(kind.is_time() || kind == Type::Text) {
            return None;
        }
        match Rows::new(self.checked, &Vec::new()).value(tree, 0) {
            Cell::Date(day) => i32::try_from(day).ok().map(Constant::Date),
            Cell::Timestamp(micros, 6) => i64::try_from(micros).ok().map(Constant::Timestamp),
            Cell::Text(text) => Some(Constant::Text(text)),
            _ => None,
        }
    }

    fn compare(&mut self, comparison: Comparison, left: Side, right: Side) -> Literal {
        match (left, right) {
            (Side::Missing, _) | (_, Side::Missing) => self.never_known(),
            (Side::Column(column), Side::Constant(constant)) => self.constant(column, comparison, &constant),
            (Side::Constant(constant), Side::Column(column)) => self.constant(column, comparison.flipped(), &constant),
            (Side::Constant(a), Side::Constant(b)) => {
                let order = match (&a, &b) {
                    (Constant::Number(a), Constant::Number(b)) => a.order(*b),
                    (Constant::Text(a), Constant::Text(b)) => Some(a.cmp(b)),
                    (Constant::Bool(a), Constant::Bool(b)) => Some(a.cmp(b)),
                    (a, b) => micros(a).zip(micros(b)).map(|(a, b)| a.cmp(&b)),
                };
                self.add(Node::Always(order.map(|order| comparison.holds(order))))
            }
            (Side::Condition(a), Side::Condition(b)) => self.same(a, b, comparison),
            (Side::Condition(a), Side::Constant(Constant::Bool(b)))
            | (Side::Constant(Constant::Bool(b)), Side::Condition(a)) => {
                a.negated_if(b != (comparison == Comparison::Equal))
            }
            (side @ Side::Value(_), Side::Constant(Constant::Text(text))) => {
                self.text_constant(&side, comparison, &text)
            }
            (Side::Constant(Constant::Text(text)), side @ Side::Value(_)) => {
                self.text_constant(&side, comparison.flipped(), &text)
            }
            (left, right) => {
                let (Some(left), Some(right)) = (self.as_value(left), self.as_value(right)) else {
                    return self.never_known();
                };
                let (left, right) = self.side_by_side(left, right);
                let (swap, test, negated) = canonical(comparison);
                let (left, right) = if swap { (right, left) } else { (left, right) };
                self.add(Node::Compare { left, right, test }).negated_if(negated)
            }
        }
    }

    fn as_value(&mut self, side: Side) -> Option<Calculated> {
        match side {
            Side::Column(column) => Some(self.column_value(column)),
            Side::Constant(constant) => self.constant_value(&constant),
            Side::Value(value) => Some(value),
            Side::Condition(_) | Side::Missing => None,
        }
    }

    /// A test of a text, wherever it comes from.
    fn text_test(&mut self, side: Side, test: TextTest) -> Literal {
        match side {
            Side::Column(column) => {
                let missing = self.missing(column);
                self.add(Node::Text { column, missing, test })
            }
            Side::Value((value, _)) => self.add(Node::TextValue { value, test }),
            Side::Constant(Constant::Text(text)) => self.add(Node::Always(Some(test.answer(text.as_bytes())))),
            _ => self.never_known(),
        }
    }

    fn text_constant(&mut self, side: &Side, comparison: Comparison, text: &str) -> Literal {
        let mut against = |test| self.text_test(side.clone(), TextTest::Against(test, text.to_owned()));
        match comparison {
            Comparison::Equal => against(Test::Equal),
            Comparison::NotEqual => against(Test::Equal).opposite(),
            Comparison::Greater => against(Test::Greater),
            Comparison::LessOrEqual => against(Test::Greater).opposite(),
            // Text has no next smaller text to compare with.
            Comparison::GreaterOrEqual | Comparison::Less => {
                let either = vec![against(Test::Equal), against(Test::Greater)];
                self.any(either).negated_if(comparison == Comparison::Less)
            }
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
        let kind = self.kind(column);
        let node = match (kind, constant) {
            (ColumnKind::Text, Constant::Text(text)) => {
                return self.text_constant(&Side::Column(column), comparison, text);
            }
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
            _ => match units_of(constant, kind) {
                Some(units) => Node::Units { column, missing, test, units: threshold(units, test, below) },
                None => return self.never_known(),
            },
        };
        self.add(node).negated_if(negated)
    }

    fn is_in(&mut self, value: &Expr, list: &[Expr]) -> Literal {
        const FEW: usize = 8;
        let value = self.side(value);
        let members: Vec<Side> = list.iter().map(|member| self.side(member)).collect();
        let constants: Vec<&Constant> = members
            .iter()
            .filter_map(|member| if let Side::Constant(constant) = member { Some(constant) } else { None })
            .collect();
        if members.len() > FEW && constants.len() == members.len() {
            let texts = |constants: &[&Constant]| {
                let texts = constants.iter().filter_map(|constant| match constant {
                    Constant::Text(text) => Some(text.clone()),
                    _ => None,
                });
                let mut texts: Vec<String> = texts.collect();
                texts.sort_unstable();
                texts.dedup();
                TextTest::In(texts)
            };
            match &value {
                Side::Value((_, Type::Text)) => return self.text_test(value, texts(&constants)),
                Side::Column(column) if self.kind(*column) == ColumnKind::Text => {
                    return self.text_test(value, texts(&constants));
                }
                Side::Column(column) if !matches!(self.kind(*column), ColumnKind::Single | ColumnKind::Double) => {
                    let (column, kind) = (*column, self.kind(*column));
                    let exact = constants.iter().filter_map(|constant| match units_of(constant, kind) {
                        Some(Units::Floor(units, true)) => Some(units),
                        _ => None,
                    });
                    let mut units: Vec<i128> = exact.collect();
                    units.sort_unstable();
                    units.dedup();
                    let missing = self.missing(column);
                    return self.add(Node::UnitsIn { column, missing, units });
                }
                _ => {}
            }
        }
        let terms = members.into_iter().map(|member| self.compare(Comparison::Equal, value.clone(), member)).collect();
        self.any(terms)
    }

    /// CASE over conditions: the one that is taken decides.
    fn case(&mut self, operand: Option<&Expr>, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Literal {
        let whens = self.whens(operand, branches);
        let results = branches.iter().map(|(_, then)| self.condition(then)).collect::<Vec<_>>();
        let never = self.never_known();
        let otherwise = otherwise.map_or(never, |otherwise| self.condition(otherwise));
        self.decided(whens.into_iter().zip(results).collect(), otherwise)
    }

    /// What decides each branch of a CASE.
    pub(super) fn whens(&mut self, operand: Option<&Expr>, branches: &[(Expr, Expr)]) -> Vec<Literal> {
        let operand = operand.map(|operand| self.side(operand));
        let whens = branches.iter().map(|(when, _)| match &operand {
            Some(operand) => {
                let when = self.side(when);
                self.compare(Comparison::Equal, operand.clone(), when)
            }
            None => self.condition(when),
        });
        whens.collect()
    }

    /// The result of the first branch that is true: each result stands only where its branch is taken.
    fn decided(&mut self, branches: Vec<(Literal, Literal)>, otherwise: Literal) -> Literal {
        let mut open = self.add(Node::Always(Some(true)));
        let mut terms = Vec::with_capacity(branches.len() + 1);
        for (when, result) in branches {
            let taken = self.add(Node::IsTrue(when));
            terms.push(self.all(vec![open, taken, result]));
            open = self.all(vec![open, taken.opposite()]);
        }
        terms.push(self.all(vec![open, otherwise]));
        self.any(terms)
    }

    fn first_known(&mut self, arguments: &[Expr]) -> Literal {
        let each: Vec<Literal> = arguments.iter().map(|argument| self.condition(argument)).collect();
        let branches = each.into_iter().map(|literal| (self.known(literal), literal)).collect();
        let never = self.never_known();
        self.decided(branches, never)
    }

    fn unless_equal(&mut self, arguments: &[Expr]) -> Literal {
        let [value, other] = arguments else { return self.never_known() };
        let (value, equal) = (self.condition(value), self.equal(value, other));
        let never = self.never_known();
        self.decided(vec![(equal, never)], value)
    }

    pub(super) fn equal(&mut self, left: &Expr, right: &Expr) -> Literal {
        let (left, right) = (self.side(left), self.side(right));
        self.compare(Comparison::Equal, left, right)
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

/// A constant in the whole units an integer, decimal, date or timestamp column counts; `None` where it counts others.
fn units_of(constant: &Constant, kind: ColumnKind) -> Option<Units> {
    Some(match (constant, kind) {
        (Constant::Number(number), _) => number.units(scale(kind)),
        (Constant::Date(day), ColumnKind::Date) => Units::Floor((*day).into(), true),
        (Constant::Date(day), ColumnKind::Timestamp(scale, _)) => {
            Units::Floor(i128::from(*day) * units_per_day(scale), true)
        }
        (Constant::Timestamp(micros), ColumnKind::Date) => {
            let (micros, per_day) = (i128::from(*micros), units_per_day(6));
            Units::Floor(micros.div_euclid(per_day), micros.rem_euclid(per_day) == 0)
        }
        (Constant::Timestamp(micros), ColumnKind::Timestamp(scale, _)) => {
            Number::decimal((*micros).into(), 6).units(scale)
        }
        _ => return None,
    })
}

/// A date or timestamp as microseconds.
fn micros(constant: &Constant) -> Option<i128> {
    match constant {
        Constant::Date(day) => Some(i128::from(*day) * units_per_day(6)),
        Constant::Timestamp(micros) => Some((*micros).into()),
        _ => None,
    }
}

/// The whole units `x > constant` (or `x >= constant` with `below`, or `x = constant`) compares with.
fn threshold(units: Units, test: Test, below: bool) -> i128 {
    const NONE: i128 = i128::MAX; // beyond what 38 digits hold: nothing equals it, nothing is greater
    match (units, test) {
        (Units::Floor(floor, true), Test::Equal) => floor,
        (Units::Floor(floor, exact), Test::Greater) => floor.saturating_sub(i128::from(below && exact)),
        (Units::Below, Test::Greater) => i128::MIN,
        (Units::Above, Test::Greater) | (_, Test::Equal) => NONE,
    }
}
