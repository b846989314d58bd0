"""Binner: edges and bins against pandas, numpy and brute force; every kind of input; every way to be wrong."""

from __future__ import annotations

import decimal
import itertools
import math
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from xifen.errors import InputError

PANDAS_3 = int(pd.__version__.split(".")[0]) >= 3
needs_pandas_3 = pytest.mark.skipif(not PANDAS_3, reason="qcut's probabilities moved by one ulp in pandas 3")

#: Customers by number of distinct purchase days in the CDNOW master log (69,659 orders, 23,570 customers, bought
#: between 1997-01-01 and 1998-06-30; Fader and Hardie, brucehardie.com/datasets), as {days: customers}.
CDNOW_DAYS = {
    1: 12054, 2: 4040, 3: 2205, 4: 1436, 5: 991, 6: 643, 7: 470, 8: 378, 9: 279, 10: 182, 11: 156, 12: 126, 13: 105,
    14: 78, 15: 67, 16: 53, 17: 40, 18: 26, 19: 24, 20: 36, 21: 25, 22: 21, 23: 16, 24: 22, 25: 7, 26: 7, 27: 6, 28: 8,
    29: 6, 30: 4, 31: 4, 32: 8, 33: 6, 34: 2, 35: 5, 36: 3, 37: 3, 38: 2, 39: 1, 41: 2, 42: 2, 43: 1, 44: 2, 47: 1,
    48: 2, 51: 1, 53: 2, 54: 1, 57: 1, 58: 1, 59: 1, 71: 1, 72: 1, 82: 1, 95: 1, 116: 1, 125: 1, 146: 1, 171: 1,
}  # fmt: skip

rng = np.random.default_rng(20)
SHAPES = {
    "normal": rng.normal(size=1003),
    "spending": np.round(rng.lognormal(3, 1, 997), 2),
    "returns": -np.round(rng.lognormal(3, 1, 500), 2),
    "counts": rng.geometric(0.2, 2000),
    "days": rng.integers(0, 365, 1500),
    "huge": rng.normal(size=400) * 1e300,
    "tiny": rng.normal(size=400) * 1e-310,
    "both signs of zero": np.repeat([-1.0, -0.0, 0.0, 1.0], 30) * np.tile([1.0, 2.0], 60),
    "long": rng.exponential(100, 50_000),  # long enough for selection
    "long days": rng.integers(0, 3650, 40_000),
    "large integers": rng.integers(2**53, 2**62, 300),
}


def column(values, **parameters):
    """Scores (int, or NaN) and edges of one column."""
    frame = pd.DataFrame({"x": values})
    binner = xf.Binner(**parameters).fit(frame)
    scores = binner.transform(frame)["x"]
    pd.testing.assert_series_equal(xf.Binner(**parameters).fit_transform(frame)["x"], scores)
    return scores.to_numpy(dtype=float, na_value=np.nan), binner.bin_edges_["x"]


def defined_edges(values, k):
    """Edges as definitions.md writes them, in plain Python."""
    ordered = sorted(float(value) for value in values if not math.isnan(value))
    probabilities = np.linspace(0, 1, k + 1)
    np.putmask(probabilities, k * probabilities != np.arange(k + 1), np.nextafter(probabilities, 1))
    edges = []
    for p in probabilities[1:-1].tolist():
        h = (len(ordered) - 1) * p
        below, above = ordered[math.floor(h)], ordered[min(math.floor(h) + 1, len(ordered) - 1)]
        edges.append(below + (above - below) * (h - math.floor(h)))
    return edges


# -- quantiles -------------------------------------------------------------------------------------


