//! One row per customer: recency, frequency, monetary and what goes with them.

use super::{
    clock::Clock,
    config::Config,
    group::{Fold, Purchases, Worker, fold},
    money::{Amount, Amounts},
    output::{Member, in_order, members},
    overflow::overflow,
    read::{Log, MISSING, TimeKind},
    reason::Tally,
    together::{Together, measures},
    with_kinds,
};
use crate::{
    Result,
    cancel::Cancel,
    column::Batch,
    ids::{CustomerIds, Ids, Key, Place},
    parallel,
};

/// The table of `rfm_table`, column by column; customers ascend by id.
#[derive(Debug)]
pub struct RfmTable {
    /// Who.
    pub ids: CustomerIds,
    /// Rows left out under `invalid="drop"`, in words.
    pub warnings: Vec<String>,
    /// The day that counts last, as YYYY-MM-DD.
    pub as_of: String,
    /// How to read the two time columns.
    pub time_kind: TimeKind,
    /// First and last purchase; [`MISSING`] without one.
    pub first_purchase: Vec<i64>,
    /// The last purchase.
    pub last_purchase: Vec<i64>,
    /// Calendar days from the last purchase to `as_of`.
    pub recency_days: Vec<i64>,
    /// Calendar days from the first purchase to `as_of`.
    pub tenure_days: Vec<i64>,
    /// Which customers never purchased: recency and tenure are missing.
    pub no_purchase: Option<Vec<bool>>,
    /// Distinct orders.
    pub order_count: Vec<i64>,
    /// Distinct calendar days with a purchase.
    pub purchase_days: Vec<i64>,
    /// All rows used.
    pub row_count: Vec<i64>,
    /// Net of returns.
    pub monetary: Amounts,
    /// Purchases only.
    pub gross_amount: Amounts,
    /// Returns, as a positive number.
    pub returned_amount: Amounts,
    /// Monetary per order.
    pub mean_order_value: Vec<f64>,
    /// Never extrapolated below a year.
    pub orders_per_year: Vec<f64>,
    /// Calendar days between orders.
    pub mean_gap_days: Vec<f64>,
    /// Share of orders with a discounted row, when asked for.
    pub discount_share: Option<Vec<f64>>,
    /// One per window asked for.
    pub windows: Vec<WindowColumns>,
}

/// What happened in a trailing window and in the one before it.
#[derive(Debug)]
pub struct WindowColumns {
    /// Distinct orders.
    pub order_count: Vec<i64>,
    /// Net of returns.
    pub monetary: Amounts,
    /// Distinct orders in the window before.
    pub order_count_prev: Vec<i64>,
    /// Net of returns in the window before.
    pub monetary_prev: Amounts,
}

