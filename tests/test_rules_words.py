"""What reports on rules say: the language of a preset's labels, and labels that would disturb a line."""

from __future__ import annotations

import re

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from xifen._rule_words import value_in, visible

# -- language ------------------------------------------------------------------------------------------

CUSTOMERS = pd.DataFrame(
    {
        "customer_id": ["甲", "乙"], "monetary_12M": [600_000.0, 300_000.0], "gross_margin": [0.1, None],
        "order_count_3M": [1, 1], "order_count_prev_3M": [1, 2],
    }
)  # fmt: skip


def test_a_chinese_preset_is_reported_in_chinese():
    tagger = xf.load_preset("tag.value", lang="zh").fit(CUSTOMERS)
    coverage = tagger.coverage(CUSTOMERS)
    lines = repr(coverage).splitlines()
    assert lines[0].startswith("240 种组合（5 monetary_12M x ")
    assert lines[0].endswith("：完整")
    assert lines[1].startswith(
        "  默认（“价值标签”）：122 种归入“未分类”，例如 monetary_12M 100000, gross_margin 低于 0.3, "
    )
    assert lines[2] == "  行数：2，其中 0 行落在缺口，0 行未知"
    assert lines[3].split() == ["标签", "标签族", "行数", "组合数", "成立数", "状态", "规则"]
    assert lines[4].split()[:6] == ["高价值客户", "价值标签", "0", "16", "16", "正常"]
    assert coverage.summary["status"].tolist() == [
        "ok",
        "ok",
        "ok",
        "default",
    ]  # for programs, the same in each language
    english = repr(tagger.coverage(lang="en"))
    assert "combinations" in english
    assert "gross_margin below 0.3" in english
    told = tagger.explain(CUSTOMERS)
    assert str(told).splitlines()[0] == "customer_id 甲：标签：无"
    assert "若 gross_margin 略高于 0.3（现为 0.1）" in str(told) or "若 gross_margin > 0.3（现为 0.1）" in str(told)
    assert "tags: none" not in str(tagger.explain(CUSTOMERS, lang="en"))
    assert "nearest" in str(tagger.explain(CUSTOMERS, lang="en"))


def test_the_language_is_that_of_the_labels():
    frame = CUSTOMERS.assign(employees=[10, 600])
    for lang, word in (("zh", "种组合"), ("en", "combinations"), (None, "combinations")):
        segmenter = xf.load_preset("band.size", lang=lang).fit(frame)
        assert word in repr(segmenter.coverage())
        again = xf.RuleSegmenter.from_json(segmenter.to_json())
        assert repr(again.coverage()) == repr(segmenter.coverage())
    mine = xf.RuleSegmenter({"大": "employees > 50"}).fit(frame)
    assert "combinations" in repr(mine.coverage())
    assert "种组合" in repr(mine.coverage(lang="zh"))
    for report in (mine.coverage, lambda lang: mine.explain(frame, lang=lang)):
        with pytest.raises(xf.errors.ParameterError, match="lang is 'fr'; wanted 'en', 'zh' or None"):
            report(lang="fr")


def every_finding() -> xf.RuleSegmenter:
    rules = {
        "a": "x > 5 AND y / z > 1", "b": "x > 6", "c": "x > 7", "never": "x > 5 AND x < 4",
        "d": "recency_score <= 2 AND recency_days <= 30", "e": "t LIKE 'a%'",
    }  # fmt: skip
    frame = pd.DataFrame({"x": [1.0], "y": [1.0], "z": [1.0], "recency_score": [1], "recency_days": [1], "t": ["a"]})
    return xf.RuleSegmenter(rules).fit(frame)


def test_no_english_is_left_in_a_chinese_report():
    segmenter = every_finding()
    coverage = segmenter.coverage(lang="zh")
    kinds = set(coverage.findings["finding"])
    assert {"gap", "unknown", "shadowed", "unreachable", "overlap", "direction"} <= kinds
    told = repr(coverage)
    for sentence in ("缺口", "未知", "被遮蔽", "不可达", "重叠", "方向", "以下表达式可取任意值", "可能"):
        assert sentence in told
    known = {
        "x",
        "y",
        "z",
        "t",
        "a",
        "b",
        "c",
        "d",
        "e",
        "never",
        "recency",
        "score",
        "days",
        "AND",
        "LIKE",
        "FALSE",
        "TRUE",
    }
    assert not set(re.findall(r"[A-Za-z]+", told)) - known
    assert segmenter.coverage(lang="en").findings["finding"].tolist() == coverage.findings["finding"].tolist()


