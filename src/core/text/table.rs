//! One row per customer: how many messages, and per group of keywords how many mentions.

use std::ops::Range;

use hashbrown::{HashTable, hash_table::Entry};

use super::{
    config::{Config, Terms},
    keywords::{Keywords, Room},
};
use crate::{
    Error, Result,
    cancel::Cancel,
    column::{Batch, Column},
    ids::{CustomerIds, Hashing, IdColumn, IdKind, Ids, ShortText, text_of},
    parallel,
};

/// Messages per task: texts may be long.
const CHUNK_ROWS: usize = 1 << 11;

/// A row that is not used.
const NOBODY: u32 = u32::MAX;

/// The table of `keyword_table`, column by column; customers ascend by id.
#[derive(Debug)]
pub struct KeywordTable {
    /// Who.
    pub ids: CustomerIds,
    /// Rows left out under `invalid="drop"`, in words.
    pub warnings: Vec<String>,
    /// Messages with a text.
    pub message_count: Vec<i64>,
    /// The columns of each group, in the caller's order.
    pub groups: Vec<GroupColumns>,
}

/// What one group of keywords adds to the table.
#[derive(Debug)]
pub struct GroupColumns {
    /// Mentions.
    pub count: Vec<i64>,
    /// Mentions divided by messages.
    pub per_message: Vec<f64>,
    /// Messages with at least one mention.
    pub messages_with: Vec<i64>,
}

/// Whether a row is used: the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    MissingCustomerId,
    MissingText,
    Used,
}

/// Some neighbouring rows of one batch.
struct Chunk<'a> {
    ids: &'a Column<'a>,
    texts: &'a Column<'a>,
    rows: Range<usize>,
    /// The number of the first row among all rows.
    first: usize,
}

/// Counts, per customer, the messages and the mentions of every group of keywords.
pub fn keyword_table(batches: &[Batch<'_>], config: &Config, cancel: &Cancel) -> Result<KeywordTable> {
    let terms = config.check()?;
    let Some((ids, texts)) = batches.first().and_then(|batch| columns(batch, config)) else {
        return Err(Error::parameter("the columns of the id and the text are not in the stream"));
    };
    let name = config.name(config.customer_id);
    let kind = IdKind::of(ids, name)?;
    if !matches!(texts, Column::Text(_) | Column::Dictionary(..) | Column::Null(_)) {
        let (name, found) = (config.name(config.text), texts.kind());
        return Err(Error::input(format!(
            "column '{name}' holds {found}; wanted text: name the column of messages by text="
        )));
    }
    let chunks = chunks(batches, config)?;
    match kind {
        IdKind::Text | IdKind::WideText => table::<ShortText>(&chunks, kind, config, &terms, cancel),
        IdKind::Signed | IdKind::Unsigned => table::<u64>(&chunks, kind, config, &terms, cancel),
    }
}

fn columns<'a>(batch: &'a Batch<'a>, config: &Config) -> Option<(&'a Column<'a>, &'a Column<'a>)> {
    Some((batch.get(config.customer_id)?, batch.get(config.text)?))
}

