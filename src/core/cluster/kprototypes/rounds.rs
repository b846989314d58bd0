//! One run: all rows go to their cheapest prototype, then single rows where the whole cost falls most
//! ([`super::exchange`]), until neither changes anything. More rounds of all rows at once before that would end in worse
//! optima, and later.

use super::{
    super::{distance::Label, matrix::LANES},
    exchange,
    points::{Code, Piece, Prototypes, assign},
    sums::{Space, Sums},
};
use crate::{Result, cancel::Cancel};

/// How one run ended.
#[derive(Debug)]
pub(super) struct Run<C> {
    pub(super) prototypes: Prototypes<C>,
    /// One per row, and as many more as fill the last block; those of the prototypes, as predicting gives them.
    pub(super) labels: Vec<Label>,
    pub(super) cost: f64,
    pub(super) rounds: usize,
}

/// Runs from `prototypes`; `by_size` makes the largest cluster the first.
pub(super) fn run<C: Code>(
    space: &Space<'_, C>,
    mut prototypes: Prototypes<C>,
    max_iter: usize,
    by_size: bool,
    cancel: &Cancel,
) -> Result<Run<C>> {
    let mut labels = vec![Label::MAX; space.points.rows.next_multiple_of(LANES)];
    let mut least = vec![0.0; labels.len()];
    let mut rounds = 0;
    loop {
        let mut sums = space.sums(
            &prototypes,
            &mut labels,
            &mut least,
            |piece, labels, least| assign(piece, &prototypes, labels, least),
            cancel,
        )?;
        fill_empty(space, &mut sums, &mut prototypes, &mut labels, &mut least);
        sums.update(space, &mut prototypes);
        rounds += 1;
        if sums.moved == 0 {
            break;
        }
        let mut state = exchange::State::new(space, &prototypes, &sums);
        while rounds < max_iter && exchange::pass(space, &mut state, &mut labels, cancel)? > 0 {
            rounds += 1;
        }
        // Anew, without what the moves rounded.
        sums = space.sums(&prototypes, &mut labels, &mut least, |_, _, _| 0, cancel)?;
        sums.update(space, &mut prototypes);
        if rounds >= max_iter {
            break;
        }
    }
    let mut finish = |prototypes: &Prototypes<C>| {
        let nearest =
            |piece: Piece<'_, C>, labels: &mut [Label], least: &mut [f64]| assign(piece, prototypes, labels, least);
        space.sums(prototypes, &mut labels, &mut least, nearest, cancel)
    };
    let mut sums = finish(&prototypes)?;
    // Rows between two prototypes go to the first, so another order may change sizes, and so the order.
    for _ in 0..if by_size { prototypes.each.len() } else { 0 } {
        if sums.weights.is_sorted_by(|a, b| a >= b) {
            break;
        }
        let mut order: Vec<_> = prototypes.each.drain(..).zip(sums.weights).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        prototypes.each = order.into_iter().map(|(prototype, _)| prototype).collect();
        sums = finish(&prototypes)?;
    }
    let cost = least.iter().take(space.points.rows).enumerate().map(|(row, cost)| cost * space.weight(row)).sum();
    Ok(Run { prototypes, labels, cost, rounds })
}

/// Gives every cluster without a row the one that costs most where it is; of equal ones the first. When no row costs
/// anything there are fewer different rows than clusters, and prototypes without a row stay as they are.
fn fill_empty<C: Code>(
    space: &Space<'_, C>,
    sums: &mut Sums,
    prototypes: &mut Prototypes<C>,
    labels: &mut [Label],
    least: &mut [f64],
) {
    for cluster in 0..sums.counts.len() {
        if sums.counts.get(cluster).is_some_and(|count| *count > 0) {
            continue;
        }
        let mut worst = (0.0, None);
        for (row, (cost, label)) in least.iter().zip(labels.iter()).enumerate().take(space.points.rows) {
            let alone = sums.counts.get(usize::from(*label)).is_none_or(|count| *count < 2);
            if *cost > worst.0 && !alone && space.weight(row) > 0.0 {
                worst = (*cost, Some(row));
            }
        }
        let Some(row) = worst.1 else { return };
        if let (Some(label), Some(cost)) = (labels.get_mut(row), least.get_mut(row)) {
            sums.found(space, prototypes, row, (usize::from(*label), cluster));
            *label = cluster as Label;
            *cost = 0.0;
        }
    }
}
