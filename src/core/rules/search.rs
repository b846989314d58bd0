//! Is there a combination of values for which something holds? Found by trying one truth of one comparison after the
//! other, and leaving off wherever what is known already decides.

use std::rc::Rc;

use super::{
    ast::{Constant, Expr, Is, Kind},
    axis::Axis,
    check::ColumnKind,
    config::Checked,
    grid,
    interpret::Rows,
    plain::Plain,
};
use crate::{Result, cancel::Cancel};

/// Which truths are possible: a bit each.
type Truths = u8;
const TRUE: Truths = 1;
const FALSE: Truths = 2;
const UNKNOWN: Truths = 4;

/// Most combinations of one comparison's values that are looked at beforehand.
const MAX_TABLE: usize = 1 << 22;
/// Comparisons looked at in all before the search says that it does not know.
const MAX_LOOKS: u64 = 40_000_000;

/// A condition over comparisons.
#[derive(Debug, Clone)]
pub(crate) enum Goal {
    Known(Truths),
    Leaf(usize),
    Rule(usize),
    All(Vec<Goal>),
    Any(Vec<Goal>),
    Not(Box<Goal>),
    /// Known to be true.
    Surely(Box<Goal>),
}

impl Goal {
    pub(crate) fn is_true(rule: usize) -> Self {
        Self::Surely(Box::new(Self::Rule(rule)))
    }

    pub(crate) fn is_false(rule: usize) -> Self {
        Self::Surely(Box::new(Self::Not(Box::new(Self::Rule(rule)))))
    }

    pub(crate) fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// One comparison: the truth of every combination of its columns' values, the last column changing fastest.
struct Leaf {
    columns: Vec<usize>,
    /// `None` where there are too many: then anything is possible.
    table: Option<Vec<Truths>>,
    /// Whether it reads a stand-in.
    stands_in: bool,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is no such combination.
    Nothing,
    /// There is this one, a place on every axis.
    Proven(Vec<usize>),
    /// There is this one if an expression takes the value it stands for.
    Possible(Vec<usize>),
    /// The search was given up.
    Undecided,
}

/// Rules and axes made ready for questions.
pub(crate) struct Search<'a> {
    axes: &'a [Axis],
    kinds: &'a [ColumnKind],
    leaves: Vec<Leaf>,
    rules: Vec<Rc<Goal>>,
    looks: u64,
    cancel: &'a Cancel,
}

/// The values that are left of every axis.
type Room = Vec<Vec<u32>>;

impl<'a> Search<'a> {
    pub(crate) fn new(axes: &'a [Axis], plain: &'a Plain, cancel: &'a Cancel) -> Result<Self> {
        let kinds = &plain.checked.kinds;
        let mut search = Self { axes, kinds, leaves: Vec::new(), rules: Vec::new(), looks: 0, cancel };
        let mut known: Vec<String> = Vec::new();
        for rule in &plain.checked.rules {
            cancel.check()?;
            let goal = search.read(&rule.condition, plain, &mut known);
            search.rules.push(Rc::new(goal));
        }
        Ok(search)
    }

    fn read(&mut self, tree: &Expr, plain: &Plain, known: &mut Vec<String>) -> Goal {
        let mut each = |terms: &[Expr]| terms.iter().map(|term| self.read(term, plain, known)).collect();
        match &tree.kind {
            Kind::And(terms) => Goal::All(each(terms)),
            Kind::Or(terms) => Goal::Any(each(terms)),
            Kind::Not(inner) => self.read(inner, plain, known).negated(),
            Kind::Is { value, what, negated } if *what != Is::Null => {
                let inner = self.read(value, plain, known);
                let goal = Goal::Surely(Box::new(if *what == Is::True { inner } else { inner.negated() }));
                if *negated { goal.negated() } else { goal }
            }
            Kind::Rule(label) => {
                let rule = plain.checked.rules.iter().position(|rule| rule.label == *label);
                rule.map_or(Goal::Known(UNKNOWN), Goal::Rule)
            }
            Kind::Constant(Constant::Bool(value)) => Goal::Known(if *value { TRUE } else { FALSE }),
            _ => {
                let text = tree.to_string();
                let place = known.iter().position(|other| *other == text).unwrap_or_else(|| {
                    let leaf = self.leaf(tree, plain.real);
                    self.leaves.push(leaf);
                    known.push(text);
                    known.len() - 1
                });
                Goal::Leaf(place)
            }
        }
    }

