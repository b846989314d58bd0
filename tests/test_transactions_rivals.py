"""Twenty thousand clean orders: the same numbers as a group-by in pandas, polars and duckdb, totals as math.fsum."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import xifen as xf

AS_OF = pd.Timestamp("2024-06-30")
COLUMNS = ["first_purchase", "last_purchase", "recency_days", "order_count", "purchase_days", "row_count",
           "gross_amount", "returned_amount", "tenure_days", "order_count_90D", "order_count_12M"]  # fmt: skip


def make_orders(seed: int) -> pd.DataFrame:
    """Orders of several rows, a few returns, times of day, no row later than AS_OF."""
    rng = np.random.default_rng(seed)
    size = 20_000
    order = rng.integers(0, 12_000, size)
    customer = (order * 2_654_435_761 % 3_001).astype(np.int64)
    return pd.DataFrame(
        {
            "customer_id": customer,
            "timestamp": pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 912 * 86_400, size), unit="s"),
            "amount": np.round(rng.lognormal(3, 1.5, size), 2) * np.where(rng.random(size) < 0.05, -1, 1),
            "order_id": order,
        }
    )


@pytest.fixture(scope="module", params=[1, 2])
def orders(request: pytest.FixtureRequest) -> pd.DataFrame:
    return make_orders(request.param)


@pytest.fixture(scope="module")
def table(orders: pd.DataFrame) -> pd.DataFrame:
    made = xf.rfm_table(orders, as_of="2024-06-30", order_id="order_id", windows=["90D", "12M"])
    return made.set_index("customer_id")


def same(table: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Counts and times are equal; totals, which the others round at every step, to a few units in the last place."""
    expected = expected.sort_index()
    assert table.index.tolist() == expected.index.tolist()
    for column in COLUMNS:
        got, wanted = table[column], expected[column]
        if column.endswith("_amount"):
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-9)
        elif column.endswith("_purchase"):
            assert (got.fillna(AS_OF) == wanted.fillna(AS_OF)).all(), column
        else:
            assert got.astype("Int64").equals(wanted.astype("Int64")), column


def test_pandas(orders: pd.DataFrame, table: pd.DataFrame) -> None:
    frame = orders.assign(day=orders["timestamp"].dt.normalize())
    bought = frame[frame["amount"] >= 0].groupby("customer_id")
    expected = pd.DataFrame(
        {
            "row_count": frame.groupby("customer_id").size(),
            "first_purchase": bought["timestamp"].min(),
            "last_purchase": bought["timestamp"].max(),
            "recency_days": (AS_OF - bought["day"].max()).dt.days,
            "tenure_days": (AS_OF - bought["day"].min()).dt.days,
            "gross_amount": bought["amount"].sum(),
            "returned_amount": -frame[frame["amount"] < 0].groupby("customer_id")["amount"].sum(),
        }
    )
    counts = {
        "order_count": bought["order_id"].nunique(),
        "purchase_days": bought["day"].nunique(),
        "order_count_90D": _orders_since(frame, AS_OF - pd.Timedelta(days=90)),
        "order_count_12M": _orders_since(frame, AS_OF - pd.DateOffset(months=12)),
    }
    for name, count in counts.items():
        expected[name] = count.reindex(expected.index, fill_value=0)
    same(table, expected.fillna({"gross_amount": 0.0, "returned_amount": 0.0}))


