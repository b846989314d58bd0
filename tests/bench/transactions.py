"""rfm_table against the group-bys people write by hand."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import xifen as xf
from harness import Bench, DifferenceError

AS_OF = "2026-06-30"
LAST_DAY = np.datetime64(AS_OF, "D")
DAYS = 730
KINDS = ("dense int64", "sparse int64", "text like C00123456", "UUID text")


def order_log(rows: int, customers: int, kind: str) -> tuple[pa.Table, np.ndarray]:
    """Two years of orders in random order, and each row's customer as a number in the order of the ids.

    Every customer has a row; the others fall as unevenly as customers do (gamma rates). Amounts are cents, 3 % returns.
    """
    rng = np.random.default_rng(7)
    rates = rng.gamma(1.0, size=customers)
    counts = 1 + rng.multinomial(rows - customers, rates / rates.sum())
    customer = rng.permutation(np.repeat(np.arange(customers), counts))
    at = rng.integers(0, DAYS * 86_400 * 10**6, rows)
    start = (LAST_DAY - (DAYS - 1)).astype("M8[us]")
    amount = np.maximum(np.round(rng.lognormal(3.5, 1.0, rows) * 100), 1) / 100
    amount[rng.random(rows) < 0.03] *= -1
    ids = pa.array(customer_ids(customers, kind, rng))
    return pa.table({"customer_id": ids.take(pa.array(customer)), "timestamp": start + at, "amount": amount}), customer


def customer_ids(customers: int, kind: str, rng: np.random.Generator) -> Any:
    """Ids of a kind, ascending."""
    if kind == "dense int64":
        return np.arange(100_001, 100_001 + customers)
    if kind == "sparse int64":
        return np.sort(rng.choice(2**40, 2 * customers, replace=True).astype(np.int64))[::2] * 2**20 + np.arange(
            customers
        )
    if kind == "UUID text":
        return pa.array(sorted(str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(customers)), pa.large_string())
    return pa.array([f"C{number:08d}" for number in range(customers)], pa.large_string())


# Rivals: each computes the ten measures of a plain RFM table, and with every=True the three others of ours as well.


def with_pandas(orders: pd.DataFrame, *, every: bool = False) -> pd.DataFrame:
    bought = orders["amount"] >= 0
    work = pd.DataFrame(
        {
            "customer_id": orders["customer_id"],
            "at": orders["timestamp"].where(bought),
            "amount": orders["amount"],
            "gross": orders["amount"].clip(lower=0),
            "returned": (-orders["amount"]).clip(lower=0),
        },
        copy=False,
    )
    groups = work.groupby("customer_id")
    out = groups.agg(
        first_purchase=("at", "min"),
        last_purchase=("at", "max"),
        order_count=("at", "count"),
        row_count=("at", "size"),
        monetary=("amount", "sum"),
        gross_amount=("gross", "sum"),
        returned_amount=("returned", "sum"),
    ).reset_index()
    as_of = pd.Timestamp(AS_OF)
    out["recency_days"] = (as_of - out["last_purchase"].dt.normalize()).dt.days.astype("Int64")
    out["tenure_days"] = (as_of - out["first_purchase"].dt.normalize()).dt.days.astype("Int64")
    out["mean_order_value"] = (out["monetary"] / out["order_count"]).where(out["order_count"] > 0)
    if every:
        days = work["at"].dt.floor("D").groupby(work["customer_id"]).nunique()
        out["purchase_days"] = days.to_numpy()
        tenure = out["tenure_days"].astype("float64")
        out["orders_per_year"] = out["order_count"] * 365.25 / tenure.clip(lower=365.25).fillna(365.25)
        gap = (out["tenure_days"] - out["recency_days"]).astype("float64") / (out["order_count"] - 1)
        out["mean_gap_days"] = gap.where(out["order_count"] > 1)
    return out


def with_polars(orders: pl.DataFrame, engine: str, *, every: bool = False) -> pl.DataFrame:
    at = pl.when(pl.col("amount") >= 0).then("timestamp")
    days = {"day": at.dt.date()} if every else {}
    out = (
        orders.lazy()
        .select(
            "customer_id",
            "amount",
            at=at,
            gross=pl.col("amount").clip(0, None),
            returned=(-pl.col("amount")).clip(0, None),
            **days,
        )
        .group_by("customer_id")
        .agg(
            first_purchase=pl.col("at").min(),
            last_purchase=pl.col("at").max(),
            order_count=pl.col("at").count(),
            row_count=pl.len(),
            monetary=pl.col("amount").sum(),
            gross_amount=pl.col("gross").sum(),
            returned_amount=pl.col("returned").sum(),
            **({"purchase_days": pl.col("day").drop_nulls().n_unique()} if every else {}),
        )
        .sort("customer_id")
        .with_columns(
            recency_days=(pl.lit(AS_OF).str.to_date() - pl.col("last_purchase").dt.date()).dt.total_days(),
            tenure_days=(pl.lit(AS_OF).str.to_date() - pl.col("first_purchase").dt.date()).dt.total_days(),
            mean_order_value=pl.when(pl.col("order_count") > 0).then(pl.col("monetary") / pl.col("order_count")),
        )
    )
    if every:
        orders_of, gap = pl.col("order_count").cast(pl.Int64), pl.col("tenure_days") - pl.col("recency_days")
        out = out.with_columns(
            orders_per_year=orders_of * 365.25 / pl.max_horizontal(pl.col("tenure_days"), 365.25),
            mean_gap_days=pl.when(orders_of > 1).then(gap / (orders_of - 1)),
        )
    return out.collect(engine=engine)


def with_duckdb(orders: pa.Table, *, every: bool = False) -> pa.Table:  # noqa: ARG001 (duckdb finds it by its name)
    days = ", count(DISTINCT CAST(timestamp AS DATE)) FILTER (amount >= 0) AS purchase_days" if every else ""
    derived = """,
        order_count * 365.25 / greatest(tenure_days, 365.25) AS orders_per_year,
        CASE WHEN order_count > 1 THEN (tenure_days - recency_days) / (order_count - 1) END AS mean_gap_days"""
    query = f"""
        SELECT *,
            DATE '{AS_OF}' - CAST(last_purchase AS DATE) AS recency_days,
            DATE '{AS_OF}' - CAST(first_purchase AS DATE) AS tenure_days,
            monetary / nullif(order_count, 0) AS mean_order_value{derived if every else ""}
        FROM (
            SELECT customer_id,
                min(purchase) AS first_purchase, max(purchase) AS last_purchase, count(purchase) AS order_count, count(*) AS row_count,
                sum(amount) AS monetary, sum(greatest(amount, 0)) AS gross_amount,
                sum(greatest(-amount, 0)) AS returned_amount{days}
            FROM (SELECT *, CASE WHEN amount >= 0 THEN timestamp END AS purchase FROM orders)
            GROUP BY customer_id)
        ORDER BY customer_id"""
    return duckdb.sql(query).to_arrow_table()


def with_numpy(orders: Mapping[str, np.ndarray], *, every: bool = False) -> dict[str, Any]:
    """Works only where ids are a range of whole numbers, which the caller must know."""
    ids, at, amount = orders["customer_id"], orders["timestamp"].view(np.int64), orders["amount"]
    smallest = ids.min()
    place = ids - smallest
    size = int(place.max()) + 1
    back = np.flatnonzero(amount < 0)
    row_count = np.bincount(place, minlength=size)
    order_count = row_count - np.bincount(place[back], minlength=size)
    monetary = np.bincount(place, amount, size)
    returned = np.bincount(place[back], -amount[back], size)
    none = np.iinfo(np.int64).min
    first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, none)
    bought = amount >= 0
    np.minimum.at(first, place, np.where(bought, at, np.iinfo(np.int64).max))
    np.maximum.at(last, place, np.where(bought, at, none))
    first[order_count == 0] = none
    as_of = LAST_DAY.astype(np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        out = {
            "customer_id": np.arange(smallest, smallest + size),
            "first_purchase": first.view("M8[us]"),
            "last_purchase": last.view("M8[us]"),
            "order_count": order_count,
            "row_count": row_count,
            "monetary": monetary,
            "gross_amount": np.bincount(place, np.maximum(amount, 0), size),
            "returned_amount": returned,
            "recency_days": np.ma.array(as_of - last // 86_400_000_000, mask=order_count == 0),
            "tenure_days": np.ma.array(as_of - first // 86_400_000_000, mask=order_count == 0),
            "mean_order_value": np.where(order_count > 0, monetary / order_count, np.nan),
        }
        if every:
            day = place * 2**16 + at // 86_400_000_000
            day = np.sort(day[bought])
            seen = day[np.concatenate([[True], day[1:] != day[:-1]])] >> 16
            tenure, gap = out["tenure_days"].data, out["tenure_days"].data - out["recency_days"].data
            out["purchase_days"] = np.bincount(seen, minlength=size)
            out["orders_per_year"] = order_count * 365.25 / np.where(order_count > 0, np.maximum(tenure, 365.25), 1)
            out["mean_gap_days"] = np.where(order_count > 1, gap / (order_count - 1), np.nan)
    return out


def check_sums(orders: pa.Table, customer: np.ndarray) -> Callable[[Mapping[str, pa.Array]], None]:
    """Hold the amounts of a sample of customers to math.fsum, to the last bit."""
    rows = np.flatnonzero(customer < 1000)
    rows = rows[np.argsort(customer[rows], kind="stable")]
    amounts = np.split(orders["amount"].to_numpy()[rows], np.flatnonzero(np.diff(customer[rows])) + 1)
    wanted = {
        "monetary": [math.fsum(values) for values in amounts],
        "gross_amount": [math.fsum(values[values >= 0]) for values in amounts],
        "returned_amount": [math.fsum(-values[values < 0]) for values in amounts],
    }

    def check(found: Mapping[str, pa.Array]) -> None:
        for name, values in wanted.items():
            if found[name][: len(values)].to_pylist() != values:
                raise DifferenceError(f"{name} is not math.fsum of each customer's amounts")

    return check


def bench(rows: int, customers: int, kind: str) -> Bench:
    orders, customer = order_log(rows, customers, kind)
    batches = pa.Table.from_batches(orders.to_batches(max_chunksize=122_880))  # duckdb's row group: it works on several
    in_pandas, in_polars = orders.to_pandas(split_blocks=True), pl.from_arrow(orders)
    rivals: dict[str, Callable[[], Any]] = {}
    for suffix, every in ((", ten measures", False), (", all columns", True)):
        rivals["pandas" + suffix] = partial(with_pandas, in_pandas, every=every)
        rivals["polars" + suffix] = partial(with_polars, in_polars, "in-memory", every=every)
        rivals["polars streaming" + suffix] = partial(with_polars, in_polars, "streaming", every=every)
        rivals["duckdb" + suffix] = partial(with_duckdb, batches, every=every)
        if kind == "dense int64":
            arrays = {name: orders[name].to_numpy() for name in orders.column_names}
            rivals["numpy on dense ids" + suffix] = partial(with_numpy, arrays, every=every)
    wanted = (2, 2) if "text" in kind else (2.5, 3) if rows > 1_000_000 else (3, 3)
    return Bench(
        ours={
            "xifen, pandas in": partial(xf.rfm_table, in_pandas, as_of=AS_OF),
            "xifen, polars in": partial(xf.rfm_table, in_polars, as_of=AS_OF),
        },
        rivals=rivals,
        # At a million rows calls last so short that polars and numpy, without exact sums, stay within reach; and there
        # nothing was asked of texts.
        wanted={
            **dict.fromkeys(("duckdb", "polars") if rows > 1_000_000 else ("duckdb",) if "int" in kind else (), wanted),
            **({"numpy on dense ids, ten": (1, 1)} if rows > 1_000_000 else {}),
        },
        check=check_sums(orders, customer),
        note="Ten measures: first and last purchase, recency, tenure, orders, rows, net, gross, returned, mean order value. "
        "All columns: purchase_days, orders_per_year and mean_gap_days too. Our calls always compute all of them, with "
        "sums equal to math.fsum (checked on a thousand customers).",
    )


def benches(*, quick: bool) -> Iterator[tuple[str, Callable[[], Bench]]]:
    for rows, customers in [(2_000, 300)] if quick else [(1_000_000, 100_000), (10_000_000, 1_000_000)]:
        for kind in KINDS:
            title = f"rfm_table, {rows:,} rows, {customers:,} customers, {kind}"
            yield title, partial(bench, rows, customers, kind)
