"""RFMScorer: published distributions, the five added columns, every kind of frame, every way to be wrong."""

from __future__ import annotations

import itertools
import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from xifen.errors import InputError, ParameterError

ADDED = ["recency_score", "frequency_score", "monetary_score", "rfm_cell", "rfm_score"]

#: rfm_data_orders (R package rfm 0.3: 4,906 orders of 995 customers) at 2006-12-31, each measure sorted and written as
#: differences, one base-36 digit each, larger ones in parentheses.
RECENCY = "13011011010111010021111101023101011011101010211011011000100101011000011111011202021001001001110011201010202001110010010110001100110000101000020100101011010001001100001000000100002001000101111101001000200000111010020000010101010010000100100000010101000101010000010010101010000110101000010100000110001001000100010001000011001100110010000101001100000111100001010100001000000100010001010000101001000100010000100000100003000000101110001000111010111010100100100101011010101010000021101021211002010020011000011111110030010101111001003001001011511102010100010101101202101000120101001002011101010110301001011001512021110410211510130101110130112123010200223010321510011101120011330211010012110110001201110211100112020010411300100210001001100303021010001001100030003111000110104010011111102101011011101001010010200110110002000010201111011012020110110100110103001001211121010111111101120101033001200101033110123410031011010110401021201011132021010030360122114501200130b410127137305003218131k31aq(76)a15i2k(40)5e4l"
MONETARY = "cb050221131104903241a320202001004111203011001221112230201051125410411220013203120202211201003021000301411111001101002013101011001310231011001510100120111012001010111011100010022010110011201020010100113011000121010000111000110013001010010003101010101101200201001010102120102301101110001011020001000101013001110211011000012100220011102101001200030000002100101010010021000000110101111010030010002010210010200110101002000110010001011220010011110100120112021000012010000100010011001000203101100100001001000101001210130000101011003011010111010110110011001111100101001011003001022011210010101000021103141113002001020010211000110103101010201001120011110110220010100103002020201104101010201001210010121001001001101101101100113110010011100111423100020031100011031131101111120110110100202001111001010134101100003013010111140601011310021111211401210100102003111112222112413252104110211022212110201121411112061420010351130133003052120112252211335122211225313035m58110d231220539aa6131370992ca0113315f1eewyc(37)g(239)"
ORDERS = {1: 42, 2: 83, 3: 143, 4: 187, 5: 176, 6: 150, 7: 94, 8: 51, 9: 38, 10: 20, 11: 3, 12: 5, 13: 2, 14: 1}


def decode(text):
    steps = re.findall(r"\((\d+)\)|(\w)", text)
    return np.cumsum([int(large) if large else int(digit, 36) for large, digit in steps])


def orders_table():
    counts = np.repeat(list(ORDERS), list(ORDERS.values()))
    return pd.DataFrame({"recency_days": decode(RECENCY), "order_count": counts, "monetary": decode(MONETARY) * 1.0})


def table(rows=300, seed=0):
    local = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": np.arange(rows),
            "recency_days": local.integers(0, 400, rows),
            "order_count": local.geometric(0.3, rows),
            "monetary": np.round(local.lognormal(4, 1, rows), 2),
        }
    )


def test_published_orders_of_the_r_package():
    frame = orders_table()
    assert frame["recency_days"].sum() == 285_305
    assert frame["monetary"].sum() == 464_158
    scorer = xf.RFMScorer().fit(frame)
    out = scorer.transform(frame)
    edges = {name: edges.tolist() for name, edges in scorer.bin_edges_.items()}
    assert edges["recency_days"] == [114, 180, pytest.approx(296.4), 481]
    assert edges["order_count"] == [3, 4, 5, 7]
    assert edges["monetary"] == pytest.approx([254.8, 381, 505.4, 665])

    def counts(name):
        return [int((out[name] == score).sum()) for score in range(1, 6)]

    # Score = 1 + edges below; of recency, few days are good, so its counts run from the most days to the fewest.
    assert counts("recency_score") == [197, 201, 198, 199, 200]
    assert counts("frequency_score") == [268, 187, 176, 244, 120]
    assert counts("monetary_score") == [199, 201, 197, 203, 195]


