"""Customers grouped by likeness: clusterers, how good and how stable a grouping is, and how many groups."""

from xifen.cluster.choice import choose_k
from xifen.cluster.dbscan import DBSCAN
from xifen.cluster.gaussian_mixture import GaussianMixture
from xifen.cluster.kmeans import KMeans
from xifen.cluster.kmodes import KModes
from xifen.cluster.kprototypes import KPrototypes
from xifen.cluster.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    normalized_mutual_info_score,
    silhouette_samples,
    silhouette_score,
)
from xifen.cluster.minibatch import MiniBatchKMeans
from xifen.cluster.stability import bootstrap_stability

__all__ = [
    "DBSCAN",
    "GaussianMixture",
    "KMeans",
    "KModes",
    "KPrototypes",
    "MiniBatchKMeans",
    "adjusted_rand_score",
    "bootstrap_stability",
    "calinski_harabasz_score",
    "choose_k",
    "davies_bouldin_score",
    "normalized_mutual_info_score",
    "silhouette_samples",
    "silhouette_score",
]
