"""What a plan makes of customers: labels that come back bit for bit, owners, contacts, goals, questions, cards, files."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xifen as xf
from plans import CRM, READS, data, fitted, orders, small
from xifen._frame import as_kind

TYPES = {"segments": [{"rules": {"big": "monetary > 100", "small": "order_count > 0"}}]}


def same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    """The same columns, kinds and bits."""
    pd.testing.assert_frame_equal(left, right, check_exact=True)
    for name in left.select_dtypes("float"):
        assert left[name].to_numpy().tobytes() == right[name].to_numpy().tobytes(), name


# -- model files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(READS))
def test_a_loaded_model_gives_the_same_bits(name: str, tmp_path: Path):
    result = fitted(name)
    result.save(tmp_path / "model.json")
    again = xf.Segmentation.load(tmp_path / "model.json")
    assert repr(again).startswith(f"Segmentation({result.plan.name!r}, without customers")
    same(again.transform(**data(name)).frame, result.frame)
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "model.json").read_bytes()


def test_another_process_gives_the_same_bits(tmp_path: Path):
    result = fitted("sales.zh")
    result.save(tmp_path / "model.json")
    code = (
        "import sys, xifen as xf; crm = xf.datasets.make_crm(400, seed=7);"
        "r = xf.Segmentation.load(sys.argv[1]).transform(crm.orders, crm.customers, crm.messages, n_jobs=1);"
        "r.frame.to_pickle(sys.argv[2])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model.json", tmp_path / "f.pkl"], check=True, env=environment
    )
    same(pd.read_pickle(tmp_path / "f.pkl"), result.frame)


def test_the_model_keeps_its_cuts_on_other_data():
    result = fitted("retail")
    few = CRM.orders[CRM.orders["customer_id"] <= 50]
    people = CRM.customers[CRM.customers["customer_id"] <= 50]
    out = result.transform(few, people, as_of="2026-06-30")
    before = result.frame[result.frame["customer_id"] <= 50]
    assert out.frame["monetary_score"].tolist() == before["monetary_score"].tolist()
    later = result.transform(few, people, as_of="2026-12-31")
    assert later.as_of == dt.date(2026, 12, 31)
    assert (later.frame["recency_days"] - out.frame["recency_days"]).dropna().eq(184).all()
    with pytest.raises(xf.errors.ParameterError, match=r"as_of: got 'tomorrow'"):
        result.transform(few, people, as_of="tomorrow")


@pytest.mark.parametrize("name", ["sales.zh", "leads"])
def test_customers_are_saved_on_request(name: str, tmp_path: Path):
    result = fitted(name)
    result.save(tmp_path / "all.json", customers=True)
    again = xf.Segmentation.load(tmp_path / "all.json")
    same(again.frame, result.frame)
    assert again.explain(7).text == result.explain(7).text
    assert (again.counts, again.notes, again.withheld, again.as_of) == (
        result.counts,
        result.notes,
        result.withheld,
        result.as_of,
    )
    pd.testing.assert_frame_equal(again.goals(), result.goals())
    pd.testing.assert_frame_equal(again.owners(), result.owners())
    assert json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["xifen"] == "segmentation"


def test_odd_kinds_of_columns_come_back(tmp_path: Path):
    people = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "when": pd.to_datetime(["2026-01-01", None, "2026-01-02"]).tz_localize("Asia/Shanghai"),
            "day": [dt.date(2026, 1, 1), None, dt.date(2026, 1, 3)],
            "whole": pd.array([1, None, 2**62 + 1], "Int64"),
            "flag": pd.array([True, None, False], "boolean"),
            "number": [0.1 + 0.2, None, -0.0],
            "text": ["=1", None, "</script>"],
        }
    )
    log = {**orders(), "amount": [Decimal(text) for text in ("0.10", "50", "600", "20", "5")]}
    result = small(**TYPES).fit(log, people)
    result.save(tmp_path / "m.json", customers=True)
    same(xf.Segmentation.load(tmp_path / "m.json").frame, result.frame)


def test_a_model_without_customers_says_so(tmp_path: Path):
    fitted("retail").save(tmp_path / "m.json")
    text = (tmp_path / "m.json").read_text(encoding="utf-8")
    assert CRM.customers["name"].iloc[0] not in text
    model = xf.Segmentation.load(tmp_path / "m.json")
    for what in ("frame", "as_of", "counts", "segments"):
        with pytest.raises(xf.errors.InputError, match=r"saved without its customers"):
            getattr(model, what)
    with pytest.raises(xf.errors.InputError, match=r"saved without its customers"):
        model.explain(1)


def test_damaged_and_foreign_files_are_refused(tmp_path: Path):
    small(**TYPES).fit(orders()).save(tmp_path / "m.json")
    text = (tmp_path / "m.json").read_text(encoding="utf-8")

    def refused(changed: str | bytes, said: str) -> None:
        path = tmp_path / "other.json"
        path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
        with pytest.raises(xf.errors.InputError, match=said):
            xf.Segmentation.load(path)

    for length in (len(text) // 3, len(text) // 2, len(text) - 3):
        refused(text[:length], "other.json is no xifen model: it was cut short|other.json is no xifen model: Expecting")
    refused("", "no xifen model")
    refused(text.replace("monetary > 100", "monetary > 101"), "was changed after it was written: its checksum")
    refused(text.replace('"format": 1', '"format": 2'), "has format 2; this xifen reads format 1")
    refused(text.replace('"checksum"', '"sum"'), "was changed after it was written")
    refused(text.replace('"order_count > 0"', "NaN"), "it holds NaN")
    refused("{}", "is not the file of a Segmentation")
    refused("[1]", "is not the file of a Segmentation")
    refused(b"\xff\xfe", "cannot be read")
    refused(
        xf.RuleSegmenter({"a": "x > 1"}).fit({"x": [1]}).to_json(),
        "but of a RuleSegmenter: read it by RuleSegmenter.from_json",
    )
    with pytest.raises(xf.errors.InputError, match="there is no model"):
        xf.Segmentation.load(tmp_path / "none.json")


def test_a_reordered_rule_is_a_change(tmp_path: Path):
    small(**TYPES).fit(orders()).save(tmp_path / "m.json")
    model = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    rules = model["content"]["plan"]["segments"][0]["rules"]
    model["content"]["plan"]["segments"][0]["rules"] = dict(reversed(rules.items()))
    (tmp_path / "m.json").write_text(json.dumps(model), encoding="utf-8")
    with pytest.raises(xf.errors.InputError, match=r"checksum"):
        xf.Segmentation.load(tmp_path / "m.json")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    result = small(**TYPES).fit(orders())
    path = tmp_path / "m.json"
    path.write_text("before", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        xf.errors.ParameterError, match=r"m.json cannot be written: no space left on device; nothing was changed"
    ):
        result.save(path)
    assert path.read_text(encoding="utf-8") == "before"
    assert [item.name for item in tmp_path.iterdir()] == ["m.json"]
    monkeypatch.undo()
    with pytest.raises(xf.errors.ParameterError, match=r"cannot be written: no such file or directory"):
        result.save(tmp_path / "nowhere" / "m.json")
    result.save(path)
    assert xf.Segmentation.load(path).transform(orders()).frame.equals(result.frame)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_takes_no_file(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(xf.errors.ParameterError, match=r"permission denied"):
        small(**TYPES).fit(orders()).save(tmp_path / "m.json")
    tmp_path.chmod(0o700)


def test_threads_never_change_a_result():
    one = xf.Plan.preset("sales.en").fit(**data("sales.en"), n_jobs=1)
    same(one.frame, fitted("sales.en").frame)


# -- owners and contacts ---------------------------------------------------------------------------


def test_owners_take_who_fits_while_they_have_room():
    people = {"customer_id": list("abcd"), "industry": ["i", "i", "j", None]}
    log = {
        "customer_id": list("abcd"),
        "timestamp": ["2026-06-01"] * 4,
        "amount": [150.0, 900.0, 300.0, 1.0],
    }
    plan = small(
        **TYPES,
        owners=[
            {"type": "big", "industry": "i", "role": "expert", "capacity": 1},
            {"type": ["big"], "role": "manager", "capacity": 1},
        ],
    )
    result = plan.fit(log, people)
    # The most valuable first: b before a among the experts; then c before a.
    assert result.frame["owner"].astype(object).where(result.frame["owner"].notna(), None).tolist() == [
        None,
        "expert",
        "manager",
        None,
    ]
    assert result.counts["unassigned"] == 2
    assert result.owners()["assigned"].tolist() == [1, 1, 2]


def test_next_contact_follows_the_last_one_and_the_type():
    people = {"customer_id": list("abc"), "seen": ["2026-06-20", "2026-01-31", None], "opt_out": [False, True, False]}
    plan = small(**TYPES, contact={"last": "seen", "days": {"big": 30, "small": 90}, "channel": {"big": "visit"}})
    result = plan.fit(orders(), people)
    due = result.frame["next_contact"]
    assert due.iloc[0] == pd.Timestamp("2026-07-20")
    assert pd.isna(due.iloc[1])  # opted out
    assert due.iloc[2] == pd.Timestamp("2026-06-30")  # never contacted: now
    assert result.frame["contact_channel"].iloc[0] == "visit"
    assert (result.counts["opted_out"], result.counts["contacts_due"], result.counts["contacts_overdue"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ["overdue", "due", "opted out"]), ("zh", ["已逾期", "应联系", "拒绝营销"])]
)
def test_contacts_whose_day_is_past_and_who_wants_none_are_marked_by_a_word(lang, words):
    people = {
        "customer_id": list("abcd"),
        "seen": ["2026-05-30", "2026-06-20", None, "2026-05-30"],
        "opt_out": [False, False, False, True],
    }
    plan = small(**TYPES, lang=lang, contact={"last": "seen", "days": {"big": 30, "small": 30}})
    result = plan.fit(orders(), people)
    assert result.counts["contacts_overdue"] == 1
    table = result.management(owners=True)
    status = table[{"en": "Contact status", "zh": "联系状态"}[lang]]
    assert [status[0], status[2], status[3]] == words
    assert pd.isna(status[1])


def test_the_playbooks_intervals_hold_where_the_plan_says_none():
    result = fitted("sales.zh")
    table = result.frame
    types = table["customer_type"].astype(object)
    book = result.playbook.set_index("label")["contact_interval"].to_dict() | {"流失风险客户": 14, "高价值忠实客户": 30}
    known = table["last_message"].notna() & table["next_contact"].notna()
    days = (table["next_contact"] - table["last_message"].dt.normalize()).dt.days[known]
    assert days.tolist() == types[known].map(book).tolist()
    assert table.loc[table["opt_out"], "next_contact"].isna().all()


def test_a_playbook_of_ones_own():
    entries = {
        "big": {"direction": "keep", "actions": ["visit", "ask"], "contact_interval": 30},
        "small": {"direction": "grow", "actions": ["write"]},
    }
    result = small(**TYPES, playbook={"type": "segment", "entries": entries}).fit(orders())
    assert result.playbook["label"].tolist() == ["big", "small"]
    assert result.management()["Strategy"].tolist() == ["visit; ask", "visit; ask", "write"]
    assert result.profile()["direction"].tolist() == ["keep", "grow"]
    retail = fitted("retail").playbook.set_index("key")
    assert retail.loc["rfm.named_six.new", "actions"] == "Welcome and guide them; Ask two weeks later how it went"
    assert len(retail) == 6


# -- goals -----------------------------------------------------------------------------------------


def test_goals_count_the_new_and_the_standing():
    goal = {"rule": "monetary > 100", "window": "3M", "target": 2}
    plan = small(
        goals=[
            {"name": "new", **goal},
            {"name": "standing", **goal, "count": "standing"},
            {"name": "sum", **goal, "count": "standing", "sum": "monetary"},
        ]
    )
    # a passes 100 on 2026-06-01, b had 620 before 2026-03-30, c has 5.
    goals = plan.fit(orders()).goals().set_index("goal")
    assert list(goals.columns[:4]) == ["target", "attained", "share", "held"]
    assert goals["attained"].to_dict() == {"new": 1.0, "standing": 2.0, "sum": 770.0}
    assert goals["held"].to_dict() == {"new": False, "standing": True, "sum": True}
    assert goals["share"]["new"] == 0.5


def test_a_model_finds_the_files_of_its_plan_from_another_folder(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    pd.DataFrame(orders()).to_csv(tmp_path / "orders.csv", index=False)
    (tmp_path / "plan.toml").write_text(
        'xifen = 1\nas_of = 2026-06-30\n[sources.orders]\npath = "orders.csv"\n[tables]\n', encoding="utf-8"
    )
    result = xf.Plan.load(tmp_path / "plan.toml").fit()
    result.save(folder / "model.json")
    pd.testing.assert_frame_equal(xf.Segmentation.load(folder / "model.json").transform().frame, result.frame)


def test_new_is_new_since_the_day_before_the_window():
    goal = {"name": "g", "rule": "order_count >= 1", "target": 1}
    log = {"customer_id": ["a", "b"], "timestamp": ["2026-03-31", "2026-03-30"], "amount": [1.0, 1.0]}
    for window, attained in (("92D", 1.0), ("91D", 0.0), ("3M", 1.0)):  # 3M back from 06-30 is 03-30: its day is before
        assert small(goals=[{**goal, "window": window}]).fit(log).goals()["attained"].tolist() == [attained], window


def test_who_is_new_cannot_be_told_without_orders():
    plan = {"xifen": 1, "as_of": "2026-06-30"}
    people = {"customer_id": ["a", "b"], "margin": [0.1, 0.3]}
    goal = {"name": "rich", "rule": "margin > 0.2", "window": "3M", "target": 1}
    with pytest.raises(xf.errors.InputError, match="the goal 'rich' counts new customers, which only orders can tell"):
        xf.Plan.from_dict({**plan, "goals": [goal]}).fit(customers=people)
    standing = xf.Plan.from_dict({**plan, "goals": [{**goal, "count": "standing"}]}).fit(customers=people)
    assert standing.goals()["attained"].tolist() == [1.0]


def test_goals_may_hang_on_what_steps_add():
    plan = small(
        scores=[{"name": "rfm", "n_bins": 3}],
        **TYPES,
        goals=[{"name": "g", "rule": "segment = 'big' AND rfm_score >= 1", "window": "6M", "target": 1}],
    )
    assert plan.fit(orders()).goals()["attained"].tolist() == [2.0]


# -- what is later than the last day ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_messages_of_a_later_day_are_counted_and_not_used(kind):
    messages = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "b"],
            "text": ["price", "price", "price", None],
            "timestamp": pd.to_datetime(
                ["2026-06-30 23:59", "2026-07-01 00:00", "2026-08-01 09:00", "2026-05-01 09:00"]
            ),
        }
    )
    plan = small(tables={"keywords": {"price": ["price"]}, "invalid": "drop"})
    result = plan.fit(
        orders(), messages=as_kind(messages, kind) if kind != "pyarrow" else pa.Table.from_pandas(messages)
    )
    assert result.frame["message_count"].tolist()[:2] == [1, 0]
    assert result.frame["last_message"].max() == pd.Timestamp("2026-06-30 23:59")
    assert result.counts["message_rows"] == 4
    assert result.counts["messages_after_as_of"] == 2
    left_out = result.left_out().set_index("what")["count"]
    assert (left_out["messages_after_as_of"], left_out["message_rows_without_text"]) == (2, 1)


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_messages_that_say_nothing_are_counted(kind):
    """Without an id or a text they are not used; of nothing but spaces they are messages that mention nothing."""
    ids, texts = ["a", "a", "a", "b", None, None], ["price", "  ", None, "", "price", None]
    messages = pa.table({"customer_id": ids, "text": pa.array(texts).dictionary_encode()})
    given = messages if kind == "pyarrow" else as_kind(messages.to_pandas(), kind)
    plan = small(tables={"keywords": {"price": ["price"]}, "invalid": "drop"})
    result = plan.fit(orders(), messages=given)
    found = {name: count for name, count in result.counts.items() if name.startswith("message")}
    wanted = {"message_rows": 6, "message_rows_used": 3, "messages_of_nobody": 0}
    more = {"message_rows_without_id": 2, "message_rows_without_text": 1, "messages_blank": 2}
    assert found == {**wanted, **more}
    left_out = result.left_out().set_index("what")["count"]
    assert [left_out[name] for name in more if name != "messages_blank"] == [2, 1]


@pytest.mark.parametrize("form", ["date", "text", "zoned"])
def test_customers_created_after_the_last_day_are_counted_and_left_out(form):
    """Who has an order by then stays, whatever the file says."""
    days = ["2026-06-30", "2026-07-01", "2026-07-02", "2025-01-01", None]
    created = {"text": days, "date": pd.to_datetime(days), "zoned": pd.to_datetime(days).tz_localize("Asia/Shanghai")}[
        form
    ]
    people = pd.DataFrame({"customer_id": ["n", "late", "a", "b", "m"], "created": created})
    result = small().fit(orders(), people)
    assert sorted(result.frame["customer_id"]) == ["a", "b", "c", "m", "n"]
    assert result.counts["customers_after_as_of"] == 1
    assert result.left_out().set_index("what").loc["customers_after_as_of", "count"] == 1
    alone = xf.Plan.from_dict({"xifen": 1, "as_of": "2026-06-30", "segments": [{"name": "s", "rules": {"x": "TRUE"}}]})
    assert sorted(alone.fit(customers=people).frame["customer_id"]) == ["b", "m", "n"]
    numbers = small().fit(orders(), people.assign(created=range(5)))  # no dates: nobody is later
    assert numbers.counts["customers_after_as_of"] == 0


# -- few customers, and none -----------------------------------------------------------------------


def test_few_customers_are_as_many_groups_at_most():
    plan = small(clusters={"columns": ["recency_days", "monetary"], "n_clusters": 5})
    with pytest.warns(UserWarning, match="3 customers are too few for 5 clusters: 3 were asked for") as seen:
        result = plan.fit(orders())
    assert result.frame["cluster"].notna().all()
    assert seen[0].filename == __file__


def test_rules_without_customers_are_covered_too(tmp_path):
    result = fitted("sales.en")
    result.save(tmp_path / "model.json")
    again = xf.Segmentation.load(tmp_path / "model.json").coverage()
    assert {name: (found.complete, found.cells) for name, found in again.items()} == {
        name: (found.complete, found.cells) for name, found in result.coverage().items()
    }


# -- what is said of customers ---------------------------------------------------------------------


def test_profile_is_that_of_the_frame():
    result = fitted("sales.zh")
    profile = result.profile().set_index("customer_type")
    by = result.frame.groupby("customer_type", observed=False)
    assert profile["customers"].tolist() == by.size().tolist()
    np.testing.assert_allclose(profile["revenue"], by["monetary"].sum())
    np.testing.assert_allclose(profile["mean_recency_days"], by["recency_days"].mean().astype(float))
    assert profile["share"].sum() == pytest.approx(1)
    assert profile["revenue_share"].sum() == pytest.approx(1)


def test_customers_without_a_type_are_a_row_of_their_own():
    result = fitted("retail")
    assert result.profile()["segment"].isna().tolist() == [False] * 6 + [True]


def test_questions_name_customers_and_reasons():
    result = fitted("sales.en")
    asked = {question.key: question for question in result.questions(3)}
    table = result.frame.set_index("customer_id")
    best = asked["most_valuable"].customers
    assert best["customer_id"].tolist() == table["monetary_12M"].nlargest(3).index.tolist()
    assert best["reason"].iloc[0].startswith("amount of the last 12 months ")
    never = asked["prospects"].customers["customer_id"]
    assert (table.loc[never, "order_count"] == 0).all()
    rising = asked["growing"].customers["customer_id"]
    assert (table.loc[rising, "monetary_12M"] > table.loc[rising, "monetary_prev_12M"]).all()
    leaving = table.loc[asked["leaving"].customers["customer_id"]]
    assert (leaving["recency_days"] > 3 * leaving["mean_gap_days"]).all()
    nothing = {question.key: question.reason for question in fitted("leads").questions()}
    assert nothing["most_valuable"] == "no data: needs the columns monetary"


def test_a_card_has_facts_history_tags_why_and_actions():
    result = fitted("sales.zh")
    row = result.frame.set_index("customer_id").loc[9]
    card = result.explain(9)
    assert card.segment == row["customer_type"]
    assert card.facts["industry"] == row["industry"]
    assert card.history["order_count"] == row["order_count"]
    assert card.tags == [tag for tag in result.tags if pd.notna(row[tag]) and row[tag]]
    assert "types.practice" in card.why
    assert card.actions["direction"] in result.playbook["direction"].tolist()
    for word in ("基本情况：", "历史：", "标签：", "原因：", "行动：", "行业：", "距今天数："):
        assert word in str(card)
    assert row["industry"] not in str(card)  # a code, which has a word
    due = result.frame["next_contact"]
    late, early = (result.frame.loc[rows, "customer_id"].iloc[0] for rows in (due < "2026-06-30", due >= "2026-06-30"))
    assert ["（已逾期）" in str(result.explain(one)) for one in (late, early)] == [True, False]
    with pytest.raises(xf.errors.InputError, match=r"there is no customer 0"):
        result.explain(0)
    out = result.frame.loc[result.frame["opt_out"], "customer_id"].iloc[0]
    assert "direction" not in result.explain(out).actions
    assert "拒绝营销" in result.explain(out).text


def test_review_dates():
    assert fitted("sales.zh").review == dt.date(2026, 9, 30)
    assert small(review={"every": "half_year"}).fit(orders()).review == dt.date(2026, 12, 30)
    assert small(review={"every": "quarter", "next": "2026-10-01"}).fit(orders()).review == dt.date(2026, 10, 1)
    assert small().fit(orders()).review is None


def test_without_segments():
    result = small().fit(orders())
    assert (result.segment, result.segments, result.tags, result.scores, result.matrix) == (None, [], [], [], None)
    with pytest.raises(xf.errors.InputError, match=r"no segments"):
        result.profile()
    assert len(result.left_out()) == 1
