"""The HTML report in a real browser: nothing is fetched, nothing complains, selection, search and sorting work."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from chromium import PATH, Chromium
from segmentation import StandIn
from xifen.errors import ParameterError
from xifen.report import _measures, charts, html, sections
from xifen.report._view import View

needs_browser = pytest.mark.skipif(PATH is None, reason="no Chromium on the PATH: apt-get install chromium")

#: Texts that would do harm if they were taken for markup, code, or direction.
HOSTILE = [
    "<script>window.harmed = 1</script>",
    "</script><script>window.harmed = 2</script>",
    "<img src=x onerror='window.harmed = 3'>",
    "'\"); window.harmed = 4; //",
    "null\x00byte and \x1b[31m",
    "\u202eright to left\u2066",
    "line\u2028separator",
    "%%data%% {segment} \\u003c/script>",
]


@pytest.fixture(scope="module")
def result():
    return StandIn(700, "zh")


@pytest.fixture(scope="module")
def page(result, tmp_path_factory):
    return html.write(result, tmp_path_factory.mktemp("report") / "zh.html", progress=False)


@pytest.fixture(scope="module")
def browser():
    found = Chromium()
    yield found
    found.close()


SEARCH = "((e) => {{ e.value = {text}; e.dispatchEvent(new Event('input')); }})(document.querySelector('input[type=search]'))"


def data_of(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def blocks_of(data, kind=None):
    every = [block for part in data["parts"] for section in part["sections"] for block in section["blocks"]]
    return [block for block in every if kind is None or block["kind"] == kind]


# In the browser


@needs_browser
def test_the_page_opens_offline_without_complaint_and_fits_a_phone(browser, page):
    for width, phone in ((1280, False), (390, True)):
        opened = browser.open(page, width=width, phone=phone)
        assert opened.requests() == []
        assert opened.complaints() == []
        assert opened.run("document.documentElement.scrollWidth") <= width
        figures = opened.run(
            "[...document.querySelectorAll('figure')].map((f) => [f.dataset.chart, f.querySelectorAll('svg path, svg text').length])"
        )
        assert len(figures) > 10
        assert all(marks > 5 for _, marks in figures), figures
        opened.close()


@needs_browser
def test_choosing_a_segment_filters_every_chart_the_table_and_the_numbers(browser, page, result):
    opened = browser.open(page)
    before = opened.run("document.querySelector('.numbers dd').textContent")
    heat = "document.querySelector('figure[data-chart=heat] svg').textContent"
    drawn = opened.run(heat)
    opened.run("document.querySelector('#choice button[data-segment=\"2\"]').click()")
    label = result.segments[2]
    size = int((result.frame["segment"] == label).sum())
    assert before == "700"
    assert opened.run("document.querySelector('.numbers dd').textContent") == str(size)
    by = opened.run("[...document.querySelectorAll('figure')].map((f) => f.dataset.segment)")
    assert set(by) == {"2"}
    cells = opened.run("[...document.querySelectorAll('.people-table tbody tr')].map((r) => r.cells[1].textContent)")
    assert set(cells) == {label}
    opened.wait(f"{heat} !== {json.dumps(drawn)}")
    assert label in opened.run("document.getElementById('said').textContent")
    assert (
        opened.run("document.querySelector('#choice button[data-segment=\"2\"]').getAttribute('aria-pressed')")
        == "true"
    )
    opened.press("Escape")
    assert opened.run("document.querySelector('.numbers dd').textContent") == before
    opened.wait(f"{heat} === {json.dumps(drawn)}")
    assert opened.complaints() == []
    opened.close()


@needs_browser
def test_the_table_sorts_searches_and_opens_a_card_by_keyboard(browser, page, result):
    opened = browser.open(page)
    column = "[...document.querySelectorAll('.people-table tbody tr')].map((r) => r.cells[2].textContent)"
    heads = opened.run("[...document.querySelectorAll('.people-table thead button')].map((b) => b.textContent)")
    assert heads[:3] == ["客户", "细分", "净金额"]
    opened.run("document.querySelectorAll('.people-table thead button')[2].focus()")
    opened.press("Enter", "\r")
    opened.press("Enter", "\r")  # the second time the other way round
    shown = [float(text.replace(",", "")) for text in opened.run(column)]
    assert shown == sorted(shown)
    assert opened.run("document.querySelectorAll('.people-table th')[2].getAttribute('aria-sort')") == "ascending"
    opened.run(SEARCH.format(text="'c0003'"))
    assert opened.run(
        "[...document.querySelectorAll('.people-table tbody tr')].map((r) => r.cells[0].textContent)"
    ) == ["C0003"]
    opened.run("document.querySelector('.people-table tbody button').focus()")
    opened.press("Enter", "\r")
    card = opened.run("document.getElementById('card').open && document.getElementById('card').innerText")
    for heading in ("基本情况", "交易历史", "标签", "为什么在这里", "行动建议"):
        assert heading in card
    best = result.frame.nlargest(3, "monetary").iloc[2]
    assert str(best["segment"]) in card
    assert "recency_score" in card  # the rule that decided
    opened.press("Escape")
    opened.wait("!document.getElementById('card').open")
    opened.run(SEARCH.format(text="'nobody'"))
    assert opened.run("document.querySelectorAll('.people-table tbody tr').length") == 0
    opened.close()


@needs_browser
def test_everything_that_acts_is_reached_and_named(browser, page):
    opened = browser.open(page)
    unnamed = "[...document.querySelectorAll('button, input, [role=textbox], figure .chart')].filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label')))"
    assert opened.run(f"{unnamed}.length") == 0
    assert opened.run(
        "[...document.querySelectorAll('section')].every((s) => document.getElementById(s.getAttribute('aria-labelledby')))"
    )
    assert opened.run(
        "[...document.querySelectorAll('#contents a')].every((a) => document.querySelector(a.getAttribute('href')))"
    )
    opened.press("Tab")
    assert opened.run("document.activeElement.className") == "skip"
    opened.close()


@needs_browser
def test_it_prints(browser, page, tmp_path):
    opened = browser.open(page, dark=True)
    opened.pdf(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").stat().st_size > 50_000
    opened.close()


@needs_browser
def test_hostile_values_do_nothing(browser, tmp_path):
    result = StandIn(300, "en", small_cells=0)
    renamed = dict(zip(result.segments, HOSTILE, strict=False))
    result.segments = [renamed.get(label, label) for label in result.segments]
    result.frame["segment"] = result.frame["segment"].cat.rename_categories(renamed)
    names = ["x" * 10_000_000, *HOSTILE]
    industry = pd.Series(np.resize(np.array(names, dtype=object), len(result.frame)), index=result.frame.index)
    result.frame["industry"] = industry
    result.plan.name = HOSTILE[1]
    result.playbook["label"] = result.playbook["label"].replace(renamed)
    result.playbook["actions"] = HOSTILE[0]
    result.counts = dict.fromkeys(HOSTILE, 1)
    path = html.write(result, tmp_path / "hostile.html", real_ids=True, progress=False)
    assert path.stat().st_size < 3_000_000
    assert "\x00" not in path.read_text(encoding="utf-8")
    opened = browser.open(path)
    opened.run("document.querySelectorAll('details').forEach((d) => (d.open = true)); people.open(0)")
    assert opened.run("window.harmed === undefined")
    assert opened.run("document.querySelectorAll('main img, dialog img, main script').length") == 0
    assert opened.run("document.querySelector('#choice button[data-segment=\"0\"]').textContent") == HOSTILE[0]
    assert opened.complaints() == []
    assert opened.requests() == []
    said = opened.run("document.getElementById('left_out').textContent")
    assert "of more than 200 characters were cut" in said
    assert "control or direction characters" in said
    opened.close()


# Without it


def test_the_file_is_small_whole_and_locked(page):
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 3_000_000
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert not re.search(r'(src|href)="(?!#)', text[: text.index('<script type="application/json"')])
    assert "innerHTML" not in "".join(
        (page_file).read_text(encoding="utf-8")
        for page_file in sorted((html.resources.files("xifen.report") / "page").iterdir(), key=str)
    )


def test_ids_and_contacts_stay_out_unless_asked(result, page):
    data = data_of(page)
    (table,) = blocks_of(data, "customers")
    assert table["ids"][:2] == ["C0001", "C0002"]
    assert not {"name", "contact", "notes"} & {column["title"] for column in table["columns"]}
    assert result.frame["name"].iloc[0] not in page.read_text(encoding="utf-8")
    shown = View(result, real_ids=True)
    assert sections._customers._ids(shown, np.array([3])) == [str(result.frame["customer_id"].iloc[3])]


def test_no_table_and_no_questions_answers_when_customers_are_left_out(result):
    data = json.loads(html._embedded(sections.build(View(result, customers=0))))
    assert blocks_of({"parts": data}, "customers") == []
    assert all(item["answers"] == [] for block in blocks_of({"parts": data}, "questions") for item in block["items"])


def test_the_sample_has_the_best_of_every_segment(result):
    view = View(result, customers=60)
    assert len(view.sample) == 60
    for place, label in enumerate(result.segments):
        best = result.frame["monetary"].where(result.frame["segment"] == label).astype(float)
        if not view.hidden_segments[place]:
            assert best.idxmax() in view.sample


def test_counts_are_the_frames_own(result):
    view = View(result)
    codes, labels = view.coded("industry")
    tally = view.tally([(codes, len(labels))])
    mine = dict(zip(zip(tally.segment.tolist(), tally.places[0].tolist(), strict=True), tally.n.tolist(), strict=True))
    table = pd.crosstab(view.codes, codes)
    of_segments = {cell: count for cell, count in mine.items() if cell[0] >= 0}
    assert all(count == table.loc[cell] for cell, count in of_segments.items())
    assert min(of_segments.values()) >= 5
    # Everyone's cells are the true ones, or not shown: never the sum of what is left.
    everyone = {place: count for (segment, place), count in mine.items() if segment < 0}
    assert everyone == {place: count for place, count in enumerate(np.bincount(codes[codes >= 0])) if place in everyone}
    assert len(everyone) == len(labels)
    assert (tally.hidden, tally.without) == (0, (codes < 0).sum())
    assert tally.fewer == (sum(of_segments.values()) < (codes >= 0).sum())
    # With nothing to hide the sums are the true ones.
    open_view = View(StandIn(300, small_cells=0))
    codes, labels = open_view.coded("industry")
    tally = open_view.tally([(codes, len(labels))])
    assert (tally.hidden, tally.fewer) == (0, False)
    assert tally.n[tally.segment < 0].tolist() == np.bincount(codes[codes >= 0]).tolist()


def test_sums_of_everyone_leave_out_few_customers_who_are_not_shown():
    view = View(StandIn(300))
    codes = np.where(np.arange(300) < 290, 0, 1)
    codes[:2] = 2
    view.codes[:300] = np.where(np.arange(300) < 150, 0, 1)  # the two of code 2 are of one segment
    tally = view.tally([(codes, 3)], [np.ones(300)])
    cells = zip(tally.segment, tally.places[0], tally.n, tally.sums[0], tally.summed, strict=True)
    assert all(n >= 5 and earned == summed <= n for _, _, n, earned, summed in cells)


def test_small_cells_and_what_would_give_them_away_are_left_out():
    result = StandIn(300)
    few = result.frame.index[result.frame["segment"] == result.segments[0]][3:]
    result.frame.loc[few, "segment"] = result.segments[2]  # three are left
    view = View(result)
    assert view.hidden_segments[0]
    # One more segment is hidden, or the total would tell.
    assert view.hidden_segments.sum() >= 2
    data = json.dumps(sections.build(view), default=str)
    (table,) = blocks_of({"parts": json.loads(data)}, "customers")
    assert 0 not in table["segments"]


def test_sections_can_be_added_and_absent_ones_are_said(result):
    extra = sections.Section(
        "extra", "measures", "附加", "Extra", lambda view: [{"kind": "notes", "items": [str(len(view))]}]
    )
    sections.register(extra, before="rfm")
    try:
        with pytest.raises(ParameterError, match="already has a section 'extra'"):
            sections.register(extra)
        view = View(result)
        built = sections.build(view)
        keys = [section["key"] for part in built for section in part["sections"]]
        assert keys.index("extra") == keys.index("rfm") - 1
    finally:
        sections.SECTIONS.remove(extra)
    with pytest.raises(ParameterError, match="wanted overview, segments"):
        sections.register(sections.Section("x", "nowhere", "", "", lambda _: []))
    result.clusters, kept = None, result.clusters
    try:
        view = View(result)
        sections.build(view)
        assert "聚类画像" in view.absent
    finally:
        result.clusters = kept


def test_both_languages_have_every_word(result):
    for name in ("words", "columns"):
        both = json.loads((html.resources.files("xifen.report") / f"{name}.json").read_text(encoding="utf-8"))
        for table in [both] if name == "words" else both.values():
            for key, text in table.items():
                assert set(text) == {"zh", "en"}, key
                assert set(re.findall(r"\{\w+\}", text["zh"])) == set(re.findall(r"\{\w+\}", text["en"])), key
    english = View(result, "en")
    titles = [section["title"] for part in sections.build(english) for section in part["sections"]]
    assert "Five management questions" in titles


def test_charts_export_and_show_offline(result, tmp_path):
    drawn = charts.charts(result)
    assert {"segments", "rfm", "rfm_2", "scores", "matrix", "tags", "clusters", "concentration", "goals"} <= set(drawn)
    figure = drawn["rfm"]
    assert figure.save(tmp_path / "rfm.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in figure.save(tmp_path / "rfm.svg").read_text(encoding="utf-8")
    shown = figure._repr_html_()
    assert shown.startswith("<svg")
    assert not re.search(r'(href|src)="http', shown)
    with pytest.raises(ParameterError, match=r"does not end in \.png"):
        figure.save(tmp_path / "rfm.gif")


def test_a_failed_write_leaves_the_earlier_file(result, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("earlier", encoding="utf-8")
    monkeypatch.setattr(html.json, "dumps", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        html.write(result, path, progress=False)
    assert path.read_text(encoding="utf-8") == "earlier"
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_progress_is_told(result):
    told = []
    html.render(result, customers=5, progress=lambda *step: told.append(step))
    assert [done for _, done, _ in told] == list(range(len(told)))
    assert told[-1][1] + 1 == told[-1][2]


def test_refusals(result):
    with pytest.raises(ParameterError, match="customers is -1"):
        html.render(result, customers=-1)
    with pytest.raises(ParameterError, match="lang is 'fr'"):
        html.render(result, lang="fr")


@pytest.mark.parametrize("seed", range(20))
def test_totals_of_the_overlap_are_true_and_tell_nothing_hidden(seed):
    rng = np.random.default_rng(seed)
    segments, tags, least = 4, 6, 5
    has = rng.random((400, tags)) < rng.uniform(0.02, 0.6, tags)
    own = rng.choice(segments, 400, p=[0.7, 0.15, 0.1, 0.05])
    counts = np.array([has[own == place].T.astype(int) @ has[own == place].astype(int) for place in range(segments)])
    hidden, total = _measures._with_total(counts, (counts > 0) & (counts < least), least)
    true = counts.sum(axis=0)
    assert ((total == 0) | (total == true)).all()
    assert (total > 0).mean() > 0.3
    shown = total > 0
    assert ((hidden.sum(axis=0) != 1) | ~shown).all()
    together = np.where(hidden, counts, 0).sum(axis=0)
    assert ((together == 0) | (together >= least) | ~shown).all()
    apart = np.diagonal(true)[:, None] - true
    assert not (((apart > 0) & (apart < least)) & shown).any()
    np.testing.assert_array_equal(hidden, hidden.transpose(0, 2, 1))
