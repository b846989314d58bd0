"""xifen: from an order log to scored, named, explained customers."""

from importlib.metadata import version as _version

from xifen import datasets, errors
from xifen._ladder import ladder_check
from xifen._tagger import RuleTagger
from xifen._weights import AHPWeights, ahp_weights, entropy_weights
from xifen.binning import Binner, RFMScorer
from xifen.cluster import (
    DBSCAN,
    GaussianMixture,
    KMeans,
    KModes,
    KPrototypes,
    MiniBatchKMeans,
    adjusted_rand_score,
    bootstrap_stability,
    calinski_harabasz_score,
    choose_k,
    davies_bouldin_score,
    normalized_mutual_info_score,
    silhouette_samples,
    silhouette_score,
)
from xifen.cluster_segmenter import ClusterSegmenter
from xifen.management import management_table
from xifen.matrix import SegmentMatrix
from xifen.plan import Plan, Segmentation
from xifen.presets import list_presets, load_preset
from xifen.rules import RuleSegmenter
from xifen.scorecard import Scorecard
from xifen.text import keyword_table
from xifen.transactions import clv_table, ledger_summary, order_ledger, release_memory, rfm_table

__all__ = [
    "DBSCAN",
    "AHPWeights",
    "Binner",
    "ClusterSegmenter",
    "GaussianMixture",
    "KMeans",
    "KModes",
    "KPrototypes",
    "MiniBatchKMeans",
    "Plan",
    "RFMScorer",
    "RuleSegmenter",
    "RuleTagger",
    "Scorecard",
    "SegmentMatrix",
    "Segmentation",
    "adjusted_rand_score",
    "ahp_weights",
    "bootstrap_stability",
    "calinski_harabasz_score",
    "choose_k",
    "clv_table",
    "datasets",
    "davies_bouldin_score",
    "entropy_weights",
    "errors",
    "keyword_table",
    "ladder_check",
    "ledger_summary",
    "list_presets",
    "load_preset",
    "management_table",
    "normalized_mutual_info_score",
    "order_ledger",
    "release_memory",
    "rfm_table",
    "silhouette_samples",
    "silhouette_score",
]

__version__ = _version("xifen")
