"""How many clusters, and which of them come back: bootstrap_stability and choose_k."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn.cluster
import sklearn.mixture
import xifen as xf
from customers import log_rfm
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xifen.cluster.stability import resampled
from xifen.errors import InputError, ParameterError


def far_apart(sizes: tuple[int, ...] = (60, 40, 20), seed: int = 0) -> np.ndarray:
    """Groups no draw can mix up."""
    rng = np.random.default_rng(seed)
    places = 30 * np.arange(len(sizes))[:, np.newaxis] * [1, 0.5]
    return np.concatenate([rng.normal(size=(size, 2)) + place for size, place in zip(sizes, places, strict=True)])


class Scripted(BaseEstimator):
    """A clusterer that says what it is told."""

    def __init__(self, said=None):
        self.said = said

    def fit(self, X, y=None):
        self.labels_ = np.asarray(self.said)
        return self


# ---- bootstrap_stability -------------------------------------------------------------------------


def test_clear_groups_come_back_in_every_resample():
    stability = xf.bootstrap_stability(xf.KMeans(3, label_order="size"), far_apart(), random_state=0)
    assert stability.table["size"].tolist() == [60, 40, 20]
    assert stability.table["jaccard"].tolist() == [1, 1, 1]
    assert stability.table["reading"].tolist() == ["stable"] * 3
    assert stability.table["recovered"].tolist() == [20] * 3
    assert (stability.adjusted_rand, stability.adjusted_rand_spread) == (1, 0)
    assert len(stability.adjusted_rand_each) == 20
    assert len(stability.labels) == 120


def test_groups_that_are_not_there_are_doubtful():
    X = np.random.default_rng(0).normal(size=(400, 3))
    stability = xf.bootstrap_stability(xf.KMeans(8, n_init=3), X, random_state=0)
    assert (stability.table["reading"] == "doubtful").any()
    assert stability.adjusted_rand < 0.7
    assert 0 < stability.adjusted_rand_spread == pytest.approx(stability.adjusted_rand_each.std())


def by_hand(labels: np.ndarray, fits: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Jaccard indices as the definition has them, with sets; a fit is its drawn rows and their labels."""
    clusters = sorted(set(labels.tolist()) - {-1})
    out = np.zeros((len(fits), len(clusters)))
    for turn, (drawn, found) in enumerate(fits):
        others = [set(drawn[found == other].tolist()) for other in set(found.tolist()) - {-1}]
        for place, cluster in enumerate(clusters):
            own = set(np.flatnonzero(labels == cluster).tolist()) & set(drawn.tolist())
            out[turn, place] = max((len(own & other) / len(own | other) for other in others), default=0.0)
    return out


def test_similarities_are_those_of_the_definition():
    rng = np.random.default_rng(5)
    X = np.arange(30.0)[:, np.newaxis]
    labels = rng.integers(-1, 3, 30)
    labels[7] = 3  # a cluster of one row, which some draws miss
    fits = []

    class Random(Scripted):
        def fit(self, X, y=None):
            if len(X) == 30 and not hasattr(Random, "first"):
                Random.first, self.labels_ = True, labels
                return self
            drawn = X[:, 0].astype(int)
            by_row = rng.integers(-1, 3, 30)  # equal rows have equal labels
            self.labels_ = by_row[drawn]
            fits.append((np.unique(drawn), by_row[np.unique(drawn)]))
            return self

    stability = xf.bootstrap_stability(Random(), X, n_resamples=25, random_state=1)
    wanted = by_hand(labels, fits)
    assert stability.table["cluster"].tolist() == [0, 1, 2, 3]  # -1 is no cluster
    np.testing.assert_allclose(stability.table["jaccard"], wanted.mean(axis=0))
    np.testing.assert_allclose(stability.table["jaccard_spread"], wanted.std(axis=0))
    np.testing.assert_array_equal(stability.table["dissolved"], (wanted <= 0.5).sum(axis=0))
    vanished = [sum(7 not in drawn for drawn, _ in fits)]
    assert stability.table["vanished"].tolist() == [0, 0, 0, *vanished]
    assert vanished[0] > 0
    each = [sklearn.metrics.adjusted_rand_score(labels[drawn], found) for drawn, found in fits]
    np.testing.assert_allclose(stability.adjusted_rand_each, each)


