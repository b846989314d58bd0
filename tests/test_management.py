"""The management table: the three published rows, both languages, every kind of frame, and what it refuses."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from customers import PUBLISHED, WHOLE

ZH = [
    "客户编号", "客户名称", "所属行业", "联系方式", "最近购买日期", "购买频次(次/年)", "平均客单价(元)", "需求类型",
    "价值等级", "客户类型", "策略建议", "备注",
]  # fmt: skip
EN = [
    "Customer ID", "Name", "Industry", "Contact", "Last purchase", "Orders a year", "Average per order (yuan)", "Need",
    "Value grade", "Customer type", "Strategy", "Notes",
]  # fmt: skip


def test_the_published_rows_in_chinese():
    table = xf.management_table(WHOLE, contact=True)
    assert table.columns.tolist() == ZH
    assert table["客户编号"].tolist() == ["001", "002", "003"]
    assert table["最近购买日期"].dt.date.tolist() == [dt.date(2024, 1, 15), dt.date(2023, 11, 20), dt.date(2023, 8, 10)]
    assert table["购买频次(次/年)"].tolist() == [12, 3, 1]
    assert table["平均客单价(元)"].tolist() == [5_000, 800, 1_200]
    assert table["价值等级"].tolist() == ["高", "中", "低"]
    assert table["客户类型"].tolist() == ["高价值忠实客户", "潜力开发客户", "流失风险客户"]
    assert table["策略建议"].tolist() == [
        "指定专属客户经理；按客户情况定制方案；新品优先试用",
        "定向发放满减券；推送同行业案例；定期回访，关注需求变化",
        "专人问候并送上回归礼；回访流失原因；针对原因整改并反馈结果",
    ]
    for column, name in (("客户名称", "name"), ("所属行业", "industry"), ("联系方式", "contact"), ("需求类型", "need_type"), ("备注", "notes")):  # fmt: skip
        assert table[column].tolist() == WHOLE[name].tolist()


def test_the_published_rows_in_english():
    table = xf.management_table(WHOLE, "en")
    assert table.columns.tolist() == EN
    assert table["Value grade"].tolist() == ["High", "Middle", "Low"]
    assert table["Customer type"].tolist() == ["High-value loyal", "Potential to develop", "Churn risk"]
    assert table["Strategy"][0].startswith("Name one account manager; ")
    assert table["Contact"].isna().all()


def test_dates_without_a_year_are_refused_as_incomplete():
    with pytest.raises(xf.errors.InputError, match=r"'last_purchase' holds '11-20' in row 1, which has no year and is"):
        xf.management_table(PUBLISHED)
    for text, words in (
        ("11月20日", "has no year"), ("8/10", "has no year"), ("2024/1/15", "is no date"), ("2024-02-30", "is no date"),
        ("20240115", "is no date"), ("soon", "is no date"), ("2024-01-15Tx", "is no date"), ("", "is no date"),
    ):  # fmt: skip
        with pytest.raises(xf.errors.InputError, match=words):
            xf.management_table(WHOLE.assign(last_purchase=["2024-01-15", None, text]))


def test_row_001_is_high_here_and_ordinary_by_its_amount():
    """12 orders of 5,000 are 60,000 yuan a year, below the 100,000 of the purchase bands and of the value tags."""
    amount = PUBLISHED["order_count_12M"] * PUBLISHED["mean_order_value"]
    bands = xf.load_preset("band.purchase").fit_transform(pd.DataFrame({"monetary_12M": amount.astype(float)}))
    assert bands["purchase_band"].tolist() == ["ordinary"] * 3
    assert xf.management_table(WHOLE)["价值等级"][0] == "高"


def test_row_002_contradicts_its_own_rule():
    """Three orders a year are F=1 on the published scale, and 20 November is outside 30 days of 15 January."""
    as_of = dt.date(2024, 1, 15)  # the latest date of the template
    days = [(as_of - dt.date.fromisoformat(day)).days for day in WHOLE["last_purchase"]]
    rfm = pd.DataFrame(
        {
            "recency_days": days,
            "order_count_12M": PUBLISHED["order_count_12M"],
            "monetary": PUBLISHED["order_count_12M"] * PUBLISHED["mean_order_value"],
        }
    )
    scored = xf.load_preset("rfm.published_scale").fit_transform(rfm)
    assert scored["frequency_score"].tolist() == [5, 1, 1]
    assert days[1] == 56
    frame = scored.assign(
        order_count_30D=[1, 0, 0], order_count_90D=[3, 1, 0], service_feedback=["neutral", "neutral", "negative"],
        matrix_cell=pd.array([None] * 3, dtype="str"),
    )  # fmt: skip
    types = xf.load_preset("types.published").fit_transform(frame)["customer_type"]
    assert types.tolist()[0] == "high_value_loyal"
    assert pd.isna(types[1])  # the sheet says potential to develop
    assert types.tolist()[2] == "churn_risk"


@pytest.mark.parametrize("kind", [pl.from_pandas, lambda f: pa.Table.from_pandas(f, preserve_index=False), dict])
def test_same_kind_out(kind):
    wanted = xf.management_table(WHOLE)
    out = xf.management_table(kind(WHOLE))
    assert isinstance(out, {pl.from_pandas: pl.DataFrame, dict: pd.DataFrame}.get(kind, pa.Table))
    assert list(out.column_names if isinstance(out, pa.Table) else out.columns) == ZH
    rows = out.to_pylist() if isinstance(out, pa.Table) else out.to_dicts() if kind is pl.from_pandas else None
    if rows is not None:
        assert [row["策略建议"] for row in rows] == wanted["策略建议"].tolist()
        assert rows[0]["最近购买日期"] == dt.date(2024, 1, 15)
        assert rows[0]["联系方式"] is None


def test_the_frame_is_untouched_and_its_index_kept():
    frame = WHOLE.set_axis(["x", "y", "z"])
    before = frame.copy(deep=True)
    table = xf.management_table(frame)
    assert table.index.tolist() == ["x", "y", "z"]
    pd.testing.assert_frame_equal(frame, before)


def test_orders_a_year_and_the_notes_of_the_sheet():
    _, notes = xf.management_table(WHOLE, return_notes=True)
    assert notes == {
        "联系方式": "默认不显示联系方式",
        "购买频次(次/年)": "截至统计日近12个月的订单数",
        "平均客单价(元)": "平均每单金额",
    }
    yearly = WHOLE.drop(columns="order_count_12M").assign(orders_per_year=[11.5, 2.5, 1.0])
    table, notes = xf.management_table(yearly, "en", return_notes=True)
    assert table["Orders a year"].tolist() == [11.5, 2.5, 1.0]
    assert "at least a year (orders_per_year)" in notes["Orders a year"]
    renamed = yearly.rename(columns={"orders_per_year": "rate"})
    table = xf.management_table(renamed, columns={"orders_per_year": "rate"})
    assert table["购买频次(次/年)"].tolist() == [11.5, 2.5, 1.0]
    both = xf.management_table(WHOLE.assign(orders_per_year=9.9))
    assert both["购买频次(次/年)"].tolist() == [12, 3, 1]


def test_absent_columns_stay_blank_with_one_warning():
    with pytest.warns(UserWarning, match="no 'name', 'industry', 'last_purchase', 'order_count_12M', ") as seen:
        table, notes = xf.management_table({"customer_id": [7, 8]}, "en", return_notes=True)
    assert len(seen) == 1
    assert table["Customer ID"].tolist() == ["7", "8"]
    assert table.drop(columns="Customer ID").isna().all(axis=None)
    assert notes["Name"] == "the data has no such column"
    with pytest.raises(xf.errors.InputError, match="no column 'customer_id'"):
        xf.management_table({"id": [1]})


def test_ids_are_text():
    few = WHOLE.assign(customer_id=[10**17, 2, 3])
    assert xf.management_table(few)["客户编号"].tolist() == ["100000000000000000", "2", "3"]
    whole = WHOLE.assign(customer_id=[1.0, np.nan, 3.0])
    assert xf.management_table(whole)["客户编号"].tolist()[::2] == ["1", "3"]
    for ids in ([1.5, 2, 3], [1, 2, 2.0**53]):
        with pytest.raises(xf.errors.InputError, match="which is no id: read ids as text"):
            xf.management_table(WHOLE.assign(customer_id=ids))


def test_dates_of_every_kind():
    days = ["2024-01-15", "2023-11-20", None]
    for times in (
        pd.to_datetime(pd.Series(days)),
        pd.to_datetime(pd.Series(days)) + pd.Timedelta(hours=23, minutes=59),
        pd.to_datetime(pd.Series(days)).dt.tz_localize("Asia/Shanghai")
        + pd.Timedelta(hours=1),  # the day before in UTC
        pd.Series([dt.date(2024, 1, 15), dt.date(2023, 11, 20), None]),
        pd.Series(["2024-01-15T08:00:00+08:00", "2023-11-20 10:00", None]),
        pd.Series(days, dtype="category"),
    ):
        table = xf.management_table(WHOLE.assign(last_purchase=times))
        assert table["最近购买日期"].dt.strftime("%Y-%m-%d").tolist()[:2] == days[:2]
        assert pd.isna(table["最近购买日期"][2])
    with pytest.raises(xf.errors.InputError, match="wanted dates, times or text"):
        xf.management_table(WHOLE.assign(last_purchase=[1, 2, 3]))


def test_labels_in_any_language_and_words_of_ones_own():
    mixed = WHOLE.assign(
        value_grade=["高", "Middle", "钻石"],
        customer_type=pd.Categorical(["高价值忠实客户", "Churn risk", None]),
        strategy=["mine", None, "x"],
    )
    table = xf.management_table(mixed, "en")
    assert table["Value grade"].tolist() == ["High", "Middle", "钻石"]
    assert table["Customer type"].tolist()[:2] == ["High-value loyal", "Churn risk"]
    assert pd.isna(table["Customer type"][2])
    assert table["Strategy"].tolist()[0] == "mine"
    by_playbook = xf.management_table(mixed.drop(columns="strategy"), "en")
    assert pd.isna(by_playbook["Strategy"][2])
    keys = xf.management_table(WHOLE.assign(customer_type="types.churn_risk"))
    assert set(keys["客户类型"]) == {"流失风险客户"}
    with pytest.raises(
        xf.errors.InputError,
        match="'churn_rsk' in row 0, which is no type of the playbook; did you mean 'churn_risk'\\? choose",
    ):
        xf.management_table(WHOLE.assign(customer_type="churn_rsk"))


def test_those_who_opted_out_get_no_strategy():
    table, notes = xf.management_table(WHOLE.assign(opt_out=[False, True, None]), return_notes=True)
    assert table["策略建议"].isna().tolist() == [False, True, False]
    assert notes["策略建议"] == "1位客户拒绝营销，不给出策略"


def test_wrong_parameters():
    with pytest.raises(xf.errors.ParameterError, match="lang is 'fr'"):
        xf.management_table(WHOLE, "fr")
    with pytest.raises(xf.errors.ParameterError, match="did you mean 'value_grade'"):
        xf.management_table(WHOLE, columns={"value_grad": "x"})
    with pytest.raises(xf.errors.InputError, match=r"'mean_order_value' holds .*wanted numbers"):
        xf.management_table(WHOLE.assign(mean_order_value="many"))
    with pytest.raises(xf.errors.InputError, match="'mean_order_value' is infinite in row 2"):
        xf.management_table(WHOLE.assign(mean_order_value=[1.0, np.nan, np.inf]))
    with pytest.raises(TypeError, match="not a frame"):
        xf.management_table([1, 2])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"opt_out": ["no", "maybe", None]}, "'opt_out' holds text; wanted true or false"),
        ({"opt_out": [0, 1, 2]}, "'opt_out' holds 2 in row 2; wanted true or false, or 1 or 0"),
        ({"order_count_12M": ["1", "2", "3"]}, "'order_count_12M' holds text; wanted numbers"),
        ({"name": [["a"], [], ["b", "c"]]}, "'name' holds list<.*>; wanted text"),
        ({"customer_id": [True, False, None]}, "'customer_id' holds bool; wanted ids, which are text or whole numbers"),
    ],
)
def test_columns_of_another_kind(change: dict, words: str):
    with pytest.raises(xf.errors.InputError, match=words):
        xf.management_table(WHOLE.assign(**change))


def test_opt_out_as_numbers():
    table = xf.management_table(WHOLE.assign(opt_out=[0, 1, np.nan]))
    assert table["策略建议"].isna().tolist() == [False, True, False]


def test_columns_that_are_named_must_be_there():
    with pytest.raises(xf.errors.InputError, match="no column 'nme'; did you mean 'name'"):
        xf.management_table(WHOLE, columns={"name": "nme"})
    with pytest.raises(xf.errors.ParameterError, match=r"columns is \['name'\]; wanted a mapping"):
        xf.management_table(WHOLE, columns=["name"])
    with pytest.raises(xf.errors.ParameterError, match="columns calls 'name' 3"):
        xf.management_table(WHOLE, columns={"name": 3})
    with pytest.raises(TypeError, match="playbook is None; wanted the name of a preset or a frame"):
        xf.management_table(WHOLE, playbook=None)


def test_no_rows():
    assert len(xf.management_table(WHOLE[:0])) == 0
    assert len(xf.management_table(pl.from_pandas(WHOLE)[:0])) == 0


def test_the_whole_way_from_a_crm():
    crm = xf.datasets.make_crm(1_000, seed=5)
    rfm = xf.rfm_table(
        crm.orders, as_of=crm.as_of, order_id="order_id", customers=crm.customers, windows=["30D", "90D", "12M"]
    )
    scored = xf.load_preset("rfm.published_scale").fit_transform(rfm).merge(crm.customers, on="customer_id")
    with pytest.warns(UserWarning, match="no 'matrix_cell'"):
        typed = xf.load_preset("types.practice").fit_transform(scored)
    grades = xf.load_preset("band.purchase", output="value_grade").fit_transform(typed)
    needs = xf.load_preset("need.type", lang="zh").fit_transform(grades)
    table = xf.management_table(needs, columns={"need_type": "need_type_label"})
    assert len(table) == 1_000
    assert set(table["需求类型"].dropna()) == {"解决问题", "提升效率", "追求增长"}
    assert (table["客户类型"].notna() == table["策略建议"].notna() | grades["opt_out"].to_numpy()).all()


def test_averages_are_money_a_person_reads():
    table = xf.management_table(WHOLE.assign(mean_order_value=[53032.336311, np.nan, 0.125]), lang="en")
    assert table["Average per order (yuan)"].tolist()[::2] == [53032.34, 0.13]
    assert table["Average per order (yuan)"].isna().tolist() == [False, True, False]


def test_a_strategy_nobody_wrote_is_that_of_the_playbook():
    made = xf.management_table(WHOLE)["策略建议"]
    written = xf.management_table(WHOLE.assign(strategy=[None, "own words", None]))["策略建议"]
    assert written.tolist() == [made[0], "own words", made[2]]
    with pytest.raises(xf.errors.InputError, match="holds 'nobody' in row 1, which is no type of the playbook"):
        xf.management_table(WHOLE.assign(customer_type=[WHOLE["customer_type"][0], "nobody", None]))
