"""Rows to group, for the tests of clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xifen as xf
from sklearn.preprocessing import StandardScaler

GOLDEN = Path(__file__).parent / "golden"


def log_rfm() -> np.ndarray:
    orders = pd.read_csv(GOLDEN / "rfm_data_orders.csv.gz")
    rfm = xf.rfm_table(orders, as_of="2006-12-31", timestamp="order_date", amount="revenue")
    return StandardScaler().fit_transform(np.log1p(rfm[["recency_days", "purchase_days", "monetary"]].to_numpy(float)))


def log_wholesale() -> np.ndarray:
    spending = pd.read_csv(GOLDEN / "wholesale_customers.csv.gz").iloc[:, 2:]
    return StandardScaler().fit_transform(np.log1p(spending.to_numpy(float)))


def blobs(rows: int = 20_000, columns: int = 3, centres: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    where = rng.normal(scale=4, size=(centres, columns))
    return where[rng.integers(0, centres, rows)] + rng.normal(size=(rows, columns))


def fails_in_scikit_learn(_: Any) -> dict[str, str]:
    reason = "weights and repeated rows draw other random starts; scikit-learn's own class fails it for the same reason"
    return {"check_sample_weight_equivalence_on_dense_data": reason}
