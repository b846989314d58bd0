//! Room for the rows of a log: touching fresh memory costs more than the work on it.
//!
//! It is few large rooms, so that the system takes them back whole, in pages as large as it has them; a part is kept from
//! one call to the next.

use std::mem::MaybeUninit;

use crate::{
    kept,
    pages::ask_for_large,
    prefetch::{self, LINE},
};

/// Memory, and the lengths of the pieces that lie in it.
pub(super) struct Room<T> {
    memory: Vec<T>,
    lens: Vec<usize>,
}

/// Room for pieces of these lengths: what was kept, then fresh memory for the rest. (Kept room is not made larger,
/// which would copy what stands in it.)
pub(super) fn take<T: Copy + Send + 'static>(lens: impl Iterator<Item = usize>) -> Vec<Room<T>> {
    let mut lens = lens.peekable();
    let mut rooms = Vec::new();
    while lens.peek().is_some() {
        let (memory, lens) = if let Some(mut memory) = kept::take::<T>(0) {
            memory.clear();
            let mut left = memory.capacity();
            let fitting = std::iter::from_fn(|| lens.next_if(|len| *len <= left).inspect(|len| left -= len));
            let fitting = fitting.collect();
            (memory, fitting)
        } else {
            let rest: Vec<usize> = lens.by_ref().collect();
            let mut memory = Vec::with_capacity(rest.iter().sum());
            ask_for_large(memory.spare_capacity_mut());
            (memory, rest)
        };
        rooms.push(Room { memory, lens });
    }
    rooms
}

/// A piece of room in which nothing stands yet.
pub(super) type Piece<'a, T> = &'a mut [MaybeUninit<T>];

/// The pieces, in the order in which they were asked for.
pub(super) fn pieces<T>(rooms: &mut [Room<T>]) -> Vec<Piece<'_, T>> {
    let mut pieces = Vec::new();
    for Room { memory, lens } in rooms {
        let mut rest = memory.spare_capacity_mut();
        pieces.extend(lens.iter().map(|len| rest.split_off_mut(..*len).unwrap_or_default()));
    }
    pieces
}

/// Puts values into the order of their places, stable within each, from the beginning of a piece; `starts` tells where
/// each place begins, with the end of the last. Values of no such place go nowhere.
pub(super) fn scatter<'a, T: Copy>(
    places: &[u16],
    starts: &[u32],
    values: impl Iterator<Item = T>,
    piece: Piece<'a, T>,
) -> &'a mut [T] {
    let mut cursors = starts.to_vec();
    for (place, value) in places.iter().zip(values) {
        if let Some(cursor) = cursors.get_mut(usize::from(*place))
            && let Some(slot) = piece.get_mut(*cursor as usize)
        {
            slot.write(value);
            prefetch::line(slot.as_ptr().addr() + LINE); // the place's next values go there
            *cursor += 1;
        }
    }
    let full = starts.first() == Some(&0) && cursors.iter().zip(starts.iter().skip(1)).all(|(end, next)| end == next);
    let written = starts.last().map_or(0, |end| if full { *end as usize } else { 0 });
    let piece = piece.get_mut(..written).unwrap_or_default();
    // SAFETY: the same memory. From 0 to the last start every element was written: each cursor went from its place's
    // start to the next one's, and wrote an element before every step.
    unsafe { &mut *(std::ptr::from_mut(piece) as *mut [T]) }
}

/// The same into memory of its own.
pub(super) fn scattered<T: Copy>(places: &[u16], starts: &[u32], values: impl Iterator<Item = T>) -> Vec<T> {
    let mut room = Vec::with_capacity(places.len());
    let written = scatter(places, starts, values, room.spare_capacity_mut()).len();
    // SAFETY: `scatter` wrote as many elements from the beginning.
    unsafe { room.set_len(written) };
    room
}

/// Keeps room for the next call.
pub(super) fn give<T: Copy + Send + 'static>(rooms: Vec<Room<T>>) {
    for room in rooms {
        kept::give(room.memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A type of its own, so that no other test takes this room.
    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Mark(u32);

    #[test]
    fn pieces_have_their_lengths_in_kept_and_in_fresh_room() {
        for lens in [vec![3, 5], vec![2, 7, 4, 1], vec![], vec![1; 9], vec![30, 2]] {
            let mut rooms = take::<Mark>(lens.iter().copied());
            let pieces = pieces(&mut rooms);
            assert_eq!(pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(), lens);
            for (number, piece) in (0..).zip(pieces) {
                piece.fill(MaybeUninit::new(Mark(number)));
            }
            give(rooms);
        }
    }

    #[test]
    fn what_is_scattered_is_what_was_written() {
        let values = [10, 11, 12, 13, 14].map(Mark);
        // Place 2 is behind the last: it goes nowhere.
        assert_eq!(scattered(&[1, 0, 2, 1, 0], &[0, 2, 4], values.into_iter()), [11, 14, 10, 13].map(Mark));
        // Starts that do not fit the places leave gaps: nothing of it is read.
        assert_eq!(scattered(&[1, 0], &[0, 2, 3], values.into_iter()), []);
    }
}
