"""What the tables must hold, computed the slow and obvious way: one Python object per row, no xifen, no numpy.

A log is a list of rows, a row a dict from column name to a plain value (int, str, float, Decimal, date, datetime,
None). Every function follows the written definition clause by clause, so that it can be read against it.
"""

from __future__ import annotations

import calendar
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

REASONS = (
    "missing_customer_id",
    "missing_timestamp",
    "missing_amount",
    "missing_order_id",
    "non_finite_amount",
    "timestamp_out_of_range",
    "after_as_of",
    "return_excluded",
    "duplicate_dropped",
    "used",
)
DAYS_PER_YEAR = 365.25
DAYS_PER_UNIT = {"D": 1.0, "W": 7.0, "M": DAYS_PER_YEAR / 12}

Row = dict[str, Any]
Table = dict[str, list[Any]]


def is_missing(value: Any) -> bool:
    """Null, None, NaT and NaN are one thing."""
    return value is None or (isinstance(value, float | Decimal) and math.isnan(value))


def total(amounts: Iterable[Any]) -> Any:
    """The sum, rounded at most once."""
    amounts = list(amounts)
    if any(isinstance(amount, float) for amount in amounts) or not amounts:
        return math.fsum(amounts)
    with localcontext(prec=60):
        return sum(amounts)


def local_day(moment: date, tz: str | None) -> date:
    """The calendar day on the wall of `tz`; naive moments are never shifted."""
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is not None and tz is not None:
        moment = moment.astimezone(ZoneInfo(tz))
    return moment.date()


def instant(moment: date) -> date:
    """The same point in time in a form that compares rightly across a clock change."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo is not None else moment


def months_before(day: date, months: int) -> date:
    """So many calendar months back in one step, clamped to the month's end."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def before(day: date, window: str, times: int) -> date:
    """`times` windows back from `day`, counted in one step."""
    length = int(window[:-1]) * times
    return day - timedelta(days=length) if window[-1] == "D" else months_before(day, length)


def ledger(
    rows: Sequence[Row],
    *,
    as_of: date | str,
    order_id: str | None = None,
    tz: str | None = None,
    returns: str = "net",
    duplicates: str = "keep",
) -> tuple[list[str], list[bool], date]:
    """The reason and the duplicate flag of every row, and the day `as_of` stands for."""
    plain = [_plain_fault(row, order_id) for row in rows]
    if as_of == "max":
        purchases = (row for row, fault in zip(rows, plain, strict=True) if fault is None and row["amount"] >= 0)
        as_of = max(local_day(row["timestamp"], tz) for row in purchases)
    assert isinstance(as_of, date)
    seen: Counter[tuple[Any, ...]] = Counter()
    reasons, repeated = [], []
    for row, fault in zip(rows, plain, strict=True):
        key = tuple(None if is_missing(value) else instant(value) if isinstance(value, date) else value
                    for value in row.values())  # fmt: skip
        repeated.append(seen[key] > 0)
        seen[key] += 1
        if fault is not None:
            reasons.append(fault)
        elif local_day(row["timestamp"], tz) > as_of:
            reasons.append("after_as_of")
        elif returns == "exclude" and row["amount"] < 0:
            reasons.append("return_excluded")
        elif duplicates == "drop" and repeated[-1]:
            reasons.append("duplicate_dropped")
        else:
            reasons.append("used")
    return reasons, repeated, as_of


def _plain_fault(row: Row, order_id: str | None) -> str | None:
    """The first reason to reject a row that depends on nothing but the row."""
    for column in ("customer_id", "timestamp", "amount"):
        if is_missing(row[column]):
            return f"missing_{column}"
    if order_id is not None and is_missing(row[order_id]):
        return "missing_order_id"
    return None if math.isfinite(row["amount"]) else "non_finite_amount"


def _by_customer(rows: Sequence[Row], reasons: Sequence[str]) -> dict[Any, list[Row]]:
    grouped: dict[Any, list[Row]] = defaultdict(list)
    for row, reason in zip(rows, reasons, strict=True):
        if reason == "used":
            grouped[row["customer_id"]].append(row)
    return grouped


def _ascending(customers: Iterable[Any]) -> list[Any]:
    return sorted(customers, key=lambda customer: customer.encode() if isinstance(customer, str) else customer)


