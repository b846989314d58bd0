"""The same input gives the same bits: any number of threads, and any row order for tables, bins and rules."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xifen as xf

# clv_table counts them in a warning; test_transactions_*.py looks at its words.
pytestmark = pytest.mark.filterwarnings("ignore:.*returns but no purchase:UserWarning")


def awkward_log(rows: int = 200_000) -> pd.DataFrame:
    """Amounts whose float sum depends on the order of its terms, several chunks long."""
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "customer_id": rng.choice(["张三", "李四", "C001", "a rather long customer name"], rows)
            + rng.integers(0, 4_000, rows).astype(str).astype(object),
            "timestamp": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 900 * 86_400, rows), unit="s"),
            "amount": rng.normal(size=rows) * 10.0 ** rng.integers(-6, 12, rows),
        }
    )


def identical(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    for name in one:  # assert_frame_equal takes -0.0 for 0.0
        if one[name].dtype == np.float64:
            assert one[name].to_numpy().tobytes() == other[name].to_numpy().tobytes(), name


LOG = awkward_log()
RFM = xf.rfm_table(LOG, as_of="2025-12-31", windows=["90D", "12M"])
SCORED = xf.RFMScorer().fit_transform(RFM)
RULES = {"a": "recency_score >= 4 AND monetary > 1e9", "b": "frequency_score = 3 OR mean_gap_days / 7 > 2.5"}
CARD = {
    "monetary": {"edges": ["< 1e6", "< 1e9"], "points": [0.1, 2, 7]},
    "mean_gap_days": {"edges": [7, 30], "points": [3, 2, 1], "missing": "0.7"},
}
WEIGHTS = {"monetary": 1 / 3, "mean_gap_days": 2 / 3}

#: name -> (frame, call)
CALLS = {
    "rfm_table": (LOG, lambda f, n: xf.rfm_table(f, as_of="2025-12-31", windows=["90D", "12M"], n_jobs=n)),
    "clv_table": (LOG, lambda f, n: xf.clv_table(f, as_of="2025-12-31", unit="W", n_jobs=n)),
    "order_ledger": (LOG, lambda f, n: xf.order_ledger(f, as_of="2025-01-31", n_jobs=n)),
    **{
        f"Binner {strategy}": (
            RFM,
            lambda f, n, s=strategy: xf.Binner(
                columns=["monetary", "recency_days"], strategy=s, n_jobs=n
            ).fit_transform(f),
        )
        for strategy in ("quantile", "uniform", "kmeans", "mean", "median")
    },
    "RFMScorer": (RFM, lambda f, n: xf.RFMScorer(n_jobs=n).fit_transform(f)),
    "RuleSegmenter": (SCORED, lambda f, n: xf.RuleSegmenter(RULES, n_jobs=n).fit_transform(f)),
    "RuleTagger": (
        SCORED,
        lambda f, n: xf.RuleTagger(
            RULES, families={"f": {"tags": ["b", "a"], "exclusive": True, "default": "c"}}, text_output="tags", n_jobs=n
        ).fit_transform(f),
    ),
    "Scorecard": (SCORED, lambda f, n: xf.Scorecard(CARD, WEIGHTS, reason="zh", n_jobs=n).fit_transform(f)),
    "SegmentMatrix": (
        SCORED,
        lambda f, n: xf.SegmentMatrix(rows="monetary", columns="recency_days", bins=5, n_jobs=n).fit_transform(f),
    ),
    "eight_cell": (SCORED, lambda f, n: xf.load_preset("rfm.eight_cell").set_params(n_jobs=n).fit_transform(f)),
}
MEASURES = RFM[["recency_days", "order_count", "monetary"]].dropna().astype(float)
GROUPS = xf.KMeans(4, random_state=0).fit(MEASURES).labels_


def fitted(model) -> pd.DataFrame:
    """Everything a clusterer found, one row per row."""
    found = {"label": model.labels_, "inertia": np.full(len(model.labels_), model.inertia_)}
    return pd.DataFrame(
        found
        | {f"centre {place}": np.resize(model.cluster_centers_[:, place], len(model.labels_)) for place in range(3)}
    )


def scores(frame: pd.DataFrame, n_jobs: int) -> pd.DataFrame:
    other = GROUPS % 3
    return pd.DataFrame(
        {
            "silhouettes": xf.silhouette_samples(frame, GROUPS, n_jobs=n_jobs),
            "silhouette": xf.silhouette_score(frame, GROUPS, sample_size=100, random_state=0, n_jobs=n_jobs),
            "davies_bouldin": xf.davies_bouldin_score(frame, GROUPS, n_jobs=n_jobs),
            "calinski_harabasz": xf.calinski_harabasz_score(frame, GROUPS, n_jobs=n_jobs),
            "adjusted_rand": xf.adjusted_rand_score(GROUPS, other, n_jobs=n_jobs),
            "mutual_information": xf.normalized_mutual_info_score(GROUPS, other, n_jobs=n_jobs),
        }
    )


CRITERIA = ("silhouette", "stability", "inertia", "calinski_harabasz", "davies_bouldin", "gap")

#: The same for what starts at random rows, and so depends on their order.
CLUSTERS = {
    "KMeans": (MEASURES, lambda f, n: fitted(xf.KMeans(5, random_state=0, n_jobs=n).fit(f))),
    "KMeans transform": (MEASURES, lambda f, n: xf.KMeans(5, random_state=0, n_jobs=n).fit_transform(f)),
    "MiniBatchKMeans": (MEASURES, lambda f, n: fitted(xf.MiniBatchKMeans(5, random_state=0, n_jobs=n).fit(f))),
    "GaussianMixture": (
        np.log1p(MEASURES.abs()),
        lambda f, n: pd.DataFrame(xf.GaussianMixture(3, random_state=0, n_jobs=n).fit(f).predict_proba(f)),
    ),
    "KPrototypes": (
        SCORED[["monetary", "rfm_cell"]].dropna(),
        lambda f, n: xf.KPrototypes(3, n_init=2, random_state=0, n_jobs=n).fit_transform(f),
    ),
    "DBSCAN": (
        np.log1p(MEASURES.abs()),
        lambda f, n: pd.DataFrame({"label": xf.DBSCAN(0.5, n_jobs=n).fit(f).labels_}),
    ),
    "scores of clusters": (MEASURES, scores),
    "bootstrap_stability": (
        MEASURES,
        lambda f, n: xf.bootstrap_stability(xf.KMeans(4), f, 5, random_state=0, n_jobs=n).table,
    ),
    "choose_k": (
        MEASURES,
        lambda f, n: pd.DataFrame(xf.choose_k(f, [2, 5], CRITERIA, n_resamples=4, random_state=0, n_jobs=n)),
    ),
    "ClusterSegmenter": (
        MEASURES,
        lambda f, n: xf.ClusterSegmenter(max_clusters=3, n_init=1, n_jobs=n).fit_transform(f),
    ),
    "ClusterSegmenter describe": (MEASURES, lambda f, n: xf.ClusterSegmenter(n_clusters=4, n_jobs=n).fit(f).describe()),
}


@pytest.mark.parametrize("name", [*CALLS, *CLUSTERS])
def test_threads_do_not_change_a_bit(name: str):
    frame, call = {**CALLS, **CLUSTERS}[name]
    one = call(frame, 1)
    identical(call(frame, 2), one)
    identical(call(frame, 8), one)


@pytest.mark.parametrize("name", CALLS)
def test_row_order_does_not_change_a_bit(name: str):
    frame, call = CALLS[name]
    order = np.random.default_rng(3).permutation(len(frame))
    one, shuffled = call(frame, 2), call(frame.iloc[order].reset_index(drop=True), 2)
    if name not in ("rfm_table", "clv_table"):
        back = np.argsort(order)
        shuffled = shuffled.iloc[back].reset_index(drop=True)
    if name == "order_ledger":  # `row` is the position itself
        one, shuffled = one.drop(columns=["row", "duplicate"]), shuffled.drop(columns=["row", "duplicate"])
    identical(shuffled, one)
