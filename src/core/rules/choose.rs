//! One value of several: the first whose condition is true, the greatest, the least.

use std::cmp::Ordering;

use super::{
    evaluate::WORDS,
    formula::{Numbers, Place, Values, real, wide},
    program::Literal,
    texts,
};

/// The branches with the rows each of them takes; `present` becomes the rows in which one is taken and has a value.
fn taken<'s, 'a>(
    at: &Place<'s, 'a>,
    branches: &[(Literal, usize)],
    present: &mut [u64],
) -> Vec<([u64; WORDS], &'s Values<'a>)> {
    let mut open = [!0u64; WORDS];
    present.fill(0);
    let take = |(when, node): &(Literal, usize)| {
        let mut rows = [0; WORDS];
        let whens = at.rows_of(*when).iter().zip(at.known(*node));
        for (((rows, open), present), (when, known)) in
            rows.iter_mut().zip(&mut open).zip(present.iter_mut()).zip(whens)
        {
            *rows = *open & when;
            *open &= !when;
            *present |= *rows & known;
        }
        (rows, at.node(*node))
    };
    branches.iter().map(take).collect()
}

/// Each row's value from the branch that takes it.
pub(super) fn choose<'a>(at: &Place<'_, 'a>, branches: &[(Literal, usize)], present: &mut [u64]) -> Values<'a> {
    let len = at.rows.len();
    let branches = taken(at, branches, present);
    if branches.iter().any(|(_, values)| matches!(values, Values::Texts(_))) {
        return Values::Texts(texts::choose(&branches, len, present));
    }
    let sources: Vec<(&[u64; WORDS], &Numbers<'a>)> = branches
        .iter()
        .filter_map(|(rows, values)| if let Values::Numbers(numbers) = values { Some((rows, numbers)) } else { None })
        .collect();
    if sources.iter().any(|(_, numbers)| matches!(numbers, Numbers::Real(_))) {
        let mut out = vec![0.0; len];
        for (rows, numbers) in sources {
            blend(&mut out, rows, &real(numbers, len));
        }
        return Values::Numbers(Numbers::Real(out.into()));
    }
    if let Some(Numbers::Wide(_, scale)) = widest(sources.iter().map(|(_, numbers)| *numbers)) {
        let mut out = vec![0; len];
        for (rows, numbers) in &sources {
            blend(&mut out, *rows, &wide(numbers, len).0);
        }
        return Values::Numbers(Numbers::Wide(out.into(), *scale));
    }
    let mut out = vec![0; len];
    for (rows, numbers) in sources {
        if let Numbers::Whole(values) = numbers {
            blend(&mut out, rows, values);
        }
    }
    Values::Numbers(Numbers::Whole(out.into()))
}

/// One that needs 128 bits, as all then do; natural numbers beside whole ones have no scale.
fn widest<'n, 'a: 'n>(mut numbers: impl Iterator<Item = &'n Numbers<'a>>) -> Option<&'n Numbers<'a>> {
    numbers.find(|numbers| matches!(numbers, Numbers::Wide(..)))
}

/// Copies the values of some rows.
fn blend<T: Copy>(out: &mut [T], rows: &[u64], from: &[T]) {
    for ((out, from), rows) in out.chunks_mut(64).zip(from.chunks(64)).zip(rows) {
        if *rows == !0 {
            out.copy_from_slice(from);
        } else if *rows != 0 {
            for (place, (out, from)) in out.iter_mut().zip(from).enumerate() {
                *out = if rows >> place & 1 == 1 { *from } else { *out };
            }
        }
    }
}

/// Each row's greatest or least value among those present.
pub(super) fn extreme<'a>(at: &Place<'_, 'a>, greatest: bool, nodes: &[usize], present: &mut [u64]) -> Values<'a> {
    let len = at.rows.len();
    let wanted = if greatest { Ordering::Greater } else { Ordering::Less };
    if nodes.iter().any(|node| matches!(at.node(*node), Values::Texts(_))) {
        return Values::Texts(texts::extreme(at, wanted, nodes, present));
    }
    let sources: Vec<(&[u64], &Numbers<'a>)> = nodes
        .iter()
        .filter_map(
            |node| if let Values::Numbers(numbers) = at.node(*node) { Some((at.known(*node), numbers)) } else { None },
        )
        .collect();
    present.fill(0);
    if sources.iter().any(|(_, numbers)| matches!(numbers, Numbers::Real(_))) {
        let mut out = vec![0.0; len];
        for (known, numbers) in sources {
            better(&mut out, present, known, &real(numbers, len), wanted);
        }
        return Values::Numbers(Numbers::Real(out.into()));
    }
    if let Some(Numbers::Wide(_, scale)) = widest(sources.iter().map(|(_, numbers)| *numbers)) {
        let mut out = vec![0; len];
        for (known, numbers) in &sources {
            better(&mut out, present, known, &wide(numbers, len).0, wanted);
        }
        return Values::Numbers(Numbers::Wide(out.into(), *scale));
    }
    let mut out = vec![0; len];
    for (known, numbers) in sources {
        if let Numbers::Whole(values) = numbers {
            better(&mut out, present, known, values, wanted);
        }
    }
    Values::Numbers(Numbers::Whole(out.into()))
}

/// Takes a value where there is none yet, or a worse one.
fn better<T: Copy + PartialOrd>(out: &mut [T], present: &mut [u64], known: &[u64], from: &[T], wanted: Ordering) {
    for (((out, from), present), known) in out.chunks_mut(64).zip(from.chunks(64)).zip(present).zip(known) {
        for (place, (out, from)) in out.iter_mut().zip(from).enumerate() {
            let (have, offered) = (*present >> place & 1 == 1, known >> place & 1 == 1);
            if offered && (!have || from.partial_cmp(out) == Some(wanted)) {
                *out = *from;
            }
        }
        *present |= known;
    }
}