    fn leaf(&self, tree: &Expr, real: usize) -> Leaf {
        let names = tree.columns();
        let columns: Vec<usize> =
            names.iter().filter_map(|name| self.axes.iter().position(|axis| axis.name == *name)).collect();
        let axes: Vec<Axis> = columns.iter().filter_map(|column| self.axes.get(*column).cloned()).collect();
        let cells = axes.iter().try_fold(1usize, |product, axis| {
            product.checked_mul(axis.shown.len()).filter(|product| *product <= MAX_TABLE)
        });
        let stands_in = columns.iter().any(|column| *column >= real);
        let table = cells.map(|cells| {
            let values = grid::columns(&axes, cells);
            let batch = grid::batch(&values, cells);
            let names: Vec<String> = axes.iter().map(|axis| axis.name.clone()).collect();
            let kinds = columns.iter().filter_map(|column| self.kinds.get(*column).copied()).collect();
            let checked = Checked { names, kinds, ..Checked::default() };
            let rows = Rows::new(&checked, &batch);
            let truth = |cell| match rows.condition(tree, cell) {
                Some(true) => TRUE,
                Some(false) => FALSE,
                None => UNKNOWN,
            };
            (0..cells).map(truth).collect()
        });
        Leaf { columns, table, stands_in }
    }

    /// Whether the goal can be true.
    pub(crate) fn find(&mut self, goal: &Goal) -> Result<Found> {
        let room: Room = self.axes.iter().map(|axis| (0..axis.shown.len() as u32).collect()).collect();
        if room.iter().any(Vec::is_empty) {
            return Ok(Found::Nothing); // a domain whose values the column cannot hold
        }
        let firsts = |room: Room| room.iter().filter_map(|left| left.first()).map(|place| *place as usize).collect();
        if let Some(room) = self.within(goal, room.clone(), false)? {
            return Ok(Found::Proven(firsts(room)));
        }
        if self.leaves.iter().any(|leaf| leaf.stands_in || leaf.table.is_none())
            && let Some(room) = self.within(goal, room, true)?
        {
            return Ok(Found::Possible(firsts(room)));
        }
        Ok(if self.looks >= MAX_LOOKS { Found::Undecided } else { Found::Nothing })
    }

    /// A part of the room in all of which the goal is true; with `free`, stand-ins may be chosen too.
    fn within(&mut self, goal: &Goal, room: Room, free: bool) -> Result<Option<Room>> {
        let mut open = vec![room];
        while let Some(room) = open.pop() {
            self.cancel.check()?;
            let truths = self.truths(goal, &room);
            if truths == TRUE {
                return Ok(Some(room));
            }
            if truths & TRUE == 0 || self.looks >= MAX_LOOKS {
                continue;
            }
            match self.undecided(goal, &room, free) {
                Some(leaf) => open.extend(self.branches(leaf, &room)),
                // Only what could not be tabled is left: possible, as far as can be seen.
                None if free => return Ok(Some(room)),
                None => {}
            }
        }
        Ok(None)
    }

    fn truths(&mut self, goal: &Goal, room: &Room) -> Truths {
        match goal {
            Goal::Known(truths) => *truths,
            Goal::Leaf(leaf) => {
                self.looks += 1;
                self.leaves.get(*leaf).map_or(TRUE | FALSE | UNKNOWN, |leaf| leaf.truths(self.axes, room))
            }
            Goal::Rule(rule) => match self.rules.get(*rule).map(Rc::clone) {
                Some(rule) => self.truths(&rule, room),
                None => TRUE | FALSE | UNKNOWN,
            },
            Goal::All(terms) => {
                let mut so_far = TRUE;
                for term in terms {
                    so_far = both(so_far, self.truths(term, room));
                    if so_far == FALSE {
                        break;
                    }
                }
                so_far
            }
            Goal::Any(terms) => {
                let mut so_far = TRUE;
                for term in terms {
                    so_far = both(so_far, opposite(self.truths(term, room)));
                    if so_far == FALSE {
                        break;
                    }
                }
                opposite(so_far)
            }
            Goal::Not(inner) => opposite(self.truths(inner, room)),
            Goal::Surely(inner) => {
                let truths = self.truths(inner, room);
                truths & TRUE | if truths & (FALSE | UNKNOWN) == 0 { 0 } else { FALSE }
            }
        }
    }

