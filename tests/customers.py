"""Rows for tests: of clusters, and the published management table."""

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


#: Rows to break.
GOOD = blobs(50)


def broken(row: int, column: int, value: float) -> np.ndarray:
    rows = GOOD.copy()
    rows[row, column] = value
    return rows


#: The three rows of the published management table, as they were printed.
PUBLISHED = pd.DataFrame(
    {
        "customer_id": ["001", "002", "003"],
        "name": ["甲公司", "乙公司", "丙公司"],
        "industry": ["制造业", "服务业", "零售业"],
        "contact": ["138****0001", "138****0002", "138****0003"],
        "last_purchase": ["2024-01-15", "11-20", "08-10"],
        "order_count_12M": [12, 3, 1],
        "mean_order_value": [5_000, 800, 1_200],
        "need_type": ["技术支持+定制化", "标准产品咨询", "价格优惠"],
        "value_grade": ["high", "middle", "low"],
        "customer_type": ["high_value_loyal", "potential_to_develop", "churn_risk"],
        "notes": ["合作3年，续约意向强", "近3个月咨询量上升30%", "曾投诉交付时间"],
    }
)
#: The same with the years a person would have to add.
WHOLE = PUBLISHED.assign(last_purchase=["2024-01-15", "2023-11-20", "2023-08-10"])
