"""What rules tell people: coverage of numbers, texts and expressions, what is diagnosed, and the nearest change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf

FRAME = pd.DataFrame(
    {
        "customer_id": ["001", "002", "003"],
        "amount": [600_000.0, 300_000.0, 50_000.0],
        "margin": [0.4, 0.1, np.nan],
        "orders_3M": [5, 3, 1],
        "orders_prev_3M": [2, 3, 0],
        "channel": ["web", "shop", "web"],
    }
)
#: The value tags of domain.md, section 4.
VALUE = {
    "high": "amount > 500000 AND margin > 0.3",
    "potential": "amount BETWEEN 100000 AND 500000 AND orders_3M > orders_prev_3M",
    "ordinary": "amount < 100000",
}


def covered(rules, frame=FRAME, **options):
    return xf.RuleSegmenter(rules, **options).fit(frame).coverage()


def statuses(coverage) -> dict[str, str]:
    return dict(zip(coverage.summary["label"], coverage.summary["status"], strict=True))


class TestCoverage:
    def test_columns_compared_with_each_other_are_decided(self):
        coverage = covered(VALUE)
        assert statuses(coverage) == dict.fromkeys(VALUE, "ok")
        assert not coverage.complete
        assert set(coverage.findings["finding"]) == {"gap"}
        assert set(coverage.findings["certainty"]) == {"proven"}
        # Over 500,000 at a thin margin; from 100,000 on without a rise, 100,000 and 500,000 included.
        gaps = coverage.gaps
        assert set(gaps.loc[gaps["amount"] == "above 500000", "margin"]) == {"below 0.3", "0.3"}
        rest = gaps[gaps["amount"] != "above 500000"]
        assert set(rest["amount"]) == {"100000", "between 100000 and 500000", "500000"}
        assert (rest["orders_3M"].astype(int) <= rest["orders_prev_3M"].astype(int)).all()

    @pytest.mark.parametrize(
        ("rules", "complete"),
        [
            ({"a": "orders_3M > orders_prev_3M", "b": "orders_3M <= orders_prev_3M"}, True),
            ({"a": "orders_3M > orders_prev_3M", "b": "orders_3M < orders_prev_3M"}, False),
            ({"a": "orders_3M <= 2 OR orders_prev_3M >= 2", "b": "orders_3M > orders_prev_3M"}, True),
            ({"a": "orders_3M <= 1 OR orders_prev_3M >= 3", "b": "orders_3M > orders_prev_3M"}, False),
            ({"a": "orders_3M >= orders_prev_3M", "b": "amount > orders_3M", "c": "amount <= orders_prev_3M"}, True),
        ],
    )
    def test_orders_among_columns(self, rules: dict, complete: bool):
        assert covered(rules).complete is complete

    def test_text_in_order(self):
        low = {"early": "channel < 'm'", "late": "channel > 'm'"}
        coverage = covered(low)
        assert coverage.gaps["channel"].tolist() == ["'m'"]
        assert covered({**low, "m": "channel = 'm'"}).complete
        assert covered({"a": "channel < 'm'", "b": "channel BETWEEN 'm' AND 'p'"}).gaps["channel"].tolist() == [
            "a text after 'p'"
        ]
        listed = covered(low, domains={"channel": ["app", "shop", "web"]})
        assert listed.complete

    def test_an_expression_stands_for_itself(self):
        coverage = covered({"big": "amount * margin > 6000", "small": "amount * margin <= 6000"})
        assert coverage.complete  # whatever the product is
        gap = covered({"big": "amount * margin > 6000", "small": "amount * margin < 100"})
        assert gap.findings[["finding", "certainty"]].to_numpy().tolist() == [["gap", "possible"]]
        assert "standing for themselves" in repr(gap)
        assert "possibly" in repr(gap)
        assert statuses(gap) == {"big": "possible", "small": "possible"}
        dead = covered({"big": "amount * margin > 6000 AND amount * margin < 100"}, default="x")
        assert statuses(dead)["big"] == "unreachable"
        # What does not need the product is proven.
        mixed = covered({"big": "amount * margin > 6000 OR orders_3M > 3", "rest": "orders_3M < 3"})
        assert statuses(mixed) == {"big": "ok", "rest": "possible"}
        assert mixed.overlaps[["first", "second"]].to_numpy().tolist() == [["big", "rest"]]

    def test_division_may_be_missing(self):
        coverage = covered({"a": "amount / margin > 1"}, default="b")
        found = coverage.findings.set_index("finding")["certainty"]
        assert found["unknown"] == "possible"
        assert covered({"a": "amount / 2 > 1"}, default="b").complete

    def test_constants_are_calculated(self):
        assert covered({"a": "amount > 2 * 50", "b": "amount <= 100"}).complete
        assert covered({"a": "amount > 2 * 50", "b": "amount < 100"}).gaps["amount"].tolist() == ["100"]

    def test_more_combinations_than_can_be_counted(self):
        rng = np.random.default_rng(0)
        names = [f"c{place}" for place in range(12)]
        frame = pd.DataFrame(rng.integers(0, 9, (5, 12)), columns=names)
        rules = {
            f"rule {name}": f"{name} > 5 AND {other} < 3"
            for name, other in zip(names, names[1:] + names[:1], strict=True)
        }
        coverage = covered({**rules, "never": "c0 > 5 AND c1 < 3 AND c3 > 8", "no": "c2 > 4 AND c2 < 5"}, frame)
        assert coverage.cells is None
        assert coverage.gap_cells is None
        assert statuses(coverage) == {**dict.fromkeys(rules, "ok"), "never": "shadowed", "no": "unreachable"}
        gap = coverage.findings.set_index("finding").loc["gap"]
        assert gap["certainty"] == "proven"
        assert len(coverage.gaps) == 1
        assert "more than two million" in repr(coverage)
        assert covered({**rules, "rest": "TRUE"}, frame).complete

    def test_wide_domains_are_cut(self):
        options = {"domains": {"orders_3M": (0, 9_999), "orders_prev_3M": (0, 9_999)}}
        assert covered({"a": "orders_3M >= orders_prev_3M", "b": "orders_3M < orders_prev_3M"}, **options).complete
        coverage = covered({"a": "orders_3M > orders_prev_3M", "b": "orders_3M <= 9998"}, **options)
        assert coverage.gaps.to_numpy().tolist() == [["9999", "9999"]]

    def test_counts_and_customers(self):
        coverage = xf.RuleTagger(
            {**VALUE, "rising": "orders_3M > orders_prev_3M", "web": "channel = 'web'"},
            families={"value": {"tags": list(VALUE), "exclusive": True}},
        )
        coverage = coverage.fit(FRAME).coverage(FRAME)
        assert coverage.summary["rows"].tolist() == [1, 0, 1, 2, 2]
        assert (coverage.rows, coverage.gap_rows, coverage.unknown_rows) == (3, 1, 0)
        gap = coverage.findings.iloc[0]
        assert (gap["finding"], gap["label"], gap["rows"], gap["customer"]) == ("gap", "value", 1, "002")
        assert coverage.summary["family"].tolist() == ["value", "value", "value", "", ""]
        by_row = xf.RuleSegmenter(VALUE).fit(FRAME).coverage(FRAME.drop(columns="customer_id"))
        assert by_row.findings["customer"].tolist() == [1]
        for kind in (pl.from_pandas, pa.Table.from_pandas):
            same = xf.RuleSegmenter(VALUE).fit(kind(FRAME)).coverage(kind(FRAME))
            assert same.findings["customer"].tolist() == ["002"]

    def test_types_that_claim_the_same_customer(self):
        rules = {"loyal": "orders_3M >= 3", "rich": "amount > 500000", "never": "orders_3M > 3 AND orders_3M < 2"}
        family = {"type": {"tags": list(rules), "exclusive": True, "default": "other"}}
        coverage = xf.RuleTagger(rules, families=family).fit(FRAME).coverage(FRAME)
        assert coverage.complete
        found = coverage.findings.set_index("finding")
        assert found.loc["overlap", ["label", "other", "rows", "customer"]].tolist() == ["loyal", "rich", 1, "001"]
        assert found.loc["unreachable", "label"] == "never"
        # Tags of no exclusive family may meet.
        assert "overlap" not in set(xf.RuleTagger(rules).fit(FRAME).coverage().findings["finding"])

    def test_dates_are_decided(self):
        frame = pl.DataFrame({"d": ["2026-01-05"], "t": ["2026-01-05"]}).with_columns(
            d=pl.col("d").str.to_date(), t=pl.col("t").str.to_datetime()
        )
        rules = {"old": "d < DATE '2026-01-01'", "new": "d > DATE '2026-01-01'"}
        assert covered(rules, frame).gaps.to_numpy().tolist() == [["DATE '2026-01-01'"]]
        assert covered({**rules, "new": "d > DATE '2025-12-31'"}, frame).complete  # no day lies between
        halves = {"old": "t <= TIMESTAMP '2026-01-01 12:00:00'", "new": "t > TIMESTAMP '2026-01-01 12:00:00'"}
        assert covered(halves, frame).complete
        assert covered({"a": "t >= d", "b": "t < d"}, frame).complete
        assert not covered({"a": "t > d", "b": "t < d"}, frame).complete
        assert covered({"a": "d + INTERVAL '3' MONTH < t", "b": "d + INTERVAL '3' MONTH >= t"}, frame).complete
        told = xf.RuleSegmenter(rules).fit(frame).explain(frame).nearest.to_dicts()[0]
        assert (told["rule"], told["needed"]) == ("old", "<= DATE '2025-12-31'")

    def test_text_patterns_and_other_rules(self):
        coverage = covered({"w": "channel LIKE 'w%'", "rest": "channel NOT LIKE 'w%'"})
        assert coverage.complete
        found = covered({"rich": "amount > 500000", "loyal": "rich AND orders_3M > 3", "low": "NOT rich"})
        assert found.complete
        assert statuses(found) == {"rich": "ok", "loyal": "shadowed", "low": "ok"}

    def test_many_rules(self):
        frame = pd.DataFrame({"x": [1]})
        coverage = covered({f"r{place}": f"x = {place}" for place in range(3_000)}, frame, default="other")
        assert coverage.complete
        assert set(coverage.summary["status"]) == {"ok", "default"}


class TestDirections:
    SCORES = pd.DataFrame({"recency_score": [1], "frequency_score": [1], "monetary_score": [1], "recency_days": [1]})

    def found(self, rules):
        findings = covered(rules, self.SCORES).findings
        return findings[findings["finding"] == "direction"]

    def test_a_score_against_its_own_measure(self):
        found = self.found({"gone": "recency_score <= 2 AND recency_days <= 30", "rest": "recency_score > 2"})
        assert found[["label", "other", "certainty"]].to_numpy().tolist() == [
            ["recency_score", "recency_days", "proven"]
        ]
        assert "contrary directions" in repr(
            covered({"gone": "recency_score <= 2 AND recency_days <= 30"}, self.SCORES)
        )
        assert len(self.found({"gone": "recency_score <= 2 AND recency_days > 90"})) == 0

    def test_a_score_of_which_less_seems_better(self):
        turned = {
            "best": "recency_score <= 2 AND frequency_score >= 4 AND monetary_score >= 4",
            "lost": "recency_score >= 4 AND frequency_score <= 2",
        }
        assert self.found(turned)["label"].tolist() == ["recency_score"]
        assert self.found(turned)["certainty"].tolist() == ["possible"]
        # rfm.named has "cannot lose" (long ago, often, much) beside "champions": no contradiction.
        assert "direction" not in set(xf.load_preset("rfm.named").fit(self.SCORES).coverage().findings["finding"])


class TestNearest:
    def test_words_and_frame(self):
        scores = pd.DataFrame(
            {"customer_id": ["001"], "recency_score": [5], "frequency_score": [4], "monetary_score": [3]}
        )
        segmenter = xf.load_preset("rfm.named").fit(scores)
        told = segmenter.explain(scores)
        assert "nearest: would be 'champions' if monetary_score were >= 4 (is 3)" in told.text
        row = told.nearest.iloc[0].to_dict()
        assert row == {
            "customer_id": "001",
            "rule": "champions",
            "column": "monetary_score",
            "is": "3",
            "needed": ">= 4",
            "distance": 0.25,
        }
        chinese = segmenter.explain(scores, lang="zh").text
        assert "最接近：若 monetary_score >= 4（现为 3），则为“champions”" in chinese
        polars = segmenter.explain(pl.from_pandas(scores)).nearest
        assert isinstance(polars, pl.DataFrame)
        assert polars.to_dicts() == [row]

    def near(self, rules, row: dict, **options) -> list[list[str]]:
        frame = pd.DataFrame([row])
        told = xf.RuleSegmenter(rules, **options).fit(frame).explain(frame)
        return told.nearest[["rule", "column", "is", "needed"]].to_numpy().tolist()

    def test_a_change_to_one_value_is_a_sentence(self):
        frame = pd.DataFrame({"x": ["shop"]})
        told = xf.RuleSegmenter({"a": "x = 'web'"}).fit(frame).explain(frame)
        assert "would be 'a' if x were 'web' (is 'shop')" in told.text

    def test_how_a_change_reads(self):
        assert self.near({"a": "x > 10.5"}, {"x": 3.0}) == [["a", "x", "3", "> 10.5"]]
        assert self.near({"a": "x < 2"}, {"x": 3.0}) == [["a", "x", "3", "< 2"]]
        assert self.near({"a": "x <= 2"}, {"x": 3}) == [["a", "x", "3", "<= 2"]]
        assert self.near({"a": "x BETWEEN 10 AND 20"}, {"x": 3}) == [["a", "x", "3", "= 10"]]
        assert self.near({"a": "x = 'web'"}, {"x": "shop"}) == [["a", "x", "'shop'", "= 'web'"]]
        assert self.near({"a": "x <> 'web'"}, {"x": "web"}) == [["a", "x", "'web'", "another text"]]
        assert self.near({"a": "NOT x"}, {"x": True}) == [["a", "x", "TRUE", "= FALSE"]]
        assert self.near({"a": "x > y"}, {"x": 3, "y": 7}) == [["a", "y", "7", "<= 2"]]
        assert self.near({"a": "x * y > 6"}, {"x": 2, "y": 2}) == [["a", "x * y", "4", ">= 7"]]

    def test_an_expression_follows_the_columns_that_change(self):
        """Every change is true when it is made: what is calculated from it changes, too."""
        assert self.near({"few": "n < 5", "premium": "m / n >= 25"}, {"m": 100.0, "n": 4}, default="rest") == [
            ["premium", "n", "4", ">= 5"],
            ["premium", "m / n", "25", "> 25"],
        ]
        assert self.near({"a": "x < 7", "b": "x * r < y AND r >= 3"}, {"x": 1.2, "r": 1.0, "y": 1.5}) == []
        assert self.near({"a": "x >= -3 OR COALESCE(x, 5) < 1", "b": "y"}, {"x": 4, "y": True}) == []

    def test_fewest_inputs_then_least_change_then_order(self):
        assert self.near({"a": "x > 5 AND y > 5", "b": "z > 100"}, {"x": 5, "y": 5, "z": 0})[0][0] == "b"
        assert self.near({"a": "x > 7", "b": "y > 6"}, {"x": 5, "y": 5})[0][0] == "b"
        assert self.near({"a": "x > 6", "b": "y > 6"}, {"x": 5, "y": 5})[0][0] == "a"
        both = self.near({"a": "x > 5 AND y > 5"}, {"x": 1, "y": 2})
        assert both == [["a", "x", "1", ">= 6"], ["a", "y", "2", ">= 6"]]
        assert self.near({"a": "x > 5 AND x < 5"}, {"x": 1}) == []
        assert self.near({"a": "x > 5"}, {"x": 1}, domains={"x": (0, 5)}) == []

    def test_a_missing_input_that_is_compared_with_itself_needs_any_value(self):
        frame = pd.DataFrame({"x": pd.array([None], "Int64"), "y": [3], "z": pd.to_datetime([None])})
        told = xf.RuleSegmenter({"a": "x = x AND y = 0 AND z <= z"}).fit(frame).explain(frame)
        assert told.nearest[["column", "is"]].to_numpy().tolist() == [["x", "missing"], ["y", "3"], ["z", "missing"]]

    def test_missing_inputs(self):
        frame = pd.DataFrame({"x": [np.nan, 3.0], "y": [1, 1]})
        told = xf.RuleSegmenter({"a": "x > 5", "b": "y = 1"}).fit(frame).explain(frame)
        assert told.nearest[["row", "rule", "is", "needed"]].to_numpy().tolist() == [
            [0, "a", "missing", "> 5"],
            [1, "a", "3", "> 5"],
        ]

    def test_tags(self):
        tagger = xf.RuleTagger(VALUE, families={"value": {"tags": list(VALUE), "exclusive": True}}).fit(FRAME)
        told = tagger.explain(FRAME, ids=["003", "002"])
        first = told.text.split("customer_id 002")[0]
        assert "tags: ordinary" in first
        assert "margin > 0.3: unknown (margin = missing)" in first
        assert told.frame.columns.tolist() == ["customer_id", "rule", "tag", "condition", "value", "holds", "missing"]
        own = told.frame[told.frame["customer_id"] == "003"]
        assert own.groupby("rule")["tag"].first().to_dict() == {"high": False, "ordinary": True, "potential": False}
        near = told.nearest[told.nearest["customer_id"] == "002"]
        assert near[["rule", "column", "needed"]].to_numpy().tolist() == [
            ["high", "amount", "> 500000"],
            ["high", "margin", "> 0.3"],
            ["potential", "orders_3M", ">= 4"],
            ["ordinary", "amount", "< 100000"],
        ]
        family = {"one": {"tags": ["a", "b"], "exclusive": True}}
        frame = pd.DataFrame({"x": [5.0, np.nan]})
        said = xf.RuleTagger({"a": "x > 1", "b": "x IS NULL OR x > 2"}, families=family).fit(frame).explain(frame).text
        assert "'a' comes first: not 'b'" in said
        assert "'a' comes first and is unknown, so that 'b' is too" in said
        assert (
            "未知：a, b"
            in xf.RuleTagger({"a": "x > 1", "b": "x IS NULL OR x > 2"}, families=family)
            .fit(frame)
            .explain(frame, lang="zh")
            .text
        )


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table, dict])
@pytest.mark.parametrize("make", [xf.RuleSegmenter, xf.RuleTagger])
def test_no_ids_are_explained_by_nothing(make, kind):
    frame = kind(FRAME.to_dict("list"))
    explained = make(VALUE).fit(frame).explain(frame, ids=[])
    assert (explained.text, len(explained.frame), len(explained.nearest)) == ("", 0, 0)


def test_wrong_kinds_of_argument_are_named():
    for what in ("parameters", "domains", "aliases"):
        with pytest.raises(TypeError, match=f"{what} is 5; wanted a mapping"):
            xf.RuleSegmenter({"a": "x > 1"}, **{what: 5}).fit(pd.DataFrame({"x": [1]}))
    with pytest.raises(xf.errors.ParameterError, match="up to 64 bits"):
        xf.RuleSegmenter({"a": "x > 1"}, domains={"x": (1, 10**30)}).fit(pd.DataFrame({"x": [1]}))
    segmenter = xf.RuleSegmenter({"a": "x > 1"}).fit(pd.DataFrame({"x": [1]}))
    frame = pd.DataFrame({"customer_id": [1], "x": [1]})
    for more, words in (({"id_column": "zz"}, "no column 'zz'"), ({"ids": [1.5]}, "give ids of its kind")):
        with pytest.raises(xf.errors.InputError, match=words):
            segmenter.explain(frame, **more)


def test_skipping_looks_at_missing_values():
    frame = pd.DataFrame({"r": pd.array([3, None], "Int64"), "m": [1, 9]})
    rules, domains = {"any": "r >= 1", "rich": "m > 5"}, {"r": (1, 5)}
    skip = xf.RuleSegmenter(rules, default="D", unknown="skip", domains=domains).fit(frame)
    assert skip.transform(frame)["segment"].tolist() == ["any", "rich"]
    assert skip.coverage(frame).summary["status"].tolist()[:2] == ["ok", "ok"]
    gap = xf.RuleSegmenter({"any": "r >= 1"}, unknown="skip", domains=domains).fit(frame).coverage()
    assert not gap.complete
    stop = xf.RuleSegmenter(rules, default="D", domains=domains).fit(frame)
    assert stop.coverage(frame).summary["status"].tolist()[:2] == ["ok", "shadowed"]


def test_what_only_an_expression_could_do_is_said_to_be_possible():
    frame = pd.DataFrame({"s": ["a"]})
    report = repr(xf.RuleSegmenter({"A": "s < 'b'", "B": "s LIKE 'b%'"}, default="D").fit(frame).coverage())
    assert "overlaps: possibly 1 pair, the earlier rule wins" in report
    assert "default: possibly 2 get 'D'" in report
    rules = xf.RuleSegmenter({"A": "s LIKE 'a%'", "B": "NOT s LIKE 'ab%'"}).fit(frame)
    assert "): not proven complete\n" in repr(rules.coverage())
    assert rules.coverage().badge.text == "not proven complete"
    assert rules.coverage(lang="zh").badge.text == "未能证明完整"
    gap = xf.ladder_check(rules).iloc[-1]
    assert (gap["status"], gap["finding"][:21]) == ("gap", "possibly no grade, fo")
    both = xf.RuleSegmenter({"A": "s < 'b'", "B": "s LIKE 'b%'", "C": "s < 'a'"}).fit(frame).coverage()
    assert "overlaps: 1 pair, possibly 2 pairs, the earlier rule wins, for example 'A' before 'C'" in repr(both)


def test_a_ladder_that_was_searched_has_its_gap():
    frame = pd.DataFrame({name: [1, 2] for name in "abcdefgh"})
    every = {most: " AND ".join(f"{name} > {low}" for name in frame for low in range(1, most)) for most in (4, 5)}
    rules = xf.RuleSegmenter({"A": every[4], "B": every[5], "C": "a > 9"}).fit(frame)
    assert rules.coverage().cells is None
    report = xf.ladder_check(rules)
    assert report["status"].tolist() == ["ok", "never reached", "ok", "gap"]
    assert report["finding"].iloc[-1].startswith("no grade, for example at a ")


def test_a_rule_behind_one_that_is_unknown_is_not_said_to_be_taken():
    rules = xf.RuleSegmenter({"A": "x > 1", "B": "x IS NULL"}, default="D").fit(pd.DataFrame({"x": [1.0, None]}))
    assert "shadowed: 'B': wherever it is true, an earlier rule is true or unknown" in repr(rules.coverage())
    assert xf.ladder_check(rules)["finding"][1] == "where it is true an earlier rule is true or unknown"
    with pytest.raises(TypeError, match="grades is a RuleTagger; wanted a fitted Binner or RuleSegmenter"):
        xf.ladder_check(xf.RuleTagger({"a": "x > 1"}).fit(pd.DataFrame({"x": [1.0]})))


def test_an_id_given_twice_is_explained_once():
    rules = xf.RuleSegmenter(VALUE).fit(FRAME)
    assert str(rules.explain(FRAME, ids=["002", "001", "002"])) == str(rules.explain(FRAME, ids=["002", "001"]))


def test_an_empty_default_is_no_label():
    with pytest.raises(xf.errors.ParameterError, match="default is empty; give it a name, or None"):
        xf.RuleSegmenter(VALUE, default="").fit(FRAME)