@pytest.mark.parametrize(
    ("value", "chinese"),
    [
        ("missing", "缺失"), ("present", "有值"), ("any number", "任意数值"), ("any text", "任意文本"), ("another text", "其他文本"),
        ("below 5", "低于 5"), ("above -0.5", "高于 -0.5"), ("between 5 and 6.5", "5 与 6.5 之间"),
        ("a text before 'm'", "'m' 之前的文本"), ("a text after 'it''s and so'", "'it''s and so' 之后的文本"),
        ("a text between 'a and b' and 'c' (2)", "'a and b' 与 'c' 之间的文本 (2)"),
        ("before DATE '2026-06-30'", "早于 DATE '2026-06-30'"),
        ("between DATE '2026-06-30' and TIMESTAMP '2026-07-01 12:00:00'", "DATE '2026-06-30' 与 TIMESTAMP '2026-07-01 12:00:00' 之间"),
        ("just above 3", "略高于 3"), ("just after 'x'", "紧接 'x' 之后的文本"), (">= 3", ">= 3"), ("'below 5'", "'below 5'"),
        ("'missing'", "'missing'"), ("42", "42"),
    ],
)  # fmt: skip
def test_values_in_chinese(value: str, chinese: str):
    assert value_in("zh", value) == chinese
    assert value_in("en", value) == value


# -- labels --------------------------------------------------------------------------------------------

ODD = [
    'it\'s "quoted"; a,b',
    "line\nend\r\n\ttab",
    "\u202eشركة عربية\u202c",
    "汉字；、，“引”",
    "100 % _ \\ $1 {x} :p",
    "'--",
    "😀",
]
RULES = {label: f"x = {place}" for place, label in enumerate(ODD)}
DEFAULT = "de\"f'\n"
FRAME = pd.DataFrame({"customer_id": [*ODD, "l", "m"], "x": pd.array([*range(len(ODD)), 99, None], dtype="Int64")})
KINDS = pytest.mark.parametrize(
    "kind", [lambda f: f, pl.from_pandas, lambda f: pa.Table.from_pandas(f, preserve_index=False)],
    ids=["pandas", "polars", "pyarrow"],
)  # fmt: skip


def plain(frame, column: str) -> list:
    values = frame.column(column).to_pylist() if isinstance(frame, pa.Table) else list(frame[column])
    return [None if isinstance(value, float) or value is pd.NA else value for value in values]


def in_duckdb(sql: str) -> list:
    connection = duckdb.connect()
    connection.register("customers", pa.Table.from_pandas(FRAME, preserve_index=False))
    return [found for (found,) in connection.execute(f"SELECT {sql} FROM customers").fetchall()]


@KINDS
def test_odd_labels_of_segments(kind):
    frame = kind(FRAME)
    segmenter = xf.RuleSegmenter(RULES, default=DEFAULT).fit(frame)
    out = segmenter.transform(frame)
    assert plain(out, "segment") == [*ODD, DEFAULT, None] == in_duckdb(segmenter.to_sql())
    assert plain(xf.RuleSegmenter.from_json(segmenter.to_json()).transform(frame), "segment") == plain(out, "segment")
    coverage = segmenter.coverage(frame)
    assert coverage.summary["label"].tolist() == [*ODD, DEFAULT]
    told = segmenter.explain(frame, ids=[ODD[1]])
    assert plain(told.frame, "label") == [ODD[1]] * len(plain(told.frame, "label"))
    for text in (repr(coverage), str(told)):
        assert "line\\nend\\r\\n\\ttab" in text
        assert not re.search(r"[\r\t\u202e]", text)
    lines = repr(coverage).splitlines()
    assert len(lines) == 1 + 1 + 1 + 1 + len(ODD) + 1  # head, default, rows, headings, labels, default


