//! Every combination of values that can make a difference to a set of rules.

use super::{
    ast::{Constant, Expr, Is, Kind, quoted},
    check::ColumnKind,
    config::{Checked, Domain},
    number::{Number, Units},
};
use crate::{
    Error, Result,
    column::{Batch, Bits, Column, OwnedText, Text, TextLayout, Values},
};

/// Most combinations `coverage` looks at.
pub const MAX_CELLS: usize = 2_000_000;

/// One column's values: what a person reads, and what the rules see (`None` is missing).
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) shown: Vec<String>,
    values: AxisValues,
}

enum AxisValues {
    Units(Vec<Option<i128>>, Option<i8>),
    Double(Vec<Option<f64>>),
    Single(Vec<Option<f32>>),
    Text(Vec<Option<String>>),
    Bool(Vec<Option<bool>>),
    Time(Vec<Option<i32>>),
}

/// How the rules use a column.
struct Use<'a> {
    /// What it is compared with.
    constants: Vec<&'a Constant>,
    /// A rule that calculates with it or compares it with another column.
    calculates: Option<&'a str>,
    /// Whether a rule asks for its order.
    ordered: bool,
    /// Whether a rule asks if it is missing.
    may_be_missing: bool,
}

/// The axes of the rules' columns, and how many cells they span.
pub(crate) fn axes(checked: &Checked) -> Result<(Vec<Axis>, usize)> {
    let mut axes = Vec::new();
    let mut cells = 1usize;
    for (column, (name, kind)) in checked.names.iter().zip(&checked.kinds).enumerate() {
        let domain = checked.domains.iter().find(|(of, _)| *of == column).map(|(_, domain)| domain);
        let axis = axis(name, *kind, domain, &used(checked, name))?;
        cells = cells.saturating_mul(axis.shown.len());
        axes.push(axis);
    }
    if cells > MAX_CELLS {
        let sizes: Vec<String> = axes.iter().map(|axis| format!("{} of {}", axis.shown.len(), axis.name)).collect();
        return Err(Error::parameter(format!(
            "coverage would look at {cells} combinations ({}); the limit is {MAX_CELLS}: declare smaller domains, or check fewer rules at a time",
            sizes.join(" x ")
        )));
    }
    Ok((axes, cells))
}

fn used<'a>(checked: &'a Checked, name: &str) -> Use<'a> {
    let mut found = Use { constants: Vec::new(), calculates: None, ordered: false, may_be_missing: false };
    let is_it = |tree: &Expr| matches!(&tree.kind, Kind::Column(other) if other == name);
    for rule in &checked.rules {
        let (mut all, mut simple) = (0usize, 0usize);
        rule.condition.walk(&mut |node| match &node.kind {
            Kind::Column(other) if other == name => all += 1,
            Kind::Compare(comparison, left, right) => {
                for (column, other) in [(left, right), (right, left)] {
                    if is_it(column)
                        && let Kind::Constant(constant) = &other.kind
                    {
                        found.constants.push(constant);
                        found.ordered |= !matches!(comparison.sign(), "=" | "<>");
                        simple += 1;
                    }
                }
            }
            Kind::In { value, list, .. } if is_it(value) => {
                let constants: Vec<_> = list.iter().filter_map(as_constant).collect();
                simple += usize::from(constants.len() == list.len());
                found.constants.extend(constants);
            }
            Kind::Between { value, low, high, .. } if is_it(value) => {
                let constants: Vec<_> = [low, high].into_iter().filter_map(|bound| as_constant(bound)).collect();
                simple += usize::from(constants.len() == 2);
                found.constants.extend(constants);
                found.ordered = true;
            }
            Kind::Is { value, what, .. } if is_it(value) => {
                found.may_be_missing |= *what == Is::Null;
                simple += 1;
            }
            _ => {}
        });
        if all > simple && found.calculates.is_none() {
            found.calculates = Some(&rule.label);
        }
    }
    found
}

fn as_constant(tree: &Expr) -> Option<&Constant> {
    if let Kind::Constant(constant) = &tree.kind { Some(constant) } else { None }
}