fn chunks<'a>(batches: &'a [Batch<'a>], config: &Config) -> Result<Vec<Chunk<'a>>> {
    let mut first = 0;
    let mut chunks = Vec::new();
    for (ids, texts) in batches.iter().filter_map(|batch| columns(batch, config)) {
        let pieces = parallel::chunks(ids.len(), CHUNK_ROWS);
        chunks.extend(pieces.map(|rows| Chunk { ids, texts, first: first + rows.start, rows }));
        first += ids.len();
    }
    if first >= NOBODY as usize {
        return Err(Error::input(format!("there are {first} messages; one call takes fewer than {NOBODY}")));
    }
    Ok(chunks)
}

fn table<K: IdColumn>(
    chunks: &[Chunk<'_>],
    kind: IdKind,
    config: &Config,
    terms: &Terms,
    cancel: &Cancel,
) -> Result<KeywordTable> {
    let name = config.name(config.customer_id);
    let read = parallel::map_each(chunks, cancel, |chunk| read::<K>(chunk, name))?;
    let warnings = verdict(&read, config, terms)?;
    let ids = Ids::new(chunks.iter().filter(|chunk| chunk.rows.start == 0).map(|chunk| chunk.ids));
    let (order, mut customers, message_count) = number(&read, &ids);
    // From the order in which customers came to the order of their ids.
    let mut rank = vec![0; order.len()];
    for (place, (_, (came, _))) in (0u32..).zip(&order) {
        if let Some(rank) = rank.get_mut(*came as usize) {
            *rank = place;
        }
    }
    for customer in customers.iter_mut().flatten() {
        *customer = rank.get(*customer as usize).copied().unwrap_or(NOBODY);
    }
    let messages = order.iter().map(|(_, (came, _))| message_count.get(*came as usize).copied().unwrap_or_default());
    let message_count: Vec<i64> = messages.collect();
    let groups = count(chunks, &customers, &message_count, &terms.keywords, cancel)?;
    Ok(KeywordTable { ids: K::column(&order, kind, &ids), warnings, message_count, groups })
}

/// The ids of a chunk, and which of its rows are used.
fn read<K: IdColumn>(chunk: &Chunk<'_>, name: &str) -> Result<(Vec<K>, Vec<Reason>)> {
    let mut reasons: Vec<Reason> = chunk.rows.clone().map(|row| text_of(chunk.texts, row)).map(text_reason).collect();
    let mut keys = Vec::with_capacity(reasons.len());
    if matches!(chunk.ids, Column::Null(_)) {
        reasons.fill(Reason::MissingCustomerId);
    }
    let missing = (Reason::MissingCustomerId, reasons.as_mut_slice());
    K::read(chunk.ids, chunk.rows.clone(), chunk.first, name, Hashing::GOOD, missing, &mut keys)?;
    keys.resize(reasons.len(), K::default());
    Ok((keys, reasons))
}

fn text_reason(text: Option<&[u8]>) -> Reason {
    if text.is_some() { Reason::Used } else { Reason::MissingText }
}

/// What `invalid=` says about rows without an id or a text: an error, a warning or nothing.
fn verdict<K>(read: &[(Vec<K>, Vec<Reason>)], config: &Config, terms: &Terms) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (reason, name, column) in [
        (Reason::MissingCustomerId, "missing_customer_id", config.customer_id),
        (Reason::MissingText, "missing_text", config.text),
    ] {
        let rows = || read.iter().flat_map(|(_, reasons)| reasons).enumerate().filter(|(_, other)| **other == reason);
        if let Some((first, _)) = rows().next() {
            let count = rows().count();
            let noun = if count == 1 { "row" } else { "rows" };
            found.push(format!("{count} {noun} {name} in column '{}' (first: row {first})", config.name(column)));
        }
    }
    if found.is_empty() {
        return Ok(found);
    }
    let found = found.join(", ");
    if terms.drop_invalid {
        return Ok(vec![format!("rows left out: {found}")]);
    }
    Err(Error::input(format!(
        "the messages have rows that cannot be used: {found}; repair them, or leave them out with invalid='drop'"
    )))
}

/// Who, in order of the ids, each with the number of its first appearance; that number for each row of each chunk;
/// and the rows of each number.
#[allow(clippy::type_complexity)] // used once
fn number<K: IdColumn>(
    read: &[(Vec<K>, Vec<Reason>)],
    ids: &Ids<'_>,
) -> (Vec<(K, (u32, u32))>, Vec<Vec<u32>>, Vec<i64>) {
    let mut table = HashTable::<u32>::new();
    let mut known: Vec<(K, (u32, u32))> = Vec::new();
    let mut message_count: Vec<i64> = Vec::new();
    let mut customers = Vec::with_capacity(read.len());
    for (keys, reasons) in read {
        let numbers = keys.iter().zip(reasons).map(|(key, reason)| {
            if *reason != Reason::Used {
                return NOBODY;
            }
            let of = |number: &u32| known.get(*number as usize).map(|(key, _)| *key).unwrap_or_default();
            let entry = table.entry(
                key.hash(Hashing::GOOD),
                |number| of(number).same(*key, ids),
                |number| of(number).hash(Hashing::GOOD),
            );
            let number = match entry {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    let number = known.len() as u32;
                    entry.insert(number);
                    known.push((*key, (number, 0)));
                    message_count.push(0);
                    number
                }
            };
            if let Some(count) = message_count.get_mut(number as usize) {
                *count += 1;
            }
            number
        });
        customers.push(numbers.collect());
    }
    K::sort(&mut known, ids);
    (known, customers, message_count)
}

/// A customer, and how often one of their messages mentions a group.
type Mention = (u32, u32);

/// Finds the mentions in every message, then adds them up group by group.
fn count(
    chunks: &[Chunk<'_>],
    customers: &[Vec<u32>],
    message_count: &[i64],
    keywords: &Keywords,
    cancel: &Cancel,
) -> Result<Vec<GroupColumns>> {
    let work: Vec<_> = chunks.iter().zip(customers).collect();
    let found = parallel::map_each_with(&work, cancel, Room::default, |room, (chunk, customers)| {
        let mut found: Vec<Vec<Mention>> = vec![Vec::new(); keywords.groups()];
        for (row, customer) in chunk.rows.clone().zip(*customers) {
            if *customer == NOBODY {
                continue;
            }
            cancel.check()?; // a chunk of very long texts takes long
            let text = text_of(chunk.texts, row).unwrap_or_default();
            keywords.count(text, room, cancel, |group, count| {
                if let Some(found) = found.get_mut(group as usize) {
                    found.push((*customer, count));
                }
            })?;
        }
        Ok(found)
    })?;
    let groups: Vec<usize> = (0..keywords.groups()).collect();
    parallel::map_each(&groups, cancel, |group| {
        let mut count = vec![0; message_count.len()];
        let mut messages_with = vec![0; message_count.len()];
        for (customer, mentions) in found.iter().filter_map(|chunk| chunk.get(*group)).flatten() {
            let place = *customer as usize;
            if let (Some(count), Some(messages)) = (count.get_mut(place), messages_with.get_mut(place)) {
                *count += i64::from(*mentions);
                *messages += 1;
            }
        }
        let per_message = count.iter().zip(message_count).map(|(count, messages)| *count as f64 / *messages as f64);
        Ok(GroupColumns { per_message: per_message.collect(), count, messages_with })
    })
}