@KINDS
def test_odd_labels_of_tags_and_families(kind):
    frame = kind(FRAME)
    families = {'family "x",\n': {"tags": ODD[:3], "exclusive": True, "default": DEFAULT}, "\u202e2": {"tags": ODD[3:]}}
    tagger = xf.RuleTagger(RULES, families=families, list_output='list,"', text_output="text\n", separator="§").fit(
        frame
    )
    out = tagger.transform(frame)
    assert [list(tags) for tags in plain(out, 'list,"')] == [*([label] for label in ODD), [], []]
    assert plain(out, "text\n") == [*ODD, "", ""]
    assert plain(out, 'family "x",\n') == [*ODD[:3], *[DEFAULT] * (len(ODD) - 2), None]
    for name, sql in tagger.to_sql().items():
        assert in_duckdb(sql) == plain(out, name)
    again = xf.RuleTagger.from_json(tagger.to_json()).transform(frame)
    assert [plain(again, name) for name in tagger.to_sql()] == [plain(out, name) for name in tagger.to_sql()]
    for text in (repr(tagger.coverage(frame)), str(tagger.explain(frame))):
        assert not re.search(r"[\r\t\u202e]", text)


def test_odd_values_and_columns():
    texts = pd.DataFrame({"customer_id": ODD, "t": ODD})
    rules = {f"r{place}": "t = '" + text.replace("'", "''") + "'" for place, text in enumerate(ODD)}
    segmenter = xf.RuleSegmenter(rules).fit(texts)
    assert segmenter.transform(texts)["segment"].tolist() == list(rules)
    assert "t = 'line\\nend\\r\\n\\ttab': yes" in str(segmenter.explain(texts, ids=[ODD[1]]))
    wide = pd.DataFrame({name: [1.0] for name in ODD})
    both = " AND ".join('"' + name.replace('"', '""') + '" = 1' for name in ODD)
    segmenter = xf.RuleSegmenter({"all": both}).fit(wide)
    assert segmenter.transform(wide)["segment"].tolist() == ["all"]
    connection = duckdb.connect()
    connection.register("wide", pa.Table.from_pandas(wide, preserve_index=False))
    assert connection.execute(f"SELECT {segmenter.to_sql()} FROM wide").fetchall() == [("all",)]
    assert len(repr(segmenter.coverage()).splitlines()) == 4  # head, gap, headings, the label


def test_a_rule_of_several_lines_is_told_in_one():
    frame = pd.DataFrame({"x": [3]})
    told = str(xf.RuleSegmenter({"a": "x > 1\n    AND x < 5"}).fit(frame).explain(frame))
    assert "because 'a' holds: x > 1 AND x < 5" in told


def test_what_is_visible():
    assert visible("a\x00b\x1b[1m\u2028\u2066c") == "a\\x00b\\x1b[1m\\u2028\\u2066c"
    assert visible("汉字 شركة é") == "汉字 شركة é"


# -- names and texts that cannot be -----------------------------------------------------------------------


def test_a_rule_is_not_advised_to_be_its_own_condition():
    with pytest.raises(xf.errors.RuleError, match=r"no column 'monetary_hig'; the frame has: x\n"):
        xf.RuleSegmenter({"monetary_high": "monetary_hig > 1"}).fit(pd.DataFrame({"x": [3]}))


@pytest.mark.parametrize(("label", "rule", "place"), [("a\ud800", "x > 1", 1), ("a", "x = '\ud800'", 5)])
def test_half_a_character_is_refused(label: str, rule: str, place: int):
    with pytest.raises(xf.errors.ParameterError, match=rf"character {place} of .* is half of one \(a lone surrogate\)"):
        xf.RuleSegmenter({label: rule}).fit(pd.DataFrame({"x": [3]}))


def test_numbers_as_names_of_columns():
    with pytest.raises(xf.errors.InputError, match=r"has a name of text; it has \[0, 1\]: rules find columns by name"):
        xf.RuleSegmenter({"a": "x > 1"}).fit(pd.DataFrame([[1, 2]]))
