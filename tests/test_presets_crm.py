"""Every preset on an invented customer base: in each language and each kind of frame the same customers."""

from __future__ import annotations

import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf

LISTED = xf.list_presets().set_index("name")
#: What adds or replaces columns; playbooks and keywords have tests of their own.
NAMES = LISTED[~LISTED["operation"].isin(["playbook", "keywords"])].index.tolist()
#: What `make_crm` calls otherwise, or leaves to the caller.
CITIES = ["北京", "青岛市", "无锡", None]


def everything(n: int = 400) -> pd.DataFrame:
    """One row per customer with all that any preset reads."""
    crm = xf.datasets.make_crm(n, seed=7)
    frame = xf.rfm_table(
        crm.orders, as_of=crm.as_of, order_id="order_id", discount="discount", customers=crm.customers,
        windows=["30D", "90D", "180D", "365D", "3M", "6M", "12M"],
    )  # fmt: skip
    frame = frame.merge(crm.customers, on="customer_id")
    messages = crm.messages.dropna(subset="text")
    words = xf.keyword_table(messages, keywords=xf.load_preset("keywords.need"))
    frame = frame.merge(words, on="customer_id", how="left")
    leads = crm.leads.drop(columns=[*set(crm.leads) & set(frame)])
    leads = pd.concat([leads] * 3, ignore_index=True)[:n]
    frame = pd.concat([frame, leads.drop(columns="tenure_days", errors="ignore")], axis=1)
    frame = xf.load_preset("rfm.published_scale").fit_transform(frame)
    frame = xf.load_preset("score.potential").fit_transform(xf.load_preset("score.value").fit_transform(frame))
    columns = {"value": "value_score", "potential": "potential_score"}
    frame = xf.load_preset("matrix.value_potential", columns=columns).fit_transform(frame)
    places = np.arange(n)
    return frame.assign(
        province=np.array(["上海", "44", "Hunan", "海外"], dtype=object)[places % 4],
        city=np.array(CITIES, dtype=object)[places % 4],
        quantity_12M=places,
        value=frame["value_score"],
        potential=frame["potential_score"],
        importance=places % 5,
        urgency=places % 7,
    )


FRAME = everything()


def names_of(frame: object) -> list[str]:
    return frame.column_names if isinstance(frame, pa.Table) else list(frame.columns)


def added(name: str, frame: object, **options: object) -> pd.DataFrame:
    """What a preset adds, as pandas with plain objects, label by label."""
    estimator = xf.load_preset(name, **options)
    out = estimator.fit_transform(frame)
    out = out.to_pandas() if isinstance(out, (pl.DataFrame, pa.Table)) else out
    new = [column for column in out.columns if column not in names_of(frame)]
    if LISTED.loc[name, "operation"] == "bins":
        new = [LISTED.loc[name, "inputs"]]
    out = out[new].astype(object)
    return out.where(out.notna(), None)


def reads(name: str) -> pd.DataFrame:
    listed = LISTED.loc[name, ["inputs", "optional"]]
    return FRAME[[column for columns in listed if columns for column in columns.split(", ")]]


@pytest.mark.parametrize("name", NAMES)
def test_languages_and_kinds_of_frames_agree(name: str):
    frame = reads(name)
    keys = added(name, frame)
    assert len(keys.columns) >= 1
    assert keys.notna().any(axis=None)
    for kind in (pl.from_pandas, lambda f: pa.Table.from_pandas(f, preserve_index=False)):
        pd.testing.assert_frame_equal(added(name, kind(frame)), keys, check_dtype=False)
    spoken = {lang: added(name, frame, lang=lang) for lang in ("zh", "en")}
    for place in range(keys.shape[1]):
        key = pd.factorize(keys.iloc[:, place])[0]
        for table in spoken.values():
            assert (pd.factorize(table.iloc[:, place])[0] == key).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_inputs_are_enough_and_the_optional_ones_are_optional(name: str):
    frame = reads(name)
    optional = [column for column in LISTED.loc[name, "optional"].split(", ") if column]
    if optional:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            given = frame.drop(columns=optional)
            rows = given if given.shape[1] else FRAME[["customer_id"]]
            out = xf.load_preset(name).fit_transform(rows)
        assert len(out) == len(frame)
        assert len(seen) == 1
        assert all(f"'{column}'" in str(seen[0].message) for column in optional)
    for column in LISTED.loc[name, "inputs"].split(", "):
        if column:
            with pytest.raises(xf.errors.XifenError, match=f"'{column}'"):
                xf.load_preset(name).fit(FRAME[[c for c in frame.columns if c != column] or ["customer_id"]])


@pytest.mark.parametrize("name", NAMES)
def test_inputs_may_have_other_names(name: str):
    frame = reads(name)
    columns = {column: f'the "{column}"' for column in frame.columns}
    renamed = added_under(name, frame.rename(columns=columns), columns)
    pd.testing.assert_frame_equal(renamed, added(name, frame), check_names=False)


def added_under(name: str, frame: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    out = xf.load_preset(name, columns=columns).fit_transform(frame)
    if LISTED.loc[name, "operation"] == "bins":
        out = out.rename(columns={new: old for old, new in columns.items()})
    else:
        out = out.drop(columns=list(columns.values()))
    out = out.astype(object)
    return out.where(out.notna(), None)


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_is_a_json_file(name: str):
    frame = reads(name)
    estimator = xf.load_preset(name, lang="zh").fit(frame)
    again = type(estimator).from_json(estimator.to_json())
    pd.testing.assert_frame_equal(again.transform(frame), estimator.transform(frame))


@pytest.mark.parametrize(
    "name", [name for name in NAMES if LISTED.loc[name, "operation"] in ("rules", "codes", "tags")]
)
def test_every_preset_of_rules_says_the_same_in_duckdb(name: str):
    frame = pl.from_pandas(reads(name)).fill_nan(None).to_arrow()
    estimator = xf.load_preset(name, lang="zh").fit(frame)
    out = estimator.transform(frame)
    sql = estimator.to_sql()
    connection = duckdb.connect()
    connection.register("customers", frame)
    for column, text in (sql if isinstance(sql, dict) else {estimator.output: sql}).items():
        found = [answer for (answer,) in connection.execute(f"SELECT {text} FROM customers").fetchall()]
        assert found == out.column(column).to_pylist(), column
