"""Enough rows for several chunks and partitions, ids of every shape, days in every zone: held against pandas."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf

ROWS = 150_000
CUSTOMERS = 5_000

#: What the id of customer number n may look like.
IDS: dict[str, Callable[[np.ndarray], Any]] = {
    "dense": lambda n: n,
    "sparse": lambda n: (n * 0x9E3779B97F4A7C15).astype(np.uint64),
    "signed": lambda n: (n - CUSTOMERS // 2) * 2**40,
    "digits": lambda n: n.astype(str),
    "padded": lambda n: np.char.zfill(n.astype(str), 15),
    "sixteen bytes": lambda n: np.char.zfill(n.astype(str), 16),
    "uuid": lambda n: np.array([str(uuid.UUID(int=number * 2**90 + 7)) for number in range(CUSTOMERS)])[n],
    "one long prefix": lambda n: np.char.add("a prefix that is all the same/", n.astype(str)),
    "mixed lengths": lambda n: np.array(["细" * (k % 7) + "x" * (k % 23) + str(k) for k in range(CUSTOMERS)])[n],
}


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """Skewed customers, the first of whom has a third of all rows, in no order."""
    rng = np.random.default_rng(20)
    customer = np.where(rng.random(ROWS) < 0.3, 0, rng.integers(0, CUSTOMERS, ROWS))
    return pd.DataFrame(
        {
            "number": customer.astype(np.uint64),
            "timestamp": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 366 * 86_400, ROWS), unit="s"),
            "amount": np.round(rng.lognormal(3, 2, ROWS), 2) * rng.choice([1, 1, 1, 1, -1], ROWS),
        }
    )


@pytest.mark.parametrize("shape", IDS)
@pytest.mark.parametrize("kind", [pd.DataFrame, pl.from_pandas])
def test_ids_of_every_shape(log: pd.DataFrame, shape: str, kind: Callable[[pd.DataFrame], Any]) -> None:
    numbers = log["number"].to_numpy()
    ids = IDS[shape](numbers.astype(np.int64 if shape != "sparse" else np.uint64))
    ids = ids.astype(object) if ids.dtype.kind == "U" else ids
    frame = pd.DataFrame({"customer_id": ids, "timestamp": log["timestamp"], "amount": log["amount"]})
    table = xf.rfm_table(kind(frame), as_of="2024-01-31", windows=["1M"])
    table = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table.to_dict(as_series=False))

    grouped = frame.groupby("customer_id")
    expected = pd.DataFrame({"row_count": grouped.size(), "total": grouped["amount"].sum()})
    expected["order_count"] = (
        frame[frame["amount"] >= 0].groupby("customer_id").size().reindex(expected.index, fill_value=0)
    )
    recent = frame[(frame["amount"] >= 0) & (frame["timestamp"] >= "2024-01-01")]
    expected["order_count_1M"] = recent.groupby("customer_id").size().reindex(expected.index, fill_value=0)
    order = sorted(expected.index, key=lambda name: name.encode() if isinstance(name, str) else name)
    assert table["customer_id"].tolist() == order
    expected = expected.loc[order]
    for column in ("row_count", "order_count", "order_count_1M"):
        assert table[column].tolist() == expected[column].tolist(), column
    np.testing.assert_allclose(table["monetary"], expected["total"], rtol=1e-9, atol=1e-6)


def test_totals_and_threads(log: pd.DataFrame) -> None:
    frame = log.rename(columns={"number": "customer_id"})
    table = xf.rfm_table(frame, as_of="2024-01-31", windows=["90D"], n_jobs=1)
    assert table["monetary"].tolist() == frame.groupby("customer_id")["amount"].agg(math.fsum).tolist()
    shuffled = frame.sample(frac=1, random_state=1)
    pieces = pa.concat_tables([pa.Table.from_pandas(shuffled[start : start + 70_001], preserve_index=False)
                               for start in range(0, ROWS, 70_001)])  # fmt: skip
    for n_jobs in (2, 8):
        again = xf.rfm_table(shuffled, as_of="2024-01-31", windows=["90D"], n_jobs=n_jobs)
        pd.testing.assert_frame_equal(again, table, check_exact=True)
    again = xf.rfm_table(pieces, as_of="2024-01-31", windows=["90D"])
    assert again["monetary"].to_pylist() == table["monetary"].tolist()
    history = xf.clv_table(frame, as_of="2024-01-31", unit="W", n_jobs=1)
    for n_jobs in (2, 8):
        again = xf.clv_table(shuffled, as_of="2024-01-31", unit="W", n_jobs=n_jobs)
        pd.testing.assert_frame_equal(again, history, check_exact=True)


ZONES = ["America/New_York", "America/Sao_Paulo", "America/St_Johns", "Europe/Lisbon", "Africa/Windhoek",
         "Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Apia",
         "Pacific/Kiritimati", "UTC", "+05:30", "-03:00"]  # fmt: skip


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("given", ["own zone", "tz"])
def test_days_in_every_zone(zone: str, given: str) -> None:
    """One customer per moment between 1950 and 2090, half of them within a minute of a local midnight.

    These zones' rules have not changed for some years: pandas reads the system's zone files, xifen carries its own.
    """
    if zone[0] in "+-" and given == "tz":
        pytest.skip("a fixed offset is no name of a zone")
    rng = np.random.default_rng(7)
    # By its bare name pandas 2 would take a zone from pytz, which knows no rules after 2037.
    pandas_zone = pd.Timestamp(f"2024-01-01T00:00{zone}").tz if zone[0] in "+-" else ZoneInfo(zone)
    moments = pd.to_datetime(rng.integers(-631_152_000, 3_786_912_000, 4_000), unit="s", utc=True).as_unit("us")
    near = moments.tz_convert(pandas_zone).tz_localize(None).normalize() + pd.to_timedelta(
        rng.integers(-60, 60, 4_000), "s"
    )
    near = near.tz_localize(pandas_zone, ambiguous="NaT", nonexistent="shift_forward").tz_convert("UTC")
    moments = moments.append(near[near.notna()])
    local = moments.tz_convert(pandas_zone)
    frame = pd.DataFrame(
        {"customer_id": range(len(moments)), "timestamp": moments if given == "tz" else local, "amount": 1.0}
    )
    table = xf.rfm_table(frame, as_of="2091-01-01", tz=zone if given == "tz" else None)
    expected = (pd.Timestamp("2091-01-01") - local.tz_localize(None).normalize()).days
    assert table["recency_days"].tolist() == expected.tolist()
    assert (pd.DatetimeIndex(table["first_purchase"]) == moments).all()
    assert table["first_purchase"].dtype == frame["timestamp"].dtype


def test_dictionaries_that_repeat_themselves() -> None:
    """Arrow allows one text under two codes, and a code for nothing."""
    ids = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None, 3]), pa.array(["b", "b", None, "a"]))
    frame = pa.table(
        {"customer_id": ids, "timestamp": pa.array([0, 1, 2, 3, 4], pa.timestamp("s")), "amount": [1.0] * 5}
    )
    with pytest.warns(UserWarning, match="missing_customer_id"):
        table = xf.rfm_table(frame, as_of="1970-01-01", invalid="drop")
    assert table["customer_id"].to_pylist() == ["a", "b"]
    assert table["row_count"].to_pylist() == [1, 2]
