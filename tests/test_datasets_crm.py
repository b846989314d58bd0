"""The invented CRM is what its docstring says: shapes, shares, seasons, references, and the same from the same seed."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from xifen.datasets.crm import DAYS, _season
from xifen.errors import ParameterError

N = 20_000
CRM = xf.datasets.make_crm(N, seed=3)
CUSTOMERS, ORDERS, MESSAGES, LEADS = CRM[:4]
PURCHASES = ORDERS[ORDERS["amount"] > 0]


def near(value: float, wanted: float, tolerance: float) -> bool:
    return abs(value - wanted) <= tolerance


def test_there_is_a_row_for_everybody_and_about_ten_orders_and_three_messages_each():
    assert CUSTOMERS["customer_id"].tolist() == list(range(1, N + 1))
    assert LEADS["lead_id"].tolist() == list(range(1, N // 2 + 1))
    assert near(len(ORDERS) / N, 10, 1)
    assert near(len(MESSAGES) / N, 3, 0.3)


def test_every_order_and_message_is_a_customers_and_in_time():
    for frame in (ORDERS, MESSAGES):
        assert set(frame["customer_id"]) <= set(CUSTOMERS["customer_id"])
        assert frame["timestamp"].is_monotonic_increasing
        assert frame["timestamp"].min() >= pd.Timestamp("2023-07-01")
        assert frame["timestamp"].max() < pd.Timestamp("2026-07-01")
        assert (frame["timestamp"].dt.second == 0).all()
    assert dt.date(2026, 6, 30) == CRM.as_of
    assert ORDERS.groupby("order_id")["customer_id"].nunique().max() == 1
    ordered = ORDERS.groupby("customer_id")["order_id"].nunique().reindex(CUSTOMERS["customer_id"], fill_value=0)
    assert ordered.tolist() == CUSTOMERS["invoice_count"].tolist()


def test_the_same_seed_gives_the_same_and_another_seed_another():
    again, other = xf.datasets.make_crm(N, seed=3), xf.datasets.make_crm(N, seed=4)
    for frame, same, different in zip(CRM[:4], again[:4], other[:4], strict=True):
        pd.testing.assert_frame_equal(frame, same, check_exact=True)
        assert not frame.equals(different)


def test_every_kind_holds_the_same():
    polars = xf.datasets.make_crm(500, seed=1, kind="polars")
    arrow = xf.datasets.make_crm(500, seed=1, kind="pyarrow")
    pandas = xf.datasets.make_crm(500, seed=1)
    for one, two, three in zip(polars[:4], arrow[:4], pandas[:4], strict=True):
        assert isinstance(one, pl.DataFrame)
        assert isinstance(two, pa.Table)
        assert one.columns == two.column_names == list(three)
        for name in one.columns:
            values = [None if value is pd.NaT or pd.isna(value) else value for value in three[name].tolist()]
            if isinstance(values[0], pd.Timestamp):
                values = [value and value.to_pydatetime() for value in three[name].astype(object)]
                values = [None if pd.isna(value) else value for value in values]
            found = [None if value != value else value for value in one[name].to_list()]  # noqa: PLR0124 (NaN)
            if isinstance(one[name].dtype, pl.Date):
                values = [value and value.date() for value in values]
            assert found == values, name
            assert two[name].to_pylist() == one.to_arrow()[name].to_pylist() or one[name].dtype.is_float(), name


def test_money_is_skewed_and_values_are_tied():
    rfm = xf.rfm_table(ORDERS, as_of=CRM.as_of, order_id="order_id", customers=CUSTOMERS, windows=["12M"])
    assert near((rfm["order_count"] == 0).mean(), 0.12, 0.02)
    assert near((rfm["order_count"] == 1).mean(), 0.27, 0.05)
    assert rfm["order_count"].max() > 100
    best = rfm["monetary"].sort_values(ascending=False)
    assert best.head(N // 5).sum() > 0.8 * best.sum()
    # The published bands of annual purchases: all three occur.
    shares = pd.cut(rfm["monetary_12M"], [-np.inf, 100_000, 500_000, np.inf], right=False).value_counts(normalize=True)
    assert shares.min() > 0.01
    assert near((ORDERS["amount"] % 50 == 0).mean(), 0.4, 0.1)


def test_sales_follow_the_seasons():
    assert near(_season().mean(), 1, 1e-12)
    assert len(_season()) == DAYS
    by_day = PURCHASES.groupby(PURCHASES["timestamp"].dt.normalize()).size()
    by_day = by_day.reindex(pd.date_range("2023-07-01", CRM.as_of), fill_value=0)

    def mean(first: str, last: str) -> float:
        return by_day[first:last].mean()

    for festival in ("2024-02-10", "2025-01-29", "2026-02-17"):  # published dates of the Spring Festival
        eve = pd.Timestamp(festival)
        before = mean(eve - pd.Timedelta(days=25), eve - pd.Timedelta(days=5))
        week = mean(eve - pd.Timedelta(days=1), eve + pd.Timedelta(days=6))
        ordinary = mean(eve + pd.Timedelta(days=30), eve + pd.Timedelta(days=90))
        assert week < 0.12 * ordinary
        assert before > 1.25 * ordinary
    assert mean("2025-10-01", "2025-10-07") < 0.4 * mean("2025-09-01", "2025-09-28")
    assert by_day["2025-11-11"] > 1.5 * mean("2025-11-03", "2025-11-10")
    weekday = by_day.index.strftime("%w")
    assert by_day[weekday == "0"].mean() < 0.5 * by_day[weekday == "3"].mean()


def test_what_is_missing_is_missing_as_often_as_the_docstring_says():
    bought = CUSTOMERS["invoice_count"] > 0
    assert CUSTOMERS.loc[~bought, ["gross_margin", "complaint_rate", "payment_days"]].isna().all(axis=None)
    assert near(CUSTOMERS.loc[bought, "gross_margin"].isna().mean(), 0.06, 0.01)
    for name, share in {
        "employees": 0.05, "industry": 0.01, "region": 0.02, "revenue": 0.15, "contact_role": 0.08, "need_core": 0.12,
        "need_type": 0.15, "expansion_size": 0.10, "growth_rate": 0.12, "service_feedback": 0.70, "trial_date": 0.70,
    }.items():  # fmt: skip
        assert near(CUSTOMERS[name].isna().mean(), share, 0.015), name
    assert near(MESSAGES["text"].isna().mean(), 0.01, 0.002)
    assert near(LEADS["annual_income"].isna().mean(), 0.15, 0.02)
    assert ORDERS.drop(columns="discount").notna().all(axis=None)


def test_returns_and_rows_posted_twice_are_in_the_log():
    returns = ORDERS[ORDERS["amount"] < 0]
    assert near(len(returns) / len(PURCHASES), 0.03, 0.005)
    assert set(returns["order_id"]) <= set(PURCHASES["order_id"])
    assert (returns["quantity"] < 0).all()
    ledger = xf.order_ledger(ORDERS, as_of=CRM.as_of)
    assert near(ledger["duplicate"].mean(), 0.001, 0.0005)
    assert (ledger["reason"] == "used").all()


def test_those_who_never_pay_show_in_the_open_invoices():
    late = CUSTOMERS[CUSTOMERS["paid_invoice_days"].isna() & (CUSTOMERS["invoice_count"] > 0)]
    assert (late["open_invoice_share"] == 1).all()
    assert (late["payment_days"] > 90).sum() > 0.01 * N  # the mean over paid invoices alone would hide them
    assert near((CUSTOMERS["payment_days"] > 90).mean(), 0.07, 0.03)
    assert CUSTOMERS["payment_days"].min() > 0


def test_every_label_and_every_published_band_occurs():
    for frame in (CUSTOMERS, ORDERS, MESSAGES, LEADS):
        for name in frame.select_dtypes("category"):
            assert set(frame[name].dropna()) == set(frame[name].cat.categories), name
    employees = pd.cut(CUSTOMERS["employees"].astype(float), [0, 50, 500, np.inf], right=False)
    assert employees.value_counts(normalize=True).min() > 0.03
    assert near(CUSTOMERS["opt_out"].mean(), 0.04, 0.01)
    assert near((CUSTOMERS["complaint_rate"] > 0.1).mean(), 0.08, 0.03)
    for name in ("industry_outlook", "relationship_score", "competitor_closeness"):
        assert set(CUSTOMERS[name].dropna()) == {1, 2, 3, 4, 5}
    assert near((LEADS["annual_income"] > 500_000).mean(), 0.1, 0.06)
    assert (LEADS["annual_fee_usd"] > 2_000).mean() > 0.01
    assert (LEADS["classes_per_month"] >= 13).mean() > 0.01


def test_messages_can_be_counted_by_keyword():
    keywords = {
        "lead_time": ["lead time", "交期", "交付周期", "交付週期"],
        "certification": ["iso9001", "iso 9001", "认证资质", "認證資質", "certification"],
    }
    with pytest.warns(UserWarning, match="rows left out: .* missing_text"):
        table = xf.keyword_table(MESSAGES, keywords=keywords, invalid="drop")
    assert table["message_count"].sum() == MESSAGES["text"].notna().sum()
    for group in keywords:
        assert 0.05 < (table[f"{group}_messages_with"] / table["message_count"]).mean() < 0.5
    assert 0 < (table["lead_time_per_message"] > 5).mean() < 0.02  # rarely reached
    counted = MESSAGES["text"].str.count("(?i)lead time|交期|交付周期|交付週期").sum()
    assert table["lead_time_count"].sum() == counted


def test_one_customer_is_a_crm():
    for seed in range(5):
        assert len(xf.datasets.make_crm(1, seed=seed).customers) == 1


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"n_customers": 0}, ParameterError, "n_customers is 0; wanted 1 or more"),
        ({"seed": -1}, ParameterError, "seed is -1; wanted 0 or more"),
        ({"n_customers": 1.5}, TypeError, "n_customers is 1.5; wanted a whole number"),
        ({"kind": "spark"}, ParameterError, "kind must be 'pandas', 'polars' or 'pyarrow'; got 'spark'"),
    ],
)
def test_what_cannot_be_made_is_named(parameters, error, words):
    with pytest.raises(error, match=words):
        xf.datasets.make_crm(**parameters)
