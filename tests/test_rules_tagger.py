"""RuleTagger: any number of tags, families, lists, and what is unknown; against SQL in duckdb and polars expressions."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from sklearn.base import clone
from test_rules_sql import SCHEMA, conditions, in_duckdb, leaves, like, number, rows, text, time

FRAME = pd.DataFrame(
    {
        "customer_id": ["001", "002", "003", "004", "005"],
        "amount": [600_000.0, 300_000.0, 50_000.0, np.nan, 700_000.0],
        "margin": [0.4, 0.1, 0.5, 0.2, np.nan],
        "orders_3M": pd.array([5, 3, 1, 4, 2], dtype="Int64"),
        "orders_prev_3M": pd.array([2, 3, 0, None, 1], dtype="Int64"),
        "渠道": ["web", "shop", None, "web", "web"],
    }
)
#: The value family of domain.md, section 4, and two tags of no family.
RULES = {
    "high": "amount > 500000 AND margin > 0.3",
    "potential": "amount BETWEEN 100000 AND 500000 AND orders_3M > orders_prev_3M",
    "ordinary": "amount < 100000",
    "rising": "orders_3M > orders_prev_3M",
    "web": "渠道 = 'web'",
}
FAMILIES = {
    "value": {"tags": ["high", "potential", "ordinary"], "exclusive": True, "default": "unclassified"},
    "behaviour": {"tags": ["rising", "web"]},
}
EXPECTED = {
    "high": [True, False, False, False, None],
    "potential": [False, False, False, None, False],
    "ordinary": [False, False, True, None, False],
    "rising": [True, False, True, None, True],
    "web": [True, False, None, True, True],
    "value": ["high", "unclassified", "ordinary", None, None],
}


def plain(column) -> list:
    """Values with None where they are missing."""
    values = column.to_pylist() if isinstance(column, pa.ChunkedArray) else list(column)
    return [None if value is pd.NA or (isinstance(value, float) and np.isnan(value)) else value for value in values]


def in_kind(kind: str):
    return {
        "pandas": lambda: FRAME,
        "polars": lambda: pl.from_pandas(FRAME),
        "pyarrow": lambda: pa.Table.from_pandas(FRAME),
        "dict": lambda: {name: FRAME[name].array for name in FRAME},
        "arrow-backed": lambda: FRAME.convert_dtypes(dtype_backend="pyarrow"),
        "categorical": lambda: FRAME.astype({"渠道": "category"}),
        "enum": lambda: pl.from_pandas(FRAME).with_columns(pl.col("渠道").cast(pl.Enum(["web", "shop"]))),
        "pieces": lambda: pl.concat([pl.from_pandas(FRAME[:2]), pl.from_pandas(FRAME[2:])], rechunk=False),
        "dictionary": lambda: pa.Table.from_pandas(FRAME.astype({"渠道": "category"})),
    }[kind]()


@pytest.mark.parametrize(
    "kind", ["pandas", "polars", "pyarrow", "dict", "arrow-backed", "categorical", "enum", "pieces", "dictionary"]
)
def test_every_kind_of_frame(kind: str):
    tagger = xf.RuleTagger(RULES, families=FAMILIES, list_output="tags", text_output="text")
    out = tagger.fit_transform(in_kind(kind))
    for name, values in EXPECTED.items():
        assert plain(out[name]) == values, name
    tags = [[tag for tag in RULES if EXPECTED[tag][row] is True] for row in range(len(FRAME))]
    unknown = [[tag for tag in RULES if EXPECTED[tag][row] is None] for row in range(len(FRAME))]
    assert [list(found) for found in plain(out["tags"])] == tags
    assert [list(found) for found in plain(out["tags_unknown"])] == unknown
    assert plain(out["text"]) == [";".join(found) for found in tags]
    assert plain(out["text_unknown"]) == [";".join(found) for found in unknown]
    names = out.column_names if kind in ("pyarrow", "dictionary") else list(out.columns)
    assert names == list(tagger.get_feature_names_out())
    added = ["high", "potential", "ordinary", "rising", "web", "value", "tags", "tags_unknown", "text", "text_unknown"]
    assert names[len(FRAME.columns) :] == added


def test_types_of_columns():
    tagger = xf.RuleTagger(RULES, families=FAMILIES, list_output="tags")
    pandas = tagger.fit_transform(FRAME)
    assert pandas["high"].dtype == "boolean"
    assert pandas["value"].cat.categories.tolist() == ["high", "potential", "ordinary", "unclassified"]
    assert pandas.explode("tags")["tags"].tolist()[:3] == ["high", "rising", "web"]
    polars = tagger.transform(pl.from_pandas(FRAME))
    assert polars["high"].dtype == pl.Boolean
    assert polars["value"].dtype == pl.Enum(["high", "potential", "ordinary", "unclassified"])
    assert polars["tags"].dtype == pl.List(pl.String)
    arrow = tagger.transform(pa.Table.from_pandas(FRAME))
    assert arrow["high"].type == pa.bool_()
    assert arrow["tags"].type == pa.list_(pa.large_string())


def test_index_and_frame_are_kept():
    frame = FRAME.set_axis([7, 7, 1, 0, 3])
    before = frame.copy(deep=True)
    out = xf.RuleTagger(RULES, text_output="text").fit_transform(frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(out[FRAME.columns.tolist()], before)


def test_an_exclusive_family_is_one_tag_at_most():
    """Every combination of true, false and unknown: by the definition, rule by rule."""
    values = [True, False, None]
    cells = pd.MultiIndex.from_product([values] * 3, names=["a", "b", "c"]).to_frame(index=False).astype("boolean")
    rules = {"A": "a", "B": "b", "C": "c"}
    out = xf.RuleTagger(
        rules, families={"one": {"tags": ["A", "B", "C"], "exclusive": True, "default": "none"}}
    ).fit_transform(cells)
    segments = xf.RuleSegmenter(rules, default="none").fit_transform(cells)["segment"]
    assert plain(out["one"]) == plain(segments)
    for row in range(len(cells)):
        # Any way to fill in what is unknown: a tag is known where all ways agree.
        own = [plain(cells[name])[row] for name in "abc"]
        worlds = [[]]
        for value in own:
            worlds = [
                [*world, choice] for world in worlds for choice in ([value] if value is not None else [True, False])
            ]
        for place, tag in enumerate("ABC"):
            answers = {world[place] and not any(world[:place]) for world in worlds}
            assert plain(out[tag])[row] == (answers.pop() if len(answers) == 1 else None), (own, tag)
    # The family's order decides, not that of the rules.
    turned = xf.RuleTagger(rules, families={"one": {"tags": ["C", "A"], "exclusive": True}}).fit_transform(cells)
    assert plain(turned["one"])[0] == "C"
    assert plain(turned["B"]) == plain(cells["b"])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=rows,
    written=st.lists(conditions(leaves(number) | leaves(text) | leaves(time) | like), min_size=2, max_size=4),
    cut=st.integers(0, 30),
)
def test_same_tags_as_duckdb(rows, written, cut):
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    pieces = pa.concat_tables([table[:cut], table[cut:]])
    rules = {f"it's {place}": condition for place, condition in enumerate(written)}
    families = {"fam": {"tags": list(rules)[:2], "exclusive": True, "default": "none of 'em"}}
    tagger = xf.RuleTagger(rules, families=families).fit(table)
    try:
        ours = tagger.transform(pieces)
    except UserWarning:
        reject()  # an overflow, where duckdb raises an error
    sql = tagger.to_sql()
    assert list(sql) == [*rules, "fam"]
    for name, expression in sql.items():
        assert plain(ours[name]) == in_duckdb(expression, table), name


def test_same_tags_as_polars_over_many_rows():
    rng = np.random.default_rng(5)
    size = 200_001  # several chunks, and not a whole number of words
    frame = pl.DataFrame({"a": rng.integers(0, 9, size), "b": rng.normal(size=size)}).with_columns(
        b=pl.when(pl.col("a") == 3).then(None).otherwise(pl.col("b"))
    )
    rules = {"x": "a > 4 AND b > 0.5", "y": "NOT (b < 0 OR a = 2)", "z": "a IN (1, 8)"}
    expected = frame.select(**{tag: pl.sql_expr(rule) for tag, rule in rules.items()})
    tagger = xf.RuleTagger(rules, list_output="tags").fit(frame)
    for table in (frame, pl.concat([frame[:77], frame[77:100_000], frame[100_000:]], rechunk=False)):
        out = tagger.transform(table)
        assert out.select(list(rules)).equals(expected)
        lists = expected.select(
            pl.concat_list(pl.when(pl.col(tag)).then(pl.lit(tag)) for tag in rules).list.drop_nulls()
        )
        assert out["tags"].to_list() == lists.to_series().to_list()
    assert tagger.transform(frame.to_pandas())[list(rules)].equals(
        expected.to_pandas(use_pyarrow_extension_array=False).astype("boolean")
    )


def test_scikit_learn_citizen():
    tagger = xf.RuleTagger(
        RULES, families=FAMILIES, text_output="tags", separator="、", output={"web": "来自网络", "value": "价值"}
    ).fit(FRAME)
    expected = tagger.transform(FRAME)
    assert {"来自网络", "价值"} <= set(expected.columns)
    restored = xf.RuleTagger.from_json(tagger.to_json())
    assert restored.get_params() == tagger.get_params()
    for same in (pickle.loads(pickle.dumps(tagger)), restored, clone(tagger).fit(FRAME)):
        pd.testing.assert_frame_equal(same.transform(FRAME), expected)
    assert isinstance(tagger.set_output(transform="polars").transform(FRAME), pl.DataFrame)


def test_table_shows_families_and_names():
    aliases = {"high": {"zh": "高价值客户", "en": "High value"}}
    table = xf.RuleTagger(RULES, families=FAMILIES, aliases=aliases).table()
    assert table.columns.tolist() == ["label", "zh", "en", "family", "rule"]
    assert table["label"].tolist() == [*RULES, "unclassified"]
    assert table["family"].tolist() == ["value", "value", "value", "behaviour", "behaviour", "value"]
    assert xf.RuleTagger(RULES).table().columns.tolist() == ["label", "rule"]


def test_learned_parameters_and_domains():
    rules = {"above": "amount > :mean"}
    tagger = xf.RuleTagger(rules, parameters={"mean": "mean(amount)"}, domains={"amount": (0.0, 1e6)})
    assert plain(tagger.fit_transform(FRAME)["above"]) == [True, False, False, None, True]
    assert tagger.parameters_ == {"mean": 412_500.0}
    with pytest.raises(xf.errors.InputError, match="column 'amount' is -1 in row 1"):
        tagger.transform(FRAME.assign(amount=[1.0, -1, 2, 3, 4]))


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_empty_null_and_no_column(kind: str):
    make = {"pandas": lambda f: f, "polars": pl.from_pandas, "pyarrow": pa.Table.from_pandas}[kind]
    options = {"families": FAMILIES, "list_output": "tags", "text_output": "text"}
    empty = xf.RuleTagger(RULES, **options).fit_transform(make(FRAME.iloc[:0].astype({"渠道": "str"})))
    assert len(empty) == 0
    null = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}[kind](
        {name: [None] * 3 for name in FRAME}
    )
    out = xf.RuleTagger(RULES, **options).fit_transform(null)
    for tag in [*RULES, "value"]:
        assert plain(out[tag]) == [None] * 3
    assert plain(out["text_unknown"]) == [";".join(RULES)] * 3
    always = xf.RuleTagger({"all": "1 = 1"}).fit_transform(make(FRAME))
    assert plain(always["all"]) == [True] * 5
    with pytest.raises(xf.errors.InputError, match="has no columns"):
        xf.RuleTagger({"all": "TRUE"}).fit(make(FRAME)[[]] if kind == "pandas" else make(FRAME).select([]))


@pytest.mark.parametrize("count", [1, 8, 9, 300])
def test_many_tags(count: int):
    frame = pd.DataFrame({"x": np.arange(130)})
    rules = {f"r{place}": f"x > {place}" for place in range(count)}
    families = {"f": {"tags": list(rules), "exclusive": True}}
    out = xf.RuleTagger(rules, families=families, list_output="tags").fit_transform(frame)
    assert plain(out["f"]) == [None] + ["r0"] * 129
    free = xf.RuleTagger(rules, list_output="tags").fit_transform(frame)
    assert [len(tags) for tags in free["tags"]] == [min(row, count) for row in range(130)]
    assert free["tags"][129] == list(rules)[:129]


def test_overflow_is_unknown_and_warned():
    with pytest.warns(UserWarning, match="1 result of whole-number or decimal calculation") as caught:
        out = xf.RuleTagger({"a": "x * 2 > 0"}).fit_transform(pd.DataFrame({"x": [2**62, 1]}))
    assert plain(out["a"]) == [None, True]
    assert caught[0].filename == __file__


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"rules": {}}, xf.errors.ParameterError, "rules is empty"),
            ({"rules": {"a": "渠道"}}, xf.errors.RuleError, "not a condition"),
            ({"families": ["value"]}, TypeError, "families must be a mapping"),
            ({"families": {"f": ["a"]}}, TypeError, "to a mapping with"),
            ({"families": {"f": {"tag": ["a"]}}}, xf.errors.ParameterError, "did you mean 'tags'"),
            ({"families": {"f": {"tags": "a"}}}, TypeError, "must be a list of text"),
            ({"families": {"f": {"tags": []}}}, xf.errors.ParameterError, "has no tags"),
            (
                {"families": {"f": {"tags": ["webb"]}}},
                xf.errors.ParameterError,
                "'webb' that no rule has; did you mean",
            ),
            ({"families": {"f": {"tags": ["web", "web"]}}}, xf.errors.ParameterError, "'web' twice"),
            (
                {"families": {"f": {"tags": ["web"]}, "g": {"tags": ["web"]}}},
                xf.errors.ParameterError,
                "'web' is in the families 'f' and 'g'",
            ),
            ({"families": {"web": {"tags": ["web"]}}}, xf.errors.ParameterError, "both called 'web'"),
            ({"families": {"f": {"tags": ["web"], "exclusive": 1}}}, TypeError, "must be True or False"),
            ({"families": {"f": {"tags": ["web"], "default": "d"}}}, xf.errors.ParameterError, "is not exclusive"),
            ({"families": {"f": {"tags": ["web"], "exclusive": True, "default": 3}}}, TypeError, "a label or None"),
            ({"list_output": 3}, TypeError, "name of the added column"),
            ({"text_output": "web"}, xf.errors.ParameterError, "would be called 'web'"),
            ({"text_output": "t", "separator": ""}, TypeError, "separator must be text"),
            ({"text_output": "t", "separator": "e"}, xf.errors.ParameterError, "holds the separator 'e'"),
            ({"output": {"webb": "x"}}, xf.errors.ParameterError, "no such tag or family; did you mean 'web'"),
            ({"output": {"web": "rising"}}, xf.errors.ParameterError, "would be called 'rising'"),
            ({"output": "x"}, TypeError, "output must map"),
        ],
    )
    def test_parameters(self, options: dict, error: type[Exception], message: str):
        with pytest.raises(error, match=message):
            xf.RuleTagger(**{"rules": RULES, **options}).fit(FRAME)

    def test_added_column_that_exists(self):
        with pytest.raises(xf.errors.InputError, match="already has a column 'web'"):
            xf.RuleTagger(RULES).fit_transform(FRAME.assign(web=1))

    def test_columns_that_are_not_there_or_not_numbers(self):
        tagger = xf.RuleTagger(RULES).fit(FRAME)
        with pytest.raises(xf.errors.InputError, match="no column 'margin'"):
            tagger.transform(FRAME.drop(columns="margin"))
        with pytest.raises(xf.errors.InputError, match="column 'amount' is infinite in row 4"):
            tagger.transform(FRAME.assign(amount=[1.0, 2, 3, 4, np.inf]))
        with pytest.raises(TypeError, match="expects 'amount', 'margin'"):
            tagger.transform(np.zeros((2, 2)))


def test_a_default_may_be_empty():
    family = {"tags": ["big"], "exclusive": True, "default": ""}
    tagger = xf.RuleTagger({"big": "x > 1"}, families={"size": family}).fit({"x": [1]})
    assert tagger.transform(pd.DataFrame({"x": [1, 2]}))["size"].tolist() == ["", "big"]
