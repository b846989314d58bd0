"""DBSCAN: scikit-learn's contract and its labels, number for number; published counts; what must not depend on anything."""

from __future__ import annotations

import pickle
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn.cluster
import xifen as xf
from customers import GOOD, blobs, log_rfm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

GOLDEN = Path(__file__).parent / "golden"


@parametrize_with_checks([xf.DBSCAN(), xf.DBSCAN(label_order="size")])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def same(ours: xf.DBSCAN, theirs: sklearn.cluster.DBSCAN) -> None:
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_array_equal(ours.core_sample_indices_, theirs.core_sample_indices_)
    np.testing.assert_array_equal(ours.components_, theirs.components_)


# -- the same as scikit-learn ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "eps"), [(1, 0.002), (2, 0.1), (3, 0.4), (3, 3.0), (5, 1.2), (8, 2.2), (12, 3.0), (20, 4.5), (40, 7)]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_labels(columns: int, eps: float, dtype: type, weighted: bool):
    X = blobs(4_003, columns, centres=9, seed=columns).astype(dtype)
    weights = np.random.default_rng(0).uniform(-0.5, 3, len(X)) if weighted else None
    theirs = sklearn.cluster.DBSCAN(eps, min_samples=6).fit(X, sample_weight=weights)
    ours = xf.DBSCAN(eps, min_samples=6).fit(X, sample_weight=weights)
    assert 0 < len(ours.core_sample_indices_) <= len(X)
    same(ours, theirs)
    assert ours.components_.dtype == dtype


@pytest.mark.parametrize("step", [1.0, 0.125, 1e-100, 1e100])
def test_a_distance_of_eps_is_near(step: float):
    X = np.random.default_rng(1).integers(0, 12, (600, 3)) * step
    for eps in (1, np.sqrt(2), 2, 3):
        for min_samples in (2, 4, 7):
            theirs = sklearn.cluster.DBSCAN(eps * step, min_samples=min_samples, algorithm="kd_tree").fit(X)
            same(xf.DBSCAN(eps * step, min_samples=min_samples).fit(X), theirs)
    just_below = xf.DBSCAN(np.nextafter(step, 0), min_samples=2).fit(np.array([[0.0], [step]]))
    assert list(just_below.labels_) == [-1, -1]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_rows_any_weights(data):
    rows, columns = data.draw(st.integers(1, 70)), data.draw(st.integers(1, 6))
    numbers = st.integers(-4, 4).map(float) if data.draw(st.booleans()) else st.floats(-4, 4, width=16)
    X = np.array(data.draw(st.lists(numbers, min_size=rows * columns, max_size=rows * columns))).reshape(rows, columns)
    eps = data.draw(st.sampled_from([0.25, 0.5, 1.0, 1.5, 2.0, 4.0]))
    min_samples = data.draw(st.integers(1, 8))
    weights = None
    if data.draw(st.booleans()):
        weights = np.array(data.draw(st.lists(st.integers(-2, 5), min_size=rows, max_size=rows)), dtype=float)
        assume(weights.any())
    theirs = sklearn.cluster.DBSCAN(eps, min_samples=min_samples, algorithm="kd_tree").fit(X, sample_weight=weights)
    same(xf.DBSCAN(eps, min_samples=min_samples).fit(X, sample_weight=weights), theirs)


def test_a_border_belongs_to_the_first_of_its_clusters():
    left, right, between = [0.0, 0.1, 0.2, 0.3], [2.0, 2.1, 2.2, 2.3], [1.15]
    for order in (left + between + right, right + between + left, between + right + left):
        X = np.array(order).reshape(-1, 1)
        ours = xf.DBSCAN(0.86, min_samples=4).fit(X)
        same(ours, sklearn.cluster.DBSCAN(0.86, min_samples=4).fit(X))
        assert ours.labels_[order.index(1.15)] == 0
        assert ours.labels_.max() == 1


# -- published counts --------------------------------------------------------------------------------