@needs_pandas_3
@pytest.mark.parametrize("shape", SHAPES)
def test_bins_are_those_of_pandas_qcut_for_every_k(shape):
    values = SHAPES[shape]
    worked = 0
    for k in range(2, 21):
        try:
            bins, edges = pd.qcut(values, k, labels=False, retbins=True)
        except ValueError:
            continue  # coinciding edges: pandas has no answer
        scores, own = column(values, n_bins=k)
        np.testing.assert_array_equal(scores, bins + 1)
        np.testing.assert_allclose(own, edges[1:-1], rtol=1e-15, atol=5e-324)
        worked += 1
    assert worked >= (1 if shape in ("counts", "both signs of zero") else 19)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "large integers"])
def test_edges_are_the_defined_ones_to_the_last_bit(shape):
    for k in range(2, 21):
        assert column(SHAPES[shape], n_bins=k)[1].tolist() == defined_edges(SHAPES[shape], k)


numbers = st.one_of(
    st.integers(-5, 5).map(float),
    st.floats(-1e9, 1e9),
    st.floats(allow_nan=True, allow_infinity=False, width=64).map(lambda x: x / 4),
)


@needs_pandas_3
@settings(max_examples=150, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=40), st.integers(2, 20))
def test_bins_are_those_of_pandas_qcut_on_any_column(values, k):
    values = np.asarray(values)
    if np.isnan(values).all():
        return
    scores, edges = column(values, n_bins=k)
    assert len(edges) == k - 1
    assert (np.diff(edges) >= 0).all()
    np.testing.assert_array_equal(scores, np.where(np.isnan(values), np.nan, 1 + (values[:, None] > edges).sum(axis=1)))
    try:
        bins = pd.qcut(values, k, labels=False)
    except ValueError:
        return
    np.testing.assert_array_equal(scores, bins + 1)


@needs_pandas_3
def test_neighbouring_floats_fall_as_in_pandas():
    """Edges between values a few ulps apart round onto one of them: the side must be pandas'."""
    local = np.random.default_rng(5)
    for _ in range(300):
        n, k = int(local.integers(2, 30)), int(local.integers(2, 21))
        values = 1.0 + local.integers(0, 12, n) * 2.0**-52
        try:
            bins = pd.qcut(values, k, labels=False)
        except ValueError:
            continue
        np.testing.assert_array_equal(column(values, n_bins=k)[0], bins + 1)


def test_the_scale_never_shrinks():
    days = np.repeat(list(CDNOW_DAYS), list(CDNOW_DAYS.values()))
    scores, edges = column(days, n_bins=5)
    assert edges.tolist() == [1, 1, 2, 4]
    assert [int((scores == score).sum()) for score in range(1, 6)] == [12054, 0, 4040, 3641, 3835]


def test_four_in_five_bought_once():
    scores, edges = column([1] * 80 + list(range(2, 22)), n_bins=5)
    assert len(edges) == 4
    assert scores[:80].tolist() == [1] * 80
    assert scores[-1] == 5


def test_all_equal_values_score_lowest_and_in_a_descending_column_highest():
    for strategy in ("quantile", "uniform", "kmeans"):
        assert column([7.5] * 10, n_bins=5, strategy=strategy)[0].tolist() == [1] * 10
        assert column([7.5] * 10, n_bins=5, strategy=strategy, descending=["x"])[0].tolist() == [5] * 10


def test_values_beyond_the_fitted_range_score_first_or_last():
    binner = xf.Binner(4).fit(pd.DataFrame({"x": range(100)}))
    assert binner.transform(pd.DataFrame({"x": [-(10**9), 10**9]}))["x"].tolist() == [1, 4]


# -- the other strategies --------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["normal", "spending", "counts", "returns"])
def test_uniform_edges_are_those_of_linspace(shape):
    values = SHAPES[shape]
    for k in (2, 5, 7, 20):
        own = column(values, n_bins=k, strategy="uniform")[1]
        np.testing.assert_array_equal(own, np.linspace(values.min(), values.max(), k + 1)[1:-1])


def within(values, cuts):
    """Sum of squared distances from the mean of every part."""
    return sum(((part - part.mean()) ** 2).sum() for part in np.split(values, cuts) if len(part))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-60, 60), min_size=2, max_size=11), st.integers(2, 4))
