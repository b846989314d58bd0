"""Values that others have published or that were counted in the published files by other means."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
import xifen as xf
from xifen.datasets import load_cdnow

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_cdnow(kind: str) -> None:
    """Counted in CDNOW_master.txt by plain Python; 68 customers only ever ordered what cost nothing."""
    table = xf.rfm_table(load_cdnow(kind), as_of="1998-06-30")
    columns = {name: list(table[name]) if kind == "pandas" else table[name].to_pylist() if kind == "pyarrow"
               else table[name].to_list() for name in table.columns} if kind != "pyarrow" else table.to_pydict()  # fmt: skip
    assert len(columns["customer_id"]) == 23_570
    assert sum(columns["recency_days"]) == 8_655_414
    assert (min(columns["recency_days"]), max(columns["recency_days"])) == (0, 545)
    assert sum(columns["tenure_days"]) == 11_834_346
    assert sum(columns["purchase_days"]) == 67_591
    assert sum(columns["order_count"]) == sum(columns["row_count"]) == 69_659
    assert (max(columns["order_count"]), max(columns["purchase_days"])) == (217, 171)
    assert round(math.fsum(columns["monetary"]), 6) == 2_500_315.63
    assert sum(value <= 0 for value in columns["monetary"]) == 68


def test_cdnow_orders_are_all_accounted_for() -> None:
    orders = load_cdnow()
    ledger = xf.order_ledger(orders, as_of="1997-12-31", duplicates="drop")
    summary = xf.ledger_summary(ledger).set_index("reason")["rows"]
    late = orders["timestamp"] > "1997-12-31"
    assert int(ledger["duplicate"].sum()) == 255
    assert summary["after_as_of"] == int(late.sum())
    assert summary["duplicate_dropped"] == int((orders.duplicated() & ~late).sum())
    assert summary.sum() == 69_659
    assert (ledger["duplicate"] == orders.duplicated()).all()


def test_r_rfm_orders() -> None:
    """The order log of R's package rfm at 2006-12-31; sums by R and by plain Python."""
    orders = pd.read_csv(GOLDEN / "rfm_data_orders.csv.gz")
    table = xf.rfm_table(orders, as_of="2006-12-31", timestamp="order_date", amount="revenue")
    assert len(table) == 995
    assert table["recency_days"].sum() == 285_305
    assert (table["recency_days"].min(), table["recency_days"].max()) == (1, 976)
    assert table["monetary"].sum() == 464_158
    assert table["order_count"].sum() == 4_906
    assert table["purchase_days"].sum() == 4_895
    assert table["order_count"].max() == 14


def test_clv_of_the_cdnow_sample() -> None:
    """The calibration period of Fader, Hardie and Lee (2005): 2,457 repeat purchases of 2,357 customers."""
    history = xf.clv_table(load_cdnow(sample=True), as_of="1997-09-30")
    assert list(history.columns) == ["customer_id", "frequency", "recency", "T", "monetary_value"]
    assert len(history) == 2_357
    assert history["frequency"].sum() == 2_457
    assert history["frequency"].max() == 29
    assert (history["frequency"] == 0).sum() == 1_411
    assert history["recency"].sum() == 112_949
    assert history["T"].sum() == 539_779
    assert (history["monetary_value"] > 0).sum() == 946
    assert math.fsum(history["monetary_value"]) == pytest.approx(33_183.643766870584, rel=1e-14)
    # lifetimes' tests/test_utils.py quotes Fader and Hardie's note 025: mean 35, sd 30, min 3, median 27, max 300.
    spend = history.loc[history["frequency"] > 0, "monetary_value"].describe()
    published = {"count": 946, "mean": 35, "std": 30, "min": 3, "50%": 27, "max": 300}
    assert spend[list(published)].round().to_dict() == published


def test_weeks_are_those_of_the_published_summary() -> None:
    """The first rows of cdnow_customers_summary_with_transactions.csv in lifetimes: x, t_x, T and zbar to two places."""
    published = {
        4: (2, 30.43, 38.86, 22.35),
        21: (1, 1.71, 38.86, 11.77),
        50: (0, 0.00, 38.86, 0.00),
        71: (0, 0.00, 38.86, 0.00),
        86: (0, 0.00, 38.86, 0.00),
        111: (7, 29.43, 38.86, 73.74),
        112: (1, 5.00, 38.86, 11.77),
        113: (0, 0.00, 38.86, 0.00),
        114: (2, 35.71, 38.86, 25.55),
        131: (0, 0.00, 38.86, 0.00),
    }
    history = xf.clv_table(load_cdnow(sample=True), as_of="1997-09-30", unit="W").set_index("customer_id")
    for customer, figures in published.items():
        assert history.loc[customer].tolist() == pytest.approx(figures, abs=0.0051)


