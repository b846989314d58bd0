"""The report of a whole plan: what its words say, and that they are those of its language."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from chromium import PATH, Chromium
from plans import fitted, orders, small
from xifen.report import _method, html, sections
from xifen.report._basis import basis
from xifen.report._view import View
from xifen.report._words import Words

#: What may be said in Latin letters: the name of an analysis that Chinese writes so, too.
ALLOWED = {"SWOT"}


def section(result: object, key: str, lang: str | None = None) -> list[dict]:
    view = View(result, lang)
    return next(one for one in sections.SECTIONS if one.key == key).blocks(view)


@pytest.mark.skipif(PATH is None, reason="no Chromium on the PATH: apt-get install chromium")
def test_a_chinese_report_has_no_english_word(tmp_path: Path):
    """But names and rules of the model, which stand in code."""
    path = html.write(fitted("sales.zh"), tmp_path / "zh.html", progress=False)
    browser = Chromium()
    try:
        page = browser.open(path)
        page.wait("document.querySelectorAll('svg text').length > 100")
        drawn = page.run(
            "[...document.querySelectorAll('svg text, svg [aria-label]')].map((e) => e.textContent).join('\\n')"
        )
        page.run("document.querySelector('.people-table tbody button').click()")
        shown = page.run(
            "(() => { document.querySelectorAll('details').forEach((one) => one.open = true);"
            " document.querySelectorAll('code').forEach((one) => one.remove()); return document.body.innerText; })()"
        )
    finally:
        browser.close()
    assert "为什么在这里" in shown  # the customer's card is open
    assert "流失风险客户" in drawn
    found = {word for word in re.findall(r"[A-Za-z_]*[A-Za-z]{4,}[A-Za-z_]*", shown + drawn) if word not in ALLOWED}
    assert found == set()


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("zh", ["2024-02-29 至 2026-06-01，截至 2026-06-30", "人民币（CNY），已开票、含税", "不减去退货"]),
        ("en", ["2024-02-29 to 2026-06-01, as of 2026-06-30", "CNY, invoiced, with tax", "before returns"]),
    ],
)
def test_the_headline_says_of_what_it_is(lang: str, said: list[str]):
    tables = {"currency": "CNY", "basis": "invoiced, with tax", "returns": "exclude"}
    result = small(lang=lang, tables=tables).fit(orders())
    numbers, facts = section(result, "summary")
    assert numbers["kind"] == "numbers"
    texts = [text for _, text in facts["items"]]
    assert texts[:2] == said[:2]
    assert said[2] in texts[2]
    assert said[2] in numbers["items"][1]["note"]
    plain = basis(small().fit(orders()), small().fit(orders()).frame, Words("en"))
    assert [text for _, text in plain[1:]] == ["not stated by the plan", "Revenue is net of returns."]


def test_contacts_are_marked_by_a_word():
    segments = [{"rules": {"big": "monetary > 100", "small": "order_count > 0"}}]
    plan = small(
        segments=segments, contact={"last": "seen", "days": {"big": 30, "small": 30}}, privacy={"small_cells": 1}
    )
    result = plan.fit(orders(), {"customer_id": list("abc"), "seen": ["2026-05-30", "2026-06-20", None]})
    (table,) = section(result, "customers")
    column = next(one for one in table["columns"] if one["title"] == "Next contact")
    assert table["columns"].index(column) in table["table"]
    shown = [column["labels"][place] for place in column["values"]]
    assert sorted(shown) == ["2026-06-29 (overdue)", "2026-06-30 (due)", "2026-07-20"]


def test_goals_say_whether_they_are_reached_and_whom_they_cannot_judge():
    goal = {"rule": "monetary > 100 AND x > 0", "window": "3M", "count": "standing"}
    plan = small(goals=[{"name": "near", "target": 1, **goal}, {"name": "far", "target": 9, **goal}])
    result = plan.fit(orders(), {"customer_id": list("abc"), "x": [1.0, None, 1.0]})
    for lang, words in (("en", ["✓ reached", "not reached"]), ("zh", ["✓ 已达成", "未达成"])):
        _, table = section(result, "goals", lang)
        assert [row[5] for row in table["rows"]] == words
        assert [row[6] for row in table["rows"]] == ["1", "1"]
        assert table["code"] == [1]


@pytest.mark.parametrize(
    ("findings", "complete", "rows", "said"),
    [
        ([], True, 0, "complete"),
        (["overlap", "overlap"], True, 0, "complete"),
        (["gap", "overlap"], False, 0, "gap_empty"),
        (["gap"], False, 7, "gap"),
        (["gap"], False, None, "gap"),
        (["unknown", "overlap"], False, 0, "undecided"),
        (["shadowed"], True, 0, "dead"),
        (["gap", "unreachable"], False, 0, "dead"),
    ],
)
def test_only_faults_of_rules_have_a_cross(findings: list[str], complete: bool, rows: int | None, said: str):
    found = SimpleNamespace(findings=pd.DataFrame({"finding": findings}), complete=complete, gap_rows=rows)
    assert _method._judged(found) == said
    for lang in ("zh", "en"):
        assert ("✗" in Words(lang)(f"coverage.{said}")) is (said in ("gap", "dead"))


def test_a_count_is_of_customers_or_rows_and_a_rule_has_none():
    said = fitted("sales.zh").left_out().set_index("what")["count"]
    assert pd.isna(said["small_cells"])
    assert said.drop("small_cells").gt(0).all()
    assert not re.search("<NA>|nan", json.dumps(section(fitted("sales.zh"), "left_out")))


def test_conversions_are_in_words():
    """Each that the reader counts, of each file."""
    done = ["formula_text", "trailing_tab", "missing_word", "full_width", "thousands_separator", "currency", "percent"]
    done += ["unit", "column_unit_万元", "yes_no", "date", "unreadable"]
    for file in ("orders", "customers", "messages"):
        for conversion in done:
            assert not re.search("[a-z_]", Words("zh").count(f"{file}: amount, {conversion}").replace("amount", ""))
    assert (
        Words("en").count("orders: paid, ex tax, thousands_separator")
        == "Reading orders: 'paid, ex tax', thousands separator"
    )
    assert Words("zh").count("customers") == "客户"


def test_where_fields_come_from():
    source = fitted("sales.en").fields().set_index("field")["source"]
    assert source[["monetary", "industry", "owner", "next_contact", "value_score"]].tolist() == [
        "tables",
        "customers",
        "plan",
        "plan",
        "score.value",
    ]
