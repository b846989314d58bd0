"""Keyword counts against loops of str.count and count_matches, against extract_many and SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import xifen as xf
from harness import Bench

# Fifty words, each a group of its own; none contains or overlaps another, so that every rival counts the same.
CHINESE = [
    "交期",
    "价格",
    "質量",
    "认证",
    "案例",
    "折扣",
    "投诉",
    "发票",
    "付款",
    "合同",
    "物流",
    "破损",
    "安装",
    "培训",
    "售后",
    "样品",
    "库存",
    "规格",
    "定制",
    "效率",
    "成本",
    "创新",
    "退货",
    "保修",
    "续约",
]
ENGLISH = [
    "lead time",
    "price",
    "quality",
    "certificate",
    "reference",
    "discount",
    "complaint",
    "invoice",
    "payment",
    "contract",
    "shipping",
    "damaged",
    "installation",
    "training",
    "after-sales",
    "sample",
    "stock",
    "specification",
    "custom-made",
    "efficien",
    "cost",
    "innovat",
    "refund",
    "warranty",
    "renewal",
]
WORDS = CHINESE + ENGLISH

# What stands between them.
FILLERS = [
    "请问贵司",
    "我们希望",
    "麻烦尽快回复",
    "上次会议提到",
    "关于这批设备",
    "谢谢",
    "方案已经收到",
    "项目组正在评估",
    "是否可以",
    " please let us know",
    " as we discussed on the phone",
    " our team would like to",
    " regarding the latest machines",
    " thank you and best regards",
    " we are still waiting for",
    " could you confirm the",
]


def messages(rows: int) -> pa.Table:
    """Texts of about 35 characters (Chinese) or 130 (English), two keywords in each on average."""
    rng = np.random.default_rng(19)
    chinese = rng.random(rows) < 0.5
    fillers = [np.array(FILLERS[:9], dtype=object), np.array(FILLERS[9:], dtype=object)]
    words = [np.array([*CHINESE, *[""] * 12], dtype=object), np.array([*ENGLISH, *[""] * 12], dtype=object)]
    text = np.full(rows, "", dtype=object)
    for which, stop in enumerate(["，", ","]):
        mine = np.flatnonzero(chinese == (which == 0))
        for _ in range(3):
            filler = fillers[which][rng.integers(0, len(fillers[which]), len(mine))]
            word = words[which][rng.integers(0, len(words[which]), len(mine))]
            text[mine] += filler + (" " if which else "") + word + stop
    return pa.table({"customer_id": rng.integers(0, rows // 10, rows), "text": pa.array(text, pa.large_string())})


def finish(counts: pl.DataFrame) -> pl.DataFrame:
    """From a count per message and word to the table per customer."""
    each = (
        counts.lazy()
        .group_by("customer_id")
        .agg(
            pl.len().alias("message_count"),
            *(pl.col(word).sum().alias(f"{word}_count") for word in WORDS),
            *((pl.col(word) > 0).sum().alias(f"{word}_messages_with") for word in WORDS),
        )
    )
    per_message = ((pl.col(f"{word}_count") / pl.col("message_count")).alias(f"{word}_per_message") for word in WORDS)
    return each.with_columns(per_message).sort("customer_id").collect()


def with_count_matches(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text")  # by regex, which takes half the time of literal=True on lower-cased texts
    counts = (text.str.count_matches(f"(?i){word}").alias(word) for word in WORDS)
    return finish(frame.select("customer_id", *counts))


def with_extract_many(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    """One pass finds all; every match becomes a row with the code of its word, and numpy counts."""
    ids, customers, message_count = np.unique(frame["customer_id"].to_numpy(), return_inverse=True, return_counts=True)
    lower = pl.col("text").str.to_lowercase()
    found = (
        frame.lazy()
        .with_row_index()
        .select("index", lower.str.extract_many(WORDS).cast(pl.List(pl.Enum(WORDS))).alias("word"))
        .explode("word")
        .drop_nulls()
        .select("index", pl.col("word").to_physical())
        .collect()
    )
    rows, words = found["index"].to_numpy(), found["word"].to_numpy().astype(np.int64)
    cells, size = customers[rows] * len(WORDS) + words, len(ids) * len(WORDS)
    first = np.unique(rows * np.int64(len(WORDS)) + words, return_index=True)[1]
    count = np.bincount(cells, minlength=size).reshape(-1, len(WORDS)).T
    having = np.bincount(cells[first], minlength=size).reshape(-1, len(WORDS)).T
    table = {"customer_id": ids, "message_count": message_count}
    for word, mentions, messages_with in zip(WORDS, count, having, strict=True):
        table[f"{word}_count"] = mentions
        table[f"{word}_per_message"] = mentions / message_count
        table[f"{word}_messages_with"] = messages_with
    return table


def with_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    text = frame["text"].str.lower()
    counts = pd.DataFrame({word: text.str.count(word) for word in WORDS})
    groups = counts.groupby(frame["customer_id"])
    size = groups.size()
    count, having = groups.sum(), (counts > 0).groupby(frame["customer_id"]).sum()
    parts = [count.add_suffix("_count"), having.add_suffix("_messages_with")]
    parts.append(count.div(size, axis=0).add_suffix("_per_message"))
    return pd.concat([size.rename("message_count"), *parts], axis=1).reset_index()


def matrix(rows: int) -> Bench:
    table = messages(rows)
    in_polars = pl.from_arrow(table)
    in_pandas = table.to_pandas()
    keywords = {word: [word] for word in WORDS}
    return Bench(
        ours={
            "xifen, pandas in": lambda: xf.keyword_table(in_pandas, keywords=keywords),
            "xifen, polars in": lambda: xf.keyword_table(in_polars, keywords=keywords),
        },
        rivals={
            "polars extract_many": partial(with_extract_many, in_polars),
            "polars count_matches loop": partial(with_count_matches, in_polars),
            "pandas str.count loop": partial(with_pandas, in_pandas),
        },
        wanted={"polars extract_many": (1.6, 1.6), "polars count_matches": (6, 6)},
        note="Our call normalises every text (NFKC) as well, which the rivals do not.",
    )


def benches(*, quick: bool) -> Iterator[tuple[str, Callable[[], Bench]]]:
    rows = 2_000 if quick else 100_000
    yield f"keyword_table, 50 keywords, Chinese and English, {rows:,} messages", partial(matrix, rows)