def test_ten_equal_customers_score_alike():
    frame = pd.DataFrame({"recency_days": [30] * 10, "order_count": [2] * 10, "monetary": [99.5] * 10})
    out = xf.RFMScorer().fit_transform(frame)
    assert out["recency_score"].tolist() == [5] * 10
    assert out["frequency_score"].tolist() == [1] * 10
    assert out["monetary_score"].tolist() == [1] * 10
    assert out["rfm_cell"].tolist() == ["511"] * 10
    assert out["rfm_score"].tolist() == [7 / 3] * 10


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 900), st.integers(1, 40), st.floats(0, 1e6)), min_size=5, max_size=40),
    st.integers(2, 20),
)
def test_the_best_customer_scores_best(rows, k):
    frame = pd.DataFrame([*rows, (0, 50, 2e6)], columns=["recency_days", "order_count", "monetary"])
    out = xf.RFMScorer(k).fit_transform(frame)
    best = out.iloc[-1]
    assert best["recency_score"] == k
    assert best["frequency_score"] >= out["frequency_score"].max()
    assert best["monetary_score"] >= out["monetary_score"].max()
    if len(rows) >= 2 * k:
        assert best["frequency_score"] == best["monetary_score"] == k
    order = frame["monetary"].argsort()
    assert out["monetary_score"].iloc[order].is_monotonic_increasing
    assert out["recency_score"].iloc[frame["recency_days"].argsort()].is_monotonic_decreasing


def test_cells_in_declared_order():
    out = xf.RFMScorer().fit_transform(table())
    cells = ["".join(cell) for cell in itertools.product("12345", repeat=3)]
    assert list(out["rfm_cell"].cat.categories) == cells
    wanted = out["recency_score"].astype(str) + out["frequency_score"].astype(str) + out["monetary_score"].astype(str)
    assert out["rfm_cell"].astype(str).tolist() == wanted.tolist()
    polars = xf.RFMScorer().fit_transform(pl.from_pandas(table()))
    assert polars["rfm_cell"].dtype == pl.Enum(cells)
    assert polars["rfm_cell"].to_list() == wanted.tolist()
    first_rows = xf.RFMScorer().fit(table()).transform(table().iloc[:3])
    assert list(first_rows["rfm_cell"].cat.categories) == cells


def test_cells_above_nine_bins_are_joined():
    out = xf.RFMScorer(10).fit_transform(table())
    assert out["rfm_cell"].cat.categories[-1] == "10-10-10"
    assert out["rfm_cell"].cat.categories[0] == "1-1-1"
    assert len(xf.RFMScorer(20).fit_transform(table())["rfm_cell"].cat.categories) == 8000
    assert xf.RFMScorer(9).fit_transform(table())["rfm_cell"].cat.categories[-1] == "999"


def test_weighted_mean():
    out = xf.RFMScorer(weights=(5, 3, 2)).fit_transform(table())
    r, f, m = (out[name].astype(float) for name in ADDED[:3])
    np.testing.assert_array_equal(out["rfm_score"], (5 * r + 3 * f + 2 * m) / 10)
    assert out["rfm_score"].between(1, 5).all()


def test_a_missing_measure_makes_cell_and_mean_missing():
    frame = table().astype({"recency_days": "Int64"})
    frame.loc[[0, 7], "recency_days"] = pd.NA
    frame.loc[9, "monetary"] = np.nan
    for data in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame)):
        out = xf.RFMScorer().fit_transform(data)
        out = out if isinstance(out, pd.DataFrame) else out.to_pandas()
        assert out.index[out["recency_score"].isna()].tolist() == [0, 7]
        assert out.index[out["frequency_score"].isna()].tolist() == []
        assert out.index[out["monetary_score"].isna()].tolist() == [9]
        assert out.index[out["rfm_cell"].isna()].tolist() == [0, 7, 9]
        assert out.index[out["rfm_score"].isna()].tolist() == [0, 7, 9]