/// Computes the table. `customers` adds those who never ordered: its first column holds their ids.
pub fn rfm_table(
    batches: &[Batch<'_>],
    customers: Option<&[Batch<'_>]>,
    config: &Config,
    cancel: &Cancel,
) -> Result<RfmTable> {
    let log = Log::new(batches, config, false, cancel)?;
    with_kinds!(log, table(&log, customers, cancel))
}

fn table<K: Member, A: Amount, O: Key>(
    log: &Log<'_>,
    customers: Option<&[Batch<'_>]>,
    cancel: &Cancel,
) -> Result<RfmTable> {
    let members = members::<K>(log, customers)?;
    let ids = super::output::ids(log, customers);
    let order_ids = Ids::new(log.batches.iter().filter_map(|batch| batch.get(log.config.order_id?)));
    let rules = Rules::new(log, &order_ids)?;
    let mut warnings = Vec::new();
    let verdict = |tally: &Tally| {
        warnings.extend(log.verdict(tally)?);
        Ok(())
    };
    let partials = fold::<_, A, O, _>(log, &members, &ids, cancel, verdict, &rules)?;
    let order = in_order(partials.iter().map(|(keys, _)| keys.as_slice()), &ids);
    let mut table = assemble(log, &order, &partials, cancel)?;
    table.warnings = warnings;
    table.ids = K::column(&order, log.id_kind, &ids);
    Ok(table)
}

/// The measures of one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measures<A> {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) order_count: u32,
    pub(super) discounted: u32,
    pub(super) purchase_days: u32,
    pub(super) row_count: u32,
    pub(super) monetary: A,
    pub(super) gross: A,
    pub(super) returned: A,
}

/// Orders and money in one span of days.
#[derive(Debug, Clone, Copy)]
struct Span<A> {
    order_count: u32,
    monetary: A,
}

/// The customers of one partition.
struct Partial<A> {
    measures: Vec<Measures<A>>,
    /// Window and the window before, for each window, for each customer.
    spans: Vec<Span<A>>,
}

/// How rows become measures.
struct Rules<'a> {
    log: &'a Log<'a>,
    order_ids: &'a Ids<'a>,
    /// The days after which and up to which each span reaches.
    spans: Vec<(i32, i32)>,
}

impl<'a> Rules<'a> {
    fn new(log: &'a Log<'a>, order_ids: &'a Ids<'a>) -> Result<Self> {
        let as_of = log.as_of_date()?;
        let mut spans = Vec::new();
        for window in &log.terms.windows {
            let (start, previous) = (window.before(as_of, 1)?, window.before(as_of, 2)?);
            spans.extend([(start, log.as_of), (previous, start)]);
        }
        Ok(Self { log, order_ids, spans })
    }

    /// Folds one customer's rows; `None` when a total is beyond what amounts hold.
    fn measure<A: Amount, O: Key>(
        &self,
        partial: &mut Partial<A>,
        worker: &mut Worker<O>,
        rows: &Purchases<'_, A, O>,
    ) -> Option<()> {
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        let mut purchases = 0u32;
        let mut gross = A::Sum::default();
        for (time, amount) in rows.times.iter().zip(rows.amounts) {
            if !amount.is_return() {
                first = first.min(*time);
                last = last.max(*time);
                purchases += 1;
                worker.days.insert(self.log.clock.day(*time));
                A::add(&mut gross, *amount);
            }
        }
        let purchase_days = worker.days.count();
        worker.days.clear();
        let row_count = rows.times.len() as u32;
        let gross = A::finish(&gross, rows.amounts.iter().copied().filter(|amount| !amount.is_return()))?;
        let (monetary, returned) = if purchases == row_count {
            (gross, A::default())
        } else {
            let returns = rows.amounts.iter().copied().filter(|amount| amount.is_return());
            (A::total(rows.amounts.iter().copied())?, A::total(returns)?.negated())
        };
        let (order_count, discounted) =
            if O::GIVEN || !rows.discounted.is_empty() { self.orders(worker, rows, |_| true) } else { (purchases, 0) };
        partial.measures.push(Measures {
            first: if purchases == 0 { MISSING } else { first },
            last: if purchases == 0 { MISSING } else { last },
            order_count,
            discounted,
            purchase_days,
            row_count,
            monetary,
            gross,
            returned,
        });
        for (after, until) in &self.spans {
            let within = |time: i64| {
                let day = self.log.clock.day(time);
                *after < day && day <= *until
            };
            let amounts = rows.times.iter().zip(rows.amounts).filter(|(time, _)| within(**time));
            let monetary = A::total(amounts.map(|(_, amount)| *amount))?;
            partial.spans.push(Span { order_count: self.orders(worker, rows, within).0, monetary });
        }
        Some(())
    }

    /// How many orders have a purchase row at an accepted time, and how many of them a discounted one.
    fn orders<A: Amount, O: Key>(
        &self,
        worker: &mut Worker<O>,
        rows: &Purchases<'_, A, O>,
        accept: impl Fn(i64) -> bool,
    ) -> (u32, u32) {
        let flags = rows.discounted.iter().copied().chain(std::iter::repeat(false));
        let columns = rows.times.iter().zip(rows.amounts).zip(rows.orders).zip(flags);
        let purchases = columns.filter(|(((time, amount), _), _)| !amount.is_return() && accept(**time));
        if !O::GIVEN {
            return purchases
                .fold((0, 0), |(orders, discounted), (_, flag)| (orders + 1, discounted + u32::from(flag)));
        }
        worker.orders.clear();
        worker.orders.extend(purchases.map(|((_, order), flag)| (order.hash(self.log.hashing), *order, flag)));
        worker.orders.sort_unstable_by_key(|(hash, ..)| *hash);
        let mut counts = (0, 0);
        // Equal ids have equal hashes; ids that merely share one are told apart by comparing them.
        for run in worker.orders.chunk_by_mut(|(a, ..), (b, ..)| a == b) {
            let mut known = 0;
            for index in 0..run.len() {
                let Some((_, order, flag)) = run.get(index).copied() else { break };
                let seen = run.iter_mut().take(known).find(|(_, other, _)| order.same(*other, self.order_ids));
                if let Some((_, _, any)) = seen {
                    *any |= flag;
                } else {
                    run.swap(known, index);
                    known += 1;
                }
            }
            counts.0 += known as u32;
            counts.1 += run.iter().take(known).filter(|(.., flag)| *flag).count() as u32;
        }
        counts
    }
}

impl<A: Amount, O: Key> Fold<A, O> for Rules<'_> {
    type Partial = Partial<A>;

    fn begin(&self, customers: usize) -> Partial<A> {
        let spans = Vec::with_capacity(customers * self.spans.len());
        Partial { measures: Vec::with_capacity(customers), spans }
    }

    fn customer(&self, partial: &mut Partial<A>, worker: &mut Worker<O>, rows: &Purchases<'_, A, O>) -> Result<bool> {
        self.measure(partial, worker, rows).ok_or_else(|| overflow(self.log))?;
        Ok(true)
    }

    fn together<K: Copy>(
        &self,
        partial: &mut Partial<A>,
        worker: &mut Worker<O>,
        rows: &Together<'_, K, A, O>,
    ) -> Result<bool> {
        if O::GIVEN || self.log.config.discount.is_some() || !self.spans.is_empty() {
            return Ok(false); // these need each customer's rows side by side
        }
        let clock = &self.log.clock;
        measures(&mut partial.measures, rows, clock, self.log.as_of, &mut worker.bits).ok_or_else(|| overflow(self.log))
    }
}

