"""ClusterSegmenter: from a frame to named, described clusters and the rules that replay them."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from xifen.errors import InputError, ParameterError

RFM = xf.rfm_table(xf.datasets.load_cdnow(), as_of="1998-06-30").iloc[::8].reset_index(drop=True)
COLUMNS = ["recency_days", "order_count", "monetary"]


def kinds(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Three kinds of customers, of which 1 in 2, 1 in 3 and the rest: nobody can mix them up."""
    rng = np.random.default_rng(seed)
    kind = np.repeat([0, 1, 2], [rows // 2, rows // 3, rows - rows // 2 - rows // 3])
    return pd.DataFrame(
        {
            "customer_id": np.arange(rows),
            "recency_days": np.asarray([200, 20, 20])[kind] + rng.integers(0, 10, rows),
            "order_count": np.asarray([20, 50, 600])[kind] + rng.integers(0, 3, rows),
            "monetary": np.asarray([20.0, 300.0, 9_000.0])[kind] * rng.uniform(0.9, 1.1, rows),
            "kind": kind,
        }
    ).sample(frac=1, random_state=seed, ignore_index=True)


def labels(frame: pd.DataFrame, column: str = "cluster") -> list:
    return frame[column].astype(object).where(frame[column].notna(), None).tolist()


# ---- fit and transform ---------------------------------------------------------------------------


def test_kinds_of_customers_are_found_named_and_ordered_by_size():
    customers = kinds()
    segmenter = xf.ClusterSegmenter().fit(customers)
    out = segmenter.transform(customers)
    assert segmenter.cluster_names_ == ["long ago, low monetary", "recent", "frequent, high monetary"]
    assert list(out["cluster"].cat.categories) == segmenter.cluster_names_
    assert out["cluster"].cat.codes.tolist() == customers["kind"].tolist()
    assert segmenter.choice().recommended == 3
    assert segmenter.choice()["k"].tolist() == [2, 3, 4, 5, 6]
    assert segmenter.choice().reason.startswith("k = 3: ")


def test_the_same_frame_kind_comes_back_with_the_same_clusters():
    customers = kinds()
    customers.index = np.arange(len(customers)) // 2  # not unique
    before = customers.copy(deep=True)
    segmenter = xf.ClusterSegmenter(n_clusters=3, output="group")
    wanted = segmenter.fit_transform(customers)
    pd.testing.assert_frame_equal(customers, before, check_exact=True)
    assert list(wanted.index) == list(customers.index)
    assert list(wanted) == [*customers, "group"]
    polars = segmenter.fit_transform(pl.from_pandas(customers))
    assert isinstance(polars.schema["group"], pl.Enum)
    assert polars["group"].to_list() == labels(wanted, "group")
    arrow = segmenter.fit_transform(pa.Table.from_pandas(customers, preserve_index=False))
    assert pa.types.is_dictionary(arrow.schema.field("group").type)
    assert arrow["group"].to_pylist() == labels(wanted, "group")
    by_dict = segmenter.fit_transform({name: customers[name].to_numpy() for name in customers})
    assert labels(by_dict, "group") == labels(wanted, "group")
    pd.testing.assert_frame_equal(segmenter.fit(customers).transform(customers), wanted, check_exact=True)


def test_threads_and_calls_do_not_change_a_bit():
    models = [xf.ClusterSegmenter(n_clusters=4, n_jobs=n).fit(RFM).to_json() for n in (None, None)]
    assert models[0] == models[1]
    one, two = (xf.ClusterSegmenter(n_jobs=n).fit(RFM) for n in (1, 8))
    assert one.to_json().replace('"n_jobs": 1', "") == two.to_json().replace('"n_jobs": 8', "")


def test_a_model_file_predicts_the_same_in_another_process(tmp_path):
    segmenter = xf.ClusterSegmenter(n_clusters=4).fit(RFM)
    (tmp_path / "model.json").write_text(segmenter.to_json(), encoding="utf-8")
    # Not parquet: a process that ends right after pandas read one may abort under pyarrow 18 (apache/arrow#34314).
    RFM[COLUMNS].to_pickle(tmp_path / "rfm.pickle")
    code = (
        "import sys, pandas as pd, xifen as xf\n"
        "model = xf.ClusterSegmenter.from_json(open(sys.argv[1] + '/model.json', encoding='utf-8').read())\n"
        "frame = pd.read_pickle(sys.argv[1] + '/rfm.pickle')\n"
        "print(*model.transform(frame)['cluster'].cat.codes)\n"
        "print(model.to_rules(2).rules)\n"
        "print(model.describe().to_json(), model.choice())\n"
    )
    out = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=True, text=True)
    lines = out.stdout.splitlines()
    assert lines[0].split() == segmenter.transform(RFM)["cluster"].cat.codes.astype(str).tolist()
    assert lines[1] == str(segmenter.to_rules(2).rules)
    assert lines[2] == f"{segmenter.describe().to_json()} None"


def test_the_choice_is_in_the_model_file():
    segmenter = xf.ClusterSegmenter(max_clusters=3).fit(kinds())
    twin = xf.ClusterSegmenter.from_json(segmenter.to_json())
    pd.testing.assert_frame_equal(twin.choice(), segmenter.choice())
    assert (twin.choice().recommended, twin.choice().reason) == (3, segmenter.choice().reason)
    assert twin.choice()["k"].tolist() == [2, 3]
    assert xf.ClusterSegmenter(n_clusters=2).fit(kinds()).choice() is None


def test_it_stands_in_a_pipeline():
    path = make_pipeline(xf.RFMScorer(), xf.ClusterSegmenter(COLUMNS, n_clusters=3))
    out = path.fit_transform(RFM)
    assert {"rfm_cell", "cluster"} <= set(out)
    pd.testing.assert_frame_equal(path.transform(RFM), out)


def test_new_rows_are_scaled_as_the_fitted_ones_were():
    customers = kinds()
    segmenter = xf.ClusterSegmenter(n_clusters=3).fit(customers)
    wanted = segmenter.transform(customers)
    pieces = pd.concat([segmenter.transform(customers.iloc[i : i + 100]) for i in range(0, 400, 100)])
    assert labels(pieces) == labels(wanted)
    beyond = pd.DataFrame({"recency_days": [0, 10**6], "order_count": [10**9, 1], "monetary": [1e300, -1e300]})
    assert labels(segmenter.transform(beyond)) == ["frequent, high monetary", "long ago, low monetary"]
    assert labels(segmenter.transform(beyond.iloc[:0])) == []


# ---- scaling -------------------------------------------------------------------------------------


def test_scaling_is_log_cap_median_and_interquartile_range():
    scaling = xf.ClusterSegmenter(COLUMNS, n_clusters=2, cap=(0.05, 0.9)).fit(RFM).scaling_
    assert {name: one["log"] for name, one in scaling.items()} == {
        "recency_days": False,  # skewed to the left
        "order_count": True,
        "monetary": True,
    }
    x = np.log1p(RFM["monetary"].to_numpy())
    low, high = np.quantile(x, [0.05, 0.9])
    x = np.clip(x, low, high)
    assert scaling["monetary"] == {
        "log": True,
        "low": low,
        "high": high,
        "centre": np.median(x),
        "scale": pytest.approx((np.quantile(x, 0.75) - np.quantile(x, 0.25)) / 1.3489795, rel=1e-7),
    }


@pytest.mark.parametrize(
    ("log", "logged"),
    [(True, COLUMNS), (False, []), ("auto", COLUMNS[1:]), (["recency_days"], ["recency_days"]), ([], [])],
)
def test_log_says_which_columns(log, logged):
    scaling = xf.ClusterSegmenter(COLUMNS, n_clusters=2, log=log).fit(RFM).scaling_
    assert [name for name in COLUMNS if scaling[name]["log"]] == logged


def test_negative_amounts_have_logarithms_too():
    x = np.concatenate([np.random.default_rng(0).lognormal(3, 2, 300), [-500.0, -3.0, 0.0, -0.0]])
    scaling = xf.ClusterSegmenter(["x"], n_clusters=2, cap=None).fit({"x": x}).scaling_["x"]
    assert scaling["log"]
    assert scaling["low"] == -np.log1p(500)
    assert scaling["high"] == np.log1p(x.max())


def test_without_caps_one_extreme_customer_is_a_cluster_of_its_own():
    frame = pd.DataFrame({"x": [*np.tile([0.0, 1.0, 2.0, 10.0, 11.0, 12.0], 50), 1e6]})
    capped = xf.ClusterSegmenter(["x"], n_clusters=2, log=False).fit(frame)
    assert capped.describe()["size"].tolist() == [151, 150, 301]
    free = xf.ClusterSegmenter(["x"], n_clusters=2, log=False, cap=None).fit(frame)
    assert free.describe()["size"].tolist() == [300, 1, 301]


def test_a_column_whose_quartiles_are_equal_is_scaled_by_its_deviation():
    x = np.repeat([0.0, 10.0], [90, 10])
    scaling = xf.ClusterSegmenter(["x"], n_clusters=2, log=False).fit({"x": x}).scaling_["x"]
    assert scaling["scale"] == pytest.approx(x.std())


def test_constant_columns_are_warned_about_and_change_nothing():
    customers = kinds()
    wanted = xf.ClusterSegmenter(n_clusters=3).fit_transform(customers)["cluster"].cat.codes
    more = customers.assign(same=5.0, nearly=np.arange(400) == 0)
    with pytest.warns(UserWarning, match="column 'same' is constant: it tells no rows apart"):
        out = xf.ClusterSegmenter([*COLUMNS, "same"], n_clusters=3).fit_transform(more)
    assert out["cluster"].cat.codes.tolist() == wanted.tolist()
    with pytest.warns(UserWarning, match="column 'nearly' is constant between its caps"):
        out = xf.ClusterSegmenter([*COLUMNS, "nearly"], n_clusters=3).fit_transform(more)
    assert out["cluster"].cat.codes.tolist() == wanted.tolist()


@pytest.mark.parametrize("scale", [1e300, 1e-310, -1e200])
@pytest.mark.parametrize("log", [True, False])
def test_huge_and_tiny_numbers_stay_finite(scale: float, log: bool):
    x = np.tile([1.0, 1.1, 1.2, 1.7, 1.6, 1.5], 20) * scale
    segmenter = xf.ClusterSegmenter(["x"], n_clusters=2, log=log).fit({"x": x})
    if scale == 1e-310 and log:
        return  # log1p is exact there, but the scale of 1e-310 is not
    assert segmenter.describe()["size"].tolist() == [60, 60, 120]
    assert np.isfinite(segmenter.describe()[["x_mean", "x_median", "x_effect"]].to_numpy()).all()
    out = segmenter.to_rules(1).fit_transform({"x": x})
    assert labels(out) == labels(segmenter.transform({"x": x}))


# ---- missing values and refusals -----------------------------------------------------------------


def test_rows_with_missing_values_get_no_cluster():
    customers = kinds().astype({"recency_days": "Int64"})
    whole = xf.ClusterSegmenter(n_clusters=3).fit(customers)
    gaps = pd.concat([customers, customers.iloc[:3]], ignore_index=True)
    gaps.loc[400:, "recency_days"] = pd.NA
    gaps.loc[401, ["recency_days", "monetary"]] = [5, np.nan]
    with pytest.warns(
        UserWarning, match="3 of 403 rows miss a value in recency_days, order_count, monetary and get no"
    ):
        segmenter = xf.ClusterSegmenter(n_clusters=3).fit(gaps)
    assert segmenter.scaling_ == whole.scaling_
    for data in (gaps, pl.from_pandas(gaps), pa.Table.from_pandas(gaps)):
        out = segmenter.transform(data)
        found = (
            labels(out)
            if data is gaps
            else out["cluster"].to_list()
            if hasattr(out, "to_dicts")
            else out["cluster"].to_pylist()
        )
        assert found == [*labels(whole.transform(customers)), None, None, None]
    assert labels(segmenter.transform(gaps.iloc[400:])) == [None] * 3
    assert segmenter.describe()["size"].iloc[-1] == 400


@pytest.mark.parametrize(
    ("parameters", "change", "error", "words"),
    [
        ({}, {"monetary": np.inf}, InputError, r"column 'monetary' of frame is infinite \(inf\) in row 0; infinity"),
        ({}, {"monetary": np.nan}, InputError, "no row of frame has a value in every one of recency_days"),
        ({}, {"monetary": "much"}, InputError, "column 'monetary' of frame holds no numbers; convert it"),
        ({}, {"cluster": 1}, InputError, "already has a column 'cluster'.*output="),
        ({}, {"recency_days": 1, "order_count": 1, "monetary": 1.0}, InputError, "all rows are alike in recency_days"),
        ({"columns": ["monetry"]}, {}, InputError, "no column 'monetry'.*did you mean 'monetary'"),
        ({"columns": []}, {}, ParameterError, "columns is empty"),
        ({"columns": "monetary"}, {}, ParameterError, "columns is 'monetary'; wanted a list"),
        ({"columns": ["monetary", "monetary"]}, {}, ParameterError, "names 'monetary' twice"),
        ({"n_clusters": 0}, {}, ParameterError, "n_clusters is 0; wanted a whole number from 1"),
        ({"n_clusters": 2.5}, {}, ParameterError, "n_clusters is 2.5"),
        ({"n_clusters": 500}, {}, InputError, "n_samples=400 is fewer than n_clusters=500"),
        ({"max_clusters": 1}, {}, ParameterError, "max_clusters is 1; wanted a whole number from 2"),
        ({"method": "means"}, {}, ParameterError, "method is 'means'; wanted 'kmeans'"),
        ({"lang": "de"}, {}, ParameterError, "lang is 'de'; wanted 'en' or 'zh'"),
        ({"output": None}, {}, TypeError, "output must be the name"),
        ({"log": "never"}, {}, ParameterError, "log is 'never'; wanted 'auto', True, False or a list"),
        ({"log": ["recency"]}, {}, ParameterError, "log names 'recency', which is not one of"),
        ({"cap": (0.9, 0.1)}, {}, ParameterError, r"cap is \(0.9, 0.1\); wanted two quantiles"),
        ({"cap": 0.1}, {}, ParameterError, "cap is 0.1"),
        ({"n_init": 0}, {}, ParameterError, "n_init"),
    ],
)
@pytest.mark.filterwarnings("ignore:column '.*' is constant:UserWarning")
def test_what_cannot_be_clustered_is_refused(parameters, change, error, words):
    with pytest.raises(error, match=words):
        xf.ClusterSegmenter(**parameters).fit_transform(kinds().assign(**change))


@pytest.mark.filterwarnings("ignore:column '.*' is constant:UserWarning")
def test_few_rows_are_enough_or_refused():
    customers = kinds()
    with pytest.raises(InputError, match="all rows are alike"):
        xf.ClusterSegmenter().fit(customers.iloc[:1])
    with pytest.raises(InputError, match="2 rows are too few to choose a number of clusters from; give n_clusters"):
        xf.ClusterSegmenter().fit(customers.iloc[:2])
    with pytest.raises(InputError, match="no row of frame"):
        xf.ClusterSegmenter().fit(customers.iloc[:0])
    one = xf.ClusterSegmenter(n_clusters=1).fit(customers.iloc[:1])
    assert one.cluster_names_ == ["average"]
    assert one.describe()["apart"].tolist() == ["like everyone", ""]
    assert one.to_rules().rules == {"average": "TRUE"}
    assert one.replay_accuracy_ == 1
    assert labels(one.transform(customers)) == ["average"] * 400


def test_an_array_is_a_type_error_and_unfitted_says_so():
    with pytest.raises(
        TypeError, match="finds its columns by name and expects 'recency_days', 'order_count', 'monetary'"
    ):
        xf.ClusterSegmenter().fit(RFM[COLUMNS].to_numpy())
    for call in ("describe", "to_rules", "choice"):
        with pytest.raises(NotFittedError):
            getattr(xf.ClusterSegmenter(), call)()
    with pytest.raises(ParameterError, match="a model file cannot hold"):
        xf.ClusterSegmenter(n_clusters=2, random_state=np.random.RandomState(0)).fit(RFM).to_json()


# ---- names and profile ---------------------------------------------------------------------------


def test_names_are_unique_and_speak_chinese():
    chinese = xf.ClusterSegmenter(n_clusters=3, lang="zh").fit(kinds())
    assert chinese.cluster_names_ == ["久未购买、金额低", "近期购买", "购买频繁、金额高"]
    assert chinese.describe()["cluster"].iloc[-1] == "全部"
    for count in (6, 20, 300):
        segmenter = xf.ClusterSegmenter(n_clusters=count, n_init=1).fit(RFM)
        assert len(set(segmenter.cluster_names_)) == count
        out = segmenter.transform(RFM)["cluster"]
        sizes = out.value_counts(sort=False).to_numpy()
        assert (np.diff(sizes) <= 0).all()
        assert out.cat.codes.max() == count - 1


def test_other_columns_are_high_or_low_and_no_name_is_a_column():
    noise, groups = "high spend, high visits", np.repeat([1.0, 90.0], [240, 160])
    frame = pd.DataFrame({"spend": groups, "visits": groups, noise: np.random.default_rng(0).normal(size=400)})
    segmenter = xf.ClusterSegmenter(list(frame), n_clusters=2, log=False).fit(frame)
    assert segmenter.cluster_names_ == ["low spend, low visits", "high spend, high visits (2)"]
    assert labels(segmenter.to_rules().fit_transform(frame)) == labels(segmenter.transform(frame))


def test_describe_holds_clusters_against_everyone():
    segmenter = xf.ClusterSegmenter(n_clusters=4).fit(RFM)
    table = segmenter.describe()
    groups = segmenter.transform(RFM).groupby("cluster", observed=False)
    assert table["cluster"].tolist() == [*segmenter.cluster_names_, "everyone"]
    assert table["size"].tolist() == [*groups.size(), len(RFM)]
    np.testing.assert_allclose(table["share"], table["size"] / len(RFM))
    one = segmenter.scaling_["monetary"]
    z = (np.clip(np.log1p(RFM["monetary"].to_numpy()), one["low"], one["high"]) - one["centre"]) / one["scale"]
    effects = pd.Series((z - z.mean()) / z.std()).groupby(segmenter.transform(RFM)["cluster"], observed=False).mean()
    np.testing.assert_allclose(table["monetary_effect"], [*effects, 0])
    for column in COLUMNS:
        np.testing.assert_allclose(table[f"{column}_mean"], [*groups[column].mean(), RFM[column].mean()])
        np.testing.assert_allclose(table[f"{column}_median"], [*groups[column].median(), RFM[column].median()])
    best = table.iloc[3]
    assert best["apart"].startswith(f"frequent ({best['order_count_effect']:+.1f}), high monetary (")


# ---- rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
@pytest.mark.filterwarnings("ignore:rules of depth .* have no room:UserWarning")
def test_rules_replay_the_clusters_as_well_as_stated(depth: int):
    segmenter = xf.ClusterSegmenter(n_clusters=5).fit(RFM)
    wanted = labels(segmenter.transform(RFM))
    rules = segmenter.to_rules(max_depth=depth)
    found = labels(rules.fit_transform(RFM))
    assert None not in found
    assert segmenter.replay_accuracy_ == np.mean([one == other for one, other in zip(found, wanted, strict=True)])
    assert segmenter.replay_accuracy_ > {1: 0.45, 2: 0.75, 3: 0.9, 6: 0.95}[depth]
    assert list(rules.rules) == [name for name in segmenter.cluster_names_ if name in rules.rules]
    frame = RFM[COLUMNS]  # duckdb finds it by name
    assert len(frame)
    same = duckdb.sql(f"SELECT {rules.fit(RFM).to_sql()} FROM frame").fetchall()
    assert [label for (label,) in same] == found


def test_every_cluster_has_a_rule_where_there_is_room():
    for count in (2, 3, 4, 5, 6):
        segmenter = xf.ClusterSegmenter(n_clusters=count).fit(RFM)
        stated = segmenter.replay_accuracy_
        assert len(segmenter.to_rules().rules) == count
        assert segmenter.replay_accuracy_ == stated > 0.9
    with pytest.warns(UserWarning, match="rules of depth 2 have no room for '.*', whose rows get other labels; give a"):
        assert len(segmenter.to_rules(2).rules) <= 4


@pytest.mark.parametrize("depth", [0, 7, 2.5, None, True])
def test_depths_are_1_to_6(depth):
    segmenter = xf.ClusterSegmenter(n_clusters=2).fit(RFM)
    with pytest.raises(ParameterError, match="wanted a whole number from 1 to 6"):
        segmenter.to_rules(depth)


def test_rules_have_no_gap_and_no_overlap():
    rules = xf.ClusterSegmenter(n_clusters=5).fit(RFM).to_rules()
    coverage = rules.fit(RFM).coverage()
    assert coverage.complete
    assert len(coverage.overlaps) == 0


def test_rules_part_values_exactly_in_any_width():
    x = np.float32(1) + np.arange(8, dtype=np.float32) * np.finfo(np.float32).eps
    for values in (x, x.astype(np.float64), np.nextafter(np.tile(x.astype(float), 1), 2)):
        frame = {"x": np.repeat(values, 5)}
        segmenter = xf.ClusterSegmenter(["x"], n_clusters=2, cap=None).fit(frame)
        assert labels(segmenter.to_rules(1).fit_transform(frame)) == labels(segmenter.transform(frame))
        assert segmenter.replay_accuracy_ == 1


def test_values_that_differ_by_rounding_are_not_parted():
    x = np.repeat([0.1 + 0.2, 0.3, 0.9, 0.8], 10)
    rules = xf.ClusterSegmenter(["x"], n_clusters=2).fit({"x": x}).to_rules()
    assert set(rules.rules.values()) <= {"x <= 0.5", "x > 0.5", "x <= 0.6", "x > 0.6"}


def test_whole_numbers_have_whole_cuts_and_bounds_are_said_once():
    rules = xf.ClusterSegmenter(n_clusters=3).fit(kinds()).to_rules()
    assert set(rules.rules) == {"long ago, low monetary", "recent", "frequent, high monetary"}
    for rule in rules.rules.values():
        assert "." not in rule or "monetary" in rule
        assert " OR " not in rule
        assert all(rule.count(f"{column} {sign}") <= 1 for column in COLUMNS for sign in ("<=", ">"))


def test_flags_and_odd_names_are_written_as_sql_has_them():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "order by": np.repeat([0.0, 50.0], 100),
            'a "quoted" 名': np.tile([0.0, 70.0], 100) + rng.uniform(size=200),
            "opted_out": np.repeat([True, False, True, False], 50),
        }
    )
    segmenter = xf.ClusterSegmenter(list(frame), n_clusters=8, log=False, n_init=20).fit(frame)
    rules = segmenter.to_rules()
    assert segmenter.replay_accuracy_ == 1
    assert labels(rules.fit_transform(frame)) == labels(segmenter.transform(frame))
    assert all("opted_out = FALSE" in rule or "opted_out <> FALSE" in rule for rule in rules.rules.values())


def test_a_missing_value_leaves_the_label_missing_unless_it_does_not_matter():
    customers = kinds()
    rules = xf.ClusterSegmenter(n_clusters=3).fit(customers).to_rules()
    rules.fit(customers)
    gaps = customers.assign(**dict.fromkeys(COLUMNS, np.nan))
    assert labels(rules.transform(gaps)) == [None] * len(gaps)
    known = labels(rules.transform(customers))
    for column in COLUMNS:
        found = labels(rules.transform(customers.assign(**{column: np.nan})))
        assert all(one in (None, other) for one, other in zip(found, known, strict=True))