def test_hennigs_bounds_decide_the_reading():
    X = np.arange(200.0)[:, np.newaxis]
    every_row = SimpleNamespace(randint=lambda _, size: np.arange(size))
    own = np.repeat([0, 1, 2, 3], 50)
    found = own.copy()
    for cluster, moved in enumerate((7, 10, 20, 21)):
        found[cluster * 50 : cluster * 50 + moved] = 10 + cluster
    stability = resampled(Scripted(found), X, own, 1, None, every_row, None)
    assert stability.table["jaccard"].tolist() == [0.86, 0.8, 0.6, 0.58]
    assert stability.table["reading"].tolist() == ["stable", "fairly stable", "pattern", "doubtful"]
    assert stability.table["dissolved"].tolist() == [0, 0, 0, 0]
    assert stability.table["recovered"].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    "estimator",
    [
        sklearn.cluster.KMeans(3),
        sklearn.cluster.DBSCAN(eps=3),
        sklearn.mixture.GaussianMixture(3, covariance_type="spherical"),
        make_pipeline(StandardScaler(), sklearn.cluster.KMeans(3, n_init=5)),
        xf.MiniBatchKMeans(3),
    ],
    ids=lambda estimator: type(estimator).__module__.split(".")[0] + type(estimator).__name__,
)
def test_any_clusterer_will_do_and_is_left_alone(estimator):
    before = repr(estimator.get_params())
    one, same = (xf.bootstrap_stability(estimator, far_apart(), 3, random_state=3) for _ in range(2))
    assert one.adjusted_rand == 1
    pd.testing.assert_frame_equal(one.table, same.table, check_exact=True)
    assert repr(estimator.get_params()) == before
    assert not hasattr(estimator, "labels_")


def test_frames_are_drawn_from_as_arrays_are():
    X = log_rfm()[:500]
    frame = pd.DataFrame(X, columns=["r", "f", "m"], index=np.arange(500) // 2)
    wanted = xf.bootstrap_stability(xf.KMeans(4), X, 4, random_state=0)
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    for data in (frame, pl.from_pandas(frame), arrow, {name: frame[name].to_numpy() for name in frame}, X.tolist()):
        stability = xf.bootstrap_stability(xf.KMeans(4), data, 4, random_state=0)
        pd.testing.assert_frame_equal(stability.table, wanted.table, check_exact=True)


def test_it_prints_as_a_table_with_a_sentence():
    stability = xf.bootstrap_stability(xf.KMeans(3), far_apart(), 5, random_state=0)
    assert "reading" in repr(stability)
    assert repr(stability).endswith("1.000 on average over 5 resamples, standard deviation 0.000")
    assert "<table" in stability._repr_html_()


def test_resamples_with_fewer_different_rows_than_clusters_dissolve_clusters_without_a_warning():
    X = np.arange(5.0)[:, np.newaxis]
    stability = xf.bootstrap_stability(xf.KMeans(5, random_state=0), X, 10, random_state=0)
    assert stability.table["vanished"].sum() > 0
    # A single row is its own cluster whenever it is drawn; every miss counts 0.
    np.testing.assert_allclose(stability.table["jaccard"], 1 - stability.table["vanished"] / 10)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"estimator": xf.KMeans}, TypeError, "wanted a clusterer"),
        ({"estimator": "kmeans"}, TypeError, "estimator is 'kmeans'; wanted a clusterer"),
        ({"n_resamples": 0}, ParameterError, "n_resamples is 0; wanted a whole number of at least 1"),
        ({"n_resamples": 2.5}, ParameterError, "n_resamples is 2.5"),
        ({"resample_size": 0}, ParameterError, "resample_size is 0"),
        ({"X": [[1.0, np.nan], [2.0, 3.0], [4.0, 5.0]]}, InputError, "missing"),
        ({"X": pd.DataFrame({"a": ["x", "y", "z"]})}, InputError, "column 'a' of frame holds (str|object)"),
        ({"X": np.empty((0, 2))}, ValueError, "0 sample"),
        ({"X": [[1.0, 2.0]]}, InputError, "n_samples=1 is fewer than n_clusters=2"),
    ],
)
def test_what_stability_cannot_be_of_is_refused(change, error, words):
    call = {"estimator": xf.KMeans(2), "X": far_apart()} | change
    with pytest.raises(error, match=words):
        xf.bootstrap_stability(**call)