def counts(found: xf.DBSCAN) -> dict[str, object]:
    sizes = np.bincount(found.labels_[found.labels_ >= 0])
    return {
        "noise": int((found.labels_ == -1).sum()),
        "core": len(found.core_sample_indices_),
        "sizes": sorted(sizes.tolist(), reverse=True),
    }


def test_counts_on_known_data():
    """Counts of scikit-learn 1.9 on standardised logarithms of both sets."""
    spending = np.log1p(pd.read_csv(GOLDEN / "wholesale_customers.csv.gz").iloc[:, 2:].to_numpy(float))
    found = xf.DBSCAN(1.5, min_samples=10).fit(StandardScaler().fit_transform(spending))
    assert counts(found) == {"noise": 48, "core": 339, "sizes": [392]}
    found = xf.DBSCAN(0.3, min_samples=5, label_order="size").fit(log_rfm())
    sizes = [159, 157, 128, 128, 104, 35, 23, 14, 12, 11, 5, 5, 5]
    assert counts(found) == {"noise": 209, "core": 705, "sizes": sizes}
    assert np.bincount(found.labels_[found.labels_ >= 0]).tolist() == sizes


# -- weights, sizes, duplicates ------------------------------------------------------------------------


def test_weights_are_repeated_rows():
    X = blobs(800, 2, seed=2)
    repeats = np.random.default_rng(0).integers(1, 4, len(X))
    weighted = xf.DBSCAN(0.2, min_samples=9).fit(X, sample_weight=repeats)
    repeated = xf.DBSCAN(0.2, min_samples=9).fit(np.repeat(X, repeats, axis=0))
    np.testing.assert_array_equal(np.repeat(weighted.labels_, repeats), repeated.labels_)
    np.testing.assert_array_equal(
        xf.DBSCAN(0.2).fit(X, sample_weight=2).labels_, xf.DBSCAN(0.2, min_samples=3).fit(X).labels_
    )


def test_weights_are_added_exactly():
    X = np.zeros((10, 1))
    assert sum([0.1] * 10) < 1  # one after the other they come to less
    assert list(xf.DBSCAN(min_samples=1).fit(X, sample_weight=np.full(10, 0.1)).labels_) == [0] * 10
    far_apart = np.array([1e100, 1.0, -1e100, 1e-100, 1e50, -1.0, -1e50, 2.0, 0.0, 0.0])  # 2 and a little more
    assert list(xf.DBSCAN(min_samples=2).fit(X, sample_weight=far_apart).labels_) == [0] * 10
    assert list(xf.DBSCAN(min_samples=3).fit(X, sample_weight=far_apart).labels_) == [-1] * 10


def test_equal_rows_and_one_dense_heap_take_no_time_of_their_square():
    rng = np.random.default_rng(0)
    same_place = xf.DBSCAN(0.5, min_samples=5).fit(np.ones((300_000, 3)))
    assert set(same_place.labels_) == {0}
    heap = np.concatenate([rng.normal(scale=1e-3, size=(200_000, 2)), rng.uniform(-50, 50, (2_000, 2))])
    found = xf.DBSCAN(0.5, min_samples=5).fit(heap)
    assert (found.labels_[:200_000] == found.labels_[0]).all()
    scores = rng.integers(1, 6, (200_000, 3)).astype(float)
    assert xf.DBSCAN(0.5).fit(scores).labels_.max() == 124
    assert xf.DBSCAN(1.0).fit(scores).labels_.max() == 0
    assert (xf.DBSCAN(0.5, min_samples=10_000).fit(scores).labels_ == -1).all()


def test_size_order_is_largest_first():
    X = blobs(3_000, 2, seed=9)
    plain, ordered = xf.DBSCAN(0.15).fit(X), xf.DBSCAN(0.15, label_order="size").fit(X)
    sizes = np.bincount(ordered.labels_[ordered.labels_ >= 0])
    assert len(sizes) > 5
    assert list(sizes) == sorted(sizes, reverse=True)
    np.testing.assert_array_equal(plain.labels_ == -1, ordered.labels_ == -1)
    assert xf.adjusted_rand_score(plain.labels_, ordered.labels_) == 1