# The two logs of lifetimes' tests/test_utils.py (github.com/CamDavidsonPilon/lifetimes) and what is asserted of them.
TRANSACTIONS = pd.DataFrame(
    [
        [1, "2015-01-01", 1],
        [1, "2015-02-06", 2],
        [2, "2015-01-01", 2],
        [3, "2015-01-01", 3],
        [3, "2015-01-02", 1],
        [3, "2015-01-05", 5],
        [4, "2015-01-16", 6],
        [4, "2015-02-02", 3],
        [4, "2015-02-05", 3],
        [5, "2015-01-16", 3],
        [5, "2015-01-17", 1],
        [5, "2015-01-18", 8],
        [6, "2015-02-02", 5],
    ],
    columns=["id", "date", "monetary_value"],
)
SHORT = pd.DataFrame(
    [[1, "2015-02-01"], [1, "2015-02-06"], [2, "2015-01-01"], [3, "2015-01-01"], [3, "2015-01-02"], [3, "2015-01-05"]],
    columns=["id", "date"],
).assign(spent=1.0)


def history_of(log: pd.DataFrame, amount: str, as_of: str) -> list[list[float]]:
    return xf.clv_table(log, as_of=as_of, customer_id="id", timestamp="date", amount=amount).to_numpy(float).tolist()


def test_lifetimes_summary() -> None:
    """test_summary_data_from_transaction_data_returns_correct_results"""
    assert [row[:4] for row in history_of(SHORT, "spent", "2015-02-07")] == [[1, 1, 5, 6], [2, 0, 0, 37], [3, 2, 4, 37]]


def test_lifetimes_summary_with_amounts() -> None:
    """test_summary_date_from_transaction_with_monetary_values"""
    assert history_of(TRANSACTIONS, "monetary_value", "2015-02-07") == [
        [1, 1, 36, 37, 2],
        [2, 0, 0, 37, 0],
        [3, 2, 4, 37, 3],
        [4, 2, 20, 22, 3],
        [5, 2, 2, 22, 4.5],
        [6, 0, 0, 5, 0],
    ]


def test_lifetimes_calibration_period() -> None:
    """test_calibration_and_holdout_data_with_monetary_value: customer 6 first buys after the period."""
    history = history_of(TRANSACTIONS, "monetary_value", "2015-02-01")
    assert [row[0] for row in history] == [1, 2, 3, 4, 5]
    assert [row[4] for row in history] == [0, 0, 3, 0, 4.5]


def test_lifetimes_first_order_is_the_earliest() -> None:
    """test_summary_data_..._will_choose_the_correct_first_order_to_drop_in_monetary_transactions (their issue 85)"""
    log = pd.DataFrame({"date": ["2014-04-09", "2014-03-14", "2014-05-21"], "id": 2, "sales": [20, 10, 25]})
    assert history_of(log, "sales", "2014-05-21") == [[2, 2, 68, 68, 22.5]]
    assert history_of(log.sort_values("date"), "sales", "2014-05-21") == [[2, 2, 68, 68, 22.5]]


def test_lifetimes_quickstart() -> None:
    """The first five customers of example_transactions.csv, as docs/Quickstart.md prints them."""
    days = ["2014-03-08", "2014-05-21", "2014-03-14", "2014-04-09", "2014-05-21", "2014-06-08", "2014-06-30",
            "2014-07-31", "2014-08-03", "2014-08-06", "2014-07-01", "2014-07-04", "2014-07-10"]  # fmt: skip
    log = pd.DataFrame({"id": [0, 1, 2, 2, 2, 2, 2, 2, 2, 3, 4, 4, 4], "date": days, "amount": 1.0})
    at_the_end = [[0, 0, 0, 298], [1, 0, 0, 224], [2, 6, 142, 292], [3, 0, 0, 147], [4, 2, 9, 183]]
    assert [row[:4] for row in history_of(log, "amount", "2014-12-31")] == at_the_end
    calibration = [[0, 0, 0, 177], [1, 0, 0, 103], [2, 6, 142, 171], [3, 0, 0, 26], [4, 2, 9, 62]]
    assert [row[:4] for row in history_of(log, "amount", "2014-09-01")] == calibration
