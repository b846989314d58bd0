"""Measures of groupings against scikit-learn, and what they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.metrics
import xifen as xf
from customers import blobs, log_rfm
from hypothesis import given, settings
from hypothesis import strategies as st

INTERNAL = ("davies_bouldin_score", "calinski_harabasz_score", "silhouette_score", "silhouette_samples")
EXTERNAL = ("adjusted_rand_score", "normalized_mutual_info_score")

#: rfm_data_orders in standardised logarithms, grouped by scikit-learn 1.9's best of 100 starts: Calinski-Harabasz,
#: Davies-Bouldin and mean silhouette as scikit-learn measures them, by number of clusters.
PUBLISHED = {
    2: (693.35507781, 1.018915032, 0.371021095),
    5: (628.068383034, 0.941893724, 0.321036524),
    8: (603.033698635, 0.91643908, 0.301926946),
}


@pytest.mark.parametrize("name", INTERNAL)
@pytest.mark.parametrize(("rows", "columns", "groups"), [(50, 1, 2), (999, 3, 5), (500, 17, 30), (40, 2, 13)])
def test_equal_to_scikit_learn(name: str, rows: int, columns: int, groups: int):
    X = blobs(rows, columns, seed=rows)
    labels = np.arange(rows) % groups
    for named in (labels, labels * 1_000_003 - 5, labels.astype(np.int8), np.array([f"group {n}" for n in labels])):
        ours, theirs = getattr(xf, name)(X, named), getattr(sklearn.metrics, name)(X, named)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_clusters", PUBLISHED)
def test_published_scores(n_clusters: int):
    X = log_rfm()
    labels = xf.KMeans(n_clusters, n_init=100, random_state=0).fit(X).labels_
    found = [
        getattr(xf, name)(X, labels) for name in ("calinski_harabasz_score", "davies_bouldin_score", "silhouette_score")
    ]
    np.testing.assert_allclose(found, PUBLISHED[n_clusters], rtol=1e-8)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(-2, 3), st.sampled_from("abc")), min_size=1, max_size=50))
def test_agreement_is_scikit_learns(pairs):
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    for name in EXTERNAL:
        ours, theirs = getattr(xf, name)(first, second), getattr(sklearn.metrics, name)(first, second)
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12), name
    for average in ("arithmetic", "geometric", "min", "max"):
        ours = xf.normalized_mutual_info_score(first, second, average_method=average)
        theirs = sklearn.metrics.normalized_mutual_info_score(first, second, average_method=average)
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12), average


def test_many_groups_agree_too():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 3_000, 20_000), rng.integers(0, 10**15, 20_000)
    for name in EXTERNAL:
        ours, theirs = getattr(xf, name)(first, second), getattr(sklearn.metrics, name)(first, second)
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12)


def test_every_kind_of_label_and_frame_is_read():
    X = pd.DataFrame(blobs(200), columns=["a", "b", "c"])
    labels = np.arange(200) % 4
    wanted = xf.silhouette_score(X, labels)
    assert wanted == xf.silhouette_score(pl.from_pandas(X), pd.Series(labels).astype("category"))
    assert wanted == xf.silhouette_score(X.to_numpy(), pl.Series(labels.astype(str)))
    assert wanted == xf.silhouette_score(np.asfortranarray(X), labels.astype(float))
    assert xf.silhouette_score(X.astype(np.float32), labels) == pytest.approx(wanted, abs=1e-6)


def test_a_sample_comes_with_its_error():
    X = blobs(4_000, seed=2)
    labels = xf.KMeans(4, random_state=0).fit(X).labels_
    every = xf.silhouette_samples(X, labels)
    outside = 0
    for seed in range(100):
        mean, error = xf.silhouette_score(X, labels, sample_size=400, random_state=seed, return_error=True)
        outside += abs(mean - every.mean()) > 2 * error
        assert error == pytest.approx(every.std() / 20 * np.sqrt(0.9), rel=0.2)
    assert outside <= 12  # two standard errors hold nineteen in twenty
    assert xf.silhouette_score(X, labels, sample_size=10**9, return_error=True) == (pytest.approx(every.mean()), 0)


def test_threads_do_not_change_a_bit():
    X = blobs(40_000)
    labels = np.arange(40_000) % 5
    for name in ("davies_bouldin_score", "calinski_harabasz_score"):
        assert len({getattr(xf, name)(X, labels, n_jobs=n) for n in (1, 2, 8)}) == 1
    assert len({xf.silhouette_score(X[:3_000], labels[:3_000], n_jobs=n) for n in (1, 2, 8)}) == 1
    assert len({xf.normalized_mutual_info_score(labels, labels // 2, n_jobs=n) for n in (1, 2, 8)}) == 1


@pytest.mark.parametrize("name", INTERNAL)
@pytest.mark.parametrize(
    ("X", "labels", "words"),
    [
        (blobs(6), [1] * 6, "labels name 1 groups of 6 rows"),
        (blobs(6), range(6), "labels name 6 groups of 6 rows"),
        (blobs(6), [0, 1], "there are 2 labels for 6 rows"),
        (blobs(6), [0, 1, None, 1, 0, 1], "labels is missing in row 2"),
        (blobs(6), [[0, 1]] * 6, "labels has 2 dimensions"),
        (np.full((6, 1), np.nan), [0, 1] * 3, r"column 0 is missing \(NaN\) in row 0"),
        (pd.DataFrame({"a": [1, 2, np.inf, 4]}), [0, 1, 1, 0], "column 'a' is infinite"),
        (np.full((6, 1), 1e200), [0, 1] * 3, "overflow"),
    ],
)
def test_what_cannot_be_measured_is_named(name: str, X, labels, words: str):
    with pytest.raises(xf.errors.InputError, match=words):
        getattr(xf, name)(X, labels)


def test_agreement_refuses():
    with pytest.raises(xf.errors.InputError, match="labels_true has 2 rows and labels_pred 3"):
        xf.adjusted_rand_score([0, 1], [0, 1, 2])
    with pytest.raises(xf.errors.InputError, match="labels_pred is missing in row 0"):
        xf.adjusted_rand_score([0, 1], [None, "a"])
    with pytest.raises(xf.errors.ParameterError, match="average_method is 'mean'; wanted 'arithmetic'"):
        xf.normalized_mutual_info_score([0, 1], [0, 1], average_method="mean")
    with pytest.raises(xf.errors.ParameterError, match="sample_size is 0"):
        xf.silhouette_score(blobs(6), [0, 1] * 3, sample_size=0)


def test_groups_without_width():
    X = np.repeat([[0.0], [1.0]], 3, axis=0)
    assert xf.calinski_harabasz_score(X, [0, 0, 0, 1, 1, 1]) == 1
    assert xf.davies_bouldin_score(X, [0, 0, 0, 1, 1, 1]) == 0
    assert xf.silhouette_score(X, [0, 0, 0, 1, 1, 1]) == 1
    same = np.zeros((4, 2))
    for name in ("davies_bouldin_score", "silhouette_score"):
        assert getattr(xf, name)(same, [0, 0, 1, 1]) == 0
