"""The shared estimator base: what a model file may and may not hold, and which kind of frame comes back."""

from __future__ import annotations

import importlib.metadata
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xifen as xf
from sklearn import config_context
from sklearn.exceptions import NotFittedError
from xifen.errors import InputError, ParameterError, XifenError

FRAME = pd.DataFrame({"a": np.random.default_rng(0).normal(size=50) / 3, "b": range(50)})


def test_floats_come_back_bit_for_bit():
    binner = xf.Binner(7).fit(FRAME)
    again = xf.Binner.from_json(binner.to_json())
    for name, edges in binner.bin_edges_.items():
        assert edges.tobytes() == again.bin_edges_[name].tobytes()
    assert again.feature_names_in_.tolist() == ["a", "b"]
    assert again.get_params()["n_bins"] == 7
    assert again.to_json() == binner.to_json()


def test_unknown_fields_wrong_classes_and_infinities_are_refused():
    text = xf.Binner(2).fit(FRAME).to_json()
    model = json.loads(text)
    for change, words in (
        ({"extra": 1}, "'extra' is not known in a xifen model"),
        ({"parameters": {"bins": 3}}, "'bins' is not known in the parameters of Binner"),
        ({"fitted": model["fitted"] | {"note": 1}}, "'note' is not known in the fitted attributes of Binner"),
        ({"class": "RFMScorer"}, "read it with RFMScorer.from_json"),
        ({"xifen": 2}, "has format 2"),
    ):
        with pytest.raises(InputError, match=words):
            xf.Binner.from_json(json.dumps(model | change))
    for number in ("NaN", "Infinity", "1e400"):
        with pytest.raises(InputError, match=number):
            xf.Binner.from_json(text.replace('"n_bins": 2', f'"n_bins": {number}'))


def test_an_unfitted_estimator_cannot_be_written():
    with pytest.raises(NotFittedError):
        xf.Binner().to_json()


def test_the_wanted_kind_comes_from_the_estimator_or_from_scikit_learn():
    binner = xf.Binner(3).fit(FRAME)
    with config_context(transform_output="polars"):
        assert isinstance(binner.transform(FRAME), pl.DataFrame)
        assert isinstance(binner.set_output(transform="default").transform(FRAME), pd.DataFrame)
    assert binner.set_output(transform=None).set_output(transform="polars").transform(FRAME).shape == (50, 2)
    with pytest.raises(ParameterError, match="wanted 'default', 'pandas' or 'polars'"):
        binner.set_output(transform="arrow")


def test_set_output_keeps_the_index():
    frame = FRAME.set_axis(range(100, 150))
    assert list(xf.Binner().set_output(transform="pandas").fit_transform(frame).index) == list(range(100, 150))


def test_the_version_is_that_of_the_installed_package():
    assert xf.__version__ == importlib.metadata.version("xifen")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("fitted",), None),
        (("parameters",), []),
        (("class",), None),
        (("fitted", "bin_edges_"), None),
        (("fitted", "bin_edges_", "a"), "0.5"),
        (("fitted", "bin_edges_", "a", "values"), "zz"),
        (("fitted", "bin_edges_", "a", "values"), ["4.0x"]),
        (("fitted", "bin_edges_", "a", "values"), [[]]),
        (("fitted", "bin_edges_", "a", "values"), [True]),
        (("fitted", "bin_edges_", "a", "dtype"), "\ud800"),
        (("fitted", "closed_"), None),
        (("fitted", "n_features_in_"), 2**70),
        (("fitted", "n_features_in_"), 10**12),
        (("fitted", "n_features_in_"), -1),
        (("fitted", "n_features_in_"), True),
        (("fitted", "n_features_in_"), 5),
        (("fitted", "feature_names_in_"), ["a", "b"]),
        (("fitted", "feature_names_in_", "values"), ["b", "c"]),
    ],
)
def test_a_damaged_model_is_named(path: tuple[str, ...], value: object):
    model = json.loads(xf.Binner(2).fit(FRAME).to_json())
    part = model
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    with pytest.raises(InputError, match="this model is damaged"):
        xf.Binner.from_json(json.dumps(model))


def test_what_a_damaged_model_was_told_is_named():
    def refused(estimator: object, part: str, name: str, value: object = None) -> str:
        model = json.loads(estimator.to_json())
        assert name in model[part]
        if value is None:
            del model[part][name]
        else:
            model[part][name] = value
        with pytest.raises(XifenError) as caught:
            type(estimator).from_json(json.dumps(model))
        return str(caught.value)

    binner, tagger = xf.Binner(2).fit(FRAME), xf.RuleTagger({"tag": "a > 1"}).fit(FRAME)
    assert refused(binner, "parameters", "labels", 5) == "labels of 'a' is 5; wanted a list, worst to best"
    assert refused(tagger, "parameters", "families", 5).startswith("this model is damaged: ")
    assert refused(tagger, "parameters", "output", [1]).startswith("this model is damaged: ")
    assert "aliases of 'tag' is 5" in refused(tagger, "parameters", "aliases", {"tag": 5})
    assert "feature_names_in_ is missing" in refused(tagger, "fitted", "feature_names_in_")
    assert "expected" in refused(tagger, "fitted", "column_kinds_", [""])


def test_what_is_no_model_is_named():
    for text in ("", "[" * 10_000, '{"a":' * 5_000):
        with pytest.raises(InputError, match="not a xifen model"):
            xf.Binner.from_json(text)
    with pytest.raises(TypeError, match="got int"):
        xf.Binner.from_json(5)
    scored = xf.RFMScorer(recency="a", frequency="b", monetary="c").fit(FRAME.assign(c=1.0))
    model = json.loads(scored.to_json())
    model["parameters"]["frequency"] = "orders"
    with pytest.raises(InputError, match="has edges of a, b, c, not of what it scores"):
        xf.RFMScorer.from_json(json.dumps(model))
    model = json.loads(xf.RuleSegmenter({"r": "a > 1"}).fit(FRAME).to_json())
    model["fitted"]["parameters_"] = None
    with pytest.raises(InputError, match="damaged"):
        xf.RuleSegmenter.from_json(json.dumps(model))


def test_a_model_without_its_rules_is_damaged():
    model = json.loads(xf.RuleSegmenter({"A": "x > 1"}).fit(pd.DataFrame({"x": [1]})).to_json())
    del model["parameters"]["rules"]
    with pytest.raises(InputError, match="this model is damaged: its parameters lack rules; fit and write it again"):
        xf.RuleSegmenter.from_json(json.dumps(model))