def test_kmeans_finds_the_optimum(values, k):
    values = np.sort(np.asarray(values, dtype=float))
    edges = column(values, n_bins=k, strategy="kmeans")[1]
    own = within(values, np.searchsorted(values, edges, side="right"))
    places = range(1, len(values))
    best = min(within(values, cuts) for cuts in itertools.combinations_with_replacement(places, k - 1))
    assert own == pytest.approx(best, abs=1e-9)


def test_kmeans_is_never_beaten_by_scikit_learn():
    from sklearn.cluster import KMeans

    values = np.sort(SHAPES["spending"])
    edges = column(values, n_bins=6, strategy="kmeans")[1]
    own = within(values, np.searchsorted(values, edges, side="right"))
    other = KMeans(6, n_init=20, random_state=0).fit(values[:, None]).inertia_
    assert own <= other * (1 + 1e-12)


def test_kmeans_edges_stand_halfway_between_means():
    scores, edges = column([1, 2, 3, 11, 12, 13, 101], n_bins=3, strategy="kmeans")
    assert edges.tolist() == [7, 56.5]
    assert scores.tolist() == [1, 1, 1, 2, 2, 2, 3]


def test_kmeans_with_fewer_values_than_bins_keeps_the_scale():
    scores, edges = column([1, 1, 2], n_bins=5, strategy="kmeans")
    assert edges.tolist() == [1.5] * 4
    assert scores.tolist() == [1, 1, 5]


@given(st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_mean_and_median_split_in_two(values):
    values = np.asarray(values)
    mean = min(max(math.fsum(values) / len(values), values.min()), values.max())
    for strategy, edge in (("mean", mean), ("median", float(np.median(values)))):
        scores, edges = column(values, strategy=strategy)
        assert edges.tolist() == [edge]
        assert scores.tolist() == [2 if value >= edge else 1 for value in values]


def test_mean_of_huge_values_does_not_overflow():
    assert column([1.7e308, 1.7e308, 1.6e308], strategy="mean")[1].tolist() == [pytest.approx(1.6666666666666667e308)]


def test_strategy_and_n_bins_by_column():
    frame = pd.DataFrame({"a": range(100), "b": range(100), "c": range(100)})
    binner = xf.Binner({"a": 3}, strategy={"a": "uniform", "b": "mean", "c": "quantile"}).fit(frame)
    assert {column: len(edges) + 1 for column, edges in binner.bin_edges_.items()} == {"a": 3, "b": 2, "c": 5}


# -- edges given -----------------------------------------------------------------------------------


def test_cuts_with_their_operator():
    values = [49, 50, 51, 499, 500, 501]
    assert column(values, edges=[50, 500])[0].tolist() == [1, 1, 2, 2, 2, 3]
    assert column(values, edges=["< 50", "< 500"])[0].tolist() == [1, 2, 2, 2, 3, 3]
    assert column(values, edges=["<= 50", "<500"])[0].tolist() == [1, 1, 2, 2, 3, 3]
    assert column(values, edges=["> 50", ">= 500"])[0].tolist() == [1, 1, 2, 2, 3, 3]
    assert column(values, edges=["< 50", "<= 50"])[0].tolist() == [1, 2, 3, 3, 3, 3]
    assert column(values, edges=["< 50", "< 500"], scores=[1, 3, 5])[0].tolist() == [1, 3, 3, 3, 5, 5]


def test_edges_by_column_cut_those_columns_alone():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [1, 2, 3], "c": [1, 2, 3]})
    assert list(xf.Binner(edges={"b": [2]}).fit_transform(frame)) == ["b"]
    fitted = xf.Binner(2, columns=["c", "a"]).fit(frame)
    for edges in (fitted.bin_edges_, (dict(fitted.bin_edges_), fitted.closed_)):
        assert list(xf.Binner(edges=edges).fit_transform(frame)) == ["c", "a"]
    assert list(xf.Binner(2, columns=["a", "b"], edges={"b": [2]}).fit_transform(frame)) == ["a", "b"]
    with pytest.raises(InputError, match="no column 'd'"):
        xf.Binner(edges={"d": [2]}).fit(frame)


