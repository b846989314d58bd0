//! Rows that repeat an earlier one in every column.

use super::{
    numbers::find,
    partition::{partition, partition_bits, places},
    read::{Chunk, MISSING},
    scratch,
};
use crate::{
    Result,
    cancel::Cancel,
    column::{Batch, Column},
    ids::{Hashing, text_of},
    parallel,
};

/// For every row, whether an earlier row is equal to it in every column. Missing values equal one another.
pub(super) fn repeats(batches: &[Batch<'_>], chunks: &[Chunk], hashing: Hashing, cancel: &Cancel) -> Result<Vec<bool>> {
    let rows = chunks.last().map_or(0, |chunk| chunk.first + chunk.rows.len());
    let bits = partition_bits(rows);
    // Rows by the hash of all their cells, scattered as the customers' rows are.
    let blocks = parallel::map_each(chunks, cancel, |chunk| {
        let batch = batches.get(chunk.batch).map(Vec::as_slice).unwrap_or_default();
        let hashes: Vec<u64> = chunk.rows.clone().map(|row| hash(batch, row, hashing)).collect();
        let (places, starts) = places(hashes.iter().map(|hash| partition(*hash, bits)), 1 << bits);
        let values = hashes.iter().enumerate().map(|(row, hash)| (*hash, (chunk.first + row) as u32));
        let scattered = scratch::scattered(&places, &starts, values);
        Ok((starts, scattered))
    })?;
    let firsts: Vec<usize> = batches
        .iter()
        .scan(0, |first, batch| {
            let start = *first;
            *first += batch.first().map_or(0, Column::len);
            Some(start)
        })
        .collect();
    let at = |row: u32| {
        let batch = firsts.partition_point(|start| *start <= row as usize).saturating_sub(1);
        let columns = batches.get(batch).map(Vec::as_slice).unwrap_or_default();
        (columns, row as usize - firsts.get(batch).copied().unwrap_or(0))
    };
    let equal = |a: (u64, u32), b: (u64, u32)| {
        a.0 == b.0 && {
            let ((left, row), (right, other)) = (at(a.1), at(b.1));
            left.iter().zip(right).all(|(left, right)| cell(left, row) == cell(right, other))
        }
    };
    let partitions: Vec<usize> = (0..1 << bits).collect();
    let repeats = parallel::map_each(&partitions, cancel, |place| {
        let (mut table, mut different, mut repeats) = (vec![0u32; 1024], Vec::new(), Vec::new());
        for (starts, scattered) in &blocks {
            let bound = |at: usize| starts.get(at).map_or(0, |start| *start as usize);
            for entry in scattered.get(bound(*place)..bound(place + 1)).unwrap_or_default() {
                let known = different.len();
                find(&mut table, &mut different, *entry, |(hash, _)| hash, equal)?;
                if different.len() == known {
                    repeats.push(entry.1);
                }
            }
        }
        Ok(repeats)
    })?;
    let mut marks = vec![false; rows];
    for row in repeats.into_iter().flatten() {
        if let Some(mark) = marks.get_mut(row as usize) {
            *mark = true;
        }
    }
    Ok(marks)
}

/// One value of any kind, fit for comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell<'a> {
    Missing,
    Word(i128),
    Text(&'a [u8]),
}

fn cell<'a>(column: &Column<'a>, row: usize) -> Cell<'a> {
    fn word<T: Into<i128>>(value: Option<T>) -> Option<Cell<'static>> {
        value.map(|value| Cell::Word(value.into()))
    }
    // The bits of a float, with one zero.
    let float = |value: Option<f64>| word(value.filter(|value| !value.is_nan()).map(|value| (value + 0.0).to_bits()));
    let found = match column {
        Column::Null(_) => None,
        Column::Bool(bits, validity) => {
            validity.is_none_or(|validity| validity.get(row)).then(|| Cell::Word(bits.get(row).into()))
        }
        Column::Int8(values) => word(values.get(row)),
        Column::Int16(values) => word(values.get(row)),
        Column::Int32(values) | Column::Date(values) => word(values.get(row)),
        Column::Int64(values) => word(values.get(row)),
        Column::Timestamp(values, ..) => word(values.get(row).filter(|time| *time != MISSING)),
        Column::UInt8(values) => word(values.get(row)),
        Column::UInt16(values) => word(values.get(row)),
        Column::UInt32(values) => word(values.get(row)),
        Column::UInt64(values) => word(values.get(row)),
        Column::Float32(values) => float(values.get(row).map(f64::from)),
        Column::Float64(values) => float(values.get(row)),
        Column::Decimal(values, _) => word(values.get(row)),
        Column::Text(_) | Column::Dictionary(..) => text_of(column, row).map(Cell::Text),
    };
    found.unwrap_or(Cell::Missing)
}

fn hash(batch: &[Column<'_>], row: usize, hashing: Hashing) -> u64 {
    batch.iter().fold(0, |sum, column| {
        let value = match cell(column, row) {
            Cell::Missing => 0x6d69_7373,
            Cell::Word(word) => word as u64 ^ ((word >> 64) as u64).rotate_left(29),
            Cell::Text(text) => hashing.bytes(text),
        };
        hashing.mix(sum.rotate_left(5), value)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{column::Values, transactions::read::chunks};

    proptest! {
        #[test]
        fn agrees_with_comparing_every_pair(
            rows in prop::collection::vec((0i64..4, prop::option::of(0u8..3)), 0..60), split in 0usize..60, keep in prop::sample::select(vec![0, 1, u64::MAX]),
        ) {
            let numbers: Vec<i64> = rows.iter().map(|row| row.0).collect();
            let floats: Vec<f64> = rows.iter().map(|row| row.1.map_or(f64::NAN, f64::from)).collect();
            let split = split.min(rows.len());
            let part = |range: std::ops::Range<usize>| vec![
                Column::Int64(Values::dense(&numbers[range.clone()])), Column::Float64(Values::dense(&floats[range])),
            ];
            let batches = [part(0..split), part(split..rows.len())];
            let found = repeats(&batches, &chunks(&batches), Hashing { keep }, &Cancel::new()).unwrap();
            let wanted: Vec<bool> = (0..rows.len()).map(|row| rows[..row].contains(&rows[row])).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