# -- the same bits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_threads_do_not_change_a_bit(weighted: bool):
    X = blobs(40_000, 3)
    weights = np.random.default_rng(0).uniform(0, 2, len(X)) if weighted else None
    fits = [xf.DBSCAN(0.25, n_jobs=n_jobs).fit(X, sample_weight=weights) for n_jobs in (1, 2, 8)]
    for fit in fits[1:]:
        assert fit.labels_.tobytes() == fits[0].labels_.tobytes()
        assert fit.core_sample_indices_.tobytes() == fits[0].core_sample_indices_.tobytes()


def test_shuffled_rows_have_the_same_core_and_noise():
    X = blobs(20_000, 3)
    weights = np.random.default_rng(0).choice([0.1, 0.2, 0.7, 1.0], len(X))
    order = np.random.default_rng(1).permutation(len(X))
    one = xf.DBSCAN(0.3).fit(X, sample_weight=weights)
    other = xf.DBSCAN(0.3).fit(X[order], sample_weight=weights[order])
    np.testing.assert_array_equal(np.sort(order[other.core_sample_indices_]), one.core_sample_indices_)
    np.testing.assert_array_equal(other.labels_ == -1, one.labels_[order] == -1)
    assert (
        xf.adjusted_rand_score(one.labels_[one.core_sample_indices_], _back(other, order)[one.core_sample_indices_])
        == 1
    )


def _back(found: xf.DBSCAN, order: np.ndarray) -> np.ndarray:
    labels = np.empty_like(found.labels_)
    labels[order] = found.labels_
    return labels


def test_every_way_in_gives_the_same_labels():
    frame = pd.DataFrame(blobs(5_000, 3), columns=["a", "b", "c"])
    X = frame.to_numpy(copy=True)
    wanted = xf.DBSCAN(0.4).fit(X)
    frozen = X.copy()
    frozen.flags.writeable = False
    packed = np.zeros(len(X), dtype=[("flag", "i1"), ("x", "f8", 3)])
    packed["x"] = X
    wide = np.zeros((len(X), 6))
    wide[:, ::2] = X
    ways = {
        "pandas": frame,
        "polars": pl.from_pandas(frame),
        "pyarrow": pa.Table.from_pandas(frame, preserve_index=False),
        "dict": {name: frame[name].to_numpy() for name in frame},
        "columns first": np.asfortranarray(X),
        "read-only": frozen,
        "unaligned": packed["x"],
        "strided": wide[:, ::2],
        "reversed": X[::-1][::-1],
        "list": X.tolist(),
        "objects": X.astype(object),
        "foreign bytes": X.astype(">f8"),
    }
    before = X.copy()
    for name, data in ways.items():
        found = xf.DBSCAN(0.4).fit(data)
        np.testing.assert_array_equal(found.labels_, wanted.labels_, err_msg=name)
        np.testing.assert_array_equal(found.components_, wanted.components_, err_msg=name)
        if name in ("pandas", "polars", "pyarrow", "dict"):
            assert list(found.feature_names_in_) == ["a", "b", "c"]
    np.testing.assert_array_equal(X, before)


def test_it_stands_in_pipelines_and_is_copied():
    frame = pd.DataFrame(blobs(300), columns=["a", "b", "c"])
    labels = make_pipeline(StandardScaler(), xf.DBSCAN(0.5)).fit_predict(frame)
    found = xf.DBSCAN(0.5).fit(StandardScaler().fit_transform(frame))
    np.testing.assert_array_equal(labels, found.labels_)
    for twin in (pickle.loads(pickle.dumps(found)), clone(found).fit(StandardScaler().fit_transform(frame))):
        np.testing.assert_array_equal(twin.labels_, found.labels_)
    assert not hasattr(found, "predict")
    assert not hasattr(found, "to_json")