def test_the_published_three_point_scale():
    frame = table().rename(columns={"order_count": "order_count_12M"})
    scorer = xf.RFMScorer(
        frequency="order_count_12M",
        edges={"order_count_12M": ["< 5", "< 10"]},
        scores={"order_count_12M": [1, 3, 5]},
    ).fit(frame)
    out = scorer.transform(frame)
    wanted = np.select([frame["order_count_12M"] < 5, frame["order_count_12M"] < 10], [1, 3], 5)
    assert out["frequency_score"].tolist() == wanted.tolist()
    assert out["rfm_cell"].cat.categories[-1] == "555"
    assert len(out["rfm_cell"].cat.categories) == 75
    assert scorer.closed_["order_count_12M"] == ["left", "left"]
    again = xf.RFMScorer.from_json(scorer.to_json())
    pd.testing.assert_frame_equal(again.transform(frame), out)


def test_scores_given_twice_share_a_cell():
    out = xf.RFMScorer(3, scores=[1, 1, 2]).fit_transform(table())
    assert list(out["rfm_cell"].cat.categories) == ["111", "112", "121", "122", "211", "212", "221", "222"]


def test_last_quarters_edges_score_this_quarter():
    first = xf.RFMScorer().fit(table(seed=1))
    now = table(seed=2)
    frozen = xf.RFMScorer(edges=first.bin_edges_).fit(now)
    pd.testing.assert_frame_equal(frozen.transform(now), first.transform(now))


def test_frames_keep_kind_order_index_and_columns():
    frame = table().iloc[::-1].set_axis([0] * 300)
    before = frame.copy(deep=True)
    out = xf.RFMScorer().fit_transform(frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(out[frame.columns.tolist()], frame)
    assert list(out.columns) == [*frame.columns, *ADDED]
    assert [str(dtype) for dtype in out.dtypes[-5:]] == ["Int8", "Int8", "Int8", "category", "float64"]
    polars = xf.RFMScorer().fit_transform(pl.from_pandas(frame))
    assert polars.dtypes[4:7] == [pl.Int8] * 3
    assert polars.columns == list(out.columns)
    arrow = xf.RFMScorer().fit_transform(pa.Table.from_pandas(frame, preserve_index=False))
    assert arrow.schema.field("recency_score").type == pa.int8()
    assert arrow["rfm_cell"].to_pylist() == out["rfm_cell"].tolist()
    from_dict = xf.RFMScorer().fit_transform({name: frame[name].to_numpy() for name in frame})
    assert from_dict["rfm_cell"].tolist() == out["rfm_cell"].tolist()


def test_output_renames():
    scorer = xf.RFMScorer(output={"rfm_score": "mean_score"}).fit(table())
    out = scorer.transform(table())
    assert list(out.columns[-5:]) == [*ADDED[:4], "mean_score"]
    assert list(scorer.get_feature_names_out()) == list(out.columns)
    for output, words in (
        ({"rfm_scor": "x"}, "did you mean 'rfm_score'"),
        ({"rfm_score": "rfm_cell"}, "twice"),
        ({"rfm_score": 5}, "text"),
        ("x", "wanted a mapping"),
    ):
        with pytest.raises(ParameterError, match=words):
            xf.RFMScorer(output=output).fit(table())


def test_an_added_column_that_exists_is_an_error():
    out = xf.RFMScorer().fit_transform(table())
    with pytest.raises(InputError, match="already has a column 'recency_score'"):
        xf.RFMScorer().fit_transform(out)


def test_scikit_learn_citizen():
    frame = table()
    scorer = xf.RFMScorer(4, weights=(2, 1, 1), n_jobs=2)
    assert clone(scorer).get_params() == scorer.get_params()
    with pytest.raises(NotFittedError):
        scorer.transform(frame)
    out = scorer.fit_transform(frame)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(scorer)).transform(frame), out)
    pd.testing.assert_frame_equal(scorer.set_params(n_jobs=1).transform(frame), out)
    polars = scorer.set_output(transform="polars").transform(frame)
    assert polars["rfm_cell"].dtype == pl.Enum(list(out["rfm_cell"].cat.categories))
    assert isinstance(scorer.set_output(transform="pandas").transform(pl.from_pandas(frame)), pd.DataFrame)
    assert list(scorer.get_feature_names_out()) == list(out.columns)
    assert scorer.edges_table()["column"].tolist() == ["recency_days"] * 3 + ["order_count"] * 3 + ["monetary"] * 3