fn axis(name: &str, kind: ColumnKind, domain: Option<&Domain>, used: &Use<'_>) -> Result<Axis> {
    let refuse = |why: &str| {
        Err(Error::parameter(format!(
            "coverage cannot enumerate '{name}': {why}; declare what it holds by domains={{'{name}': ...}}, as (lowest, highest) whole numbers or a list"
        )))
    };
    let (mut shown, mut values) = match (kind, domain) {
        (ColumnKind::Null, _) => (Vec::new(), AxisValues::Bool(Vec::new())),
        (ColumnKind::Date | ColumnKind::Timestamp(..), _) if used.constants.is_empty() && used.calculates.is_none() => {
            (vec!["present".to_owned()], AxisValues::Time(vec![Some(0)]))
        }
        (ColumnKind::Date | ColumnKind::Timestamp(..), _) => {
            return Err(Error::parameter(format!(
                "coverage cannot enumerate '{name}': it holds {} that rules compare; use a column of days, such as recency_days",
                kind.name()
            )));
        }
        (ColumnKind::Bool, None) => {
            (vec!["FALSE".to_owned(), "TRUE".to_owned()], AxisValues::Bool(vec![Some(false), Some(true)]))
        }
        (_, Some(Domain::List(members))) => {
            let members = members.iter().map(super::config::Value::constant).collect::<Result<Vec<_>>>()?;
            listed(kind, &members)
        }
        (_, Some(Domain::Whole(low, high))) => {
            let width = high.checked_sub(*low).filter(|width| (*width as usize) < MAX_CELLS);
            if width.is_none() {
                return refuse("its domain has too many values");
            }
            listed(kind, &(*low..=*high).map(|value| Constant::Number(Number::whole(value.into()))).collect::<Vec<_>>())
        }
        (ColumnKind::Text, _) if used.ordered || used.calculates.is_some() => {
            return refuse("a rule asks for the order of its texts, or compares it with another column");
        }
        (ColumnKind::Text, _) => {
            let mut texts: Vec<&str> = used.constants.iter().filter_map(|constant| as_text(constant)).collect();
            texts.sort_unstable();
            texts.dedup();
            let other = "\u{10ffff}".repeat(1 + texts.iter().map(|text| text.chars().count()).max().unwrap_or(0));
            let shown = texts.iter().map(|text| quoted(text, '\'')).chain([if texts.is_empty() {
                "any text"
            } else {
                "another text"
            }
            .to_owned()]);
            (
                shown.collect(),
                AxisValues::Text(texts.iter().map(|text| Some((*text).to_owned())).chain([Some(other)]).collect()),
            )
        }
        (_, domain) => {
            if let Some(rule) = used.calculates {
                return refuse(&format!("rule '{rule}' calculates with it or compares it with another column"));
            }
            let bounds = match domain {
                Some(Domain::Interval(low, high)) => Some((bound(name, *low)?, bound(name, *high)?)),
                _ => None,
            };
            cut(kind, used, bounds)
        }
    };
    if used.may_be_missing || kind == ColumnKind::Null {
        shown.push("missing".to_owned());
        match &mut values {
            AxisValues::Units(values, _) => values.push(None),
            AxisValues::Double(values) => values.push(None),
            AxisValues::Single(values) => values.push(None),
            AxisValues::Text(values) => values.push(None),
            AxisValues::Bool(values) => values.push(None),
            AxisValues::Time(values) => values.push(None),
        }
    }
    Ok(Axis { name: name.to_owned(), shown, values })
}

fn bound(name: &str, value: f64) -> Result<Number> {
    Number::parse(&value.to_string())
        .ok_or_else(|| Error::parameter(format!("the domain of '{name}' has the bound {value}; wanted a number")))
}

fn as_text(constant: &Constant) -> Option<&str> {
    if let Constant::Text(text) = constant { Some(text) } else { None }
}

/// Values given one by one; those the column's kind cannot hold are left out.
fn listed(kind: ColumnKind, members: &[Constant]) -> (Vec<String>, AxisValues) {
    let scale = if let ColumnKind::Decimal(scale) = kind { Some(scale) } else { None };
    let numbers =
        members.iter().filter_map(|member| if let Constant::Number(number) = member { Some(*number) } else { None });
    match kind {
        ColumnKind::Text => {
            let texts: Vec<_> = members.iter().filter_map(as_text).collect();
            (
                texts.iter().map(|text| quoted(text, '\'')).collect(),
                AxisValues::Text(texts.into_iter().map(|text| Some(text.to_owned())).collect()),
            )
        }
        ColumnKind::Bool => {
            let flags =
                members.iter().filter_map(|member| if let Constant::Bool(flag) = member { Some(*flag) } else { None });
            (
                flags.clone().map(|flag| Constant::Bool(flag).to_string()).collect(),
                AxisValues::Bool(flags.map(Some).collect()),
            )
        }
        ColumnKind::Double => (
            numbers.clone().map(|number| number.to_string()).collect(),
            AxisValues::Double(numbers.map(|number| Some(number.to_f64())).collect()),
        ),
        ColumnKind::Single => (
            numbers.clone().map(|number| number.to_string()).collect(),
            AxisValues::Single(numbers.map(|number| Some(number.to_f32())).collect()),
        ),
        _ => {
            let exact = numbers.filter_map(|number| match number.units(scale.unwrap_or(0)) {
                Units::Floor(units, true) => Some((number.to_string(), Some(units))),
                _ => None,
            });
            let (shown, units) = exact.unzip();
            (shown, AxisValues::Units(units, scale))
        }
    }
}