# ---- choose_k ------------------------------------------------------------------------------------

EVERY = ("silhouette", "stability", "inertia", "calinski_harabasz", "davies_bouldin", "gap")


def test_the_number_that_is_there_is_chosen_by_every_criterion():
    X = far_apart((60, 40, 50))
    for criterion in EVERY:
        choice = xf.choose_k(X, range(1 if criterion == "gap" else 2, 7), [criterion], random_state=0)
        if criterion == "inertia":
            assert choice.recommended is None
            assert "inertia falls with every further cluster" in choice.reason
        else:
            assert (criterion, choice.recommended) == (criterion, 3)
            assert choice.reason.startswith("k = 3: ")


def test_it_is_a_frame_with_a_row_per_k():
    X = far_apart()
    choice = xf.choose_k(X, [4, 2, 3, 3], EVERY, random_state=0, n_resamples=3, n_references=3)
    assert isinstance(choice, pd.DataFrame)
    assert choice["k"].tolist() == [2, 3, 4]
    assert list(choice) == [
        *("k", "silhouette", "silhouette_error", "stability", "stability_spread", "least_jaccard"),
        *("inertia", "calinski_harabasz", "davies_bouldin", "gap", "gap_error"),
    ]
    assert repr(choice).endswith(choice.reason)
    assert choice.reason in choice._repr_html_()
    assert "reason" not in repr(choice[["k"]])  # a part of it is an ordinary frame
    twin = pickle.loads(pickle.dumps(choice))
    assert (twin.recommended, twin.reason) == (choice.recommended, choice.reason)
    pd.testing.assert_frame_equal(twin, choice)


def test_criteria_are_those_of_the_libraries():
    X = log_rfm()[:800]
    choice = xf.choose_k(X, [3, 5], EVERY, estimator=xf.KMeans(random_state=1), random_state=0, n_resamples=4)
    for row, k in enumerate([3, 5]):
        fitted = xf.KMeans(k, random_state=1).fit(X)
        assert choice["silhouette"][row] == pytest.approx(
            sklearn.metrics.silhouette_score(X, fitted.labels_), rel=1e-10
        )
        assert choice["silhouette_error"][row] == 0
        assert choice["inertia"][row] == pytest.approx(fitted.inertia_, rel=1e-10)
        wanted = sklearn.metrics.calinski_harabasz_score(X, fitted.labels_)
        assert choice["calinski_harabasz"][row] == pytest.approx(wanted, rel=1e-10)
        wanted = sklearn.metrics.davies_bouldin_score(X, fitted.labels_)
        assert choice["davies_bouldin"][row] == pytest.approx(wanted, rel=1e-10)


def test_stability_is_that_of_bootstrap_stability():
    X = log_rfm()[:600]
    stability = xf.bootstrap_stability(xf.KMeans(4, random_state=0), X, 6, random_state=8)
    choice = xf.choose_k(X, [4], ["stability"], estimator=xf.KMeans(random_state=0), n_resamples=6, random_state=8)
    # The draws differ, the population they estimate is the same.
    assert choice["stability"][0] == pytest.approx(stability.adjusted_rand, abs=0.1)
    assert choice["least_jaccard"][0] == pytest.approx(stability.table["jaccard"].min(), abs=0.15)