def test_labels_run_worst_to_best_also_when_low_is_good():
    frame = pd.DataFrame({"x": [1.0, 50.0, None, 900.0]})
    parameters = {"edges": ["< 50", "< 500"], "labels": ["低", "中", "高"]}
    up = xf.Binner(**parameters).fit_transform(frame)["x"]
    assert list(up.cat.categories) == ["低", "中", "高"]
    assert up.tolist() == ["低", "中", np.nan, "高"]
    assert up.cat.ordered
    assert (up.max(), (up > "低").tolist()) == ("高", [False, True, False, True])
    assert xf.Binner(**parameters, descending=["x"]).fit_transform(frame)["x"].tolist() == ["高", "中", np.nan, "低"]
    out = xf.Binner(**parameters).fit_transform(pl.from_pandas(frame))["x"]
    assert out.dtype == pl.Enum(["低", "中", "高"])
    assert out.to_list() == ["低", "中", None, "高"]
    out = xf.Binner(**parameters).fit_transform(pa.Table.from_pandas(frame))["x"]
    assert pa.types.is_dictionary(out.type)
    assert out.type.ordered
    ruled = xf.RuleSegmenter({"best": "x = '高'"}, default="rest")
    for frame_of_labels in (pd.DataFrame({"x": up}), pa.table({"x": out})):  # read like any other label
        labels = list(map(str, ruled.fit_transform(frame_of_labels)["segment"]))
        assert (labels[:2], labels[3]) == (["rest", "rest"], "best")
    assert out.to_pylist() == ["低", "中", None, "高"]
    out = xf.Binner(**parameters).fit_transform(frame.to_numpy())
    assert out.dtype == object
    assert out.tolist() == [["低"], ["中"], [None], ["高"]]


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_equal_to_the_mean_is_on_the_good_side_of_a_descending_column_too(strategy):
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    up, down = xf.Binner(strategy=strategy).fit(frame), xf.Binner(strategy=strategy, descending=["x"]).fit(frame)
    assert up.transform(frame)["x"].tolist() == [1, 2, 2]
    assert up.closed_["x"] == ["left"]
    assert down.transform(frame)["x"].tolist() == [2, 2, 1]
    assert down.closed_["x"] == ["right"]
    again = xf.Binner(edges=down.bin_edges_, descending=["x"]).fit(frame)
    assert again.transform(frame)["x"].tolist() == [2, 2, 1]
    alike = pd.DataFrame({"recency_days": [5] * 10, "order_count": [2] * 10, "monetary": [9.0] * 10})
    assert set(xf.RFMScorer(strategy=strategy).fit_transform(alike)["rfm_cell"]) == {"222"}


@pytest.mark.parametrize("strategy", ["quantile", "uniform", "kmeans", "mean", "median"])
def test_fitted_edges_given_back_make_the_same_bins(strategy):
    frame = pd.DataFrame({"a": SHAPES["counts"], "b": np.round(SHAPES["counts"] ** 1.5)})
    first = xf.Binner(strategy=strategy, descending=["a"]).fit(frame)
    wanted = first.transform(frame)
    again = (
        xf.Binner(edges=first.bin_edges_, descending=["a"]),
        xf.Binner(edges=(first.bin_edges_, first.closed_), descending=["a"]),
        clone(xf.Binner(edges=first.bin_edges_, descending=["a"])),
    )
    for second in again:
        pd.testing.assert_frame_equal(second.fit_transform(frame), wanted)
        assert second.closed_ == first.closed_
    from_file = xf.Binner.from_json(again[0].to_json())
    pd.testing.assert_frame_equal(from_file.fit(frame).transform(frame), wanted)


