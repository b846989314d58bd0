"""What is wrong with a plan, or with what it is given, is said before any work and where it stands."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import xifen as xf
from plans import orders, small

HEAD = "xifen = 1\nas_of = 2026-06-30\n[tables]\nwindows = ['90D']\n"


def load(tmp_path: Path, text: str, name: str = "sales.toml") -> xf.Plan:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return xf.Plan.load(path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[contcat]\n", r"sales.toml, line 5, contcat: unknown key; did you mean 'contact'\?"),
        ("[[segments]]\npreset = 'rfm.named'\nlangs = 1\n", r"line 7, segments\[0\].langs: unknown key"),
        ("\n\n[[segments]]\npreset = 'rfm.nam'\n", r"line 8, segments\[0\].preset: got 'rfm.nam'; did you mean 'rfm.named'\?"),
        ("[[tags]]\npreset = 'rfm.named'\n", r"line 6, tags\[0\].preset: got 'rfm.named'.* wanted one of 'churn.watch'"),
        ("[[tags]]\npreset = 'tag.risk'\n[tags.parameters]\ncomplaint = 2\n", r"line 5, tags\[0\]: there is no parameter of tag.risk 'complaint'; did you mean 'complaints'"),
        ("[[tags]]\npreset = 'tag.risk'\nrules = {a = 'x > 1'}\n", r"line 7, tags\[0\].rules: 'rules' is of no use beside a preset"),
        ("[[tags]]\n[tags.rules]\na = 'order_count >'\n", r"line 5, tags\[0\]: .*'a'"),
        ("[[tags]]\n[tags.rules]\na = 'order_count > 1'\n[[scores]]\n[scores.edges]\nmonetary_x = [1]\n", r"line 8, scores\[0\]: edges names 'monetary_x'"),
        ("[[segments]]\npreset = 'churn.watch'\n", r"got 'churn.watch'"),
        ("[[tags]]\nname = 'n'\n[tags.rules]\na = 'order_count_91D = 0'\n", r"line 5, tags\[0\]: 'n' reads 'order_count_91D', which needs the window '91D'"),
        ("[[tags]]\nname = 'n'\n[tags.rules]\na = 'order_count = 0'\n[[tags]]\nname = 'n'\n[tags.rules]\nb = 'order_count = 0'\n", r"line 9, tags\[1\]: a step called 'n' stands there already"),
        ("[[tags]]\nname = 'n'\n[tags.rules]\na = 'order_count = 0'\n[[tags]]\nname = 'm'\n[tags.rules]\na = 'order_count = 1'\n", r"'m' adds 'a', as 'n' does"),
        ("[[tags]]\nname = 'n'\n[tags.rules]\nmonetary = 'order_count = 0'\n", r"'n' adds 'monetary', as \[tables\] does|both a column and"),
        ("[[goals]]\nname = 'g'\nrule = 'a >'\nwindow = '3M'\ntarget = 1\n", r"line 7, goals\[0\].rule: "),
        ("[[goals]]\nname = 'g'\nrule = 'monetary_6M > 1'\nwindow = '3M'\ntarget = 1\n", r"the goal 'g' reads 'monetary_6M', which needs the window '6M'"),
        ("[[goals]]\nname = 'g'\nrule = 'a > 1'\nwindow = '3W'\ntarget = 1\n", r"line 8, goals\[0\].window: got '3W'; wanted text such as '90D'"),
        ("[playbook]\npreset = 'playbook.type'\ntype = 'x'\n", r"line 6, playbook.preset: got 'playbook.type'; did you mean 'playbook.types'\?"),
        ("[playbook]\ntype = 'x'\n", r"line 5, playbook: wanted a preset, or entries"),
        ("[[segments]]\noutput = 't'\n[segments.rules]\nbig = 'monetary > 1'\n[playbook]\npreset = 'playbook.types'\ntype = 't'\n", r"line 9, playbook: 'big' of 't' has no strategy"),
        ("[[segments]]\n[segments.rules]\nbig = 'monetary > 1'\n[[owners]]\nrole = 'x'\ntype = 'bigg'\n", r"line 10, owners\[0\].type: 'bigg' is no type of 'segment'; did you mean 'big'\?"),
        ("[[segments]]\n[segments.rules]\nbig = 'monetary > 1'\n[contact.days]\nsmall = 1\n", r"line 9, contact.days.small: 'small' is no type of 'segment'"),
        ("[[segments]]\n[segments.rules]\na = 'religion = 1'\n", r"line 5, segments\[0\]: 'segments 1' reads 'religion', but it is sensitive \(religion\)"),
        ("[[segments]]\n[segments.rules]\na = \"phone = '1'\"\n", r"reads 'phone', but it is a way to reach a person"),
        ("[review]\nevery = 'month'\n", r"line 6, review.every: got 'month'"),
        ("[privacy]\nsmall_cells = nan\n", r"line 6, privacy.small_cells: got nan"),
        ("[[scorecards]]\n[scorecards.indicators.a]\npoints = [1.0, inf]\n", r"line 7, scorecards\[0\].indicators.a.points\[1\]: got inf"),
        ('[[owners]]\nrole = "a\\u0000b"\n', r"line 6, owners\[0\].role: .* without NUL"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_and_what_to_write(tmp_path: Path, more: str, said: str):
    with pytest.raises(xf.errors.ParameterError, match=said):
        load(tmp_path, HEAD + more)


def test_a_circle_is_named(tmp_path: Path):
    rules = "[[tags]]\nname = 'one'\n[tags.rules]\na = 'b'\n[[segments]]\nname = 'two'\noutput = 'c'\n[segments.rules]\nx = 'a'\n[[tags]]\nname = 'three'\n[tags.rules]\nb = \"c = 'x'\"\n"
    with pytest.raises(
        xf.errors.ParameterError,
        match=r"sales.toml, line 5, tags\[0\]: these read what each other add: 'one' \(reads b\) -> 'three' \(reads c\) -> 'two' \(reads a\) -> 'one'",
    ):
        load(tmp_path, HEAD + rules)


def test_a_circle_within_the_rules_of_one_step_is_named():
    with pytest.raises(xf.errors.ParameterError, match=r"tags.0.: .*circle"):
        small(tags=[{"rules": {"a": "b AND order_count > 1", "b": "a OR order_count > 2"}}])


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (
            "xifen = 2\nfuture = true\n",
            "a.toml",
            "a.toml, line 1, xifen: this plan has format 2; this xifen reads format 1",
        ),
        ("xifen = '1'\n", "a.toml", "this plan has format '1'"),
        ("xifen = true\nas_of = 2026-01-01", "a.toml", "got True; wanted 1"),
        ("name = 'x'\n", "a.toml", "a.toml, line 1: 'xifen' is missing"),
        ("xifen = 1\n", "a.toml", r"without \[tables\] there are no orders whose last day could be taken"),
        ("xifen = \n", "a.toml", "a.toml is no TOML: .*line 1"),
        ('{"xifen": 1,', "a.json", "a.json is no JSON: .*line 1"),
        ('{"xifen": 1, "name": "a", "name": "b"}', "a.json", "the key 'name' stands twice"),
        ("[1]", "a.json", "wanted a table"),
        ("[" * 100_000, "a.json", "a.json is no JSON"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str, name: str, said: str):
    with pytest.raises(xf.errors.XifenError, match=said):
        load(tmp_path, text, name)


def test_files_that_are_not_there_or_no_text(tmp_path: Path):
    with pytest.raises(xf.errors.InputError, match=r"there is no plan .*none.toml; presets: Plan.preset"):
        xf.Plan.load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(xf.errors.InputError, match=r"cannot be read"):
        xf.Plan.load(tmp_path / "bytes.toml")
    with pytest.raises(
        xf.errors.ParameterError,
        match=r"there is no plan 'sales'; did you mean 'sales.\w\w'\?|there is no plan 'sales'; there is",
    ):
        xf.Plan.preset("sales")


def test_amounts_of_another_currency_are_refused():
    with pytest.raises(
        xf.errors.ParameterError,
        match=r"tags.0.: tag.value reads 'monetary_12M' with currency 'CNY', your amounts have 'EUR'",
    ):
        small(tables={"windows": ["12M", "3M"], "currency": "EUR"}, tags=[{"preset": "tag.value"}])


# -- data ------------------------------------------------------------------------------------------


def test_what_is_needed_and_absent():
    plan = small(tags=[{"name": "n", "rules": {"a": "margin > 0.3"}}])
    with pytest.raises(xf.errors.InputError, match=r"the plan has \[tables\], which need orders"):
        plan.fit()
    with pytest.raises(
        xf.errors.InputError, match=r"the plan, tags\[0\]: 'n' reads 'margin', which the data does not have"
    ):
        plan.fit(orders())
    people = {"customer_id": ["a", "b", "c"], "margins": [0.1, 0.4, None]}
    with pytest.raises(xf.errors.InputError, match=r"did you mean 'margins'"):
        plan.fit(orders(), people)
    with pytest.raises(xf.errors.InputError, match=r"customers has no column 'customer_id'"):
        plan.fit(orders(), {"id": ["a"]})
    with pytest.raises(xf.errors.InputError, match=r"orders has no column 'amount'"):
        plan.fit({"customer_id": ["a"], "timestamp": ["2026-01-01"]}, people)
    with pytest.raises(xf.errors.InputError, match=r"the plan counts keywords, which need messages"):
        small(tables={"keywords": "keywords.need"}).fit(orders())
    with pytest.raises(xf.errors.InputError, match=r"no use for orders"):
        xf.Plan.from_dict({"xifen": 1, "as_of": "2026-06-30"}).fit(orders(), people)
    with pytest.raises(xf.errors.InputError, match=r"so its customers are needed"):
        xf.Plan.from_dict({"xifen": 1, "as_of": "2026-06-30"}).fit()


def test_all_absent_columns_are_named_at_once():
    plan = small(
        segments=[{"preset": "band.size"}, {"preset": "band.ownership"}], tags=[{"rules": {"x": "nothing > 1"}}]
    )
    with pytest.raises(xf.errors.InputError, match=r"reads 'employees', .*columns of \[sources.customers\]") as failure:
        plan.fit(orders())
    assert "Absent, too: 'ownership' ('band.ownership'), 'nothing'" in str(failure.value)


def test_customers_without_an_id_or_with_one_twice():
    people = {"customer_id": ["a", None, "a"], "margin": [0.1, 0.2, 0.3]}
    with pytest.raises(xf.errors.InputError, match=r"row 1 of customers has no id, the first of 1: repair"):
        small().fit(orders(), people)
    result = small(tables={"invalid": "drop"}).fit(orders(), people)
    assert result.frame["margin"].tolist()[0] == 0.1
    assert result.counts["customer_rows_without_id"] == 1
    assert result.counts["customer_rows_repeated"] == 1
    assert result.counts["customers_not_listed"] == 2


def test_a_column_of_the_customers_that_the_tables_make_too():
    with pytest.raises(xf.errors.InputError, match=r"customers has a column 'monetary', which the tables make too"):
        small().fit(orders(), {"customer_id": ["a"], "monetary": [1]})
    with pytest.raises(xf.errors.InputError, match=r"'t' adds 'grade', which the data already has"):
        small(segments=[{"name": "t", "output": "grade", "rules": {"x": "order_count > 1"}}]).fit(
            orders(), {"customer_id": ["a"], "grade": [1]}
        )


def test_no_order_one_order_one_customer():
    empty = {"customer_id": [], "timestamp": [], "amount": []}
    empty = pd.DataFrame(empty).astype({"customer_id": "str", "timestamp": "str"})
    plan = small(tags=[{"rules": {"buyer": "order_count > 0"}}], scores=[{"n_bins": 5}])
    with pytest.raises(xf.errors.InputError, match=r"there is no customer"):
        plan.fit(empty)
    with pytest.raises(xf.errors.InputError):  # nothing to learn cuts of recency from
        plan.fit(empty, {"customer_id": ["a", "b"]})
    tags = small(tags=[{"rules": {"buyer": "order_count > 0"}}])
    assert tags.fit(empty, {"customer_id": ["a", "b"]}).frame["buyer"].tolist() == [False, False]
    with pytest.raises(xf.errors.InputError, match=r"needs a purchase"):
        xf.Plan.from_dict({"xifen": 1, "tables": {}}).fit(empty, {"customer_id": ["a"]})
    one = {"customer_id": ["a"], "timestamp": ["2026-06-01"], "amount": [5.0]}
    result = plan.fit(one)
    assert result.frame["rfm_cell"].tolist() == ["511"]
    assert result.profile.__doc__
    assert len(result.questions()) == 5


def test_hostile_texts_stay_what_they_are():
    hostile = ["</script><script>alert(1)</script>", "=cmd|'/c calc'!A1", "\u202eevil\x00\n", "x" * 1_000_000]
    people = {"customer_id": ["a", "b", "c", "d"], "name": hostile, "industry": hostile}
    plan = small(
        segments=[{"rules": {"x": "order_count > 1"}, "default": "y"}],
        owners=[{"role": "r", "industry": hostile[0]}],
    )
    result = plan.fit(orders(), people)
    assert result.frame["name"].tolist() == hostile
    assert result.frame["owner"].tolist()[0] == "r"
    assert hostile[1] in result.explain("b").text


@pytest.mark.parametrize(
    ("blocks", "people", "said"),
    [
        ({"privacy": {"opt_out": "no_mail"}}, {}, "opt_out names 'no_mail', but the data has no such column"),
        ({}, {"opt_out": ["perhaps"] * 3}, "wanted true or false"),
        ({"playbook": {"preset": "playbook.types", "type": "kind"}}, {}, "'kind' carries the strategy, but the data has no such column"),
        ({"owners": [{"role": "x", "industry": "a"}], "segments": [{"rules": {"a": "order_count > 0"}}]}, {}, "no column 'industry'"),
        ({"contact": {"last": "seen"}, "segments": [{"rules": {"a": "order_count > 0"}}]}, {}, r"\[contact\] last names 'seen'"),
        ({"goals": [{"name": "g", "rule": "order_count > 0", "window": "3M", "target": 1, "sum": "profit"}]}, {}, "adds up 'profit'"),
        ({"goals": [{"name": "g", "rule": "profit > 0", "window": "3M", "target": 1}]}, {}, "the goal 'g' reads 'profit'"),
    ],
)  # fmt: skip
def test_columns_that_blocks_name_and_the_data_lacks(blocks: dict, people: dict, said: str):
    with pytest.raises(xf.errors.InputError, match=said):
        small(**blocks).fit(orders(), {"customer_id": ["a", "b", "c"], **people})


def test_a_source_that_is_no_file(tmp_path: Path):
    plan = load(tmp_path, HEAD + "[sources.orders]\npath = 'none.csv'\n")
    with pytest.raises(xf.errors.InputError, match=r"none.csv"):
        plan.fit()