/// Declares the columns of the table once: name, kind, and the value for one customer.
macro_rules! columns {
    ($rules:ident, $customer:ident; $($(#[$meta:meta])* $name:ident: $kind:ty = $value:expr;)*) => {
        struct Columns<A> { $($name: Vec<$kind>,)* }

        struct Piece<'a, A> { $($name: &'a mut [$kind],)* }

        impl<A: Amount> Columns<A> {
            fn new(len: usize) -> Self {
                Self { $($name: crate::pages::zeros(len),)* }
            }

            /// The columns cut into pieces of `len` customers.
            fn pieces(&mut self, len: usize) -> Vec<Piece<'_, A>> {
                $(let mut $name = self.$name.chunks_mut(len);)*
                let mut pieces = Vec::new();
                while let ($(Some($name),)*) = ($($name.next(),)*) {
                    pieces.push(Piece { $($name,)* });
                }
                pieces
            }
        }

        impl<A: Amount> Piece<'_, A> {
            fn fill(&mut self, customers: &[Measures<A>], $rules: &Frame<'_>) {
                $(for (slot, $customer) in self.$name.iter_mut().zip(customers) { *slot = $value; })*
            }
        }
    };
}

/// What the columns need to know besides the measures.
struct Frame<'a> {
    clock: &'a Clock,
    as_of: i32,
    scale: i8,
}

impl Frame<'_> {
    fn day(&self, time: i64) -> Option<i32> {
        (time != MISSING).then(|| self.clock.day(time))
    }

    /// Calendar days from a purchase to `as_of`; 0 where there is none.
    fn age(&self, time: i64) -> i64 {
        self.day(time).map_or(0, |day| i64::from(self.as_of) - i64::from(day))
    }
}

columns! { frame, customer;
    first_purchase: i64 = customer.first;
    last_purchase: i64 = customer.last;
    recency_days: i64 = frame.age(customer.last);
    tenure_days: i64 = frame.age(customer.first);
    no_purchase: bool = customer.first == MISSING;
    order_count: i64 = customer.order_count.into();
    purchase_days: i64 = customer.purchase_days.into();
    row_count: i64 = customer.row_count.into();
    monetary: A = customer.monetary;
    gross_amount: A = customer.gross;
    returned_amount: A = customer.returned;
    mean_order_value: f64 = match customer.order_count {
        0 => f64::NAN,
        orders => customer.monetary.to_float(frame.scale) / f64::from(orders),
    };
    orders_per_year: f64 = f64::from(customer.order_count) * 365.25 / (frame.age(customer.first) as f64).max(365.25);
    mean_gap_days: f64 = match customer.order_count {
        0 | 1 => f64::NAN,
        orders => (frame.age(customer.first) - frame.age(customer.last)) as f64 / f64::from(orders - 1),
    };
}

/// Customers per task of the last step.
const PIECE: usize = 4096;

