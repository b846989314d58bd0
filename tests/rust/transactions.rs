//! The tables against the plainest possible computation of the same words, and against published values.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;
use xifen_core::{
    cancel::Cancel,
    column::{Batch, Column, Text, TextLayout, TimeUnit, Values},
    ids::CustomerIds,
    math::sum::exact_sum,
    transactions::{Amounts, ClvTable, Config, MISSING, Reason, RfmTable, clv_table, order_ledger, rfm_table},
};

const DAY: i64 = 86_400_000_000;

#[derive(Debug, Clone)]
struct Row {
    id: Option<u16>,
    time: Option<i64>,
    amount: f64,
    order: u8,
}

fn row() -> impl Strategy<Value = Row> {
    let cents = (-2000i32..9000).prop_map(|cents| f64::from(cents) / 100.0);
    // Beside the large ones two terms cannot hold a sum of cents.
    let extreme = prop::sample::select(vec![1e100, -1e100, 1e-100, -0.0, f64::NAN, f64::INFINITY]);
    let amount = prop_oneof![8 => cents, 2 => extreme];
    let time = (19_000 * DAY)..(19_040 * DAY);
    (prop::option::weighted(0.95, 0u16..12), prop::option::weighted(0.95, time), amount, 0u8..4)
        .prop_map(|(id, time, amount, order)| Row { id, time, amount, order })
}

/// Ids of every length around the 15 bytes that fit inline, some equal up to their last byte.
fn name(id: u16) -> String {
    let long = "a long name before a number ";
    match id % 4 {
        0 => format!("{id}"),
        1 => format!("客户-{id:07}"),
        2 => format!("{id:0>15}"),
        _ => format!("{long}{id}"),
    }
}

fn text(values: impl Iterator<Item = Option<String>>) -> (Vec<i64>, Vec<u8>, Vec<u8>) {
    let (mut offsets, mut bytes, mut validity) = (vec![0], Vec::new(), Vec::new());
    for (row, value) in values.enumerate() {
        if row % 8 == 0 {
            validity.push(0);
        }
        validity[row / 8] |= u8::from(value.is_some()) << (row % 8);
        bytes.extend(value.unwrap_or_default().bytes());
        offsets.push(bytes.len() as i64);
    }
    (offsets, bytes, validity)
}

fn texts((offsets, bytes, validity): &(Vec<i64>, Vec<u8>, Vec<u8>), len: usize) -> Column<'_> {
    let validity = xifen_core::column::Bits::new(validity, 0, len);
    Column::Text(Text { layout: TextLayout::Offsets64(offsets, bytes), validity })
}

