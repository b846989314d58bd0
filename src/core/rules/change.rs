//! How a change of a row reads: as a value, or as a bound where all values beyond it do as well.

use serde::Serialize;

use super::{
    ast::quoted,
    cells::number_of,
    explain::shown,
    interpret::Cell,
    near::{Around, LAST, Nearby, is_after},
    number::Number,
    order::references,
    segment::Choice,
};
use crate::{Result, cancel::Cancel};

/// One input that would have to be otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The column, or the expression that stands for itself.
    pub column: String,
    /// What it is.
    pub is: String,
    /// What it would have to be, with its sign: `>= 4`.
    pub needed: String,
}

/// Changes of a row that give it another answer.
pub(super) struct Found<'a> {
    pub(super) around: &'a Around,
    /// All columns that could have changed.
    pub(super) columns: &'a [usize],
    pub(super) choice: &'a Choice,
    /// The columns that change, with the places of their values.
    pub(super) chosen: &'a [(usize, usize)],
    pub(super) code: i16,
    /// The rule that gives the answer.
    pub(super) rule: usize,
}

impl Nearby {
    pub(super) fn change(
        &self,
        found: &Found<'_>,
        column: usize,
        place: usize,
        cancel: &Cancel,
    ) -> Result<Option<Change>> {
        let (place, upwards) = self.bound(found, column, place, cancel)?;
        let Some(values) = found.around.columns.get(column) else { return Ok(None) };
        let (Some(own), Some(new)) = (values.first(), values.get(place)) else { return Ok(None) };
        let above = |constant: Number| number_of(&new.value).is_some_and(|to| to > constant.to_f64());
        // Right beside a constant of a continuous column: the constant is what a person would say.
        let needed = match (&new.value, new.beside, upwards) {
            (_, Some(constant), Some(true)) if above(constant) => format!("> {constant}"),
            (_, Some(constant), Some(false)) if !above(constant) => format!("< {constant}"),
            (_, Some(constant), _) if above(constant) => format!("just above {constant}"),
            (_, Some(constant), _) => format!("just below {constant}"),
            (value, None, Some(true)) => format!(">= {}", shown(value)),
            (value, None, Some(false)) => format!("<= {}", shown(value)),
            (Cell::Text(text), None, None) if text.starts_with(LAST) => "another text".to_owned(),
            (Cell::Text(text), None, None) if is_after(&new.value) => {
                format!("just after {}", quoted(text.trim_end_matches('\0'), '\''))
            }
            (value, None, None) => format!("= {}", shown(value)),
        };
        let name = self.plain.checked.names.get(column).cloned().unwrap_or_default();
        Ok(Some(Change { column: name, is: shown(&own.value), needed }))
    }

    /// Whether all of a column's values beyond the chosen one, upwards or downwards, do as well. What is missing has no
    /// value to go away from: it goes to the end of those that do.
    pub(super) fn bound(
        &self,
        found: &Found<'_>,
        column: usize,
        place: usize,
        cancel: &Cancel,
    ) -> Result<(usize, Option<bool>)> {
        let values = found.around.columns.get(column).map_or(&[][..], Vec::as_slice);
        let number = |place: usize| number_of(&values.get(place)?.value);
        let mut line: Vec<(f64, usize)> = (1..values.len()).filter_map(|place| Some((number(place)?, place))).collect();
        line.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let at = line.iter().position(|(_, other)| *other == place);
        let Some(at) = at.filter(|_| !self.moves_others(found, column)) else { return Ok((place, None)) };
        let places: Vec<usize> = line.iter().map(|(_, place)| *place).collect();
        let varied: Vec<(usize, Vec<usize>)> = found
            .chosen
            .iter()
            .map(|(other, place)| (*other, if *other == column { places.clone() } else { vec![*place] }))
            .collect();
        let codes = self.codes(found.around, &varied, found.choice, cancel)?;
        let does: Vec<bool> = codes.iter().map(|code| *code == found.code).collect();
        // From which value on all do, and how many do from below.
        let upwards = does.len() - does.iter().rev().take_while(|does| **does).count();
        let downwards = does.iter().take_while(|does| **does).count();
        let (end, up) = match (number(0), number(place)) {
            (Some(from), Some(to)) if to > from => (at, (upwards <= at).then_some(true)),
            (Some(_), _) => (at, (downwards > at).then_some(false)),
            (None, _) if downwards == does.len() => (at, None), // any value
            (None, _) if upwards < does.len() => (upwards, Some(true)),
            (None, _) if downwards > 0 => (downwards - 1, Some(false)),
            (None, _) => (at, None),
        };
        Ok((places.get(end).copied().unwrap_or(place), up))
    }

    /// Whether what the rules up to the last one calculate follows a column, or it is compared with another that
    /// changes, so that its values beyond a change may do other things than those that were tried.
    fn moves_others(&self, found: &Found<'_>, column: usize) -> bool {
        let is_chosen = |column: usize| found.chosen.iter().any(|(other, _)| *other == column);
        let changes = |name: &str| self.plain.place(name).is_some_and(is_chosen);
        let follows = |column: usize| {
            self.expression(column).is_some_and(|expression| expression.columns().into_iter().any(changes))
        };
        let mut compared = self.groups.get(column).into_iter().flat_map(|group| group.members.iter().copied());
        if compared.any(|other| other != column && (is_chosen(other) || follows(other))) {
            return true;
        }
        let rules = &self.plain.checked.rules;
        let refers = rules.iter().any(|rule| !references(&rule.condition).is_empty());
        let asked = rules.iter().take(if refers { rules.len() } else { found.rule + 1 });
        let asked: Vec<&str> = asked.flat_map(|rule| rule.condition.columns()).collect();
        let name_of = |column: usize| self.plain.checked.names.get(column).map_or("", String::as_str);
        (self.plain.real..).zip(&self.plain.expressions).any(|(place, expression)| {
            let is_open = found.columns.contains(&place) && !is_chosen(place);
            is_open && asked.contains(&name_of(place)) && expression.columns().contains(&name_of(column))
        })
    }
}
