"""keyword_table against the plainest computation of the same words, pandas' str.count, and bad input."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import FRAMES, ID_KINDS, Log, assert_table
from xifen.errors import InputError, ParameterError

KEYWORDS = {
    "lead_time": ["交期", "交期太长", "交付周期", "交付週期", "lead time"],
    "certification": ["ISO9001", "认证", "認證", "证书"],
    "price": ["价格", "價格", "price", "¥"],
}


def folded(text: str, form: str) -> str:
    text = text if form == "none" else unicodedata.normalize(form.upper(), text)
    return re.sub("[A-Z]+", lambda found: found[0].lower(), text)


def mentions(words: Sequence[str], text: str, form: str) -> int:
    """Try every keyword at every place, the longest first; go on behind the end of what was found."""
    words = sorted((folded(word, form) for word in words), key=len, reverse=True)
    text = folded(text, form)
    count = place = 0
    while place < len(text):
        found = next((word for word in words if text.startswith(word, place)), "")
        count += found != ""
        place += len(found) or 1
    return count


def reference(rows: Sequence[tuple[Any, str | None]], keywords: Mapping[str, Sequence[str]], form: str) -> dict:
    texts: dict[Any, list[str]] = {}
    for customer, text in rows:
        if customer is not None and text is not None:
            texts.setdefault(customer, []).append(text)
    ids = sorted(texts, key=lambda id_: id_.encode() if isinstance(id_, str) else id_)
    table: dict[str, list] = {"customer_id": ids, "message_count": [len(texts[id_]) for id_ in ids]}
    for group, words in keywords.items():
        counts = [[mentions(words, text, form) for text in texts[id_]] for id_ in ids]
        table[f"{group}_count"] = [sum(each) for each in counts]
        table[f"{group}_per_message"] = [sum(each) / len(each) for each in counts]
        table[f"{group}_messages_with"] = [sum(count > 0 for count in each) for each in counts]
    return table


# Letters that contain, continue and change one another under the forms.
LETTERS = st.text("aAbBé\u0301eＡａ，,期交 \u3000ﬁfi1①字\u3099か", min_size=1, max_size=3)
TEXTS = st.text("aAbBé\u0301eＡａ，,期交 \u3000ﬁfi1①字\u3099か。", max_size=20)


@st.composite
def groups(draw: st.DrawFn, form: str) -> dict[str, list[str]]:
    words = st.lists(LETTERS.filter(str.strip), min_size=1, max_size=4, unique_by=lambda word: folded(word, form))
    names = draw(
        st.lists(
            st.sampled_from(
                ["a", "组", "a_count", "x y", '"'],
            ),
            min_size=1,
            max_size=3,
            unique=True,
        )
    )
    return {name: draw(words) for name in names}


@settings(max_examples=150, deadline=None)
@given(data=st.data(), form=st.sampled_from(["nfkc", "nfc", "none"]), kind=st.sampled_from(sorted(FRAMES)))
@pytest.mark.filterwarnings("ignore:rows left out")
def test_counts_are_those_of_the_definition(data: st.DataObject, form: str, kind: str):
    id_type, ids = ID_KINDS[data.draw(st.sampled_from(sorted(ID_KINDS)))]
    row = st.tuples(st.sampled_from([*ids, None]), st.one_of(TEXTS, TEXTS, st.none()))
    rows = data.draw(st.lists(row, min_size=4, max_size=12))
    keywords = data.draw(groups(form))
    names = ("customer_id", "text")
    schema = pa.schema(list(zip(names, (id_type, pa.string()), strict=True)))
    frame = FRAMES[kind](Log([dict(zip(names, values, strict=True)) for values in rows], schema))
    table = xf.keyword_table(frame, keywords=keywords, form=form, invalid="drop")
    assert_table(table, reference(rows, keywords, form))


def test_a_group_counts_as_pandas_counts_its_keywords():
    rng = np.random.default_rng(5)
    pieces = ["交期太长", "交期", "lead time", "Price", "价格", "，", "ok ", "认证", "iso9001", "ISO 9001", "£¥", "x"]
    texts = pd.Series(["".join(rng.choice(pieces, rng.integers(0, 12))) for _ in range(3_000)])
    customers = rng.integers(0, 200, len(texts))
    table = xf.keyword_table(
        {"customer_id": customers, "text": texts.to_numpy(dtype=object)}, keywords=KEYWORDS, form="none"
    )
    for group, words in KEYWORDS.items():
        pattern = "|".join(re.escape(word.lower()) for word in sorted(words, key=len, reverse=True))
        counts = texts.str.lower().str.count(pattern).groupby(customers)
        assert table[f"{group}_count"].tolist() == counts.sum().tolist()
        assert table[f"{group}_per_message"].tolist() == counts.mean().tolist()
        assert table[f"{group}_messages_with"].tolist() == counts.agg(lambda count: (count > 0).sum()).tolist()
        assert table[f"{group}_count"].sum() > 100


def only(text: str, words: Sequence[str], **parameters: Any) -> int:
    table = xf.keyword_table({"customer_id": [1], "text": [text]}, keywords={"it": words}, **parameters)
    return int(table["it_count"].iloc[0])


def test_a_stretch_of_text_is_one_mention():
    assert only("交期太长", ["交期", "交期太长"]) == 1
    assert only("交期太长，交期", ["交期", "交期太长"]) == 2
    assert only("abcd", ["abc", "bcd"]) == 1  # the leftmost
    assert only("abcdX", ["b", "d", "abcdX"]) == 1  # also when found last
    assert only("abcdY", ["b", "d", "abcdX"]) == 2
    assert only("aaaa", ["aa"]) == 2
    assert only("aaaaa", ["a", "aaa"]) == 3


def test_groups_do_not_see_one_another():
    frame = {"customer_id": ["u"], "text": ["交期太长"]}
    table = xf.keyword_table(frame, keywords={"long": ["交期太长"], "lead": ["交期"], "again": ["交期"]})
    assert table[["long_count", "lead_count", "again_count"]].to_numpy().tolist() == [[1, 1, 1]]


def test_the_form_decides_what_is_equal():
    assert only("ＩＳＯ９００１　认证", ["iso9001 认证"]) == 1
    assert only("ＩＳＯ９００１", ["iso9001"], form="nfc") == 0
    assert only("cafe\u0301", ["café"], form="nfc") == 1
    assert only("cafe\u0301", ["café"], form="none") == 0
    assert only("cafe\u0301", ["cafe"]) == 0  # it says é
    assert only("ISO9001", ["iso9001"], form="none") == 1  # case is not the form's
    assert only("STRASSE ÉCOLE", ["straße", "école"]) == 0  # only A to Z fold
    assert only("價格", ["价格"]) == 0
    assert only("價格", ["价格", "價格"]) == 1


def test_a_keyword_is_found_within_a_word_unless_it_says_where_it_ends():
    assert only("underpriced price", ["price"]) == 2
    assert only("underpriced price", [" price"]) == 1


def test_an_empty_text_is_a_message():
    table = xf.keyword_table({"customer_id": [1, 1], "text": ["", "price"]}, keywords=KEYWORDS)
    assert table["message_count"].tolist() == [2]
    assert table["price_per_message"].tolist() == [0.5]


def test_columns_stand_in_the_order_of_the_groups_and_keep_name_and_type_of_the_id():
    messages = pl.DataFrame({"客户": pl.Series(["b", "a"], dtype=pl.Categorical), "说": ["价格", "price price"]})
    table = xf.keyword_table(messages, keywords=dict(reversed(KEYWORDS.items())), customer_id="客户", text="说")
    parts = ("count", "per_message", "messages_with")
    groups_ = ("price", "certification", "lead_time")
    assert table.columns == ["客户", "message_count", *(f"{group}_{part}" for group in groups_ for part in parts)]
    assert table.schema["客户"] == pl.Categorical
    assert table["客户"].to_list() == ["a", "b"]
    assert table.dtypes[1:5] == [pl.Int64, pl.Int64, pl.Float64, pl.Int64]
    floats = pd.DataFrame({"customer_id": [2.0, 1.0, 2.0], "text": ["price", "", "x"]})
    assert xf.keyword_table(floats, keywords=KEYWORDS)["customer_id"].dtype == np.int64


def test_no_message_gives_no_row():
    empty = pl.DataFrame(schema={"customer_id": pl.Int32, "text": pl.String})
    table = xf.keyword_table(empty, keywords=KEYWORDS)
    assert table.shape == (0, 11)
    assert table.schema["customer_id"] == pl.Int32


def test_texts_may_be_categories():
    texts = pd.Categorical(["price", "交期", None, "price"])
    with pytest.warns(UserWarning, match=r"rows left out: 1 row missing_text in column 'text' \(first: row 2\)"):
        table = xf.keyword_table({"customer_id": [1, 1, 1, 2], "text": texts}, keywords=KEYWORDS, invalid="drop")
    assert table["price_count"].tolist() == [1, 1]


def test_threads_and_row_order_do_not_change_a_bit():
    rng = np.random.default_rng(2)
    pieces = np.array(["交期", "lead time", "price ", "价格", "ok ", "认证", "交期太长"], dtype=object)
    frame = pd.DataFrame(
        {
            "customer_id": rng.choice(["a rather long customer name ", "张三"], 20_000)
            + rng.integers(0, 900, 20_000).astype(str).astype(object),
            "text": pieces[rng.integers(0, 7, (20_000, 4))].sum(axis=1),
        }
    )
    one = xf.keyword_table(frame, keywords=KEYWORDS, n_jobs=1)
    pd.testing.assert_frame_equal(one, xf.keyword_table(frame, keywords=KEYWORDS, n_jobs=3), check_exact=True)
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(one, xf.keyword_table(shuffled, keywords=KEYWORDS), check_exact=True)


MESSAGES = pd.DataFrame({"customer_id": ["a", None, "b", "b"], "text": ["x", "y", None, "z"], "amount": [1, 2, 3, 4]})


def test_rows_without_an_id_or_a_text_are_counted():
    complaint = (
        r"rows that cannot be used: 1 row missing_customer_id in column 'customer_id' \(first: row 1\), "
        r"1 row missing_text in column 'text' \(first: row 2\); repair them, or leave them out with invalid='drop'"
    )
    with pytest.raises(InputError, match=complaint):
        xf.keyword_table(MESSAGES, keywords=KEYWORDS)
    with pytest.warns(UserWarning, match="rows left out: 1 row missing_customer_id"):
        table = xf.keyword_table(MESSAGES, keywords=KEYWORDS, invalid="drop")
    assert table["message_count"].tolist() == [1, 1]
    nobody = pl.DataFrame({"customer_id": [None, None], "text": [None, "x"]})
    with pytest.warns(
        UserWarning, match=r"rows left out: 2 rows missing_customer_id in column 'customer_id' \(first: row 0\)"
    ):
        assert len(xf.keyword_table(nobody, keywords=KEYWORDS, invalid="drop")) == 0


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"keywords": {}}, ParameterError, "keywords is empty"),
        ({"keywords": {"price": []}}, ParameterError, "group 'price' has no keyword"),
        ({"keywords": {"price": ["a", ""]}}, ParameterError, "keyword 1 of group 'price' is empty"),
        ({"keywords": {"price": [" \u3000"]}}, ParameterError, "keyword 0 of group 'price' is empty"),
        ({"keywords": {"price": ["ISO", "ｉｓｏ"]}}, ParameterError, "group 'price' has the keyword 'ｉｓｏ' twice"),
        ({"keywords": {"message": ["a"]}}, ParameterError, "'message_count' twice"),
        ({"keywords": {"price": ["\ud800"]}}, ParameterError, "a parameter cannot be read"),
        ({"form": "nfkx"}, ParameterError, "form is 'nfkx'; wanted 'nfkc', 'nfc' or 'none'; did you mean 'nfkc'"),
        ({"invalid": "ignore"}, ParameterError, "invalid is 'ignore'; wanted 'raise' or 'drop'"),
        ({"n_jobs": 0}, ParameterError, "n_jobs is 0"),
        ({"form": None}, TypeError, "form is None; wanted text"),
        ({"keywords": ["price"]}, TypeError, "wanted a mapping"),
        ({"keywords": {"price": "price"}}, TypeError, "wanted a list"),
        ({"keywords": {"price": None}}, TypeError, "wanted a list"),
        ({"keywords": {"price": [1]}}, TypeError, "group 'price' has the keyword 1; a keyword is text"),
        ({"keywords": {1: ["price"]}}, TypeError, "the name of a group is text"),
        ({"keywords": {"": ["price"]}}, ParameterError, "a group of keywords has no name"),
        ({"text": "txt"}, InputError, "has no column 'txt'; did you mean 'text'"),
        ({"text": "amount"}, InputError, "column 'amount' holds whole numbers; wanted text"),
        ({"text": ["text"]}, TypeError, "a column name must be text"),
    ],
)
def test_what_cannot_be_used_is_named(parameters: dict[str, Any], error: type[Exception], words: str):
    good = MESSAGES.dropna()
    with pytest.raises(error, match=re.escape(words)):
        xf.keyword_table(good, **{"keywords": KEYWORDS, **parameters})


def test_an_id_column_with_the_name_of_an_added_column_is_refused():
    frame = {"price_count": [1], "text": ["price"]}
    with pytest.raises(InputError, match="the id column is called 'price_count'"):
        xf.keyword_table(frame, keywords=KEYWORDS, customer_id="price_count")


def test_the_id_may_be_the_text():
    table = xf.keyword_table({"name": ["price", "x"]}, keywords=KEYWORDS, customer_id="name", text="name")
    assert table["price_count"].tolist() == [1, 0]


def test_many_keywords_long_texts_and_every_character_are_read():
    words = [f"word {number} " for number in range(15_000)]
    texts = ["word 7 word 14999 " + "好" * 200_000, "".join(map(chr, range(32, 0xD800))) + "word 3 "]
    table = xf.keyword_table({"customer_id": [1, 2], "text": texts}, keywords={"words": words})
    assert table["words_count"].tolist() == [2, 1]
    assert json.loads(table.to_json())["words_count"] == {"0": 2, "1": 1}