    /// A comparison on which the goal depends, and which the room does not decide yet.
    fn undecided(&mut self, goal: &Goal, room: &Room, free: bool) -> Option<usize> {
        match goal {
            Goal::Known(_) => None,
            Goal::Leaf(place) => {
                let leaf = self.leaves.get(*place)?;
                let chosen = leaf.table.is_some() && (free || !leaf.stands_in);
                (chosen && leaf.truths(self.axes, room).count_ones() > 1).then_some(*place)
            }
            Goal::Rule(rule) => {
                let rule = Rc::clone(self.rules.get(*rule)?);
                self.undecided(&rule, room, free)
            }
            Goal::All(terms) | Goal::Any(terms) => terms.iter().find_map(|term| {
                let open = self.truths(term, room).count_ones() > 1;
                if open { self.undecided(term, room, free) } else { None }
            }),
            Goal::Not(inner) | Goal::Surely(inner) => self.undecided(inner, room, free),
        }
    }

    /// The room cut by what a comparison says: by its truth where it reads one column, else by one column's values.
    fn branches(&self, place: usize, room: &Room) -> Vec<Room> {
        let Some(leaf) = self.leaves.get(place) else { return Vec::new() };
        let left = |column: &usize| room.get(*column).map_or(0, Vec::len);
        let Some(column) = leaf.columns.iter().filter(|column| left(column) > 1).min_by_key(|column| left(column))
        else {
            return Vec::new();
        };
        let values = room.get(*column).cloned().unwrap_or_default();
        let with = |values: Vec<u32>| {
            let mut room = room.clone();
            if let Some(slot) = room.get_mut(*column) {
                *slot = values;
            }
            room
        };
        let parts: Vec<Vec<u32>> = if leaf.columns.len() == 1 {
            let table = leaf.table.as_deref().unwrap_or_default();
            let part = |truth: Truths| -> Vec<u32> {
                values.iter().copied().filter(|value| table.get(*value as usize) == Some(&truth)).collect()
            };
            [UNKNOWN, FALSE, TRUE].into_iter().map(part).filter(|part| !part.is_empty()).collect()
        } else {
            values.into_iter().rev().map(|value| vec![value]).collect()
        };
        parts.into_iter().map(with).collect()
    }
}

impl Leaf {
    /// What the comparison can be in the room.
    fn truths(&self, axes: &[Axis], room: &Room) -> Truths {
        let Some(table) = &self.table else { return TRUE | FALSE | UNKNOWN };
        let mut cells = vec![0usize];
        for column in &self.columns {
            let size = axes.get(*column).map_or(1, |axis| axis.shown.len());
            let left = room.get(*column).map_or(&[][..], Vec::as_slice);
            if self.columns.len() == 1 {
                return truths_of(table, left.iter().map(|place| *place as usize));
            }
            cells = cells.iter().flat_map(|cell| left.iter().map(move |place| cell * size + *place as usize)).collect();
        }
        truths_of(table, cells.into_iter())
    }
}

fn truths_of(table: &[Truths], cells: impl Iterator<Item = usize>) -> Truths {
    let mut found = 0;
    for cell in cells {
        found |= table.get(cell).copied().unwrap_or(0);
        if found == TRUE | FALSE | UNKNOWN {
            break;
        }
    }
    found
}

fn opposite(truths: Truths) -> Truths {
    truths & UNKNOWN | (truths & TRUE) << 1 | (truths & FALSE) >> 1
}

/// What "a AND b" can be.
fn both(a: Truths, b: Truths) -> Truths {
    let is_true = a & b & TRUE;
    let is_false = (a | b) & FALSE;
    let is_unknown = if a & UNKNOWN != 0 && b & (TRUE | UNKNOWN) != 0 || b & UNKNOWN != 0 && a & (TRUE | UNKNOWN) != 0 {
        UNKNOWN
    } else {
        0
    };
    is_true | is_false | is_unknown
}
