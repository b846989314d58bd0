"""KMeans: scikit-learn's contract, its path and its results; published optima; and what must not depend on anything."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn.cluster
import xifen as xf
from customers import GOOD, blobs, broken, fails_in_scikit_learn, log_rfm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from xifen.errors import InputError

#: The smallest inertia ever seen on rfm_data_orders, by number of clusters (hundreds of runs of scikit-learn 1.9 from
#: several seeds), in the standardised logarithms of `log_rfm`.
BEST_KNOWN = {
    2: 1757.6992170883443, 3: 1301.3837878066267, 4: 1018.2432646791846, 5: 843.780467997445, 6: 707.8484916442069,
    7: 625.8119184211638, 8: 565.68002332683, 9: 519.1352066613194, 10: 478.906881653084,
}  # fmt: skip


@parametrize_with_checks([xf.KMeans(2), xf.KMeans(2, label_order="size")], expected_failed_checks=fails_in_scikit_learn)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


# -- the same as scikit-learn ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "n_clusters"), [(1, 2), (2, 3), (3, 5), (5, 9), (8, 4), (9, 12), (20, 20), (3, 64), (3, 300)]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_path_as_lloyd_from_the_same_centres(columns: int, n_clusters: int, weighted: bool):
    X = blobs(4_003, columns, seed=columns)
    rng = np.random.default_rng(1)
    weights = rng.uniform(0, 3, len(X)) if weighted else None
    init = X[rng.choice(len(X), n_clusters, replace=False)]
    for tol, max_iter in ((1e-4, 300), (0, 7)):
        theirs = sklearn.cluster.KMeans(n_clusters, init=init, n_init=1, tol=tol, max_iter=max_iter)
        theirs.fit(X, sample_weight=weights)
        ours = xf.KMeans(n_clusters, init=init, tol=tol, max_iter=max_iter).fit(X, sample_weight=weights)
        np.testing.assert_array_equal(ours.labels_, theirs.labels_)
        assert ours.n_iter_ == theirs.n_iter_
        assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-10)
        np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=0, atol=1e-9)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        np.testing.assert_allclose(ours.transform(X[:50]), theirs.transform(X[:50]), atol=1e-6)
        assert ours.score(X, sample_weight=weights) == pytest.approx(theirs.score(X, sample_weight=weights), rel=1e-10)


def test_float32_is_kept_and_close_to_scikit_learn():
    X = blobs().astype(np.float32)
    init = X[:6]
    theirs = sklearn.cluster.KMeans(6, init=init, n_init=1).fit(X)
    ours = xf.KMeans(6, init=init).fit(X)
    assert ours.cluster_centers_.dtype == ours.transform(X).dtype == np.float32
    assert np.mean(ours.labels_ != theirs.labels_) < 1e-3
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-5)
    assert xf.KMeans(2).fit(X.astype(np.int64)).cluster_centers_.dtype == np.float64


@pytest.mark.parametrize("n_clusters", BEST_KNOWN)
def test_many_starts_come_to_the_best_known_inertia(n_clusters: int):
    found = xf.KMeans(n_clusters, n_init=50, random_state=0).fit(log_rfm()).inertia_
    assert found <= BEST_KNOWN[n_clusters] * (1.002 if n_clusters <= 8 else 1.008)


def test_plus_plus_is_no_worse_than_scikit_learns():
    X = blobs(3_000, 4, centres=12, seed=5)
    ours = [xf.KMeans(12, random_state=seed).fit(X).inertia_ for seed in range(30)]
    theirs = [sklearn.cluster.KMeans(12, n_init=1, random_state=seed).fit(X).inertia_ for seed in range(30)]
    assert np.mean(ours) <= np.mean(theirs) * 1.03


def test_random_starts_are_different_rows_drawn_by_weight():
    X = np.arange(20.0).reshape(-1, 1)
    weights = np.where(np.arange(20) % 4 == 0, 1.0, 0.0)
    km = xf.KMeans(5, init="random", n_init=1, random_state=3).fit(X, sample_weight=weights)
    assert sorted(km.cluster_centers_.ravel()) == [0, 4, 8, 12, 16]
    assert km.inertia_ == 0


# -- weights, ties, duplicates, empty clusters -------------------------------------------------------


def test_weights_are_repeated_rows():
    X = blobs(500, 2, seed=2)
    repeats = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = xf.KMeans(4, init=X[:4], tol=0).fit(X, sample_weight=repeats)
    repeated = xf.KMeans(4, init=X[:4], tol=0).fit(np.repeat(X, repeats, axis=0))
    np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, atol=1e-12)
    np.testing.assert_array_equal(np.repeat(weighted.labels_, repeats), repeated.labels_)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_putting_equal_rows_together_changes_nothing(weighted: bool):
    rng = np.random.default_rng(4)
    X = rng.integers(1, 6, (40_000, 3)).astype(float)
    weights = rng.uniform(0.5, 2, len(X)) if weighted else None
    init = X[[0, 10, 200, 3000]] + [0.1, 0.01, 0.003]
    together = xf.KMeans(4, init=init).fit(X, sample_weight=weights)
    theirs = sklearn.cluster.KMeans(4, init=init, n_init=1).fit(X, sample_weight=weights)
    np.testing.assert_allclose(together.cluster_centers_, theirs.cluster_centers_, atol=1e-9)
    assert together.inertia_ == pytest.approx(theirs.inertia_, rel=1e-10)
    assert together.n_iter_ == theirs.n_iter_
    np.testing.assert_array_equal(together.labels_, together.predict(X))


def test_a_cluster_without_rows_starts_again_at_the_farthest_row():
    X = np.array([[0.0], [1.0], [2.0], [10.0], [30.0]])
    init = np.array([[0.0], [1.0], [500.0], [600.0]])
    theirs = sklearn.cluster.KMeans(4, init=init, n_init=1).fit(X)
    ours = xf.KMeans(4, init=init).fit(X)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.inertia_ == pytest.approx(theirs.inertia_)
    assert len(set(ours.labels_)) == 4


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_fewer_different_rows_than_clusters_warn(init: str):
    X = np.repeat([[0.0, 1.0], [5.0, 5.0]], 10, axis=0)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\) found smaller than n_clusters \(3\)"):
        km = xf.KMeans(3, init=init, random_state=0).fit(X)
    assert km.inertia_ == 0
    assert km.cluster_centers_.shape == (3, 2)


def test_labels_are_those_of_predict_even_on_ties():
    rng = np.random.default_rng(8)
    for seed in range(20):
        X = rng.integers(0, 5, (3_000, 3)) + rng.choice([0, 1e6, 0.1])
        km = xf.KMeans(7, random_state=seed, max_iter=rng.integers(1, 30)).fit(X)
        np.testing.assert_array_equal(km.labels_, km.predict(X))
        assert -km.score(X) == pytest.approx(km.inertia_, rel=1e-12)


def test_size_order_is_largest_first():
    X = blobs(3_000, 2, seed=9)
    km = xf.KMeans(6, label_order="size", random_state=0).fit(X)
    assert list(np.bincount(km.labels_)) == sorted(np.bincount(km.labels_), reverse=True)
    np.testing.assert_array_equal(km.labels_, km.predict(X))


def test_data_far_from_zero_lose_nothing():
    X = blobs(2_000, 2, seed=1) * 1e-3
    near = xf.KMeans(4, random_state=0).fit(X)
    far = xf.KMeans(4, random_state=0).fit(X + 1e9)
    assert np.mean(near.labels_ == far.labels_) > 0.99
    np.testing.assert_array_equal(far.labels_, far.predict(X + 1e9))


# -- the same bits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_threads_do_not_change_a_bit(dtype: type, init: str):
    X = blobs(50_000, 3).astype(dtype)
    weights = np.random.default_rng(0).uniform(0, 2, len(X))
    fits = [
        xf.KMeans(5, init=init, n_init=2, random_state=7, n_jobs=n_jobs).fit(X, sample_weight=weights)
        for n_jobs in (1, 2, 8)
    ]
    for fit in fits[1:]:
        assert fit.cluster_centers_.tobytes() == fits[0].cluster_centers_.tobytes()
        assert fit.labels_.tobytes() == fits[0].labels_.tobytes()
        assert (fit.inertia_, fit.n_iter_) == (fits[0].inertia_, fits[0].n_iter_)
        assert fit.score(X) == fits[0].score(X)
        assert fit.transform(X).tobytes() == fits[0].transform(X).tobytes()


def test_every_way_in_gives_the_same_bits():
    frame = pd.DataFrame(blobs(5_000, 3), columns=["a", "b", "c"])
    X = frame.to_numpy(copy=True)
    wanted = xf.KMeans(4, random_state=0).fit(X)
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
    for name, data in ways.items():
        km = xf.KMeans(4, random_state=0).fit(data)
        assert km.cluster_centers_.tobytes() == wanted.cluster_centers_.tobytes(), name
        np.testing.assert_array_equal(km.labels_, wanted.labels_)
        np.testing.assert_array_equal(km.predict(data), wanted.labels_)
        if name in ("pandas", "polars", "pyarrow", "dict"):
            assert list(km.feature_names_in_) == ["a", "b", "c"]


def test_copies_predict_the_same_bits():
    X = blobs(2_000)
    km = xf.KMeans(5, random_state=0).fit(X)
    for twin in (pickle.loads(pickle.dumps(km)), xf.KMeans.from_json(km.to_json()), clone(km).fit(X)):
        np.testing.assert_array_equal(twin.predict(X), km.labels_)
        assert twin.transform(X).tobytes() == km.transform(X).tobytes()
        assert twin.inertia_ == km.inertia_


def test_a_json_model_predicts_the_same_bits_in_another_process(tmp_path: Path):
    X = blobs(2_000)
    km = xf.KMeans(5, random_state=0).fit(X)
    (tmp_path / "model.json").write_text(km.to_json(), encoding="utf-8")
    np.save(tmp_path / "rows.npy", X)
    code = (
        "import sys, numpy as np, xifen as xf; folder = sys.argv[1];"
        "km = xf.KMeans.from_json(open(folder + '/model.json', encoding='utf-8').read());"
        "X = np.load(folder + '/rows.npy');"
        "print(km.predict(X).tobytes().hex() + km.transform(X).tobytes().hex())"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == km.predict(X).tobytes().hex() + km.transform(X).tobytes().hex()


# -- frames, pipelines ---------------------------------------------------------------------------------


def test_transform_gives_the_callers_kind_with_its_index():
    frame = pd.DataFrame(blobs(50), columns=["a", "b", "c"], index=[f"C{i}" for i in range(50)])
    km = xf.KMeans(3, random_state=0).fit(frame)
    out = km.transform(frame)
    assert list(out.columns) == ["kmeans0", "kmeans1", "kmeans2"]
    assert list(out.index) == list(frame.index)
    assert isinstance(km.transform(pl.from_pandas(frame)), pl.DataFrame)
    assert isinstance(clone(km).set_output(transform="polars").fit_transform(frame), pl.DataFrame)


def test_it_stands_in_pipelines_and_searches():
    frame = pd.DataFrame(blobs(300), columns=["a", "b", "c"])
    path = make_pipeline(StandardScaler(), xf.KMeans(3, random_state=0))
    assert path.fit_predict(frame).shape == (300,)
    search = GridSearchCV(xf.KMeans(random_state=0), {"n_clusters": [2, 4]}, cv=3).fit(frame)
    assert search.best_params_ == {"n_clusters": 4}


# -- bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (broken(7, 0, 1e300), "column 0 is 1e300 in row 7; squares of values beyond 1e140 overflow"),
        (broken(7, 0, 1e30).astype(np.float32), "beyond 1e15 overflow"),
        (GOOD[:1], "n_samples=1 is fewer than n_clusters=8"),
    ],
)
def test_data_that_cannot_be_used_are_named(X, words: str):
    with pytest.raises(ValueError, match=words):
        xf.KMeans().fit(X)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_clusters": 0}, "n_clusters is 0; wanted a whole number of at least 1"),
        ({"n_clusters": -3}, "n_clusters is -3"),
        ({"n_clusters": 2.5}, "n_clusters is 2.5"),
        ({"n_clusters": True}, "n_clusters is true"),
        ({"n_clusters": None}, "n_clusters is null"),
        ({"n_clusters": 51}, "n_samples=50 is fewer than n_clusters=51"),
        ({"n_init": 0}, "n_init is 0"),
        ({"n_init": "many"}, 'n_init is "many"'),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"tol": -1.0}, "tol is -1.0"),
        ({"tol": float("nan")}, "tol is"),
        ({"init": "k-mean++"}, r"init is 'k-mean\+\+'; wanted .* did you mean 'k-means\+\+'"),
        ({"init": np.zeros((3, 3))}, r"init gives centres of shape \(3, 3\); wanted \(8, 3\)"),
        ({"init": broken(0, 0, np.nan)[:8]}, "init cannot be used: column 0 is missing"),
        ({"init": GOOD[:8], "label_order": "size"}, "label_order is 'size', but init gives the centres"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(parameters, words: str):
    with pytest.raises(ValueError, match=words):
        xf.KMeans(**parameters).fit(GOOD)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(49), "sample_weight has 49 values for 50 rows"),
        (-np.ones(50), "sample_weight is -1 in row 0"),
        (np.zeros(50), "sample_weight is zero in every row"),
        (np.full(50, np.nan), "sample_weight is NaN in row 0"),
        (np.full(50, np.inf), "sample_weight is inf in row 0"),
        (np.ones((50, 2)), "2 dimensions"),
        (["a"] * 50, "sample_weight cannot be read"),
    ],
)
def test_weights_that_cannot_be_used_are_named(weights, words: str):
    with pytest.raises(ValueError, match=words):
        xf.KMeans(2).fit(GOOD, sample_weight=weights)


def test_extremes_that_can_be_used():
    constant = np.column_stack([GOOD[:, 0], np.full(50, 7.0)])
    km = xf.KMeans(3, random_state=0).fit(constant)
    np.testing.assert_array_equal(km.cluster_centers_[:, 1], 7.0)
    assert xf.KMeans(1).fit(GOOD[:1]).inertia_ == 0
    denormal = np.concatenate([GOOD, np.full((50, 3), 5e-324)])
    assert np.isfinite(xf.KMeans(3, random_state=0).fit(denormal).inertia_)
    for kind, small in ((np.float64, 1e-170), (np.float64, 5e-324), (np.float32, 1e-25)):
        for model in (xf.KMeans(3, random_state=0), xf.MiniBatchKMeans(3, random_state=0)):
            with pytest.raises(InputError, match="squared distances are lost to rounding; multiply the columns"):
                model.fit((GOOD * small).astype(kind))
    with pytest.raises(InputError, match="inertia_ is more than any number"):
        xf.KMeans(2, random_state=0).fit(GOOD * 1e139, sample_weight=np.full(50, 1e100))
    large = xf.KMeans(2, random_state=0).fit(GOOD * 1e130)
    np.testing.assert_array_equal(large.labels_, xf.KMeans(2, random_state=0).fit(GOOD).labels_)


def test_300_clusters_have_300_labels():
    X = blobs(5_000, 2, seed=3)
    km = xf.KMeans(300, random_state=0, label_order="size").fit(X)
    assert sorted(set(km.labels_)) == list(range(300))
    nearest = ((X[:, None] - km.cluster_centers_) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(km.labels_, nearest)


def test_a_callable_starts_every_run():
    seen = []

    def init(X, n_clusters, random_state):
        seen.append(n_clusters)
        return X[random_state.choice(len(X), n_clusters, replace=False)]

    km = xf.KMeans(3, init=init, n_init=4, random_state=0).fit(GOOD)
    assert seen == [3] * 4
    assert km.cluster_centers_.shape == (3, 3)
    with pytest.warns(RuntimeWarning, match="one run instead of n_init=5"):
        xf.KMeans(2, init=GOOD[:2], n_init=5).fit(GOOD)


# -- an oracle -----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_fit_is_a_fixed_point_of_the_definition(data):
    rows, columns = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 10))
    k = data.draw(st.integers(1, min(rows, 9)))
    numbers = st.integers(-4, 4).map(float) if data.draw(st.booleans()) else st.floats(-1e3, 1e3, width=32)
    X = np.array(data.draw(st.lists(numbers, min_size=rows * columns, max_size=rows * columns))).reshape(rows, columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        km = xf.KMeans(k, random_state=data.draw(st.integers(0, 5)), tol=0).fit(X)
    squares = ((X[:, None] - km.cluster_centers_) ** 2).sum(axis=2)
    own = squares[np.arange(rows), km.labels_]
    assert np.all(own <= squares.min(axis=1) + 1e-7 * (1 + np.abs(X).max() ** 2))
    assert km.inertia_ == pytest.approx(own.sum(), rel=1e-9, abs=1e-9)
    if km.n_iter_ < 300:
        for cluster in set(km.labels_):
            np.testing.assert_allclose(km.cluster_centers_[cluster], X[km.labels_ == cluster].mean(axis=0), atol=1e-6)


def test_what_a_model_file_cannot_hold_is_named():
    km = xf.KMeans(2, random_state=np.random.RandomState(0)).fit(GOOD)
    with pytest.raises(xf.errors.ParameterError, match="a model file cannot hold RandomState"):
        km.to_json()


def test_the_model_file_is_plain():
    model = json.loads(xf.KMeans(2, random_state=0).fit(GOOD).to_json())
    assert model["class"] == "KMeans"
    assert set(model["fitted"]) == {"n_features_in_", "cluster_centers_", "inertia_", "n_iter_", "_origin"}
