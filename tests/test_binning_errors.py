"""Every way to give Binner something wrong: the sentence names column, row or parameter."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xifen as xf
from xifen.errors import InputError, ParameterError

GOOD = pd.DataFrame({"spend": [1.0, 2.0, 3.0, 4.0], "visits": [1, 2, 3, 4], "name": list("abcd")})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spend": [1.0, 2.0, np.inf, 4.0]}, "column 'spend' holds infinity in row 2"),
        ({"spend": [1.0, -np.inf, np.inf, 4.0]}, "column 'spend' holds infinity in row 1"),
        ({"spend": [np.nan] * 4}, "'spend' has no value to learn edges from: every row is missing"),
        ({"spend": [None] * 4}, "'spend' has no value"),
        ({"spend": list("abcd")}, "column 'spend' holds text; wanted numbers"),
        ({"spend": [True, False, True, True]}, "holds true or false; wanted numbers"),
        ({"spend": pd.date_range("2020", periods=4)}, "holds timestamps; wanted numbers"),
        ({"spend": [1, "a", 2, 3]}, "mixes kinds: row 1"),
    ],
)
@pytest.mark.parametrize("strategy", ["quantile", "uniform", "kmeans", "mean", "median"])
def test_bad_columns_are_named(change, words, strategy):
    with pytest.raises(InputError, match=words):
        xf.Binner(columns=["visits", "spend"], strategy=strategy).fit(GOOD.assign(**change))


def test_infinity_in_a_long_column_and_in_transform():
    values = np.arange(100_000, dtype=float)
    binner = xf.Binner().fit(values[:, None])
    for bad in (np.inf, -np.inf):
        values[77_777] = bad
        with pytest.raises(InputError, match="'x0' holds infinity in row 77777"):
            binner.transform(values[:, None])
        with pytest.raises(InputError, match="'x0' holds infinity in row 77777"):
            xf.Binner().fit(values[:, None])


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_bins": 0}, "n_bins is 0 for 'spend'; wanted a whole number from 2 to 100"),
        ({"n_bins": 1}, "n_bins is 1"),
        ({"n_bins": 1000}, "n_bins is 1000"),
        ({"n_bins": 2.5}, r"n_bins is 2\.5"),
        ({"n_bins": float("nan")}, "n_bins is"),
        ({"n_bins": {"spent": 3}}, "n_bins names 'spent'.*did you mean 'spend'"),
        ({"n_bins": object()}, "n_bins holds <object"),
        ({"strategy": "kmean"}, "did you mean 'kmeans'"),
        ({"strategy": "mean", "n_bins": 5}, "always makes 2"),
        ({"edges": [3, 2, 1]}, "go down from 3 to 2"),
        ({"edges": [1, float("inf")]}, 'holds "inf"'),
        ({"edges": [1, float("nan")]}, 'holds "nan"'),
        ({"edges": "50"}, "wanted a list"),
        ({"edges": ["about 50"]}, "about 50"),
        ({"edges": []}, "is empty"),
        ({"edges": [1, 2], "n_bins": 5}, "make 3 bins, but n_bins is 5"),
        ({"n_bins": 3, "labels": ["a", "b"]}, "labels of 'spend' has 2 entries, but there are 3 bins"),
        ({"n_bins": 2, "labels": ["a", "a"]}, "twice"),
        ({"n_bins": 2, "scores": [1, 128]}, "from -128 to 127"),
        ({"n_bins": 2, "scores": [1, 2], "labels": ["a", "b"]}, "both labels and scores"),
        ({"columns": "spend"}, "wanted a list of column names"),
        ({"columns": ["spend", "spend"]}, "twice"),
        ({"columns": [1]}, "wanted column names"),
        ({"descending": "spend"}, "wanted a list of column names"),
        ({"descending": ["spent"]}, "descending names 'spent'.*did you mean 'spend'"),
        ({"n_jobs": 0}, "n_jobs is 0"),
    ],
)
def test_wrong_parameters_are_sentences(parameters, words):
    binner = xf.Binner(**parameters)  # nothing is checked before fit
    with pytest.raises(ParameterError, match=words):
        binner.fit(GOOD)


def test_frames_without_what_is_needed():
    with pytest.raises(InputError, match="no column 'spent'; did you mean 'spend'"):
        xf.Binner(columns=["spent"]).fit(GOOD)
    with pytest.raises(InputError, match="no column 'spend'"):
        xf.Binner().fit(GOOD).transform(GOOD[["visits"]])
    with pytest.raises(InputError, match="no numeric column"):
        xf.Binner().fit(GOOD[["name"]])
    with pytest.raises(InputError, match="the frame has no rows"):
        xf.Binner().fit(GOOD.iloc[:0])
    with pytest.raises(TypeError, match=r"call \.collect\(\) first"):
        xf.Binner().fit(pl.LazyFrame({"a": [1]}))


SCORED = pd.DataFrame({name: [1.0, 2.0, 3.0, 4.0] for name in "abc"})


def test_damaged_models_are_refused():
    binner = xf.Binner(3).fit(GOOD)
    text = binner.to_json()
    assert xf.Binner.from_json(text).bin_edges_.keys() == binner.bin_edges_.keys()
    for damage, words in (
        (text.replace('"right"', '"right", "right"', 1), "damaged"),
        (text.replace('"right"', '"upper"', 1), "damaged"),
        (text.replace("1.9999999999999998", "1e999").replace("2.0", "1e999"), "1e999"),
        (text.replace('"xifen": 1', '"xifen": 99'), "format 99"),
        (text.replace('"class"', '"clas"'), "not a xifen model"),
        ("{", "not a xifen model"),
    ):
        assert damage != text
        with pytest.raises(InputError, match=words):
            xf.Binner.from_json(damage)
    for estimator in (xf.Binner(3).fit(SCORED), xf.RFMScorer(recency="a", frequency="b", monetary="c").fit(SCORED)):
        model = json.loads(estimator.to_json())
        model["fitted"]["bin_edges_"]["a"]["values"].reverse()
        with pytest.raises(InputError, match="edges of 'a' must not decrease"):
            type(estimator).from_json(json.dumps(model))


def test_an_empty_list_of_columns_is_named():
    with pytest.raises(ParameterError, match="columns is empty"):
        xf.Binner(columns=[]).fit(pd.DataFrame({"a": [1, 2]}))


def test_weights_beyond_a_float_are_named():
    frame = pd.DataFrame({"recency_days": [1, 2], "order_count": [1, 2], "monetary": [1.0, 2.0]})
    with pytest.raises(ParameterError, match="adds up to more than a float64 holds"):
        xf.RFMScorer(2, weights=[1e308, 1e308, 1]).fit(frame)