def _orders_since(frame: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    inside = frame[(frame["amount"] >= 0) & (frame["day"] > day)]
    return inside.groupby("customer_id")["order_id"].nunique()


def test_polars(orders: pd.DataFrame, table: pd.DataFrame) -> None:
    pl = pytest.importorskip("polars")
    day, amount, bought = pl.col("timestamp").dt.date(), pl.col("amount"), pl.col("amount") >= 0
    as_of = pl.lit(AS_OF.date())
    grouped = (
        pl.from_pandas(orders)
        .group_by("customer_id")
        .agg(
            first_purchase=pl.col("timestamp").filter(bought).min(),
            last_purchase=pl.col("timestamp").filter(bought).max(),
            recency_days=(as_of - day.filter(bought).max()).dt.total_days(),
            tenure_days=(as_of - day.filter(bought).min()).dt.total_days(),
            order_count=pl.col("order_id").filter(bought).n_unique(),
            purchase_days=day.filter(bought).n_unique(),
            row_count=pl.len(),
            gross_amount=amount.filter(bought).sum(),
            returned_amount=-amount.filter(~bought).sum(),
            order_count_90D=pl.col("order_id").filter(bought & (day > as_of.dt.offset_by("-90d"))).n_unique(),
            order_count_12M=pl.col("order_id").filter(bought & (day > as_of.dt.offset_by("-12mo"))).n_unique(),
        )
    )
    same(table, pd.DataFrame(grouped.to_dict(as_series=False)).set_index("customer_id"))


def test_duckdb(orders: pd.DataFrame, table: pd.DataFrame) -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        connection.register("orders", orders)
        expected = connection.sql(
            """
            SELECT customer_id,
                   min(timestamp) FILTER (amount >= 0) AS first_purchase,
                   max(timestamp) FILTER (amount >= 0) AS last_purchase,
                   DATE '2024-06-30' - max(timestamp::date) FILTER (amount >= 0) AS recency_days,
                   DATE '2024-06-30' - min(timestamp::date) FILTER (amount >= 0) AS tenure_days,
                   count(DISTINCT order_id) FILTER (amount >= 0) AS order_count,
                   count(DISTINCT timestamp::date) FILTER (amount >= 0) AS purchase_days,
                   count(*) AS row_count,
                   coalesce(sum(amount) FILTER (amount >= 0), 0) AS gross_amount,
                   coalesce(-sum(amount) FILTER (amount < 0), 0) AS returned_amount,
                   count(DISTINCT order_id) FILTER (
                       amount >= 0 AND timestamp::date > DATE '2024-06-30' - 90) AS order_count_90D,
                   count(DISTINCT order_id) FILTER (
                       amount >= 0 AND timestamp::date > DATE '2024-06-30' - INTERVAL 12 MONTH) AS order_count_12M
            FROM orders GROUP BY customer_id
            """
        ).df()
    same(table, expected.set_index("customer_id"))


def test_totals_are_those_of_fsum(orders: pd.DataFrame, table: pd.DataFrame) -> None:
    by_customer = orders.groupby("customer_id")["amount"]
    bought, returned = orders["amount"].clip(lower=0), -orders["amount"].clip(upper=0)
    assert table["monetary"].tolist() == by_customer.agg(math.fsum).tolist()
    assert table["gross_amount"].tolist() == bought.groupby(orders["customer_id"]).agg(math.fsum).tolist()
    assert table["returned_amount"].tolist() == returned.groupby(orders["customer_id"]).agg(math.fsum).tolist()
    recent = orders[orders["timestamp"].dt.normalize() > AS_OF - pd.Timedelta(days=90)]
    totals = recent.groupby("customer_id")["amount"].agg(math.fsum).reindex(table.index, fill_value=0.0)
    assert table["monetary_90D"].tolist() == totals.tolist()


def test_totals_that_lose_their_digits_are_those_of_fsum() -> None:
    """Sums in which every digit cancels need more than two terms."""
    rng = np.random.default_rng(3)
    size = 5_000
    amounts = rng.normal(size=size) * 10.0 ** rng.integers(-18, 18, size)
    log = pd.DataFrame({"customer_id": rng.integers(0, 40, size), "timestamp": AS_OF, "amount": amounts})
    log = pd.concat([log, log.assign(amount=-log["amount"] * (1 + 2**-52))]).sample(frac=1, random_state=4)
    table = xf.rfm_table(log, as_of="2024-06-30")
    assert table["monetary"].tolist() == log.groupby("customer_id")["amount"].agg(math.fsum).tolist()
    shuffled = xf.rfm_table(log.sample(frac=1, random_state=5), as_of="2024-06-30", n_jobs=2)
    assert shuffled["monetary"].tolist() == table["monetary"].tolist()


@pytest.mark.parametrize("n_jobs", [1, 2, 8, -1])
def test_threads_change_nothing(orders: pd.DataFrame, table: pd.DataFrame, n_jobs: int) -> None:
    shuffled = orders.sample(frac=1, random_state=n_jobs + 1)
    windows = ["90D", "12M"]
    again = xf.rfm_table(shuffled, as_of="max", order_id="order_id", windows=windows, n_jobs=n_jobs)
    pd.testing.assert_frame_equal(again.set_index("customer_id"), table, check_exact=True)
