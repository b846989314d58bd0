//! Compiling what gives numbers, texts, dates and timestamps: each calculation is a node of its own, so that it is done
//! once however many rules ask for it.

use super::{
    ast::{Constant, Expr, Function, Kind, Operator},
    calendar::Interval,
    check::{ColumnKind, round_digits},
    number::Number,
    program::{Builder, Literal, Node},
    types::Type,
};

/// A node whose values are kept, and what they are.
pub(crate) type Calculated = (usize, Type);

/// How values are calculated from columns and from the values of other nodes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Formula {
    Column {
        column: usize,
        missing: usize,
    },
    /// Dates are numbers of days, timestamps decimals of seconds.
    Number(Number),
    Text(String),
    /// Missing in every row.
    Nothing,
    Negative(usize),
    Absolute(usize),
    Round(usize, i8),
    Chain(usize, Vec<(Operator, usize)>),
    /// The same values as another type's.
    Cast {
        value: usize,
        from: Type,
        to: Type,
    },
    /// The value behind the first literal that is true; all are of one type.
    Choose(Vec<(Literal, usize)>),
    /// The greatest or the least of those present; all are of one type.
    Extreme {
        greatest: bool,
        values: Vec<usize>,
    },
    /// Texts behind one another.
    Join(Vec<usize>),
    /// A date or timestamp moved.
    Shift(usize, Interval),
}

