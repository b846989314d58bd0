"""What notebooks show of fitted estimators and reports."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xifen as xf
from IPython.core.formatters import DisplayFormatter

SCORES = pd.DataFrame({"recency_score": [5, 1], "frequency_score": [5, 1], "monetary_score": [5, 1]})
MEASURES = pd.DataFrame({"recency_days": [1, 50, 900], "order_count": [9, 3, 1], "monetary": [900.0, 80.0, 10.0]})


def shown(thing: object) -> str:
    bundle, _ = DisplayFormatter().format(thing)
    return bundle["text/html"]


def test_scorers_show_their_edges():
    html = shown(xf.RFMScorer(n_bins=3).fit(MEASURES))
    assert "recency_days" in html
    assert "score_below" in html
    assert "edges" in html


def test_rule_sets_show_rules_and_a_badge():
    html = shown(xf.load_preset("rfm.named", lang="zh").fit(SCORES))
    assert "冠军客户" in html
    assert "✓ 完整" in html
    gaps = xf.RuleSegmenter({"best": "recency_score > 3"}).fit(SCORES)
    assert "✗ NOT complete" in shown(gaps)
    tagger = xf.RuleTagger({"never": "recency_score > 3 AND recency_score < 2"}).fit(SCORES)
    assert "✗ some rules never decide" in shown(tagger)
    assert "✗" in shown(gaps.coverage())
    assert "recency_score" in shown(gaps.coverage())


def test_clusterers_show_their_centres():
    html = shown(xf.KMeans(n_clusters=2, random_state=0).fit(MEASURES))
    assert "order_count" in html
    assert "rows" in html
    array = xf.MiniBatchKMeans(n_clusters=2, random_state=0).partial_fit(np.arange(20.0).reshape(10, 2))
    assert "column 1" in shown(array)


def test_what_is_not_fitted_shows_scikit_learns_diagram():
    assert "sk-" in shown(xf.RFMScorer())


def test_plans_and_results_show_steps_and_profile():
    crm = xf.datasets.make_crm(300)
    plan = xf.Plan.preset("retail")
    assert "rfm.named_six" in shown(plan)
    html = shown(plan.fit(orders=crm.orders, customers=crm.customers))
    assert "profile" in html
    assert "revenue_share" in html


def test_texts_are_escaped_and_long_tables_cut():
    rules = {f"<b>{place}": f"recency_score > {place}" for place in range(60)}
    html = shown(xf.RuleTagger(rules).fit(SCORES))
    assert "<b>" not in html
    assert "20 more rows" in html
    assert "<script" not in html