fn assemble<K: Key, A: Amount>(
    log: &Log<'_>,
    order: &[(K, Place)],
    partials: &[(Vec<K>, Partial<A>)],
    cancel: &Cancel,
) -> Result<RfmTable> {
    let scale = log.money.scale();
    let frame = Frame { clock: &log.clock, as_of: log.as_of, scale };
    let measures = |(partition, index): Place| {
        partials.get(partition as usize).and_then(|(_, partial)| partial.measures.get(index as usize)).copied()
    };
    let mut columns = Columns::<A>::new(order.len());
    let mut pieces: Vec<_> = columns.pieces(PIECE).into_iter().zip(order.chunks(PIECE)).collect();
    parallel::for_each_mut(&mut pieces, cancel, |(piece, customers)| {
        // Customers lie scattered over the partitions: fetch each once, then write column by column.
        let fetched: Vec<_> = customers.iter().filter_map(|(_, place)| measures(*place)).collect();
        piece.fill(&fetched, &frame);
        Ok(())
    })?;
    let spans = log.terms.windows.len() * 2;
    let span = |which: usize, (partition, index): Place| {
        let (_, partial) = partials.get(partition as usize)?;
        partial.spans.get(index as usize * spans + which).copied()
    };
    let counts = |which| -> Vec<i64> {
        order.iter().map(|(_, place)| span(which, *place).map_or(0, |span| span.order_count.into())).collect()
    };
    let money = |which| {
        let column = order.iter().map(|(_, place)| span(which, *place).map_or(A::default(), |span| span.monetary));
        A::column(column.collect(), scale)
    };
    let windows = (0..log.terms.windows.len()).map(|window| WindowColumns {
        order_count: counts(window * 2),
        monetary: money(window * 2),
        order_count_prev: counts(window * 2 + 1),
        monetary_prev: money(window * 2 + 1),
    });
    let share = |place: Place| match measures(place) {
        Some(found) if found.order_count > 0 => f64::from(found.discounted) / f64::from(found.order_count),
        _ => f64::NAN,
    };
    Ok(RfmTable {
        ids: CustomerIds::Signed(Vec::new()),
        warnings: Vec::new(),
        as_of: log.as_of_date()?.to_string(),
        time_kind: log.time_kind.clone(),
        discount_share: log.config.discount.map(|_| order.iter().map(|(_, place)| share(*place)).collect()),
        windows: windows.collect(),
        first_purchase: columns.first_purchase,
        last_purchase: columns.last_purchase,
        recency_days: columns.recency_days,
        tenure_days: columns.tenure_days,
        no_purchase: Some(columns.no_purchase).filter(|missing| missing.contains(&true)),
        order_count: columns.order_count,
        purchase_days: columns.purchase_days,
        row_count: columns.row_count,
        monetary: A::column(columns.monetary, scale),
        gross_amount: A::column(columns.gross_amount, scale),
        returned_amount: A::column(columns.returned_amount, scale),
        mean_order_value: columns.mean_order_value,
        orders_per_year: columns.orders_per_year,
        mean_gap_days: columns.mean_gap_days,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        column::{Column, Text, TextLayout, TimeUnit, Values},
        ids::{Hashing, IdKind},
    };

    /// Ids of mixed lengths, UUIDs among them; every hash the same, so only comparing tells them apart.
    #[test]
    fn colliding_ids_stay_apart() {
        let id = |row: usize| match row % 4 {
            0 => format!("{}", row % 30),
            1 => format!("longer than any key: {:>25}", row % 28),
            2 => format!("5f0c2d1e-7b1a-4c7e-9d55-{:012}", row % 31),
            _ => format!("sixteen bytes {:02}", row % 29),
        };
        let names: Vec<String> = (0..600).map(id).collect();
        let mut offsets = vec![0i32];
        offsets.extend(names.iter().scan(0, |end, name| {
            *end += name.len() as i32;
            Some(*end)
        }));
        let bytes = names.concat().into_bytes();
        let times = vec![0i64; names.len()];
        let amounts: Vec<f64> = (0..names.len()).map(|row| row as f64).collect();
        let text = || Column::Text(Text { layout: TextLayout::Offsets32(&offsets, &bytes), validity: None });
        let batches = [vec![
            text(),
            Column::Timestamp(Values::dense(&times), TimeUnit::Second, None),
            Column::Float64(Values::dense(&amounts)),
        ]];
        let config = r#"{"names": ["id", "time", "amount"], "customer_id": 0, "timestamp": 1, "amount": 2, "order_id": 0,
            "as_of": "2026-01-01", "returns": "net", "duplicates": "keep", "invalid": "raise"}"#;
        let config = crate::from_json::<Config>(config).unwrap();
        let mut wanted = std::collections::BTreeMap::<&str, f64>::new();
        for (name, amount) in names.iter().zip(&amounts) {
            *wanted.entry(name).or_default() += amount;
        }
        for (kind, keep) in
            [IdKind::Text, IdKind::WideText].into_iter().flat_map(|kind| [0, 1, u64::MAX].map(|keep| (kind, keep)))
        {
            let mut log = Log::new(&batches, &config, false, &Cancel::new()).unwrap();
            log.id_kind = kind;
            log.hashing = Hashing { keep };
            let table = with_kinds!(log, table(&log, None, &Cancel::new())).unwrap();
            let CustomerIds::Text(ids) = &table.ids else { panic!("text ids") };
            assert_eq!(ids.bytes, wanted.keys().copied().collect::<String>().into_bytes());
            assert_eq!(table.monetary, Amounts::Float(wanted.values().copied().collect()));
            assert!(table.order_count.iter().all(|orders| *orders == 1));
        }
    }
}