def rfm_table(
    rows: Sequence[Row],
    *,
    as_of: date | str,
    order_id: str | None = None,
    discount: str | None = None,
    customers: Iterable[Any] = (),
    tz: str | None = None,
    returns: str = "net",
    duplicates: str = "keep",
    windows: Sequence[str] = (),
) -> Table:
    """Every column of rfm_table as a list, None where a value is missing."""
    reasons, _, day = ledger(rows, as_of=as_of, order_id=order_id, tz=tz, returns=returns, duplicates=duplicates)
    grouped = _by_customer(rows, reasons)
    names = _ascending({*grouped, *customers})
    records = [_rfm_row(grouped.get(name, []), day, tz, order_id, discount, windows) for name in names]
    columns = list(_rfm_row([], day, tz, order_id, discount, windows))
    return {"customer_id": names, **{column: [record[column] for record in records] for column in columns}}


def _orders(purchases: Sequence[Row], order_id: str | None) -> int:
    return len(purchases) if order_id is None else len({row[order_id] for row in purchases})


def _rfm_row(
    rows: Sequence[Row], as_of: date, tz: str | None, order_id: str | None, discount: str | None, windows: Sequence[str]
) -> Row:
    purchases = [row for row in rows if row["amount"] >= 0]
    orders = _orders(purchases, order_id)
    moments = sorted((row["timestamp"] for row in purchases), key=instant)
    days = [local_day(moment, tz) for moment in moments]
    monetary = total(row["amount"] for row in rows)
    tenure = (as_of - days[0]).days if orders else None
    record = {
        "first_purchase": instant(moments[0]) if orders else None,
        "last_purchase": instant(moments[-1]) if orders else None,
        "recency_days": (as_of - days[-1]).days if orders else None,
        "order_count": orders,
        "purchase_days": len(set(days)),
        "row_count": len(rows),
        "monetary": monetary,
        "gross_amount": total(row["amount"] for row in purchases),
        "returned_amount": total(-row["amount"] for row in rows if row["amount"] < 0),
        "mean_order_value": float(monetary) / orders if orders else None,
        "tenure_days": tenure,
        "orders_per_year": 0.0 if tenure is None else orders * DAYS_PER_YEAR / max(tenure, DAYS_PER_YEAR),
        "mean_gap_days": (days[-1] - days[0]).days / (orders - 1) if orders > 1 else None,
    }
    if discount is not None:
        record["discount_share"] = _discounted(purchases, order_id, discount) / orders if orders else None
    for window in windows:
        now, half, start = as_of, before(as_of, window, 1), before(as_of, window, 2)
        for label, after, until in ((window, half, now), (f"prev_{window}", start, half)):
            inside = [row for row in rows if after < local_day(row["timestamp"], tz) <= until]
            record[f"order_count_{label}"] = _orders([row for row in inside if row["amount"] >= 0], order_id)
            record[f"monetary_{label}"] = total(row["amount"] for row in inside)
    return record


def _discounted(purchases: Sequence[Row], order_id: str | None, discount: str) -> int:
    marked = [row for row in purchases if not is_missing(row[discount]) and row[discount] > 0]
    return _orders(marked, order_id)


def clv_table(
    rows: Sequence[Row],
    *,
    as_of: date | str,
    unit: str = "D",
    tz: str | None = None,
    returns: str = "net",
    duplicates: str = "keep",
) -> Table:
    """Every column of clv_table as a list; customers without a purchase are left out."""
    reasons, _, day = ledger(rows, as_of=as_of, tz=tz, returns=returns, duplicates=duplicates)
    table: Table = {name: [] for name in ("customer_id", "frequency", "recency", "T", "monetary_value")}
    grouped = _by_customer(rows, reasons)
    for customer in _ascending(grouped):
        dated = [(local_day(row["timestamp"], tz), row["amount"]) for row in grouped[customer]]
        days = sorted({when for when, amount in dated if amount >= 0})
        if not days:
            continue
        after_first = []
        for when, amount in dated:
            # A purchase counts on its own day; a return on the latest purchase day that is not later than it.
            credited = max((purchase_day for purchase_day in days if purchase_day <= when), default=days[0])
            if credited > days[0]:
                after_first.append(amount)
        repeats = len(days) - 1
        table["customer_id"].append(customer)
        table["frequency"].append(repeats)
        table["recency"].append((days[-1] - days[0]).days / DAYS_PER_UNIT[unit])
        table["T"].append((day - days[0]).days / DAYS_PER_UNIT[unit])
        table["monetary_value"].append(float(total(after_first)) / repeats if repeats else 0.0)
    return table