def test_edges_table():
    binner = xf.Binner(edges={"a": ["< 5", 10], "b": [1]}).fit(pd.DataFrame({"a": [1], "b": [2.0]}))
    assert binner.edges_table().to_dict("list") == {
        "column": ["a", "a", "b"],
        "bin": [1, 2, 1],
        "edge": [5.0, 10.0, 1.0],
        "closed": ["left", "right", "right"],
        "score_below": [1, 2, 1],
        "score_above": [2, 3, 2],
    }


def test_edges_table_speaks_of_scores_labels_and_descending_columns():
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]})
    table = xf.Binner(3, scores={"a": [1, 3, 5]}, labels={"b": ["低", "中", "高"]}, descending=["a"]).fit(frame)
    assert table.edges_table()["score_below"].tolist() == [5, 3, "低", "中"]
    assert table.edges_table()["score_above"].tolist() == [3, 1, "中", "高"]


# -- kinds of input --------------------------------------------------------------------------------

PLAIN = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]
WANTED = column(PLAIN, n_bins=4)[0].astype(int).tolist()


@pytest.mark.parametrize(
    "dtype",
    [
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float32",
        "float64",
        "Int8",
        "Int64",
        "UInt16",
        "Float32",
        "Float64",
        "int64[pyarrow]",
        "double[pyarrow]",
        "decimal",
    ],
)
def test_every_pandas_number(dtype):
    values = [decimal.Decimal(value) for value in PLAIN] if dtype.startswith("decimal") else PLAIN
    kind = pd.ArrowDtype(pa.decimal128(12, 2)) if dtype.startswith("decimal") else dtype
    whole = pd.DataFrame({"x": pd.Series(values, dtype=kind)}).set_axis(list("abcdefghijkl"))
    out = xf.Binner(4).fit_transform(whole)
    assert out["x"].dtype == "Int8"
    assert out["x"].tolist() == WANTED
    assert list(out.index) == list(whole.index)
    if dtype[0] in "IUFd" or "pyarrow" in dtype or "float" in dtype:
        holed = whole.reindex([*whole.index, "none"])
        assert xf.Binner(4).fit_transform(holed)["x"].tolist() == [*WANTED, pd.NA]


def test_decimals():
    values = [decimal.Decimal(value) / 10 for value in PLAIN]
    holed = pd.DataFrame({"x": [*values, None]})
    for binner in (xf.Binner(4), xf.Binner(4, columns=["x"])):  # objects that are numbers are numeric, too
        assert binner.fit_transform(holed)["x"].tolist() == [*WANTED, pd.NA]
    assert xf.Binner(4).fit_transform(pl.DataFrame({"x": values}))["x"].to_list() == WANTED


def test_objects_count_as_numeric_where_all_are_numbers():
    objects = {
        "decimal": [decimal.Decimal(1), None],
        "whole": [1, None],
        "floats": [0.5, 1],
        "text": ["1", "2"],
        "true": [True, None],
        "both": ["1", 2],
        "none": [None, None],
    }
    binned = xf.Binner(2).fit_transform(pd.DataFrame(objects, dtype=object))
    assert list(binned) == ["decimal", "whole", "floats"]


def test_polars_arrow_and_dicts():
    data = {"x": [*PLAIN, None], "text": ["t"] * 13}
    out = xf.Binner(4).fit_transform(pl.DataFrame(data))
    assert out.columns == ["x"]
    assert out["x"].dtype == pl.Int8
    assert out["x"].to_list() == [*WANTED, None]
    out = xf.Binner(4).fit_transform(pa.table(data))
    assert out.schema == pa.schema([("x", pa.int8())])
    assert out["x"].to_pylist() == [*WANTED, None]
    out = xf.Binner(4).fit_transform({"x": np.array(PLAIN)})
    assert isinstance(out, pd.DataFrame)
    assert out["x"].tolist() == WANTED


