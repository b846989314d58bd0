"""GaussianMixture: scikit-learn's contract, its path and its results; published likelihoods; and what must not matter."""

from __future__ import annotations

import itertools
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
import sklearn.mixture
import xifen as xf
from customers import GOOD, blobs, broken, log_wholesale
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from xifen.errors import InputError

KINDS = ("full", "tied", "diag", "spherical")

#: The log-likelihood of all rows of `log_wholesale` under scikit-learn 1.9's mixtures of 1 to 5 components.
GOLDEN = {
    "full": (-3215.9707449091243, -3049.7832204484257, -2881.36642386165, -2811.406806099136, -2769.542184550738),
    "diag": (-3745.997727660996, -3415.5941712908793, -3251.052949985148, -3165.354454582403, -3066.684536834543),
    "tied": (-3215.9707449091243, -3196.4698493120068, -3147.5610088994936, -3103.1546225795228, -3064.387769914879),
    "spherical": (-3745.997727660996, -3524.7755808312163, -3351.4411166919126, -3279.0682085022763, -3218.8845305322666),
}  # fmt: skip

every_kind = pytest.mark.parametrize("kind", KINDS)


def start(X: np.ndarray, n_components: int, kind: str, seed: int = 0) -> dict:
    """Weights, means and precisions to start from."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.5, 1, n_components)
    columns = X.shape[1]
    root = rng.normal(size=(n_components, columns, columns)) * 0.2 + np.eye(columns)
    full = root @ root.transpose(0, 2, 1)
    precisions = {
        "full": full,
        "tied": full[0],
        "diag": rng.uniform(0.2, 1, (n_components, columns)),
        "spherical": rng.uniform(0.2, 1, n_components),
    }
    return {
        "weights_init": weights / weights.sum(),
        "means_init": X[rng.choice(len(X), n_components, replace=False)],
        "precisions_init": precisions[kind],
    }


def fitted(gm) -> list[np.ndarray]:
    return [gm.weights_, gm.means_, gm.covariances_, gm.precisions_, gm.precisions_cholesky_]


@parametrize_with_checks([xf.GaussianMixture(), xf.GaussianMixture(2, covariance_type="diag", label_order="size")])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


# -- the same as scikit-learn ----------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize(("columns", "n_components"), [(1, 2), (2, 3), (3, 5), (6, 4), (9, 3), (20, 4)])
def test_the_same_path_from_the_same_start(kind: str, columns: int, n_components: int):
    X = blobs(3_001, columns, centres=n_components, seed=columns)
    for rounds in (1, 3, 10):
        how = {"covariance_type": kind, "tol": 0, "max_iter": rounds, **start(X, n_components, kind)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            theirs = sklearn.mixture.GaussianMixture(n_components, **how).fit(X)
            ours = xf.GaussianMixture(n_components, **how).fit(X)
        assert ours.n_iter_ == theirs.n_iter_ == rounds
        assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_, rel=1e-10)
        for our, their in zip(fitted(ours), fitted(theirs), strict=True):
            np.testing.assert_allclose(our, their, rtol=1e-8, atol=1e-8)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-8)
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), rtol=1e-8)
    assert ours.score(X) == pytest.approx(theirs.score(X), rel=1e-10)
    assert ours.aic(X) == pytest.approx(theirs.aic(X), rel=1e-10)
    assert ours.bic(X) == pytest.approx(theirs.bic(X), rel=1e-10)


@every_kind
def test_a_part_of_the_start_is_enough(kind: str):
    X = blobs(2_000, 3, centres=3, seed=1)
    rest = start(X, 3, kind)
    means = {"means_init": np.array([X[:700].mean(axis=0) + shift for shift in (-4, 0, 4)])}
    for part in (means, means | {"precisions_init": rest["precisions_init"]}):
        theirs = sklearn.mixture.GaussianMixture(
            3, covariance_type=kind, tol=1e-9, max_iter=500, random_state=0, **part
        )
        ours = xf.GaussianMixture(3, covariance_type=kind, tol=1e-9, max_iter=500, random_state=0, **part)
        assert ours.fit(X).lower_bound_ == pytest.approx(theirs.fit(X).lower_bound_, abs=1e-6)


@every_kind
@pytest.mark.parametrize("n_components", [1, 2, 3, 4, 5])
def test_many_starts_come_to_the_published_likelihood(kind: str, n_components: int):
    X = log_wholesale()
    gm = xf.GaussianMixture(n_components, covariance_type=kind, n_init=30, tol=1e-6, max_iter=1000, random_state=0).fit(
        X
    )
    assert gm.score(X) * len(X) >= GOLDEN[kind][n_components - 1] - 0.01


@every_kind
@pytest.mark.parametrize("init_params", ["kmeans", "k-means++", "random", "random_from_data"])
def test_every_start_comes_as_far_as_scikit_learns(kind: str, init_params: str):
    X = blobs(1_500, 3, centres=4, seed=3)
    how = {"covariance_type": kind, "init_params": init_params, "n_init": 8, "max_iter": 500, "random_state": 0}
    ours = xf.GaussianMixture(4, **how).fit(X)
    theirs = sklearn.mixture.GaussianMixture(4, **how).fit(X)
    assert ours.converged_
    assert ours.lower_bound_ >= theirs.lower_bound_ - 0.01


@every_kind
def test_samples_are_scikit_learns(kind: str):
    X = blobs(500, 3, centres=2)
    how = {"covariance_type": kind, "random_state": 3, "tol": 1e-12, "max_iter": 2000, **start(X, 2, kind)}
    ours, theirs = xf.GaussianMixture(2, **how).fit(X), sklearn.mixture.GaussianMixture(2, **how).fit(X)
    for our, their in zip(ours.sample(500), theirs.sample(500), strict=True):
        np.testing.assert_allclose(our, their, atol=1e-6)
    with pytest.raises(ValueError, match="n_samples is 0"):
        ours.sample(0)


@every_kind
def test_float32_is_kept(kind: str):
    X = blobs(3_000, 3, centres=3)
    how = {"covariance_type": kind, "tol": 1e-6, "max_iter": 300, "random_state": 0}
    single, double = xf.GaussianMixture(3, **how).fit(X.astype(np.float32)), xf.GaussianMixture(3, **how).fit(X)
    assert {array.dtype for array in fitted(single)} == {np.dtype(np.float32)}
    assert single.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert single.score_samples(X.astype(np.float32)).dtype == np.float32
    assert single.predict_proba(X).dtype == np.float64
    assert single.lower_bound_ == pytest.approx(double.lower_bound_, abs=1e-5)
    assert np.mean(single.predict(X) != double.predict(X)) < 1e-3
    assert xf.GaussianMixture(2).fit(X.astype(int)).means_.dtype == np.float64


# -- far from zero, tied, collapsed --------------------------------------------------------------------


@every_kind
def test_data_far_from_zero_lose_nothing(kind: str):
    X = np.round(blobs(2_000, 2, centres=3, seed=1) * 256) / 256  # so that X + 2**30 is exact
    how = {"covariance_type": kind, "tol": 1e-8, "max_iter": 500, "random_state": 0, "label_order": "size"}
    near, far = xf.GaussianMixture(3, **how).fit(X), xf.GaussianMixture(3, **how).fit(X + 2.0**30)
    np.testing.assert_allclose(far.means_ - 2.0**30, near.means_, atol=1e-6)
    np.testing.assert_allclose(far.covariances_, near.covariances_, rtol=1e-6, atol=1e-8)
    assert far.lower_bound_ == pytest.approx(near.lower_bound_, rel=1e-9)
    np.testing.assert_array_equal(far.predict(X + 2.0**30), near.predict(X))


def test_a_start_far_from_the_data_loses_nothing():
    X = blobs(1_000, 2, centres=1)
    gm = xf.GaussianMixture(
        1, weights_init=[1.0], means_init=[[1e9, -1e9]], precisions_init=[np.eye(2)], tol=0, max_iter=2
    )
    with pytest.warns(ConvergenceWarning):
        gm.fit(X)
    np.testing.assert_allclose(gm.means_[0], X.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(gm.covariances_[0], np.cov(X.T, bias=True) + 1e-6 * np.eye(2), rtol=1e-10)


@every_kind
@pytest.mark.parametrize("reg_covar", [1e-6, 0])
def test_a_component_on_tied_rows_is_named(kind: str, reg_covar: float):
    X = np.concatenate([np.tile([[3.0, 1.0]], (300, 1)), blobs(300, 2, centres=1, seed=2) + 20])
    gm = xf.GaussianMixture(
        2, covariance_type=kind, reg_covar=reg_covar, label_order="size", random_state=0, max_iter=500
    )
    if kind == "tied":
        gm.fit(X)  # shares the spread of the others
    else:
        with pytest.warns(UserWarning, match=r"component \d has collapsed"):
            gm.fit(X)
    assert all(np.isfinite(array).all() for array in fitted(gm))
    assert gm.converged_
    np.testing.assert_allclose(gm.weights_, 0.5)
    assert len(set(gm.predict(X[:300]))) == len(set(gm.predict(X[300:]))) == 1


def test_a_tied_column_is_named():
    rng = np.random.default_rng(0)
    orders = np.where(rng.random(2_000) < 0.6, 1, rng.integers(2, 30, 2_000))
    frame = pd.DataFrame({"order_count": orders, "monetary": rng.lognormal(3, 1, 2_000)})
    with pytest.warns(UserWarning, match=r"component.* collapsed in column 'order_count', which hardly varies"):
        xf.GaussianMixture(3, random_state=0, max_iter=1000).fit(frame)


@every_kind
@pytest.mark.filterwarnings("ignore:component.*collapsed", "ignore:of 2 components . has no rows left")
@pytest.mark.parametrize("reg_covar", [1e-6, 0])
def test_extremes_that_can_be_used(kind: str, reg_covar: float):
    rows = blobs(60, 3)
    for X in (
        np.column_stack([rows[:, 0], np.full(60, 7.0)]),  # a constant column
        np.full((20, 2), 5.0),
        np.repeat(rows[:5], 10, axis=0),
        np.arange(30.0).reshape(-1, 1) * 5e-324,
        np.concatenate([rows, np.full((50, 3), 5e-324)]),
        rows * 1e130,
        rows[:2],
        np.column_stack([rows, rows[:, 0]]),
    ):
        for init_params in ("kmeans", "k-means++", "random", "random_from_data"):
            gm = xf.GaussianMixture(
                2,
                covariance_type=kind,
                reg_covar=reg_covar,
                init_params=init_params,
                random_state=0,
                tol=1,
                max_iter=3000,
            ).fit(X)
            assert all(np.isfinite(array).all() for array in fitted(gm))
            assert np.isfinite(gm.score_samples(X)).all()
            np.testing.assert_allclose(gm.predict_proba(X).sum(axis=1), 1)
            shares = gm.predict_proba(X)
            np.testing.assert_array_equal(shares[np.arange(len(X)), gm.predict(X)], shares.max(axis=1))


# -- the same bits -----------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("init_params", ["kmeans", "random"])
def test_threads_do_not_change_a_bit(kind: str, init_params: str):
    X = blobs(40_000, 3)
    how = {"covariance_type": kind, "init_params": init_params, "random_state": 7, "tol": 1e-2}
    fits = [xf.GaussianMixture(4, **how, n_jobs=n_jobs).fit(X) for n_jobs in (1, 2, 8)]
    for fit in fits[1:]:
        for one, other in zip(fitted(fit), fitted(fits[0]), strict=True):
            assert one.tobytes() == other.tobytes()
        assert (fit.lower_bound_, fit.n_iter_) == (fits[0].lower_bound_, fits[0].n_iter_)
        assert fit.predict_proba(X).tobytes() == fits[0].predict_proba(X).tobytes()
        assert fit.score_samples(X).tobytes() == fits[0].score_samples(X).tobytes()


def test_every_way_in_gives_the_same_bits():
    frame = pd.DataFrame(blobs(3_000, 3), columns=["a", "b", "c"])
    X = frame.to_numpy(copy=True)
    wanted = xf.GaussianMixture(4, random_state=0).fit(X)
    labels = xf.GaussianMixture(4, random_state=0).fit_predict(X)
    np.testing.assert_array_equal(wanted.predict(X), labels)
    frozen = X.copy()
    frozen.flags.writeable = False
    wide = np.zeros((len(X), 6))
    wide[:, ::2] = X
    ways = {
        "pandas": frame,
        "polars": pl.from_pandas(frame),
        "pyarrow": pa.Table.from_pandas(frame, preserve_index=False),
        "dict": {name: frame[name].to_numpy() for name in frame},
        "columns first": np.asfortranarray(X),
        "read-only": frozen,
        "strided": wide[:, ::2],
        "list": X.tolist(),
        "objects": X.astype(object),
    }
    for name, data in ways.items():
        gm = xf.GaussianMixture(4, random_state=0).fit(data)
        assert [array.tobytes() for array in fitted(gm)] == [array.tobytes() for array in fitted(wanted)], name
        np.testing.assert_array_equal(gm.predict(data), labels)
        assert gm.predict_proba(data).tobytes() == wanted.predict_proba(X).tobytes()


@every_kind
def test_copies_predict_the_same_bits(kind: str):
    X = blobs(2_000)
    gm = xf.GaussianMixture(3, covariance_type=kind, random_state=0).fit(X)
    for twin in (pickle.loads(pickle.dumps(gm)), xf.GaussianMixture.from_json(gm.to_json()), clone(gm).fit(X)):
        assert twin.predict_proba(X).tobytes() == gm.predict_proba(X).tobytes()
        assert twin.score_samples(X).tobytes() == gm.score_samples(X).tobytes()
    assert xf.GaussianMixture.from_json(gm.to_json()).to_json() == gm.to_json()


def test_a_json_model_predicts_the_same_bits_in_another_process(tmp_path: Path):
    X = blobs(2_000)
    gm = xf.GaussianMixture(4, random_state=0, **start(X, 4, "full")).fit(X)
    (tmp_path / "model.json").write_text(gm.to_json(), encoding="utf-8")
    np.save(tmp_path / "rows.npy", X)
    code = (
        "import sys, numpy as np, xifen as xf; folder = sys.argv[1];"
        "gm = xf.GaussianMixture.from_json(open(folder + '/model.json', encoding='utf-8').read());"
        "print(gm.predict_proba(np.load(folder + '/rows.npy')).tobytes().hex())"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == gm.predict_proba(X).tobytes().hex()


def test_a_damaged_model_file_is_refused():
    gm = xf.GaussianMixture(2, random_state=0).fit(blobs(100))
    model = json.loads(gm.to_json())
    for attribute in set(model["fitted"]) - {"n_iter_"}:
        rest = {key: value for key, value in model["fitted"].items() if key != attribute}
        with pytest.raises(InputError, match=f"the fitted attribute {attribute} is missing"):
            xf.GaussianMixture.from_json(json.dumps(model | {"fitted": rest}))
    gm.means_ = gm.means_[:1]
    with pytest.raises(InputError, match="do not go with each other"):
        gm.predict(blobs(5))


# -- order, pipelines ----------------------------------------------------------------------------------


@every_kind
def test_the_largest_comes_first(kind: str):
    X = blobs(5_000, 3, seed=4)
    plain = xf.GaussianMixture(4, covariance_type=kind, random_state=0).fit(X)
    sized = xf.GaussianMixture(4, covariance_type=kind, random_state=0, label_order="size").fit(X)
    order = np.argsort(-plain.weights_, kind="stable")
    np.testing.assert_array_equal(sized.weights_, plain.weights_[order])
    np.testing.assert_array_equal(sized.means_, plain.means_[order])
    np.testing.assert_array_equal(order[sized.predict(X)], plain.predict(X))


def test_it_stands_in_pipelines_and_searches():
    frame = pd.DataFrame(blobs(600), columns=["a", "b", "c"])
    path = make_pipeline(StandardScaler(), xf.GaussianMixture(3, random_state=0))
    assert path.fit_predict(frame).shape == (600,)
    search = GridSearchCV(xf.GaussianMixture(random_state=0), {"n_components": [1, 5]}, cv=3).fit(frame)
    assert search.best_params_ == {"n_components": 5}
    with pytest.raises(NotFittedError):
        xf.GaussianMixture().predict(frame)


# -- bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (broken(7, 0, 1e300), "column 0 is 1e300 in row 7; squares of values beyond 1e140 overflow"),
        (GOOD[:1], "n_samples=1 is fewer than 2"),
        (GOOD[:7], "n_samples=7 is fewer than n_components=8"),
    ],
)
def test_data_that_cannot_be_used_are_named(X, words: str):
    with pytest.raises(ValueError, match=words):
        xf.GaussianMixture(8).fit(X)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score_samples", "score", "bic"])
def test_what_cannot_be_used_is_refused_by_a_fitted_mixture_too(method: str):
    with pytest.raises(ValueError, match=r"column 1 is missing \(NaN\) in row 3"):
        getattr(xf.GaussianMixture().fit(GOOD), method)(broken(3, 1, np.nan))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_components": 0}, "n_components is 0; wanted a whole number of at least 1"),
        ({"n_components": 2.5}, "n_components is 2.5"),
        ({"n_components": 51}, "n_samples=50 is fewer than n_components=51"),
        ({"covariance_type": "fully"}, "covariance_type is 'fully'; wanted .*; did you mean 'full'"),
        ({"n_init": 0}, "n_init is 0"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"tol": -1.0}, "tol is -1.0"),
        ({"reg_covar": float("nan")}, "reg_covar is"),
        ({"init_params": "kmean"}, "init_params is 'kmean'; wanted .*; did you mean 'kmeans'"),
        ({"weights_init": [0.5, 0.4]}, "weights_init is .* add up to 1"),
        ({"weights_init": [1.0]}, r"weights_init has shape \(1,\); wanted \(2,\)"),
        ({"means_init": np.zeros((3, 3))}, r"means_init has shape \(3, 3\); wanted \(2, 3\)"),
        ({"means_init": np.full((2, 3), np.nan)}, "means_init holds NaN"),
        ({"means_init": "middle"}, "means_init is 'middle'; wanted an array of numbers"),
        ({"precisions_init": np.zeros((2, 3, 3))}, "precisions_init is not symmetric and positive definite"),
        ({"precisions_init": np.zeros((2, 3)), "covariance_type": "diag"}, "a number that is not positive"),
        ({"means_init": GOOD[:2], "label_order": "size"}, "label_order is 'size', but"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(parameters, words: str):
    with pytest.raises(ValueError, match=words):
        xf.GaussianMixture(**{"n_components": 2, **parameters}).fit(GOOD)


def test_a_fit_that_ends_too_early_says_so():
    with pytest.warns(ConvergenceWarning, match="had not converged within tol=0 when it ended at max_iter=3"):
        gm = xf.GaussianMixture(2, tol=0, max_iter=3, random_state=0).fit(GOOD)
    assert not gm.converged_


# -- an oracle -----------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_round_makes_rows_less_likely(data):
    rows, columns = data.draw(st.integers(8, 80)), data.draw(st.integers(1, 6))
    seed = data.draw(st.integers(0, 10_000))
    X = np.random.default_rng(seed).normal(size=(rows, columns)) * data.draw(st.sampled_from([1e-3, 1, 1e5]))
    X += data.draw(st.sampled_from([0, 1e6]))
    how = {
        "n_components": data.draw(st.integers(1, 3)),
        "covariance_type": data.draw(st.sampled_from(KINDS)),
        "init_params": data.draw(st.sampled_from(["kmeans", "random"])),
        "reg_covar": 0,
        "tol": 0,
        "random_state": 0,
    }
    bounds = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for rounds in (1, 2, 3, 8):
            gm = xf.GaussianMixture(**how, max_iter=rounds).fit(X)
            bounds.append(gm.lower_bound_)
            assert gm.weights_.sum() == pytest.approx(1)
            shares = gm.predict_proba(X)
            np.testing.assert_array_equal(shares[np.arange(rows), gm.predict(X)], shares.max(axis=1))
        raised = any(
            "collapsed" in str(found) for found in recorded(lambda: xf.GaussianMixture(**how, max_iter=8).fit(X))
        )
    if not raised:
        assert all(after >= before - 1e-9 * abs(before) for before, after in itertools.pairwise(bounds))


def recorded(call) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    return [str(warning.message) for warning in found]
