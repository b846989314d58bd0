"""What must hold at the wall between Python and Rust, whatever the kernel."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from xifen import _core

# clv_table counts them in a warning; test_transactions_*.py looks at its words.
pytestmark = pytest.mark.filterwarnings("ignore:.*returns but no purchase:UserWarning")


def order_log(rows: int = 2_000, customers: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, customers, rows),
            "timestamp": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700 * 86_400, rows), unit="s"),
            "amount": rng.integers(-2_000, 50_000, rows) / 100,
        }
    )


def scores(rows: int = 500, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    names = ("recency_score", "frequency_score", "monetary_score")
    return pd.DataFrame({name: pd.array(rng.integers(1, 6, rows), dtype="Int8") for name in names})


RULES = {"good": "recency_score >= 4 AND monetary_score > 3", "rest": "recency_score < 4 OR frequency_score IS NULL"}

CARD = {
    "recency_score": {"edges": [2, 4], "points": [0, 1, 2]},
    "monetary_score": {"categories": {5: 1}, "default": 0, "missing": 0.5},
}


def messages(rows: int = 500, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"customer_id": rng.integers(0, 90, rows), "text": rng.choice(["价格", "price", "x"], rows)})


def sheet(rows: int = 60, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    texts = {name: rng.choice(["甲", "乙", "x"], rows) for name in ("name", "industry", "phone", "need_type")}
    return pd.DataFrame(
        {
            "customer_id": np.arange(rows),
            **texts,
            "last_purchase": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 9_000, rows), unit="h"),
            "order_count_12M": rng.integers(0, 20, rows),
            "mean_order_value": rng.integers(0, 9_000, rows) / 4,
            "value_grade": rng.choice(["high", "middle", "low"], rows),
            "customer_type": rng.choice(["churn_risk", "general_value", "高价值忠实客户"], rows),
        }
    )


#: Every public call on a frame, by name: (makes its input, calls it).
CALLS = {
    "rfm_table": (order_log, lambda f: xf.rfm_table(f, as_of="2025-12-31", windows=["90D", "12M"], invalid="drop")),
    "clv_table": (order_log, lambda f: xf.clv_table(f, as_of="2025-12-31", invalid="drop")),
    "order_ledger": (order_log, lambda f: xf.order_ledger(f, as_of="2025-12-31", invalid="drop")),
    "keyword_table": (messages, lambda f: xf.keyword_table(f, keywords={"price": ["price", "价格"]})),
    "Binner": (order_log, lambda f: xf.Binner(3, columns=["amount"]).fit_transform(f)),
    "RFMScorer": (
        lambda: xf.rfm_table(order_log(), as_of="2025-12-31"),
        lambda f: xf.RFMScorer(n_bins=5).fit_transform(f),
    ),
    "RuleSegmenter": (scores, lambda f: xf.RuleSegmenter(RULES).fit_transform(f)),
    "RuleTagger": (scores, lambda f: xf.RuleTagger(RULES, text_output="tags").fit_transform(f)),
    "Scorecard": (scores, lambda f: xf.Scorecard(CARD, reason="en").fit_transform(f)),
    "SegmentMatrix": (
        scores,
        lambda f: xf.SegmentMatrix(rows="recency_score", columns="monetary_score", bins=2).fit_transform(f),
    ),
    "management_table": (sheet, lambda f: xf.management_table(f, columns={"contact": "phone"}, contact=True)),
    "load_preset": (scores, lambda f: xf.load_preset("rfm.named").fit(f).transform(f)),
}

every_call = pytest.mark.parametrize("name", CALLS)


def slow_call() -> None:
    """Some seconds of exact one-dimensional k-means."""
    values = np.random.default_rng(0).normal(size=(500_000, 1))
    xf.Binner(60, strategy="kmeans").fit(values)


def slow_fit() -> None:
    """Some seconds of Lloyd's rounds."""
    xf.KMeans(64, n_init=100, tol=0, random_state=0).fit(np.random.default_rng(0).normal(size=(400_000, 12)))