def test_arrays_of_every_layout():
    base = np.random.default_rng(2).normal(size=(60, 3))
    base[5, 1] = np.nan
    wanted = xf.Binner(4).fit_transform(base)
    assert wanted.dtype == np.float64
    assert np.isnan(wanted[5, 1])
    frozen = base.copy()
    frozen.flags.writeable = False
    for same in (np.asfortranarray(base), frozen, np.repeat(base, 2, axis=0)[::2], base[::-1][::-1], base.tolist()):
        np.testing.assert_array_equal(xf.Binner(4).fit_transform(same), wanted)
    single = base.astype(np.float32)
    np.testing.assert_array_equal(
        xf.Binner(4).fit_transform(single), xf.Binner(4).fit_transform(single.astype(np.float64))
    )
    ordered = xf.Binner(2).fit_transform(np.array([[True], [False], [False]]))
    assert ordered.ravel().tolist() == [2, 1, 1]


def test_float32_bins_are_those_of_the_same_numbers_in_float64():
    values = SHAPES["normal"].astype(np.float32)
    for k in range(2, 21):
        np.testing.assert_array_equal(column(values, n_bins=k)[0], column(values.astype(float), n_bins=k)[0])


@parametrize_with_checks([xf.Binner(), xf.Binner(strategy="kmeans", n_bins=3), xf.Binner(strategy="median")])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_batches_threads_and_row_order_give_the_same_bits():
    local = np.random.default_rng(3)
    values = local.normal(size=70_000)
    values[::11] = np.nan
    table = pa.table({"x": pa.array(values), "n": pa.array(local.integers(0, 50, 70_000))})
    order = local.permutation(70_000)
    for strategy in ("quantile", "uniform", "mean", "median"):
        first = xf.Binner(strategy=strategy, n_jobs=1).fit(table)
        for other, jobs in (
            (table, 2),
            (table, 8),
            (pa.concat_tables([table.slice(0, 3), table.slice(3, 0), table.slice(3)]), None),
            (table.take(order), 2),
        ):
            second = xf.Binner(strategy=strategy, n_jobs=jobs).fit(other)
            for name, edges in first.bin_edges_.items():
                assert edges.tobytes() == second.bin_edges_[name].tobytes()
        assert first.transform(table.take(order)).equals(first.transform(table).take(order))


def test_pipeline_pickle_and_set_output():
    frame = pd.DataFrame({"a": SHAPES["counts"], "b": SHAPES["counts"] * 2.0}, index=range(5, 2005))
    path = make_pipeline(StandardScaler(), xf.Binner(3)).set_output(transform="pandas")
    out = path.fit_transform(frame)
    assert list(out.columns) == ["a", "b"]
    assert out.dtypes.tolist() == ["Int8", "Int8"]
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(path)).transform(frame), out)
    polars = xf.Binner(3).set_output(transform="polars").fit_transform(frame)
    assert isinstance(polars, pl.DataFrame)
    assert polars["a"].to_list() == out["a"].tolist()
    back = xf.Binner(3).set_output(transform="pandas").fit_transform(pl.from_pandas(frame))
    assert isinstance(back, pd.DataFrame)
    array = xf.Binner(3).set_output(transform="pandas").fit_transform(frame.to_numpy())
    assert list(array.columns) == ["x0", "x1"]


def test_a_frame_may_have_more_columns_in_another_order():
    frame = pd.DataFrame({"a": [1, 2, 3, 4], "b": [4.0, 3.0, 2.0, 1.0]})
    binner = xf.Binner(2).fit(frame)
    other = frame[["b"]].assign(new="text", a=frame["a"])
    pd.testing.assert_frame_equal(binner.transform(other), binner.transform(frame))


def test_an_empty_frame_can_be_transformed():
    frame = pd.DataFrame({"a": [1, 2, 3]})
    assert xf.Binner(2).fit(frame).transform(frame.iloc[:0]).shape == (0, 1)


def test_one_row():
    assert xf.Binner().fit_transform(pd.DataFrame({"a": [5.0]}))["a"].tolist() == [1]
