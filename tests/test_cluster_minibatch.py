"""MiniBatchKMeans: scikit-learn's contract, results near its own, and steps that can be gone one by one."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn.cluster
import xifen as xf
from customers import blobs, fails_in_scikit_learn
from sklearn.utils.estimator_checks import parametrize_with_checks


@parametrize_with_checks([xf.MiniBatchKMeans(2, batch_size=10)], expected_failed_checks=fails_in_scikit_learn)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_it_comes_near_what_kmeans_finds(init: str):
    X = blobs(30_000, 3, seed=4)
    best = xf.KMeans(6, n_init=5, random_state=0).fit(X).inertia_
    theirs = [sklearn.cluster.MiniBatchKMeans(6, init=init, random_state=s).fit(X).inertia_ for s in range(12)]
    ours = [xf.MiniBatchKMeans(6, init=init, random_state=s).fit(X).inertia_ for s in range(12)]
    assert min(ours) <= best * 1.02
    assert np.mean(ours) <= np.mean(theirs) * 1.1


def test_labels_and_inertia_are_those_of_its_centres():
    X = blobs(5_000)
    weights = np.random.default_rng(0).uniform(0, 2, len(X))
    km = xf.MiniBatchKMeans(6, random_state=0).fit(X, sample_weight=weights)
    np.testing.assert_array_equal(km.labels_, km.predict(X))
    assert km.inertia_ == pytest.approx(-km.score(X, sample_weight=weights), rel=1e-12)
    assert km.n_iter_ == -(-km.n_steps_ * 1024 // len(X))
    bare = xf.MiniBatchKMeans(6, random_state=0, compute_labels=False).fit(X, sample_weight=weights)
    assert not hasattr(bare, "labels_")
    assert bare.cluster_centers_.tobytes() == km.cluster_centers_.tobytes()
    assert bare.inertia_ == pytest.approx(km.inertia_, rel=0.3)


def test_one_step_is_scikit_learns():
    X = blobs(800, 3, seed=6)
    init = X[:6]
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    ours = xf.MiniBatchKMeans(6, init=init, reassignment_ratio=0)
    theirs = sklearn.cluster.MiniBatchKMeans(6, init=init, n_init=1, reassignment_ratio=0)
    for start in range(0, 800, 200):
        batch = slice(start, start + 200)
        ours.partial_fit(X[batch], sample_weight=weights[batch])
        theirs.partial_fit(X[batch], sample_weight=weights[batch])
        np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, atol=1e-9)
        np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.n_steps_ == theirs.n_steps_ == 4
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)


def test_steps_go_on_after_pickling_and_json():
    X = blobs(900)
    wanted = xf.MiniBatchKMeans(5, random_state=1)
    halves = xf.MiniBatchKMeans(5, random_state=1)
    wanted.partial_fit(X[:450]).partial_fit(X[450:])
    halves.partial_fit(X[:450])
    for twin in (pickle.loads(pickle.dumps(halves)), xf.MiniBatchKMeans.from_json(halves.to_json())):
        twin.partial_fit(X[450:])
        assert twin.cluster_centers_.tobytes() == wanted.cluster_centers_.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_do_not_change_a_bit(dtype: type):
    X = blobs(40_000).astype(dtype)
    fits = [xf.MiniBatchKMeans(7, random_state=3, batch_size=5_000, n_jobs=n).fit(X) for n in (1, 2, 8)]
    for fit in fits[1:]:
        assert fit.cluster_centers_.tobytes() == fits[0].cluster_centers_.tobytes()
        assert fit.labels_.tobytes() == fits[0].labels_.tobytes()
        assert fit.inertia_ == fits[0].inertia_
        assert fit.cluster_centers_.dtype == dtype


def test_size_order_tol_and_frames():
    frame = pd.DataFrame(blobs(3_000), columns=["a", "b", "c"])
    km = xf.MiniBatchKMeans(6, label_order="size", tol=1e-3, random_state=0).fit(frame)
    assert list(km.get_feature_names_out()) == [f"minibatchkmeans{place}" for place in range(6)]
    sizes = np.bincount(km.labels_, minlength=6)
    assert sizes[0] > sizes[-1]
    never = xf.MiniBatchKMeans(3, max_no_improvement=None, max_iter=2, batch_size=100, random_state=0).fit(frame)
    assert never.n_steps_ == 60


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"init_size": -1}, "init_size is -1"),
        ({"max_no_improvement": -1}, "max_no_improvement is -1"),
        ({"max_no_improvement": 1.5}, "max_no_improvement is 1.5"),
        ({"reassignment_ratio": -0.1}, "reassignment_ratio is -0.1"),
        ({"n_clusters": 0}, "n_clusters is 0"),
        ({"max_iter": 0}, "max_iter is 0"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(parameters, words: str):
    with pytest.raises(ValueError, match=words):
        xf.MiniBatchKMeans(**parameters).fit(blobs(50))


def test_the_labels_of_a_step_are_those_of_the_centres_it_leaves():
    X, weights = blobs(3_000, 4), np.random.default_rng(3).random(3_000)
    km = xf.MiniBatchKMeans(5, random_state=0).partial_fit(X[:1_000]).partial_fit(X, sample_weight=weights)
    assert km.labels_.tolist() == km.predict(X).tolist()
    assert km.inertia_ == -km.score(X, sample_weight=weights)


def test_partial_fit_refuses_an_order_it_cannot_keep():
    with pytest.raises(xf.errors.ParameterError, match="which partial_fit cannot keep to"):
        xf.MiniBatchKMeans(3, label_order="size").partial_fit(blobs(50))


def test_a_small_init_size_warns():
    with pytest.warns(RuntimeWarning, match="init_size=2 should be larger than n_clusters=3"):
        xf.MiniBatchKMeans(3, init_size=2, random_state=0).fit(blobs(100))


@pytest.mark.parametrize("compute_labels", [True, False])
def test_the_largest_cluster_is_the_first(compute_labels: bool):
    rows = np.random.default_rng(0).normal(size=(5_000, 3))
    for seed in range(6):
        made = xf.MiniBatchKMeans(8, label_order="size", compute_labels=compute_labels, random_state=seed).fit(rows)
        sizes = np.bincount(made.predict(rows))
        assert (np.diff(sizes) <= 0).all()
        assert not compute_labels or (np.bincount(made.labels_) == sizes).all()