def slow_mixture() -> None:
    """Some seconds of expectation and maximisation."""
    xf.GaussianMixture(32, tol=0, init_params="random").fit(np.random.default_rng(0).normal(size=(200_000, 24)))


def slow_modes() -> None:
    """Some seconds of rows moved one by one."""
    xf.KModes(64, init="Huang", n_init=50, random_state=0).fit(np.random.default_rng(0).integers(0, 9, (100_000, 12)))


@every_call
def test_the_callers_frame_is_unchanged_bit_for_bit(name: str):
    make, call = CALLS[name]
    frame = make()
    frame.index = np.arange(len(frame)) // 2  # not unique
    before = frame.copy(deep=True)
    buffers = {column: frame[column].array for column in frame}
    call(frame)
    pd.testing.assert_frame_equal(frame, before, check_exact=True)
    assert list(frame.columns) == list(before.columns)
    assert all(frame[column].array is buffers[column] or len(frame) for column in frame)


@every_call
def test_the_index_and_the_row_order_are_kept(name: str):
    make, call = CALLS[name]
    frame = make()
    frame.index = [f"row {number}" for number in range(len(frame))][::-1]
    out = call(frame)
    if name not in ("rfm_table", "clv_table", "keyword_table"):
        assert list(out.index) == list(frame.index)


@every_call
def test_same_kind_out(name: str):
    make, call = CALLS[name]
    frame = make()
    assert isinstance(call(frame), pd.DataFrame)
    assert isinstance(call(pl.from_pandas(frame)), pl.DataFrame)
    assert isinstance(call(pa.Table.from_pandas(frame, preserve_index=False)), pa.Table)
    assert isinstance(call({column: frame[column].array for column in frame}), pd.DataFrame)


@every_call
def test_chunked_sliced_and_strided_input_gives_the_same_answer(name: str):
    make, call = CALLS[name]
    frame = make()
    wanted = call(frame)
    doubled = pd.concat([frame, frame]).iloc[np.repeat(np.arange(len(frame)), 2)]
    pd.testing.assert_frame_equal(call(doubled.iloc[::2].reset_index(drop=True)), wanted, check_exact=True)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pieces = pa.concat_tables([table.slice(0, 0), table.slice(0, 7), table.slice(7, 1), table.slice(8)])
    assert call(pieces).equals(call(table))
    polars = pl.from_pandas(frame)
    assert call(pl.concat([polars[:11], polars[11:]], rechunk=False)).equals(call(polars))


@every_call
def test_read_only_arrays_are_read(name: str):
    make, call = CALLS[name]
    frame = make()
    arrays = {}
    for column in frame:
        values = frame[column].to_numpy()
        values = np.array(values, copy=True)
        values.flags.writeable = False
        arrays[column] = values
    wanted = call({column: np.array(values) for column, values in arrays.items()})
    pd.testing.assert_frame_equal(call(arrays), wanted, check_exact=True)


@every_call
@pytest.mark.parametrize("shape", ["no rows", "no columns", "all null", "one row"])
def test_degenerate_frames_answer_or_refuse_in_a_sentence(name: str, shape: str):
    make, call = CALLS[name]
    frame = make()
    frame = {
        "no rows": frame.iloc[:0],
        "no columns": frame[[]],
        "all null": frame.astype("object").mask(np.ones(frame.shape, dtype=bool)),
        "one row": frame.iloc[:1],
    }[shape]
    for data in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame, preserve_index=False)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *_, **__: None)
            try:
                out = call(data)
            except xf.errors.XifenError as failure:
                assert str(failure)[0].islower() or str(failure)[0] in "'0123456789N", failure  # noqa: PT017
                assert len(str(failure)) > 20  # noqa: PT017
            else:
                assert shape != "no columns"
                assert len(out) <= len(frame)