/// The line cut at the rules' own constants: each constant, and one value of each stretch between them.
fn cut(kind: ColumnKind, used: &Use<'_>, bounds: Option<(Number, Number)>) -> (Vec<String>, AxisValues) {
    let mut points: Vec<Number> = used
        .constants
        .iter()
        .filter_map(|constant| if let Constant::Number(number) = constant { Some(*number) } else { None })
        .chain(bounds.into_iter().flat_map(|(low, high)| [low, high]))
        .collect();
    points.sort_by(|a, b| a.to_f64().total_cmp(&b.to_f64()));
    points.dedup_by(|a, b| a.same_value(*b));
    if let Some((low, high)) = bounds {
        points.retain(|point| point.to_f64() >= low.to_f64() && point.to_f64() <= high.to_f64());
    }
    // Stretches and points by turns: (-inf, p0), p0, (p0, p1), p1, ... (pn, inf).
    let mut stretches: Vec<(Option<Number>, Option<Number>)> = Vec::new();
    for (place, point) in points.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| points.get(before)).copied();
        if place > 0 || bounds.is_none() {
            stretches.push((before, Some(*point)));
        }
        stretches.push((Some(*point), Some(*point)));
    }
    if bounds.is_none() {
        stretches.push((points.last().copied(), None));
    }
    let name = |(low, high): &(Option<Number>, Option<Number>)| match (low, high) {
        (Some(low), Some(high)) if low == high => low.to_string(),
        (Some(low), Some(high)) => format!("between {low} and {high}"),
        (None, Some(high)) => format!("below {high}"),
        (Some(low), None) => format!("above {low}"),
        (None, None) => "any number".to_owned(),
    };
    let between = |low: Option<f64>, high: Option<f64>| match (low, high) {
        (Some(low), Some(high)) if low == high => Some(low),
        (Some(low), Some(high)) => Some(low + (high - low) / 2.0).filter(|middle| *middle > low && *middle < high),
        (None, Some(high)) => Some(high - high.abs().max(1.0)),
        (Some(low), None) => Some(low + low.abs().max(1.0)),
        (None, None) => Some(0.0),
    };
    match kind {
        ColumnKind::Double => {
            let found = stretches.iter().filter_map(|stretch| {
                let value = between(stretch.0.map(Number::to_f64), stretch.1.map(Number::to_f64))?;
                Some((name(stretch), Some(value)))
            });
            let (shown, values) = found.unzip();
            (shown, AxisValues::Double(values))
        }
        ColumnKind::Single => {
            let wide = |number: Number| f64::from(number.to_f32());
            let found = stretches.iter().filter_map(|stretch| {
                let value = between(stretch.0.map(wide), stretch.1.map(wide))?;
                let narrow = value as f32;
                let inside = stretch.0 == stretch.1
                    || stretch.0.is_none_or(|low| narrow > low.to_f32())
                        && stretch.1.is_none_or(|high| narrow < high.to_f32());
                inside.then(|| (name(stretch), Some(narrow)))
            });
            let (shown, values) = found.unzip();
            (shown, AxisValues::Single(values))
        }
        _ => {
            let scale = if let ColumnKind::Decimal(scale) = kind { Some(scale) } else { None };
            let found = stretches.iter().filter_map(|stretch| {
                let units = unit_within(*stretch, scale.unwrap_or(0))?;
                let fits = scale.is_some() || i64::try_from(units).is_ok();
                fits.then(|| (name(stretch), Some(units)))
            });
            let (shown, units) = found.unzip();
            (shown, AxisValues::Units(units, scale))
        }
    }
}

