"""The packed order log is the published one: the figures below were taken from the text files, not from the package.

The text files are those of lifetimes 0.11.3 (sha256 eff6889e... and 6fae1015...); NOTICE beside the data says more.
"""

from __future__ import annotations

import datetime as dt
import importlib.resources
import math

import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from xifen.datasets import load_cdnow
from xifen.datasets.pack_cdnow import pack_cdnow
from xifen.errors import ParameterError


def test_the_log_is_the_published_one() -> None:
    orders = load_cdnow()
    assert orders.shape == (69_659, 4)
    assert orders["customer_id"].nunique() == 23_570
    assert (orders["customer_id"].min(), orders["customer_id"].max()) == (1, 23_570)
    assert (orders["timestamp"].min(), orders["timestamp"].max()) == (
        pd.Timestamp("1997-01-01"),
        pd.Timestamp("1998-06-30"),
    )
    assert math.fsum(orders["amount"]) == 2_500_315.63
    assert orders["amount"].agg(["min", "max"]).tolist() == [0.0, 1286.01]
    assert (orders["amount"] == orders["amount"].map("{:.2f}".format).map(float)).all()
    assert orders["quantity"].sum() == 167_881
    assert orders.groupby(["customer_id", "timestamp"]).ngroups == 67_591
    assert int(orders.duplicated().sum()) == 255
    assert int((orders["amount"] == 0).sum()) == 80


def test_the_sample_is_the_published_one() -> None:
    orders = load_cdnow(sample=True)
    assert len(orders) == 6_919
    assert orders["customer_id"].nunique() == 2_357
    assert orders["customer_id"].drop_duplicates().head(5).tolist() == [4, 18, 21, 50, 60]
    first = orders.iloc[0]
    assert (first["timestamp"], first["amount"], first["quantity"]) == (pd.Timestamp("1997-01-01"), 29.33, 2)


def test_every_kind_holds_the_same_values() -> None:
    polars = pytest.importorskip("polars")
    expected = load_cdnow()
    assert expected.dtypes.map(str).str.replace("datetime64[ms]", "datetime").tolist() == [
        "int64",
        "datetime",
        "float64",
        "int64",
    ]
    table = load_cdnow("pyarrow")
    assert table.schema.equals(
        pa.schema({"customer_id": pa.int64(), "timestamp": pa.date32(), "amount": pa.float64(), "quantity": pa.int64()})
    )
    assert_frame_equal(table.to_pandas(date_as_object=False), expected)
    frame = load_cdnow("polars")
    assert frame.schema == {
        "customer_id": polars.Int64,
        "timestamp": polars.Date,
        "amount": polars.Float64,
        "quantity": polars.Int64,
    }
    assert frame.row(0) == (1, dt.date(1997, 1, 1), 11.77, 1)
    assert frame.to_arrow().equals(table)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"kind must be 'pandas', 'polars' or 'pyarrow'; got 'spark'"):
        load_cdnow("spark")  # type: ignore[arg-type]


def test_the_data_travel_with_their_notice() -> None:
    notice = importlib.resources.files("xifen.datasets").joinpath("NOTICE").read_text("utf-8")
    for words in ("brucehardie.com/datasets", "Fader", "Licence", "lifetimes 0.11.3"):
        assert words in notice


def test_packing_refuses_other_files(tmp_path) -> None:
    master, sample = tmp_path / "master.txt", tmp_path / "sample.txt"
    master.write_text("customer_id date number_of_cds dollar_value\r\n00001 19970101 1 11.77\r\n")
    sample.write_text("00001 0001 19970101 1 11.77\n")
    with pytest.raises(ValueError, match="not the published files"):
        pack_cdnow(master, sample, tmp_path / "packed.parquet")
    assert not (tmp_path / "packed.parquet").exists()
