"""ClusterSegmenter, choose_k and bootstrap_stability by way of Gaussian mixtures and k-prototypes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from xifen.errors import InputError, ParameterError


def kinds(rows: int = 300) -> pd.DataFrame:
    """Three kinds of customers: two differ in numbers, two in where they come from and whether they opted out."""
    rng = np.random.default_rng(0)
    kind = np.repeat([0, 1, 2], [rows * 2 // 5, rows // 3, rows - rows * 2 // 5 - rows // 3])
    return pd.DataFrame(
        {
            "monetary": np.asarray([20.0, 20.0, 900.0])[kind] * rng.uniform(0.9, 1.1, rows),
            "order_count": np.asarray([10, 10, 400])[kind] + rng.integers(0, 3, rows),
            "source": np.asarray(["trade fair", "it's a friend", "trade fair"], dtype=object)[kind],
            "opt_out": np.asarray([False, True, False])[kind],
            "kind": kind,
        }
    ).sample(frac=1, random_state=0, ignore_index=True)


CUSTOMERS = kinds()
NUMBERS, ALL = ["monetary", "order_count"], ["monetary", "order_count", "source", "opt_out"]


def mixed(**parameters) -> xf.ClusterSegmenter:
    return xf.ClusterSegmenter(ALL, method="kprototypes", **({"gamma": 2.0, "n_init": 10} | parameters))


def labels(frame: pd.DataFrame) -> list:
    return frame["cluster"].astype(object).where(frame["cluster"].notna(), None).tolist()


def test_a_mixture_groups_numbers():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"monetary": rng.normal(100, 9, 300), "order_count": rng.normal(20, 2, 300)})
    frame[200:] *= 3
    segmenter = xf.ClusterSegmenter(NUMBERS, method="gaussian_mixture", n_clusters=2).fit(frame)
    assert segmenter.cluster_names_ == ["low monetary, infrequent", "high monetary, frequent"]
    out = segmenter.transform(frame)
    assert out["cluster"].cat.codes.tolist() == [0] * 200 + [1] * 100
    assert labels(segmenter.to_rules(1).fit_transform(frame)) == labels(out)
    twin = xf.ClusterSegmenter.from_json(segmenter.to_json())
    pd.testing.assert_frame_equal(twin.transform(frame), out, check_exact=True)


def test_prototypes_group_numbers_and_categories():
    segmenter = mixed().fit(CUSTOMERS)
    assert segmenter.choice().recommended == 3
    out = segmenter.transform(CUSTOMERS)
    assert out["cluster"].cat.codes.tolist() == CUSTOMERS["kind"].tolist()
    assert segmenter.cluster_names_ == [
        "source trade fair, opt_out False",
        "source it's a friend, opt_out True",
        "high monetary, frequent",
    ]
    assert mixed(lang="zh", n_clusters=3).fit(CUSTOMERS).cluster_names_[1] == "source为it's a friend、opt_out为True"
    twin = xf.ClusterSegmenter.from_json(segmenter.to_json())
    pd.testing.assert_frame_equal(twin.transform(CUSTOMERS), out, check_exact=True)
    assert twin.to_json() == segmenter.to_json()


def test_categories_are_described_by_what_a_cluster_has_more_of():
    table = mixed(n_clusters=3).fit(CUSTOMERS).describe()
    assert table["source_category"].tolist() == ["trade fair", "it's a friend", "trade fair", "trade fair"]
    assert table["source_share"].tolist() == pytest.approx([1, 1, 1, 2 / 3])
    # Cohen's h of all against two thirds.
    wanted = 2 * (np.pi / 2 - np.arcsin(np.sqrt(2 / 3)))
    assert table["source_effect"].tolist() == pytest.approx(
        [wanted, 2 * (np.pi / 2 - np.arcsin(np.sqrt(1 / 3))), wanted, 0]
    )
    assert table["apart"][1].startswith("source it's a friend (+1.9), opt_out True (+1.9)")


def test_rules_ask_for_categories():
    segmenter = mixed(n_clusters=3).fit(CUSTOMERS)
    rules = segmenter.to_rules()
    assert segmenter.replay_accuracy_ == 1
    assert labels(rules.fit_transform(CUSTOMERS)) == labels(segmenter.transform(CUSTOMERS))
    written = " ".join(rules.rules.values())
    assert "source = 'it''s a friend'" in written or "opt_out = TRUE" in written or "opt_out = FALSE" in written


def test_any_kind_of_frame_and_category_will_do():
    wanted = labels(mixed(n_clusters=3).fit_transform(CUSTOMERS))
    coded = CUSTOMERS.assign(source=CUSTOMERS["source"].astype("category"))
    assert labels(mixed(n_clusters=3).fit_transform(coded)) == wanted
    assert mixed(n_clusters=3).fit_transform(pl.from_pandas(coded))["cluster"].to_list() == wanted
    assert mixed(n_clusters=3).fit_transform(pa.Table.from_pandas(coded))["cluster"].to_pylist() == wanted
    numbered = CUSTOMERS.assign(source=CUSTOMERS["source"].astype("category").cat.codes, opt_out=CUSTOMERS["kind"] == 1)
    segmenter = mixed(n_clusters=3, categorical=["source", "opt_out"]).fit(numbered)
    assert segmenter.transform(numbered)["cluster"].cat.codes.tolist() == CUSTOMERS["kind"].tolist()
    assert list(segmenter.scaling_) == NUMBERS
    assert labels(segmenter.to_rules().fit_transform(numbered)) == labels(segmenter.transform(numbered))


def test_a_missing_category_is_no_cluster_and_a_new_one_is_warned_about():
    gaps = CUSTOMERS.astype({"source": object})
    gaps.loc[:4, "source"] = None
    with pytest.warns(UserWarning, match="5 of 300 rows miss a value in monetary, order_count, source, opt_out"):
        segmenter = mixed(n_clusters=3).fit(gaps)
    assert labels(segmenter.transform(gaps))[:5] == [None] * 5
    assert segmenter.transform(gaps)["cluster"].notna().sum() == 295
    with pytest.warns(UserWarning, match="column 'source' holds 'web', which fit never saw"):
        out = segmenter.transform(CUSTOMERS.assign(source="web"))
    assert out["cluster"].notna().all()


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"columns": ALL}, InputError, "column 'source' of frame holds no numbers; .*method='kprototypes'"),
        ({"columns": NUMBERS, "categorical": ["monetary"]}, ParameterError, "only method='kprototypes' groups by"),
        ({"columns": NUMBERS, "method": "kprototypes"}, InputError, "found no categories in columns; take 'kmeans'"),
        ({"columns": ALL[2:], "method": "kprototypes"}, InputError, "found no numbers in columns; .*KModes"),
        (
            {"columns": ALL, "method": "kprototypes", "categorical": ["origin"]},
            ParameterError,
            "categorical names 'origin', which is not one of",
        ),
        ({"columns": ALL, "method": "kprototypes", "categorical": ["opt_out"]}, InputError, "'source'.*wanted numbers"),
        ({"columns": ALL, "method": "kprototypes", "gamma": -1}, ParameterError, "gamma"),
    ],
)
def test_what_a_method_cannot_group_is_refused(parameters, error, words):
    with pytest.raises(error, match=words):
        xf.ClusterSegmenter(**parameters, n_clusters=2).fit(CUSTOMERS)


def test_prototypes_have_a_silhouette_of_their_own_costs():
    frame = CUSTOMERS[ALL].assign(monetary=CUSTOMERS["monetary"] / 400, order_count=CUSTOMERS["order_count"] / 200)
    prototypes = xf.KPrototypes(gamma=2.0, n_init=10, random_state=0)
    choice = xf.choose_k(frame, [2, 3], ["silhouette", "stability", "inertia"], estimator=prototypes, n_resamples=3)
    assert choice.recommended == 3
    fitted = xf.KPrototypes(3, gamma=2.0, n_init=10, random_state=0).fit(frame)
    assert choice["inertia"][1] == fitted.cost_
    numbers = frame[NUMBERS].to_numpy(float)
    differ = sum((frame[name].to_numpy()[:, None] != frame[name].to_numpy()).astype(float) for name in ALL[2:])
    distances = np.sqrt(((numbers[:, None] - numbers) ** 2).sum(axis=2) + 2.0 * differ)
    from sklearn.metrics import silhouette_score

    wanted = silhouette_score(distances, fitted.labels_, metric="precomputed")
    assert choice["silhouette"][1] == pytest.approx(wanted, rel=1e-9)
    with pytest.raises(InputError, match="wanted numbers"):
        xf.choose_k(frame, [2], ["gap"], estimator=prototypes)


def test_a_mixture_has_a_bic_and_stability():
    X = CUSTOMERS[NUMBERS].to_numpy(float) / [400, 200]
    mixture = xf.GaussianMixture(random_state=0)
    choice = xf.choose_k(X, [1, 2], ["bic", "stability"], estimator=mixture, n_resamples=3)
    assert choice["bic"][1] == xf.GaussianMixture(2, random_state=0).fit(X).bic(X)
    assert choice.recommended == 2
    stability = xf.bootstrap_stability(xf.GaussianMixture(2), X, 3, random_state=0)
    assert stability.table["reading"].tolist() == ["stable", "stable"]
