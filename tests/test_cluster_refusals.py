"""What no clusterer of numbers can group is refused in a sentence, by all of them alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xifen as xf
from customers import GOOD, broken
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted
from xifen.errors import ParameterError, XifenError

CLUSTERERS = pytest.mark.parametrize(
    "clusterer", [xf.KMeans(), xf.MiniBatchKMeans(), xf.GaussianMixture(), xf.DBSCAN()]
)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (broken(3, 1, np.nan), r"column 1 is missing \(NaN\) in row 3"),
        (broken(49, 2, np.inf), r"column 2 is infinite \(inf\) in row 49"),
        (broken(0, 0, -np.inf).astype(np.float32), r"column 0 is infinite"),
        (GOOD[:0], "0 sample"),
        (GOOD[:, :0], "0 feature"),
        (pd.DataFrame(GOOD, columns=list("abc")).assign(b=np.nan), r"column 'b' is missing \(NaN\) in row 0"),
        (pd.DataFrame({"a": [1.0], "id": ["x"]}), "column 'id' of frame holds"),
        (pl.DataFrame({"a": [1.0, None, *range(9)]}), r"column 'a' is missing \(NaN\) in row 1"),
        (pd.DataFrame({"a": []}), "no row"),
        (pd.DataFrame(GOOD[:, :2], columns=["a", "a"]), "frame has 2 columns named 'a'"),
        (np.array([[1, 2], [3, "x"]], dtype=object), "X holds 'x' in row 1 of column 1; wanted numbers"),
    ],
)
@CLUSTERERS
def test_data_that_cannot_be_used_are_named(clusterer, X, words: str):
    with pytest.raises(ValueError, match=words):
        clusterer.fit(X)


@CLUSTERERS
def test_sparse_data_are_refused_in_a_sentence(clusterer):
    with pytest.raises(TypeError, match=r"[Ss]parse data was passed"):
        clusterer.fit(sparse.csr_matrix(GOOD))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [({"label_order": "name"}, 'label_order is "name"; wanted None or'), ({"n_jobs": 0}, "n_jobs is 0")],
)
@CLUSTERERS
def test_parameters_of_all_that_cannot_be_used_are_named(clusterer, parameters, words: str):
    with pytest.raises(ValueError, match=words):
        type(clusterer)(**parameters).fit(GOOD)


MIXED = pd.DataFrame({"x": [1.0, 2, 8, 9], "c": list("aabb")})


@pytest.mark.parametrize(
    ("estimator", "X", "words"),
    [
        (xf.KMeans(2, init="given"), GOOD, "init is 'given'; wanted 'k-means\\+\\+' or 'random'"),
        (xf.MiniBatchKMeans(2, init="given"), GOOD, "init is 'given'"),
        (xf.KPrototypes(2, init="Given"), MIXED, "init is 'Given'; wanted 'Huang', 'Cao' or 'random'"),
        (xf.KModes(2, init=None), MIXED[["c"]], "init is None; wanted 'Huang', 'Cao', 'random' or rows"),
        (xf.KMeans(2, init=GOOD[:2], n_init="bogus"), GOOD, "n_init is 'bogus'"),
        (xf.MiniBatchKMeans(3, reassignment_ratio=1.01), GOOD, r"reassignment_ratio is 1.01; wanted at most 1"),
        (xf.MiniBatchKMeans(3, init_size="a"), GOOD, "init_size is"),
        (xf.GaussianMixture(2, covariance_type=None), GOOD, "covariance_type is None; wanted 'full' or 'tied'"),
        (xf.GaussianMixture(2, covariance_type=["full"]), GOOD, r"covariance_type is \['full'\]"),
        (xf.GaussianMixture(2, init_params=3), GOOD, "init_params is 3; wanted 'kmeans'"),
        (xf.ClusterSegmenter(["x"], n_clusters=2, method=["kmeans"]), MIXED, r"method is \['kmeans'\]"),
        (xf.ClusterSegmenter(["x"], n_clusters=2, gamma=1.0), MIXED, "gamma is 1.0, but only method='kprototypes'"),
        (xf.ClusterSegmenter(["x"], n_clusters=2, max_clusters="many"), MIXED, "max_clusters is 'many'"),
        (xf.KPrototypes(2, gamma=1e308), MIXED.assign(d=list("abab")), "cost_ is more than any number"),
        (
            xf.KModes(2),
            pl.DataFrame({"c": [[1], [1], [2]]}),
            "column 'c' holds large_list<.*int64>, which cannot be a category",
        ),
    ],
)
def test_parameters_that_cannot_be_used_are_named(estimator, X, words: str):
    with pytest.raises(XifenError, match=words):
        estimator.fit(X)


def test_other_calls_that_cannot_be_answered():
    with pytest.raises(ParameterError, match="average_method is None"):
        xf.normalized_mutual_info_score([0, 1], [0, 1], average_method=None)
    with pytest.raises(ParameterError, match="silhouette_size is 1; wanted a whole number of at least 2"):
        xf.choose_k(GOOD, [2, 3], silhouette_size=1)
    frame = pd.DataFrame(GOOD, columns=list("abc"))
    with pytest.raises(TypeError, match="which labels no rows; wanted a clusterer"):
        xf.bootstrap_stability(xf.ClusterSegmenter(["a", "b"], n_clusters=2), frame)
    with pytest.raises(ParameterError, match="resample_size is 2, fewer rows than the 3 clusters"):
        xf.bootstrap_stability(xf.KMeans(3), GOOD, resample_size=2)


@pytest.mark.parametrize(
    "estimator",
    [
        xf.KMeans(2),
        xf.MiniBatchKMeans(2),
        xf.GaussianMixture(1),
        xf.DBSCAN(),
        xf.KPrototypes(2, categorical=["c"]),
        xf.Binner(2),
        xf.ClusterSegmenter(["x"], n_clusters=2),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_a_fit_that_fails_leaves_what_was(estimator):
    rows = pd.DataFrame({"x": [1.0, 2, 8, 9, 5], "c": [1.0, 1, 2, 2, 2]})
    wrong = pd.DataFrame({"x": [1.0, np.inf, 2, 3, 4], "c": [1.0, 1, 1, 1, 2], "d": 1.0})
    fresh = clone(estimator)
    with pytest.raises(XifenError):
        fresh.fit(wrong)
    with pytest.raises(NotFittedError):
        fresh.to_json() if hasattr(fresh, "to_json") else check_is_fitted(fresh)
    fitted = clone(estimator).fit(rows)
    before = vars(fitted).copy()
    with pytest.raises(XifenError):
        fitted.fit(wrong)
    assert vars(fitted) == before


def test_components_without_rows_are_named():
    with pytest.warns(ConvergenceWarning, match="of 3 components 1, 2 have no rows left"):
        xf.GaussianMixture(3, random_state=0).fit(np.ones((40, 2)))


@pytest.mark.parametrize("name", ["order\ncount", "", "_12M"])
def test_columns_of_any_name_are_segmented(name):
    frame = pd.DataFrame(GOOD[:, :2], columns=[name, "b"])
    segmenter = xf.ClusterSegmenter([name, "b"], n_clusters=2, random_state=0).fit(frame)
    assert segmenter.describe()["size"].tolist()[-1] == 50