# -- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"eps": 0}, "eps is 0; wanted a number above 0"),
        ({"eps": -1.0}, "eps is -1.0"),
        ({"eps": np.inf}, 'eps is "inf"'),
        ({"eps": np.nan}, 'eps is "nan"'),
        (
            {"eps": 1e-200},
            "eps is 1e-200; wanted a number above 0, of a size whose square is a number: 1e-140 to 1e140",
        ),
        ({"eps": None}, "eps is null"),
        ({"eps": "wide"}, 'eps is "wide"'),
        ({"eps": True}, "eps is true"),
        ({"min_samples": 0}, "min_samples is 0; wanted a whole number of at least 1"),
        ({"min_samples": -3}, "min_samples is -3"),
        ({"min_samples": 2.5}, "min_samples is 2.5"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(parameters, words: str):
    with pytest.raises(ValueError, match=words):
        xf.DBSCAN(**parameters).fit(GOOD)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(49), "sample_weight has 49 values for 50 rows"),
        (np.zeros(50), "sample_weight is zero in every row"),
        (np.full(50, np.nan), "sample_weight is NaN in row 0"),
        (np.full(50, np.inf), "sample_weight is inf in row 0"),
        (np.ones((50, 2)), "2 dimensions"),
        (["a"] * 50, "sample_weight cannot be read"),
    ],
)
def test_weights_that_cannot_be_used_are_named(weights, words: str):
    with pytest.raises(ValueError, match=words):
        xf.DBSCAN().fit(GOOD, sample_weight=weights)


def test_weights_below_zero_keep_neighbours_from_being_core():
    X = np.arange(6.0).reshape(-1, 1)
    weights = np.array([1, 1, 1, -5, 1, 1.0])
    found = xf.DBSCAN(1, min_samples=2).fit(X, sample_weight=weights)
    assert list(found.labels_) == [0, 0, 0, -1, 1, 1]  # rows 2 and 4 are border
    same(found, sklearn.cluster.DBSCAN(1, min_samples=2).fit(X, sample_weight=weights))
    assert (xf.DBSCAN().fit(X, sample_weight=-np.ones(6)).labels_ == -1).all()


def test_extremes_that_can_be_used():
    assert list(xf.DBSCAN(min_samples=1).fit(GOOD[:1]).labels_) == [0]
    assert list(xf.DBSCAN().fit(GOOD[:1]).labels_) == [-1]
    assert xf.DBSCAN().fit(GOOD[:1]).components_.shape == (0, 3)
    constant = np.column_stack([GOOD[:, 0], np.full(50, 7.0)])
    np.testing.assert_array_equal(xf.DBSCAN().fit(constant).labels_, xf.DBSCAN().fit(GOOD[:, :1]).labels_)
    huge = np.array([[1e300], [1.0000000001e300], [-1e300], [1.7e308], [-1.7e308]])
    assert list(xf.DBSCAN(1e140, min_samples=1).fit(huge).labels_) == [0, 1, 2, 3, 4]
    assert list(xf.DBSCAN(1e-140, min_samples=2).fit(np.repeat(huge, 2, axis=0)).labels_) == [
        0,
        0,
        1,
        1,
        2,
        2,
        3,
        3,
        4,
        4,
    ]
    denormal = np.arange(30.0).reshape(-1, 1) * 5e-324
    assert set(xf.DBSCAN(1e-140).fit(denormal).labels_) == {0}
    # eps as small against the range as float64 allows: no count of cells could hold it.
    wide = np.concatenate([GOOD, GOOD + 1e-13, [[1e280] * 3]])
    theirs = sklearn.cluster.DBSCAN(1e-12, min_samples=2, algorithm="kd_tree").fit(wide[:100])
    np.testing.assert_array_equal(xf.DBSCAN(1e-12, min_samples=2).fit(wide).labels_, [*theirs.labels_, -1])
    assert xf.DBSCAN(1e-12, min_samples=2).fit(wide).labels_.max() == 49


def test_ctrl_c_ends_a_fit_within_a_second():
    X = np.random.default_rng(0).normal(size=(200_000, 30))
    pressed = []

    def press() -> None:
        time.sleep(0.5)
        pressed.append(time.monotonic())
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        xf.DBSCAN(3.0).fit(X)
    waited = time.monotonic() - pressed[0]
    thread.join()
    assert waited < 1
