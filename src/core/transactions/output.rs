//! What the tables share on their way out: customers in order of their ids, and those without an order.

use super::{
    read::{Log, chunks},
    reason::Reason,
};
use crate::{
    Error, Result,
    column::{Batch, Column},
    ids::{IdColumn, IdKind, Ids, Key, Place, TextKey, signed, word},
};

/// Ids that `customers=` can add.
pub(super) trait Member: IdColumn {
    /// The keys as a log whose ids are of `kind` would have them; an id it cannot hold is an error.
    fn fit(keys: Vec<Self>, from: IdKind, log: &Column<'_>, what: &str, first: usize) -> Result<Vec<Self>>;
}

impl Member for u64 {
    fn fit(keys: Vec<Self>, from: IdKind, log: &Column<'_>, what: &str, first: usize) -> Result<Vec<Self>> {
        let (smallest, largest) = match log {
            Column::Int8(_) => (i8::MIN.into(), i8::MAX.into()),
            Column::Int16(_) => (i16::MIN.into(), i16::MAX.into()),
            Column::Int32(_) => (i32::MIN.into(), i32::MAX.into()),
            Column::UInt8(_) => (0, u8::MAX.into()),
            Column::UInt16(_) => (0, u16::MAX.into()),
            Column::UInt32(_) => (0, u32::MAX.into()),
            Column::UInt64(_) => (0, u64::MAX.into()),
            _ => (i64::MIN.into(), i128::from(i64::MAX)),
        };
        let natural = matches!(log, Column::UInt8(_) | Column::UInt16(_) | Column::UInt32(_) | Column::UInt64(_));
        let fitted = keys.into_iter().zip(first..).map(|(key, row)| {
            let id = if from == IdKind::Unsigned { i128::from(key) } else { i128::from(signed(key)) };
            if id < smallest || id > largest {
                return Err(Error::input(format!(
                    "customers holds the id {id} in row {row}, which {what} of the log cannot hold; give that column a \
                     wider type"
                )));
            }
            Ok(if natural { id as u64 } else { word(id as i64) })
        });
        fitted.collect()
    }
}

impl<const WORDS: usize> Member for TextKey<WORDS> {
    fn fit(keys: Vec<Self>, _: IdKind, _: &Column<'_>, _: &str, _: usize) -> Result<Vec<Self>> {
        Ok(keys)
    }
}

/// All columns of customers' ids: the log's, then those of `customers`.
pub(super) fn ids<'a>(log: &Log<'a>, customers: Option<&'a [Batch<'a>]>) -> Ids<'a> {
    let column = log.config.customer_id;
    let more = customers.unwrap_or_default().iter().filter_map(|batch| batch.first());
    Ids::new(log.batches.iter().filter_map(|batch| batch.get(column)).chain(more))
}

/// The ids of those who belong to the table even without an order.
pub(super) fn members<K: Member>(log: &Log<'_>, customers: Option<&[Batch<'_>]>) -> Result<Vec<K>> {
    let Some(batches) = customers else { return Ok(Vec::new()) };
    let name = log.config.name(log.config.customer_id);
    let of_customers = format!("{name}' of 'customers");
    let own = log.batches.first().and_then(|batch| batch.get(log.config.customer_id)).unwrap_or(&Column::Null(0));
    let mut keys = Vec::new();
    for chunk in chunks(batches) {
        let Some(column) = batches.get(chunk.batch).and_then(|batch| batch.first()) else { continue };
        let kind = IdKind::of(column, &of_customers)?;
        if matches!(column, Column::Null(_)) {
            return Err(missing(chunk.first));
        }
        if kind.is_text() != log.id_kind.is_text() {
            return Err(Error::input(format!(
                "customers holds {}, but column '{name}' of the log holds {}; give both the same kind of id",
                column.kind(),
                own.kind()
            )));
        }
        let mut reasons = vec![Reason::Used; chunk.rows.len()];
        let mut read = Vec::with_capacity(chunk.rows.len());
        // A key says where its text stands, which is behind the rows of the log; an error says where its number does.
        let first = if kind.is_text() { log.rows + chunk.first } else { chunk.first };
        let mark = (Reason::MissingCustomerId, reasons.as_mut_slice());
        K::read(column, chunk.rows.clone(), first, &of_customers, log.hashing, mark, &mut read)?;
        if let Some(row) = reasons.iter().position(|reason| *reason != Reason::Used) {
            return Err(missing(chunk.first + row));
        }
        keys.extend(K::fit(read, kind, own, &format!("column '{name}'"), chunk.first)?);
    }
    Ok(keys)
}

fn missing(row: usize) -> Error {
    Error::input(format!("customers has no id in row {row}; leave such rows out"))
}

/// The customers of all partitions in order of their ids.
pub(super) fn in_order<'a, K: Key>(partitions: impl Iterator<Item = &'a [K]>, ids: &Ids<'_>) -> Vec<(K, Place)> {
    let partitions: Vec<_> = partitions.collect();
    let mut order = Vec::with_capacity(partitions.iter().map(|keys| keys.len()).sum());
    for (partition, keys) in partitions.into_iter().enumerate() {
        order.extend(keys.iter().enumerate().map(|(index, key)| (*key, (partition as u32, index as u32))));
    }
    K::sort(&mut order, ids);
    order
}
