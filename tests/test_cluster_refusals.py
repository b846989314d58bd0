"""What no clusterer of numbers can group is refused in a sentence, by all of them alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xifen as xf
from customers import GOOD, broken
from scipy import sparse

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