@every_call
def test_data_crosses_once_per_call(name: str, monkeypatch: pytest.MonkeyPatch):
    make, call = CALLS[name]
    frame = make()
    crossings = []

    def counted(kernel):
        def wrapper(*arguments, **keywords):
            # A stream without rows only tells the kinds of its columns.
            if any(hasattr(argument, "__arrow_c_stream__") and len(argument) for argument in arguments):
                crossings.append(kernel.__name__)
            return kernel(*arguments, **keywords)

        return wrapper

    for kernel in [kernel for kernel in vars(_core).values() if callable(kernel) and hasattr(kernel, "__name__")]:
        monkeypatch.setattr(_core, kernel.__name__, counted(kernel))
    call(frame)
    assert len(crossings) == (name != "management_table"), crossings  # it computes nothing


def test_other_threads_run_during_a_call():
    ticks, done = 0, threading.Event()

    def tick():
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    before = ticks
    slow_call()
    during = ticks - before
    done.set()
    thread.join()
    assert during > 50


@pytest.mark.parametrize("call", [slow_call, slow_fit, slow_mixture, slow_modes])
def test_ctrl_c_ends_a_long_call_within_a_second(call):
    # Who was started in the background is deaf to Ctrl-C until told otherwise.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    pressed = []

    def press():
        time.sleep(0.4)
        pressed.append(time.monotonic())
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
        waited = time.monotonic() - pressed[0]
        thread.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert waited < 1.0
    assert len(xf.rfm_table(order_log(), as_of="2025-12-31")) > 0  # the next call works


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_may_call_after_its_parent_did():
    wanted = xf.rfm_table(order_log(), as_of="2025-12-31")
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # a child that hangs dies of this and fails the test
        same = xf.rfm_table(order_log(), as_of="2025-12-31").equals(wanted)
        os._exit(0 if same else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert xf.rfm_table(order_log(), as_of="2025-12-31").equals(wanted)


def test_many_threads_may_call_at_once():
    wanted = xf.rfm_table(order_log(), as_of="2025-12-31")
    outs = []
    threads = [
        threading.Thread(target=lambda: outs.append(xf.rfm_table(order_log(), as_of="2025-12-31"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outs) == 8
    assert all(out.equals(wanted) for out in outs)


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (np.ones((3, 3)), "an array has no column names"),
        (pl.LazyFrame({"customer_id": [1]}), ".collect()"),
        (pa.RecordBatchReader.from_batches(pa.schema([]), []), ".read_all()"),
        ([1, 2], "pandas or polars DataFrame"),
        (pd.Series([1, 2]), "pandas or polars DataFrame"),
        (None, "pandas or polars DataFrame"),
    ],
)
def test_what_is_no_frame_in_memory_is_a_type_error(thing, words: str):
    with pytest.raises(TypeError, match="orders is a") as failure:
        xf.rfm_table(thing, as_of="2025-12-31")
    assert words in str(failure.value)


@pytest.mark.parametrize(("n_jobs", "words"), [(0, "n_jobs is 0"), (5000, "more than 1024")])
def test_a_bad_number_of_threads_is_a_parameter_error(n_jobs: int, words: str):
    with pytest.raises(xf.errors.ParameterError, match=words):
        xf.rfm_table(order_log(), as_of="2025-12-31", n_jobs=n_jobs)


@pytest.mark.parametrize("n_jobs", [1.5, "2"])
def test_what_is_no_number_of_threads_is_a_type_error(n_jobs):
    wanted = f"n_jobs is {n_jobs!r}; wanted a whole number of threads, or None"
    with pytest.raises(TypeError, match=wanted):
        xf.rfm_table(order_log(), as_of="2025-12-31", n_jobs=n_jobs)
    for estimator in (xf.Binner(n_jobs=n_jobs), xf.RuleSegmenter(RULES, n_jobs=n_jobs), xf.KMeans(2, n_jobs=n_jobs)):
        with pytest.raises(TypeError, match=wanted):
            estimator.fit(scores()).transform(scores())
    assert len(xf.rfm_table(order_log(), as_of="2025-12-31", n_jobs=np.int64(2))) > 0