/// A whole unit in a stretch, if there is one.
fn unit_within((low, high): (Option<Number>, Option<Number>), scale: i8) -> Option<i128> {
    let floor = |number: Number| match number.units(scale) {
        Units::Floor(floor, exact) => Some((floor, exact)),
        _ => None,
    };
    match (low, high) {
        (None, None) => Some(0),
        (Some(low), Some(high)) if low == high => floor(low).filter(|(_, exact)| *exact).map(|(floor, _)| floor),
        (Some(low), high) => {
            let next = floor(low)?.0.checked_add(1)?;
            high.is_none_or(|high| high.compare_units(next, scale).is_lt()).then_some(next)
        }
        (None, Some(high)) => floor(high).and_then(|(floor, exact)| floor.checked_sub(i128::from(exact))),
    }
}

/// The value of an axis in a cell: the last axis changes fastest.
pub(crate) fn place(axes: &[Axis], axis: usize, cell: usize) -> usize {
    let stride: usize = axes.iter().skip(axis + 1).map(|axis| axis.shown.len()).product();
    axes.get(axis).map_or(0, |axis| cell / stride.max(1) % axis.shown.len().max(1))
}

/// One column of the grid: its values, cell by cell, and which of them are present.
pub(crate) struct GridColumn {
    values: GridValues,
    present: Vec<u8>,
}

enum GridValues {
    Whole(Vec<i64>),
    Decimal(Vec<i128>, i8),
    Double(Vec<f64>),
    Single(Vec<f32>),
    Days(Vec<i32>),
    Text(Vec<i64>, Vec<u8>),
    Bool(Vec<u8>),
}

/// All cells as columns.
pub(crate) fn columns(axes: &[Axis], cells: usize) -> Vec<GridColumn> {
    let build = |(index, axis): (usize, &Axis)| {
        let places: Vec<usize> = (0..cells).map(|cell| place(axes, index, cell)).collect();
        let (values, present) = match &axis.values {
            AxisValues::Units(values, None) => {
                let (units, present) = spread(values, &places);
                (GridValues::Whole(units.into_iter().map(|units| units as i64).collect()), present)
            }
            AxisValues::Units(values, Some(scale)) => {
                let (units, present) = spread(values, &places);
                (GridValues::Decimal(units, *scale), present)
            }
            AxisValues::Double(values) => {
                let (values, present) = spread(values, &places);
                (GridValues::Double(values), present)
            }
            AxisValues::Single(values) => {
                let (values, present) = spread(values, &places);
                (GridValues::Single(values), present)
            }
            AxisValues::Time(values) => {
                let (days, present) = spread(values, &places);
                (GridValues::Days(days), present)
            }
            AxisValues::Bool(values) => {
                let (flags, present) = spread(values, &places);
                (GridValues::Bool(bits(flags.into_iter())), present)
            }
            AxisValues::Text(values) => {
                let (texts, present) = spread(values, &places);
                let mut owned = OwnedText::new();
                for text in &texts {
                    owned.push(text.as_bytes());
                }
                (GridValues::Text(owned.offsets, owned.bytes), present)
            }
        };
        GridColumn { values, present }
    };
    axes.iter().enumerate().map(build).collect()
}

/// An axis's values at every cell, and which are present.
fn spread<T: Clone + Default>(values: &[Option<T>], places: &[usize]) -> (Vec<T>, Vec<u8>) {
    let cells = || places.iter().map(|place| values.get(*place).and_then(Option::as_ref));
    (cells().map(|cell| cell.cloned().unwrap_or_default()).collect(), bits(cells().map(|cell| cell.is_some())))
}

fn bits(flags: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, flag) in flags.enumerate() {
        if index % 8 == 0 {
            bytes.push(0);
        }
        if let Some(last) = bytes.last_mut() {
            *last |= u8::from(flag) << (index % 8);
        }
    }
    bytes
}

/// The grid as a batch.
pub(crate) fn batch(columns: &[GridColumn], cells: usize) -> Batch<'_> {
    fn borrow(column: &GridColumn, cells: usize) -> Column<'_> {
        let validity = Bits::new(&column.present, 0, cells);
        match &column.values {
            GridValues::Whole(values) => Column::Int64(Values { values, validity }),
            GridValues::Decimal(values, scale) => Column::Decimal(Values { values, validity }, *scale),
            GridValues::Double(values) => Column::Float64(Values { values, validity }),
            GridValues::Single(values) => Column::Float32(Values { values, validity }),
            GridValues::Days(values) => Column::Date(Values { values, validity }),
            GridValues::Text(offsets, bytes) => {
                Column::Text(Text { layout: TextLayout::Offsets64(offsets, bytes), validity })
            }
            GridValues::Bool(flags) => {
                Bits::new(flags, 0, cells).map_or(Column::Null(cells), |flags| Column::Bool(flags, validity))
            }
        }
    }
    columns.iter().map(|column| borrow(column, cells)).collect()
}