impl Builder<'_> {
    fn calculated(&mut self, formula: Formula, kind: Type) -> Calculated {
        (self.add(Node::Value(formula)).node, kind)
    }

    /// What gives the values of an expression; `None` where they are all missing.
    pub(super) fn value(&mut self, tree: &Expr) -> Option<Calculated> {
        Some(match &tree.kind {
            Kind::Column(name) => {
                let column = self.column(name).filter(|column| self.kind(*column) != ColumnKind::Null)?;
                self.column_value(column)
            }
            Kind::Constant(constant) => self.constant_value(constant)?,
            Kind::Negative(inner) => {
                let (value, kind) = self.value(inner)?;
                self.calculated(Formula::Negative(value), kind)
            }
            Kind::Arithmetic(first, rest) => self.arithmetic(first, rest)?,
            Kind::Case { operand, branches, otherwise } => {
                let whens = self.whens(operand.as_deref(), branches);
                let results = branches.iter().map(|(_, then)| self.value(then)).collect::<Vec<_>>();
                let otherwise = otherwise.as_ref().and_then(|otherwise| self.value(otherwise));
                let always = self.add(Node::Always(Some(true)));
                self.choose(whens.into_iter().zip(results).chain([(always, otherwise)]).collect())?
            }
            Kind::Call(function, arguments) => self.call(*function, arguments)?,
            Kind::Join(terms) => {
                let texts = terms.iter().map(|term| self.value(term).map(|(text, _)| text)).collect::<Option<_>>()?;
                self.calculated(Formula::Join(texts), Type::Text)
            }
            _ => return None,
        })
    }

    pub(super) fn column_value(&mut self, column: usize) -> Calculated {
        let missing = self.missing(column);
        let kind = Type::of_column(self.kind(column));
        self.calculated(Formula::Column { column, missing }, kind)
    }

    pub(super) fn constant_value(&mut self, constant: &Constant) -> Option<Calculated> {
        let formula = match constant {
            Constant::Number(number) => Formula::Number(*number),
            Constant::Text(text) => Formula::Text(text.clone()),
            Constant::Date(day) => Formula::Number(Number::whole((*day).into())),
            Constant::Timestamp(micros) => Formula::Number(Number::decimal((*micros).into(), 6)),
            Constant::Bool(_) | Constant::Interval(_) | Constant::Null => return None,
        };
        Some(self.calculated(formula, Type::of_constant(constant)))
    }

    /// Two values as they are compared: a date beside a timestamp is its midnight.
    pub(super) fn side_by_side(&mut self, left: Calculated, right: Calculated) -> (usize, usize) {
        match (left.1, right.1) {
            (Type::Date, to @ Type::Timestamp(_)) => (self.cast(left, to), right.0),
            (to @ Type::Timestamp(_), Type::Date) => (left.0, self.cast(right, to)),
            _ => (left.0, right.0),
        }
    }

    /// The same values as another type's, one for each row.
    fn cast(&mut self, (value, from): Calculated, to: Type) -> usize {
        let is_number = matches!(self.node(value), Some(Node::Value(Formula::Number(_))));
        if from == to && !is_number { value } else { self.calculated(Formula::Cast { value, from, to }, to).0 }
    }

    fn arithmetic(&mut self, first: &Expr, rest: &[(Operator, Expr)]) -> Option<Calculated> {
        let mut so_far = self.value(first)?;
        // Numbers calculated one after the other need no node each.
        let mut chain: Vec<(Operator, usize)> = Vec::new();
        for (operator, next) in rest {
            if let Kind::Constant(Constant::Interval(interval)) = next.kind {
                let interval = if *operator == Operator::Add { interval } else { interval.negated()? };
                let time = self.cast(so_far, so_far.1); // a written timestamp with its own digits of a second
                so_far = self.calculated(Formula::Shift(time, interval), so_far.1);
                continue;
            }
            let mut next = self.value(next)?;
            let kind = so_far.1.calculated(*operator, next.1)?;
            if so_far.1.is_time() {
                so_far.0 = self.cast(so_far, Type::Date);
                next.0 = self.cast(next, Type::Date);
            }
            chain.push((*operator, next.0));
            so_far.1 = kind;
        }
        Some(if chain.is_empty() { so_far } else { self.calculated(Formula::Chain(so_far.0, chain), so_far.1) })
    }

    fn call(&mut self, function: Function, arguments: &[Expr]) -> Option<Calculated> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.value(argument));
        }
        let first = values.first().copied().flatten();
        Some(match function {
            Function::Coalesce => {
                let known =
                    values.into_iter().flatten().map(|value| (Literal { node: value.0, negated: false }, Some(value)));
                self.choose(known.collect())?
            }
            Function::NullIf => {
                let [value, other] = arguments else { return None };
                let equal = self.equal(value, other);
                let always = self.add(Node::Always(Some(true)));
                self.choose(vec![(equal, None), (always, first)])?
            }
            Function::Least | Function::Greatest => {
                let known: Vec<Calculated> = values.into_iter().flatten().collect();
                let kind = common(&known)?;
                let values = known.into_iter().map(|value| self.cast(value, kind)).collect();
                self.calculated(Formula::Extreme { greatest: function == Function::Greatest, values }, kind)
            }
            Function::Abs => {
                let (value, kind) = first?;
                self.calculated(Formula::Absolute(value), kind)
            }
            Function::Round => {
                let ((value, kind), digits) = first.zip(round_digits(arguments))?;
                self.calculated(Formula::Round(value, digits), kind.rounded(digits))
            }
        })
    }

    /// The value behind the first literal that is true, in the type that stands for all of them.
    fn choose(&mut self, branches: Vec<(Literal, Option<Calculated>)>) -> Option<Calculated> {
        let known: Vec<Calculated> = branches.iter().filter_map(|(_, value)| *value).collect();
        let kind = common(&known)?;
        let nothing = self.calculated(Formula::Nothing, kind).0;
        let branches =
            branches.into_iter().map(|(when, value)| (when, value.map_or(nothing, |value| self.cast(value, kind))));
        let branches = branches.collect();
        Some(self.calculated(Formula::Choose(branches), kind))
    }
}

fn common(values: &[Calculated]) -> Option<Type> {
    let (first, rest) = values.split_first()?;
    rest.iter().try_fold(first.1, |so_far, (_, kind)| so_far.common(*kind))
}