def test_gap_of_one_even_box_is_that_of_one_cluster():
    # Tibshirani, Walther and Hastie (2001), scenario 1: 200 points even over a square have one cluster.
    X = np.random.default_rng(0).uniform(size=(200, 10))
    choice = xf.choose_k(X, range(1, 6), ["gap"], random_state=0)
    assert choice.recommended == 1
    assert (choice["gap_error"] > 0).all()
    # A long thin cloud is one cluster too, however it lies.
    line = np.random.default_rng(1).uniform(size=(300, 2)) * [10, 1] @ [[0.6, 0.8], [-0.8, 0.6]]
    assert xf.choose_k(line, range(1, 6), ["gap"], random_state=0).recommended == 1


def test_gap_is_that_of_the_definition():
    X = far_apart((30, 30))
    choice = xf.choose_k(X, [2], ["gap"], n_references=1, random_state=0, estimator=xf.KMeans(n_init=5))
    assert choice["gap_error"][0] == 0  # one reference has no spread
    many = xf.choose_k(X, [2], ["gap"], n_references=40, random_state=0, estimator=xf.KMeans(n_init=5))
    within = xf.KMeans(2, n_init=5, random_state=0).fit(X).inertia_
    centred = X - X.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2].T
    low, high = (centred @ axes).min(axis=0), (centred @ axes).max(axis=0)
    rng = np.random.default_rng(0)
    logs = [
        np.log(xf.KMeans(2, n_init=5, random_state=0).fit(rng.uniform(low, high, size=X.shape)).inertia_)
        for _ in range(40)
    ]
    spread = np.std(logs) * np.sqrt(1 + 1 / 40)
    assert many["gap"][0] == pytest.approx(np.mean(logs) - np.log(within), abs=4 * spread / np.sqrt(20))
    assert many["gap_error"][0] == pytest.approx(spread, rel=0.6)


def test_unstable_numbers_are_passed_over_and_it_says_so():
    choice = xf.choose_k(far_apart((60, 40, 50)), range(2, 6), random_state=0)
    assert "stable clusters only" in choice.reason
    noise = np.random.default_rng(0).normal(size=(300, 4))
    choice = xf.choose_k(noise, range(2, 6), random_state=0, n_resamples=10)
    assert "cuts through the rows, not as kinds" in choice.reason
    assert "no substantial structure" in choice.reason
    assert choice.recommended in (2, 3, 4, 5)


def test_a_silhouette_of_drawn_rows_states_its_error_and_close_ones_prefer_few():
    X = log_rfm()
    exact = xf.choose_k(X, range(2, 6), ["silhouette"], random_state=0)
    drawn = xf.choose_k(X, range(2, 6), ["silhouette"], random_state=0, silhouette_size=300)
    assert (exact["silhouette_error"] == 0).all()
    assert (drawn["silhouette_error"] > 0).all()
    assert (abs(drawn["silhouette"] - exact["silhouette"]) < 4 * drawn["silhouette_error"]).all()
    noise = np.random.default_rng(2).normal(size=(500, 6))
    few = xf.choose_k(noise, range(2, 8), ["silhouette"], random_state=0, silhouette_size=15)
    place = few["silhouette"].idxmax()
    close = few["silhouette"] >= few["silhouette"][place] - few["silhouette_error"][place]
    assert few.recommended == few["k"][close].min()


def test_a_row_does_not_depend_on_the_other_k():
    X = log_rfm()[:500]
    alone = xf.choose_k(X, [4], EVERY, random_state=0, n_resamples=3, n_references=2)
    among = xf.choose_k(X, range(2, 6), EVERY, random_state=0, n_resamples=3, n_references=2)
    pd.testing.assert_series_equal(among.iloc[2], alone.iloc[0], check_names=False, check_exact=True)


def test_any_kind_of_frame_gives_the_same():
    X = log_rfm()[:300]
    frame = pd.DataFrame(X, columns=["r", "f", "m"])
    wanted = xf.choose_k(X, [2, 3], EVERY, random_state=0, n_resamples=2, n_references=2)
    arrow = pa.Table.from_pandas(frame)
    for data in (frame, pl.from_pandas(frame), arrow, {name: frame[name].to_numpy() for name in frame}, X.tolist()):
        choice = xf.choose_k(data, [2, 3], EVERY, random_state=0, n_resamples=2, n_references=2)
        pd.testing.assert_frame_equal(choice, wanted, rtol=1e-12)


