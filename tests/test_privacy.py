"""Privacy: what is kept out, who is left alone, pseudonyms, deletion, and counts nobody can calculate."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xifen as xf
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import fitted, orders, small
from scipy.optimize import linprog
from xifen.plan import privacy

TYPES = {"segments": [{"rules": {"big": "monetary > 100", "small": "order_count > 0"}}]}
KEY = "correct horse battery staple"


# -- fields ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["contact", "phone", "Mobile", "work_phone", "e_mail", "email", "wechat", "home_address", "phone_number", "联系方式", "手机号", "收货地址"],
)  # fmt: skip
def test_ways_to_reach_a_person_are_known_by_name(name: str):
    said = {"contact": False, "purpose": None}
    assert privacy.kept_out(name, said) == "contact"
    assert privacy.kept_out(name, {**said, "contact": True}) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("religion", "religion"), ("health_score", "health"), ("annual_income", "finances"), ("年收入", "finances"),
        ("gps_lat", "location"), ("has_children", "minors"), ("是否未成年", "minors"), ("fingerprint", "biometrics"), ("民族", "identity"),
    ],
)  # fmt: skip
def test_sensitive_fields_need_a_purpose(name: str, kind: str):
    assert privacy.kept_out(name, {"contact": False, "purpose": None}) == kind
    assert privacy.kept_out(name, {"contact": False, "purpose": {name: "asked for"}}) is None


def test_no_column_of_ours_is_kept_out():
    ours = [
        *fitted("sales.zh").frame.columns,
        "contact_role",
        "contact_count",
        "phone_call_count_12M",
        "revenue",
        "营业收入",
        "next_contact",
    ]
    assert [name for name in ours if privacy.kept_out(name, {"contact": False, "purpose": None})] == []


def test_contacts_and_sensitive_fields_stay_out_and_are_counted():
    people = {"customer_id": list("abc"), "contact": ["1", "2", "3"], "religion": ["x"] * 3, "size": [1, 2, 3]}
    result = small(**TYPES).fit(orders(), people)
    assert "contact" not in result.frame
    assert "religion" not in result.frame
    assert set(result.withheld) == {"contact", "religion"}
    fields = result.fields().set_index("field")
    assert fields.loc["size", "kept"]
    assert not fields.loc["religion", "kept"]
    assert "without a stated purpose" in fields.loc["religion", "why"]
    assert fields.loc["monetary", "purpose"] == "segments 1"
    said = result.left_out()
    assert {"field:contact", "field:religion", "small_cells"} <= set(said["what"])
    assert result.management(contact=True)["Contact"].isna().all()


def test_contacts_on_request():
    people = {"customer_id": list("abc"), "contact": ["1", "2", "3"]}
    result = small(**TYPES, privacy={"contact": True}).fit(orders(), people)
    assert result.management()["Contact"].isna().all()
    assert result.management(contact=True)["Contact"].tolist() == ["1", "2", "3"]


def test_a_purpose_lets_a_field_in_and_is_listed():
    assert fitted("leads").fields().set_index("field").loc["annual_income", "purpose"].startswith("score how likely")


def test_a_sensitive_field_under_another_name_is_still_one():
    people = {"customer_id": list("abc"), "religion": ["x"] * 3}
    plan = small(**TYPES, sources={"customers": {"columns": {"community": "religion"}}})
    assert "community" not in plan.fit(orders(), people).frame
    with pytest.raises(xf.errors.ParameterError, match=r"reads 'community', but it is sensitive"):
        small(
            sources={"customers": {"columns": {"community": "religion"}}},
            segments=[{"rules": {"a": "community = 'x'"}}],
        )


def test_those_who_opted_out_get_no_strategy():
    people = {"customer_id": list("abc"), "no_ads": [True, None, False]}
    book = {"type": "segment", "entries": {t: {"direction": "d", "actions": ["act"]} for t in ("big", "small")}}
    result = small(**TYPES, playbook=book, privacy={"opt_out": "no_ads"}).fit(orders(), people)
    assert result.counts["opted_out"] == 1
    assert result.management()["Strategy"].isna().tolist() == [True, False, False]


# -- pseudonyms ------------------------------------------------------------------------------------


def test_pseudonyms_hang_on_id_and_key_alone():
    first = privacy.pseudonymise([1, "1", 1.0, np.int64(1), "001", None, float("nan"), pd.NA], KEY)
    assert len(set(first[:4])) == 1
    assert first[4] != first[0]
    assert first[5:] == [None] * 3
    assert privacy.pseudonymise([1], KEY.encode()) == first[:1]
    assert privacy.pseudonymise([1], KEY + "!") != first[:1]
    many = privacy.pseudonymise(range(20_000), KEY)
    assert len(set(many)) == 20_000
    assert all(len(one) == 16 and one.isalnum() for one in many)


@pytest.mark.parametrize("key", ["", "short", "x" * 65])
def test_weak_keys_are_refused(key: str):
    with pytest.raises(xf.errors.ParameterError, match=f"the key has {len(key)} bytes; wanted 16 to 64"):
        privacy.pseudonymise([1], key)


def test_a_plan_pseudonymises_from_the_first_table_on(monkeypatch: pytest.MonkeyPatch):
    people = {"customer_id": list("abc"), "name": ["A", "B", "C"]}
    goal = {"name": "g", "rule": "monetary > 100", "window": "3M", "target": 1}
    plan = small(**TYPES, goals=[goal], privacy={"pseudonymise": "XIFEN_TEST_KEY"})
    with pytest.raises(xf.errors.ParameterError, match=r"XIFEN_TEST_KEY, which is not set"):
        plan.fit(orders(), people)
    monkeypatch.setenv("XIFEN_TEST_KEY", KEY)
    result = plan.fit(orders(), people)
    pseudonyms = privacy.pseudonymise("abc", KEY)
    assert result.frame["customer_id"].tolist() == sorted(pseudonyms)
    assert "name" not in result.frame
    plain = small(**TYPES, goals=[goal]).fit(orders(), people)
    money = dict(zip(privacy.pseudonymise(plain.frame["customer_id"], KEY), plain.frame["monetary"], strict=True))
    assert dict(zip(result.frame["customer_id"], result.frame["monetary"], strict=True)) == money
    assert result.goals()["attained"].tolist() == plain.goals()["attained"].tolist()


# -- deletion --------------------------------------------------------------------------------------


def test_forgetting_deletes_and_the_file_saved_again_knows_nothing(tmp_path: Path):
    people = {"customer_id": list("abc"), "name": ["Ann", "Bob", "Cy"]}
    result = small(**TYPES).fit(orders(), people)
    result.save(tmp_path / "m.json", customers=True)
    result = xf.Segmentation.load(tmp_path / "m.json")
    with pytest.raises(xf.errors.InputError, match=r"no row with 'z'; nothing"):
        result.forget(["b", "z"])
    assert len(result.frame) == 3
    result.forget(["b"])
    assert result.frame["customer_id"].tolist() == ["a", "c"]
    assert (result.counts["forgotten"], result.counts["customers"]) == (1, 2)
    result.save(tmp_path / "m.json", customers=True)
    assert "Bob" not in (tmp_path / "m.json").read_text(encoding="utf-8")
    assert xf.Segmentation.load(tmp_path / "m.json").frame["name"].tolist() == ["Ann", "Cy"]


# -- small counts ----------------------------------------------------------------------------------


def largest_by_hand(cells: np.ndarray, shown: np.ndarray, row: int, column: int) -> float:
    """The largest value a cell of a table with totals could have, from what is shown alone."""
    rows, columns = (size - 1 for size in cells.shape)
    n = cells.size
    place = np.arange(n).reshape(cells.shape)
    sums = []
    for r in range(rows + 1):
        line = np.zeros(n)
        line[place[r, :columns]] = 1
        line[place[r, columns]] = -1
        sums.append(line)
    for c in range(columns + 1):
        line = np.zeros(n)
        line[place[:rows, c]] = 1
        line[place[rows, c]] = -1
        sums.append(line)
    bounds = [(v, v) if s else (0, None) for v, s in zip(cells.ravel(), shown.ravel(), strict=True)]
    wanted = np.zeros(n)
    wanted[place[row, column]] = -1
    found = linprog(wanted, A_eq=np.array(sums), b_eq=np.zeros(len(sums)), bounds=bounds, method="highs")
    return np.inf if found.fun is None else -found.fun


@settings(max_examples=25, deadline=None)
@given(st.data(), st.integers(1, 4), st.integers(1, 4), st.integers(2, 8))
def test_no_small_count_can_be_calculated_from_what_is_shown(data, rows: int, columns: int, k: int):
    counts = np.array(
        data.draw(st.lists(st.integers(0, 20), min_size=rows * columns, max_size=rows * columns))
    ).reshape(rows, columns)
    out = privacy.suppress(pd.DataFrame(counts), k, total="all")
    cells = np.block([[counts, counts.sum(1, keepdims=True)], [counts.sum(0, keepdims=True), counts.sum()]])
    shown = out.notna().to_numpy()
    assert (out.to_numpy(dtype=float, na_value=-1)[shown] == cells[shown]).all()
    small_ones = (cells > 0) & (cells < k)
    assert not (shown & small_ones).any()
    if counts.sum() >= k:
        for row, column in np.argwhere(small_ones):
            assert largest_by_hand(cells, shown, row, column) >= k - 1e-6
    if not small_ones.any():
        assert shown.all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(1, 10))
def test_a_line_of_counts_with_its_total(counts: list[int], k: int):
    out = privacy.suppress(pd.Series(counts, dtype="int64"), k, total="all")
    hidden = out[:-1].isna().to_numpy()
    left_out = sum(itertools.compress(counts, hidden))
    assert left_out == 0 or left_out >= k or out.isna()["all"]
    assert not any(0 < count < k for count in itertools.compress(counts, ~hidden))
    assert pd.isna(out["all"]) or out["all"] == sum(counts)


def test_the_published_rectangle():
    # A single 3 would be 53 - 50: three others go with it.
    table = pd.DataFrame([[20, 30, 3], [40, 50, 60], [7, 8, 9]], list("abc"), list("xyz"))
    out = privacy.suppress(table)
    assert out.isna().to_numpy().tolist() == [[True, False, True], [False] * 3, [True, False, True]]
    assert out.index.tolist() == list("abc")
    assert privacy.suppress(table, 3).equals(table.astype("Int64"))


def test_a_total_that_is_too_small_takes_another_total_along_not_the_whole_table():
    table = pd.DataFrame([[0, 12, 41, 2], [2, 77, 110, 0], [0, 37, 172, 2], [0, 186, 691, 9]])
    out = privacy.suppress(table, total="all")
    assert out.loc["all"].isna().tolist() == [True, False, False, True, False]
    assert out[2].notna().all()
    assert out["all"].notna().all()


@pytest.mark.parametrize("wrong", [[-1], [1.5], [None], ["a"], [float("inf")]])
def test_what_is_no_count_is_refused(wrong: list):
    with pytest.raises(xf.errors.ParameterError, match=r"wanted counts|no count"):
        privacy.suppress(pd.Series(wrong))


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "5"])
def test_k_is_a_whole_number(k: object):
    with pytest.raises(xf.errors.ParameterError, match=r"k is"):
        privacy.suppress(pd.Series([1]), k)


def test_a_shared_profile_leaves_out_small_segments():
    log = {"customer_id": list(range(20)), "timestamp": ["2026-06-01"] * 20, "amount": [500.0] * 2 + [1.0] * 18}
    plan = small(
        segments=[{"rules": {"big": "monetary > 100", "low": "monetary < 100 AND customer_id < 8"}, "default": "rest"}]
    )
    result = plan.fit(log)
    assert result.profile()["customers"].tolist() == [2, 6, 12]
    shared = result.profile(shared=True)
    assert shared["customers"].isna().tolist() == [True, True, False]
    assert shared[["share", "revenue", "mean_monetary"]].isna().all(axis=1).tolist() == [True, True, False]