fn config(more: serde_json::Value) -> Config {
    let mut config = json!({
        "names": ["customer_id", "timestamp", "amount", "order_id"], "customer_id": 0, "timestamp": 1, "amount": 2,
        "as_of": "2022-02-05", "returns": "net", "duplicates": "keep", "invalid": "drop",
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    xifen_core::from_json::<Config>(&config.to_string()).unwrap()
}

/// Lays the rows out as columns in two batches and hands them to `work`.
fn with_batches<T>(rows: &[Row], split: usize, work: impl FnOnce(&[Batch<'_>]) -> T) -> T {
    let split = split.min(rows.len());
    let ids = |rows: &[Row]| text(rows.iter().map(|row| row.id.map(name)));
    let orders = |rows: &[Row]| text(rows.iter().map(|row| Some(name(row.order.into()))));
    let times: Vec<i64> = rows.iter().map(|row| row.time.unwrap_or(7)).collect();
    let present: Vec<u8> = text(rows.iter().map(|row| row.time.map(|_| String::new()))).2;
    let amounts: Vec<f64> = rows.iter().map(|row| row.amount).collect();
    let parts = [&rows[..split], &rows[split..]].map(|rows| (ids(rows), orders(rows)));
    let bits = |bytes, offset, len| xifen_core::column::Bits::new(bytes, offset, len);
    let batches: Vec<Batch<'_>> = parts
        .iter()
        .zip([0..split, split..rows.len()])
        .map(|((ids, orders), range)| {
            let times = Values { values: &times[range.clone()], validity: bits(&present, range.start, range.len()) };
            vec![
                texts(ids, range.len()),
                Column::Timestamp(times, TimeUnit::Microsecond, None),
                Column::Float64(Values::dense(&amounts[range.clone()])),
                texts(orders, range.len()),
            ]
        })
        .collect();
    work(&batches)
}

const AS_OF: i64 = 19_028; // 2022-02-05

fn reason(row: &Row) -> Reason {
    match row {
        Row { id: None, .. } => Reason::MissingCustomerId,
        Row { time: None, .. } => Reason::MissingTimestamp,
        Row { amount, .. } if amount.is_nan() => Reason::MissingAmount,
        Row { amount, .. } if amount.is_infinite() => Reason::NonFiniteAmount,
        Row { time: Some(time), .. } if time.div_euclid(DAY) > AS_OF => Reason::AfterAsOf,
        _ => Reason::Used,
    }
}

fn used(rows: &[Row]) -> BTreeMap<String, Vec<(i64, f64, u8)>> {
    let mut customers = BTreeMap::<_, Vec<_>>::new();
    for row in rows.iter().filter(|row| reason(row) == Reason::Used) {
        customers.entry(name(row.id.unwrap())).or_default().push((row.time.unwrap(), row.amount, row.order));
    }
    customers
}

fn names(ids: &CustomerIds) -> Vec<String> {
    let CustomerIds::Text(text) = ids else { panic!("text ids came back as {ids:?}") };
    let bounds = text.offsets.windows(2).map(|pair| pair[0] as usize..pair[1] as usize);
    bounds.map(|range| String::from_utf8(text.bytes[range].to_vec()).unwrap()).collect()
}

fn floats(amounts: &Amounts) -> &[f64] {
    let Amounts::Float(amounts) = amounts else { panic!("floats came back as {amounts:?}") };
    amounts
}

fn check_rfm(table: &RfmTable, rows: &[Row], by_order: bool) {
    let customers = used(rows);
    assert_eq!(names(&table.ids), customers.keys().cloned().collect::<Vec<_>>());
    for (place, rows) in customers.values().enumerate() {
        let purchases: Vec<_> = rows.iter().filter(|row| row.1 >= 0.0).collect();
        let orders = |keep: &dyn Fn(i64) -> bool| {
            let kept = purchases.iter().filter(|row| keep(row.0.div_euclid(DAY)));
            if by_order { kept.map(|row| row.2).collect::<BTreeSet<_>>().len() as i64 } else { kept.count() as i64 }
        };
        let total = |keep: &dyn Fn(&(i64, f64, u8)) -> bool| {
            exact_sum(rows.iter().filter(|row| keep(row)).map(|row| row.1).collect::<Vec<_>>())
        };
        let first = purchases.iter().map(|row| row.0).min();
        let last = purchases.iter().map(|row| row.0).max();
        let day = |time: i64| time.div_euclid(DAY);
        assert_eq!(table.first_purchase[place], first.unwrap_or(MISSING));
        assert_eq!(table.last_purchase[place], last.unwrap_or(MISSING));
        assert_eq!(table.no_purchase.as_ref().is_some_and(|missing| missing[place]), purchases.is_empty());
        assert_eq!(table.recency_days[place], last.map_or(0, |last| AS_OF - day(last)));
        assert_eq!(table.tenure_days[place], first.map_or(0, |first| AS_OF - day(first)));
        assert_eq!(table.order_count[place], orders(&|_| true));
        let days: BTreeSet<_> = purchases.iter().map(|row| day(row.0)).collect();
        assert_eq!(table.purchase_days[place], days.len() as i64);
        assert_eq!(table.row_count[place], rows.len() as i64);
        assert_eq!(floats(&table.monetary)[place], total(&|_| true));
        assert_eq!(floats(&table.gross_amount)[place], total(&|row| row.1 >= 0.0));
        assert_eq!(floats(&table.returned_amount)[place], -total(&|row| row.1 < 0.0));
        let count = orders(&|_| true) as f64;
        let mean = table.mean_order_value[place];
        assert!(if count == 0.0 { mean.is_nan() } else { mean == total(&|_| true) / count });
        let gap = table.mean_gap_days[place];
        let span = first.zip(last).map_or(0, |(first, last)| day(last) - day(first)) as f64;
        assert!(if count < 2.0 { gap.is_nan() } else { gap == span / (count - 1.0) });
        let [window] = table.windows.as_slice() else { panic!("one window was asked for") };
        assert_eq!(window.order_count[place], orders(&|day| day > AS_OF - 7));
        assert_eq!(window.order_count_prev[place], orders(&|day| day <= AS_OF - 7 && day > AS_OF - 14));
        assert_eq!(floats(&window.monetary)[place], total(&|row| day(row.0) > AS_OF - 7));
        let before = |row: &(i64, f64, u8)| day(row.0) <= AS_OF - 7 && day(row.0) > AS_OF - 14;
        assert_eq!(floats(&window.monetary_prev)[place], total(&before));
    }
}

fn check_clv(table: &ClvTable, rows: &[Row]) {
    let mut place = 0;
    for rows in used(rows).values() {
        let day = |time: i64| time.div_euclid(DAY);
        let mut days = BTreeMap::<i64, Vec<f64>>::new();
        for row in rows.iter().filter(|row| row.1 >= 0.0) {
            days.entry(day(row.0)).or_default().push(row.1);
        }
        let Some((&first, &last)) = days.keys().next().zip(days.keys().next_back()) else { continue };
        for row in rows.iter().filter(|row| row.1 < 0.0) {
            let target = days.range(..=day(row.0)).next_back().map_or(first, |(day, _)| *day);
            days.get_mut(&target).unwrap().push(row.1);
        }
        let frequency = days.len() - 1;
        let later = exact_sum(days.iter().skip(1).flat_map(|(_, amounts)| amounts.clone()).collect::<Vec<_>>());
        assert_eq!(table.frequency[place], frequency as i64);
        assert_eq!(table.recency[place], (last - first) as f64 / 7.0);
        assert_eq!(table.age[place], (AS_OF - first) as f64 / 7.0);
        assert_eq!(table.monetary_value[place], if frequency == 0 { 0.0 } else { later / frequency as f64 });
        place += 1;
    }
    assert_eq!(table.frequency.len(), place);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn tables_equal_their_definitions(rows in prop::collection::vec(row(), 0..120), split in 0usize..120, by_order: bool) {
        let order = if by_order { json!(3) } else { json!(null) };
        let asked = config(json!({"order_id": order, "windows": ["7D"]}));
        let table = with_batches(&rows, split, |batches| rfm_table(batches, None, &asked, &Cancel::new())).unwrap();
        check_rfm(&table, &rows, by_order);
        let asked = config(json!({"unit": "W"}));
        let table = with_batches(&rows, split, |batches| clv_table(batches, &asked, &Cancel::new())).unwrap();
        check_clv(&table, &rows);
    }

    /// Without windows, orders and discounts rows are folded as they stand, else customer by customer.
    #[test]
    fn windows_change_no_other_column(rows in prop::collection::vec(row(), 0..120), split in 0usize..120) {
        let table = |windows| {
            let asked = config(json!({"windows": windows}));
            with_batches(&rows, split, |batches| rfm_table(batches, None, &asked, &Cancel::new())).unwrap()
        };
        let (plain, mut windowed) = (table(json!([])), table(json!(["7D"])));
        windowed.windows.clear();
        prop_assert_eq!(format!("{plain:?}"), format!("{windowed:?}"));
    }

    #[test]
    fn the_ledger_gives_every_row_its_reason(rows in prop::collection::vec(row(), 0..60), split in 0usize..60) {
        let ledger = with_batches(&rows, split, |batches| order_ledger(batches, &config(json!({})), &Cancel::new())).unwrap();
        let wanted: Vec<i8> = rows.iter().map(|row| reason(row) as i8).collect();
        prop_assert_eq!(ledger.reasons, wanted);
    }
}

#[test]
fn bad_rows_are_counted_and_named() {
    let row = Row { id: Some(1), time: Some(19_000 * DAY), amount: 1.0, order: 0 };
    let rows = [row.clone(), Row { amount: f64::NAN, ..row.clone() }, Row { id: None, ..row.clone() }, row];
    let asked = config(json!({"invalid": "raise"}));
    let message =
        with_batches(&rows, 2, |batches| rfm_table(batches, None, &asked, &Cancel::new())).unwrap_err().to_string();
    let counts = "1 row missing_customer_id in column 'customer_id' (first: row 2), 1 row missing_amount in column 'amount' (first: row 1)";
    assert!(message.contains(counts), "{message}");
}

#[test]
fn parameters_are_checked_in_sentences() {
    for (more, words) in [
        (json!({"returns": "nett"}), "did you mean 'net'"),
        (json!({"as_of": "2024-02-30"}), "as_of is '2024-02-30'"),
        (json!({"windows": ["3Y"]}), "windows holds '3Y'"),
        (json!({"windows": ["3D", "3D"]}), "twice"),
        (json!({"unit": "days"}), "unit is 'days'"),
        (json!({"tz": "Mars/Base"}), "tz is 'Mars/Base'"),
    ] {
        let message =
            with_batches(&[], 0, |batches| clv_table(batches, &config(more), &Cancel::new())).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn cancelled_work_stops() {
    let cancel = Cancel::new();
    cancel.cancel();
    let rows = vec![Row { id: Some(1), time: Some(0), amount: 1.0, order: 0 }; 10];
    let outcome = with_batches(&rows, 5, |batches| rfm_table(batches, None, &config(json!({})), &cancel));
    assert_eq!(outcome.unwrap_err(), xifen_core::Error::Cancelled);
}
