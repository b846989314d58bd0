"""The oracle itself, by hand: a log small enough to check on paper, and the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime

import reference

ORDERS = [
    {"customer_id": "a", "timestamp": date(2024, 1, 31), "amount": 10.0, "order_id": 1},
    {"customer_id": "a", "timestamp": date(2024, 1, 31), "amount": 5.0, "order_id": 1},
    {"customer_id": "a", "timestamp": date(2024, 2, 29), "amount": -4.0, "order_id": 1},
    {"customer_id": "a", "timestamp": date(2024, 3, 1), "amount": 20.0, "order_id": 2},
    {"customer_id": "b", "timestamp": date(2024, 3, 30), "amount": -1.0, "order_id": 3},
    {"customer_id": "a", "timestamp": date(2024, 4, 1), "amount": 99.0, "order_id": 4},
    {"customer_id": None, "timestamp": None, "amount": None, "order_id": None},
]


def test_a_table_checked_on_paper() -> None:
    table = reference.rfm_table(ORDERS, as_of=date(2024, 3, 31), order_id="order_id", customers=["c"], windows=["1M"])
    rows = {name: [table[column][place] for column in table] for place, name in enumerate(table["customer_id"])}
    first, last = date(2024, 1, 31), date(2024, 3, 1)
    assert rows["a"] == ["a", first, last, 30, 2, 2, 4, 31.0, 35.0, 4.0, 15.5, 60, 2.0, 30.0, 1, 20.0, 0, -4.0]
    assert rows["b"] == ["b", None, None, None, 0, 0, 1, -1.0, 0.0, 1.0, None, None, 0.0, None, 0, -1.0, 0, 0.0]
    assert rows["c"] == ["c", None, None, None, 0, 0, 0, 0.0, 0.0, 0.0, None, None, 0.0, None, 0, 0.0, 0, 0.0]


def test_a_history_checked_on_paper() -> None:
    """The return of 29 February lowers the first day, which no mean looks at."""
    table = reference.clv_table(ORDERS, as_of=date(2024, 3, 31), unit="W")
    assert table == {
        "customer_id": ["a"],
        "frequency": [1],
        "recency": [30 / 7],
        "T": [60 / 7],
        "monetary_value": [20.0],
    }


def test_a_ledger_checked_on_paper() -> None:
    reasons, repeated, day = reference.ledger([*ORDERS, ORDERS[0]], as_of="max", returns="exclude", duplicates="drop")
    assert day == date(2024, 4, 1)
    assert reasons == ["used", "used", "return_excluded", "used", "return_excluded", "used", "missing_customer_id",
                       "duplicate_dropped"]  # fmt: skip
    assert repeated == [False] * 7 + [True]


def test_months_are_clamped_and_counted_in_one_step() -> None:
    assert reference.before(date(2024, 3, 31), "1M", 1) == date(2024, 2, 29)
    assert reference.before(date(2024, 3, 31), "1M", 2) == date(2024, 1, 31)
    assert reference.before(date(2024, 2, 29), "12M", 1) == date(2023, 2, 28)
    assert reference.before(date(2024, 3, 31), "90D", 2) == date(2023, 10, 3)


def test_days_are_those_of_the_zone() -> None:
    late = datetime(2024, 3, 31, 23, 30, tzinfo=UTC)
    assert reference.local_day(late, None) == date(2024, 3, 31)
    assert reference.local_day(late, "Europe/Berlin") == date(2024, 4, 1)
    assert reference.local_day(late.replace(tzinfo=None), "Europe/Berlin") == date(2024, 3, 31)
