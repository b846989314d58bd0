"""A Segmentation made by hand, with whatever labels and texts a test wants; the real one is tested in test_plan."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import xifen as xf


class StandIn:
    """What the report reads of a Segmentation (see `xifen.plan.Segmentation`)."""

    def __init__(self, n=1200, lang="zh", small_cells=5, seed=7):
        crm = xf.datasets.make_crm(n, seed=seed)
        self.lang, self.as_of = lang, dt.date(2026, 6, 30)
        self.plan = SimpleNamespace(name=None, values={"privacy": {"small_cells": small_cells}})
        frame = xf.rfm_table(
            crm.orders, as_of=crm.as_of, order_id="order_id", discount="discount", customers=crm.customers,
            windows=["30D", "90D", "3M", "6M", "12M"], invalid="drop",
        )  # fmt: skip
        frame = frame.merge(crm.customers, on="customer_id").drop(columns="contact")
        columns = {"value": "value_score", "potential": "potential_score"}
        self.model = {
            "rfm": xf.RFMScorer(n_bins=5),
            "value": xf.load_preset("score.value", lang=lang),
            "potential": xf.load_preset("score.potential", lang=lang),
            "matrix": xf.load_preset("matrix.value_potential", lang=lang, columns=columns),
            "tag.value": xf.load_preset("tag.value", lang=lang),
            "tag.risk": xf.load_preset("tag.risk", lang=lang),
            "segments": xf.load_preset("rfm.named_six", lang=lang),
        }
        for step in self.model.values():
            frame = step.fit_transform(frame)
        used = ["recency_days", "order_count", "monetary"]
        logs = np.log1p(frame[used].astype("float64").fillna(0).clip(lower=0))
        kmeans = xf.KMeans(n_clusters=4, random_state=0, label_order="size").fit(logs.to_numpy())
        frame["cluster"] = kmeans.labels_
        self.frame = frame
        self.segment, self.segments = "segment", list(frame["segment"].cat.categories)
        self.tags = [name for name in frame if frame[name].dtype == "boolean"]
        self.scores = ["recency_score", "frequency_score", "monetary_score", "rfm_score", "value_score"]
        self.matrix = ("value_score", "potential_score", "matrix_cell")
        self.clusters = "cluster"
        self.playbook = xf.load_preset("playbook.rfm_named_six", lang=lang)
        self.ledger = xf.ledger_summary(xf.order_ledger(crm.orders, as_of=crm.as_of, order_id="order_id"))
        self.counts = {"order_rows": len(crm.orders), "customers": len(frame)}

    def coverage(self):
        rules = [name for name in self.model if name.startswith(("tag", "segments"))]
        return {name: self.model[name].coverage(self.frame) for name in rules}

    def goals(self):
        lines = [
            ("新增重点客户", 20, 17, 0.85, False, "monetary_12M > 500000"),
            ("老客户复购", 300, 410, 410 / 300, True, "order_count >= 2"),
        ]
        return pd.DataFrame(lines, columns=["goal", "target", "attained", "share", "held", "rule"])

    def owners(self):
        return None

    def fields(self):
        return pd.DataFrame({"field": ["industry"], "source": ["customers"], "purpose": ["行业分析"], "why": [""]})

    def left_out(self):
        return pd.DataFrame({"what": ["opted_out"], "count": [58], "sentence": ["拒绝营销的客户，不给出营销行动"]})

    def questions(self, n=10):
        best = self.frame.nlargest(n, "monetary")[["customer_id"]].assign(
            value=1.0, reason="monetary_12M 为 1,234,567，占全部的 3.1%"
        )
        asked = ["谁最有价值？", "谁最忠诚？", "谁是潜在客户？", "谁增长最快？", "谁最可能流失？"]
        return [
            SimpleNamespace(
                key=str(place),
                question=text,
                customers=best.iloc[: n if place != 2 else 0],
                reason="" if place != 2 else "没有数据：需要列 potential_score",
            )
            for place, text in enumerate(asked)
        ]