@pytest.mark.parametrize("data", [np.zeros((5, 3)), [[1, 2, 3]], pd.Series([1.0])])
def test_values_without_names_are_refused(data):
    with pytest.raises(TypeError, match="expects 'recency_days', 'order_count', 'monetary'"):
        xf.RFMScorer().fit(data)


def test_weights_by_column():
    frame = table()
    by_column = {"monetary": 2, "recency_days": 5, "order_count": 3}
    scorer = xf.RFMScorer(weights=by_column)
    wanted = xf.RFMScorer(weights=(5, 3, 2)).fit_transform(frame)
    pd.testing.assert_frame_equal(scorer.fit_transform(frame), wanted)
    pd.testing.assert_frame_equal(xf.RFMScorer.from_json(scorer.to_json()).transform(frame), wanted)
    learned = xf.entropy_weights(frame, columns=list(by_column), scale="range", descending=["recency_days"])
    score = xf.RFMScorer(weights=learned).fit_transform(frame)["rfm_score"]
    assert score.between(1, 5).all()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_bins": 21}, "wanted a whole number from 2 to 20"),
        ({"n_bins": 1}, "n_bins is 1"),
        ({"weights": (1, 1)}, "wanted three numbers"),
        ({"weights": (1, -1, 1)}, "none negative"),
        ({"weights": (0, 0, 0)}, "not all zero"),
        ({"weights": (1, float("nan"), 1)}, "wanted three numbers"),
        ({"weights": None}, "wanted three numbers"),
        ({"weights": 3}, "wanted three numbers"),
        ({"weights": {"order_count": 1, "monetary": 1}}, "weights has none for 'recency_days'"),
        (
            {"weights": {"recency": 1, "order_count": 1, "monetary": 1}},
            "weights names 'recency'.*did you mean 'recency_days'",
        ),
        ({"weights": {"recency_days": 1, "order_count": None, "monetary": 1}}, "wanted three numbers"),
        ({"frequency": "monetary"}, "names 'monetary' twice"),
        ({"edges": {"orders": [1]}}, "edges names 'orders'"),
        ({"scores": [1, 2]}, "has 2 entries, but there are 5 bins"),
        ({"recency": 3}, "wanted column names"),
    ],
)
def test_wrong_parameters_are_sentences(parameters, words):
    with pytest.raises(ParameterError, match=words):
        xf.RFMScorer(**parameters).fit(table())


def test_wrong_frames_are_sentences():
    with pytest.raises(InputError, match="no column 'recency_days'; did you mean 'recency'"):
        xf.RFMScorer().fit(table().rename(columns={"recency_days": "recency"}))
    with pytest.raises(InputError, match="column 'monetary' holds infinity in row 3"):
        xf.RFMScorer().fit(table().assign(monetary=[1.0, 2.0, 3.0, np.inf, *range(296)]))
    with pytest.raises(InputError, match="the frame has no rows"):
        xf.RFMScorer().fit(table(0))
