"""What every estimator promises: scikit-learn's contract for frames, JSON, and fitted state in plain values."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import xifen as xf
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from xifen.errors import InputError

RFM = xf.rfm_table(xf.datasets.load_cdnow(), as_of="1998-06-30")
SCORED = xf.RFMScorer().fit_transform(RFM)

ESTIMATORS = {
    "Binner": (lambda: xf.Binner(4, columns=["monetary", "recency_days"]), RFM),
    "Binner labels": (lambda: xf.Binner(edges=["< 50", "< 500"], labels=["低", "中", "高"], columns=["monetary"]), RFM),
    "RFMScorer": (lambda: xf.RFMScorer(n_bins=4, weights=(2, 1, 1)), RFM),
    "RuleSegmenter": (
        lambda: xf.RuleSegmenter({"above": "monetary > :mean"}, default="below", parameters={"mean": "mean(monetary)"}),
        SCORED,
    ),
    "RuleTagger": (
        lambda: xf.RuleTagger(
            {"above": "monetary > :mean", "often": "order_count > 3"},
            families={"amount": {"tags": ["above"], "exclusive": True, "default": "below"}},
            parameters={"mean": "mean(monetary)"},
            list_output="tags",
            text_output="text",
        ),
        SCORED,
    ),
    "Scorecard": (
        lambda: xf.Scorecard(
            {
                "monetary": {"edges": ["< 50", "< 500"], "points": [0, 1.5, 4]},
                "rfm_cell": {"categories": {"555": 2}, "default": 0},
            },
            weights=[0.7, 0.3],
            reason="zh",
        ),
        SCORED,
    ),
    "SegmentMatrix": (lambda: xf.SegmentMatrix(rows="monetary", columns="order_count", bins=4), RFM),
    "matrix.value_potential": (
        lambda: xf.load_preset(
            "matrix.value_potential", lang="zh", columns={"value": "monetary", "potential": "orders_per_year"}
        ),
        RFM,
    ),
    "KMeans": (lambda: xf.KMeans(3, random_state=0), RFM[["recency_days", "order_count", "monetary"]]),
    "MiniBatchKMeans": (lambda: xf.MiniBatchKMeans(3, random_state=0), RFM[["order_count", "monetary"]]),
    "ClusterSegmenter": (lambda: xf.ClusterSegmenter(n_clusters=3, lang="zh"), RFM),
    "ClusterSegmenter chosen": (lambda: xf.ClusterSegmenter(max_clusters=3, n_init=1), RFM[::20]),
    "KPrototypes": (
        lambda: xf.KPrototypes(3, random_state=0, n_init=2),
        SCORED[["recency_days", "monetary", "rfm_cell", "first_purchase"]],
    ),
    "KModes": (lambda: xf.KModes(3), SCORED[["recency_score", "frequency_score", "monetary_score"]]),
    "ClusterSegmenter mixed": (
        lambda: xf.ClusterSegmenter(["monetary", "order_count", "rfm_cell"], method="kprototypes", n_clusters=3),
        SCORED[::20],
    ),
    "ClusterSegmenter mixture": (
        lambda: xf.ClusterSegmenter(["monetary", "recency_days"], method="gaussian_mixture", n_clusters=2),
        RFM[::10],
    ),
    "rfm.named": (lambda: xf.load_preset("rfm.named", lang="zh"), SCORED),
    "state.purchase": (
        lambda: xf.load_preset("state.purchase", lang="zh", dormant_days=90),
        xf.rfm_table(xf.datasets.load_cdnow(), as_of="1998-06-30", windows=["90D"]),
    ),
    "rfm.eight_cell": (lambda: xf.load_preset("rfm.eight_cell", lang="en"), SCORED),
}

every_estimator = pytest.mark.parametrize("name", ESTIMATORS)


def made(name: str):
    make, frame = ESTIMATORS[name]
    return make(), frame


@every_estimator
def test_unfitted_says_so(name: str):
    estimator, frame = made(name)
    for call in (lambda: estimator.transform(frame), estimator.to_json, estimator.get_feature_names_out):
        with pytest.raises(NotFittedError):
            call()


@every_estimator
def test_fit_changes_no_parameter_and_clone_forgets(name: str):
    estimator, frame = made(name)
    before = copy.deepcopy(estimator.get_params())
    assert estimator.fit(frame) is estimator
    assert repr(estimator.get_params()) == repr(before)
    fresh = clone(estimator)
    assert repr(fresh.get_params()) == repr(before)
    with pytest.raises(NotFittedError):
        fresh.transform(frame)


@every_estimator
def test_copies_transform_to_the_same_bits(name: str):
    estimator, frame = made(name)
    wanted = estimator.fit_transform(frame)
    pd.testing.assert_frame_equal(estimator.transform(frame), wanted, check_exact=True)
    for twin in (
        pickle.loads(pickle.dumps(estimator)),
        copy.deepcopy(estimator),
        type(estimator).from_json(estimator.to_json()),
        clone(estimator).fit(frame),
    ):
        pd.testing.assert_frame_equal(twin.transform(frame), wanted, check_exact=True)
    assert type(estimator).from_json(estimator.to_json()).to_json() == estimator.to_json()


@every_estimator
def test_joblib_workers_agree(name: str):
    estimator, frame = made(name)
    wanted = estimator.fit_transform(frame)
    outs = joblib.Parallel(n_jobs=2, prefer="threads")(joblib.delayed(estimator.transform)(frame) for _ in range(4))
    for out in outs:
        pd.testing.assert_frame_equal(out, wanted, check_exact=True)


@every_estimator
def test_output_names_are_announced(name: str):
    estimator, frame = made(name)
    out = estimator.fit_transform(frame)
    assert list(estimator.get_feature_names_out()) == list(out.columns)


@every_estimator
def test_set_output_gives_polars(name: str):
    import polars as pl

    estimator, frame = made(name)
    wanted = estimator.fit_transform(frame)
    out = estimator.set_output(transform="polars").transform(frame)
    assert isinstance(out, pl.DataFrame)
    assert out.columns == list(wanted.columns)
    assert isinstance(estimator.set_output(transform="pandas").transform(frame), pd.DataFrame)


@every_estimator
def test_fitted_state_is_arrays_and_plain_values(name: str):
    estimator, frame = made(name)
    estimator.fit(frame)

    def plain(value: object) -> bool:
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(item) for key, item in value.items())
        if isinstance(value, (list, tuple)):
            return all(plain(item) for item in value)
        return value is None or isinstance(value, (np.ndarray, str, int, float, bool, dt.date))

    fitted = {key: value for key, value in vars(estimator).items() if key not in estimator.get_params()}
    for key, value in fitted.items():
        assert plain(value) or key == "_sklearn_output_config", key


def test_scoring_and_naming_make_a_pipeline():
    path = make_pipeline(xf.RFMScorer(), xf.load_preset("rfm.named"))
    out = path.fit_transform(RFM)
    assert out["segment"].notna().all()
    pd.testing.assert_frame_equal(path.transform(RFM), out)


@every_estimator
def test_a_model_file_without_a_fitted_attribute_is_refused(name: str):
    estimator, frame = made(name)
    model = json.loads(estimator.fit(frame).to_json())
    for attribute in set(model["fitted"]) - {"feature_names_in_", "n_iter_"}:
        fitted = {key: value for key, value in model["fitted"].items() if key != attribute}
        with pytest.raises(InputError, match=f"damaged: the fitted attribute {attribute} is missing"):
            type(estimator).from_json(json.dumps(model | {"fitted": fitted}))
    with pytest.raises(InputError, match="damaged"):
        type(estimator).from_json(json.dumps(model | {"fitted": {}}))


def test_a_fitted_model_does_not_follow_what_it_was_made_of():
    frame = pd.DataFrame({"x": [1, 2]})
    rules = {"A": "x > 1"}
    segmenter = xf.RuleSegmenter(rules, default="B").fit(frame)
    rules |= {"A": "x > 100", "C": "x >= 0"}
    assert segmenter.transform(frame)["segment"].tolist() == ["B", "A"]
    bands = {"x": {"edges": [1.5], "points": [0, 1]}}
    card = xf.Scorecard(bands).fit(frame)
    bands["x"]["points"][1] = 50
    assert card.transform(frame)["total_points"].tolist() == [0.0, 1.0]
    assert clone(segmenter).fit(frame).rules == {"A": "x > 1"}
