"""Customers grouped by likeness: k-means, Gaussian mixtures, by density, and how good a grouping is."""

from xifen.cluster.dbscan import DBSCAN
from xifen.cluster.gaussian_mixture import GaussianMixture
from xifen.cluster.kmeans import KMeans
from xifen.cluster.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    normalized_mutual_info_score,
    silhouette_samples,
    silhouette_score,
)
from xifen.cluster.minibatch import MiniBatchKMeans

__all__ = [
    "DBSCAN",
    "GaussianMixture",
    "KMeans",
    "MiniBatchKMeans",
    "adjusted_rand_score",
    "calinski_harabasz_score",
    "davies_bouldin_score",
    "normalized_mutual_info_score",
    "silhouette_samples",
    "silhouette_score",
]