def test_bic_comes_from_the_clusterer():
    X = far_apart((60, 40, 50))
    choice = xf.choose_k(
        X, range(1, 5), ["bic"], estimator=sklearn.mixture.GaussianMixture(random_state=0), random_state=0
    )
    assert choice.recommended == 3
    assert choice["bic"][1] == sklearn.mixture.GaussianMixture(2, random_state=0).fit(X).bic(X)
    with pytest.raises(ParameterError, match="bic, which needs a clusterer with a likelihood"):
        xf.choose_k(X, [2], ["bic"])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_numbers_beyond_the_different_rows_have_no_criteria():
    X = np.repeat([[0.0], [1.0], [5.0]], 10, axis=0)
    choice = xf.choose_k(X, range(2, 6), EVERY, random_state=0, n_resamples=3, n_references=2)
    assert choice.recommended == 3
    assert choice.loc[2:].drop(columns="k").isna().all(axis=None)
    alike = xf.choose_k(np.ones((20, 2)), range(2, 4), EVERY, random_state=0)
    assert alike.recommended is None
    assert alike.reason == "no k is recommended: the rows are too few or too much alike for a silhouette"


def test_too_many_clusters_warn_as_k_means_does():
    with pytest.warns(ConvergenceWarning, match="distinct clusters"):
        xf.choose_k(np.ones((20, 2)), [2], ["inertia"], random_state=0)


def test_constant_columns_change_nothing():
    X = far_apart((60, 40, 50))
    choice = xf.choose_k(np.column_stack([X, np.full(len(X), 7.0)]), range(2, 5), EVERY, random_state=0)
    assert choice.recommended == 3
    assert np.isfinite(choice.drop(columns="k").to_numpy()).all()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"k_range": []}, ParameterError, "empty; wanted numbers of clusters"),
        ({"k_range": range(5, 2)}, ParameterError, "empty"),
        ({"k_range": 5}, ParameterError, "k_range is 5; wanted numbers of clusters, such as range"),
        ({"k_range": "23"}, ParameterError, "k_range is '23'"),
        ({"k_range": [0, 2]}, ParameterError, "a number in k_range is 0"),
        ({"k_range": [2.5]}, ParameterError, "a number in k_range is 2.5"),
        ({"k_range": range(2, 200)}, ParameterError, "k_range goes up to 199, but there are 120 rows"),
        ({"X": [[1.0, 2.0]]}, ParameterError, "there is 1 row; wanted fewer clusters than rows"),
        ({"criteria": []}, ParameterError, "criteria is empty"),
        ({"criteria": ["silhuette"]}, ParameterError, "criteria names 'silhuette'.*did you mean 'silhouette'"),
        ({"criteria": "gap"}, ParameterError, "criteria is 'gap'; wanted a list"),
        ({"estimator": xf.KMeans}, TypeError, "wanted a clusterer"),
        ({"estimator": sklearn.cluster.DBSCAN()}, ParameterError, "a DBSCAN, which has neither n_clusters nor"),
        ({"n_resamples": 0}, ParameterError, "n_resamples is 0"),
        ({"n_references": -1}, ParameterError, "n_references is -1"),
        ({"silhouette_size": 0}, ParameterError, "silhouette_size is 0"),
        ({"resample_size": None}, ParameterError, "resample_size is None"),
        ({"X": pd.DataFrame({"a": [1.0, np.nan, 2.0]})}, InputError, "column 'a'.* missing"),
        ({"X": pd.DataFrame({"a": [1.0, np.inf, 2.0]})}, InputError, "infinite"),
        ({"X": pd.DataFrame({"a": [1.0, np.nan, 2.0]}), "criteria": ["gap"]}, InputError, "missing"),
        ({"X": pd.DataFrame({"a": list("xyz")})}, InputError, "wanted numbers"),
    ],
)
def test_what_cannot_be_chosen_from_is_refused(change, error, words):
    with pytest.raises(error, match=words):
        xf.choose_k(**({"X": far_apart(), "k_range": [2]} | change))
