"""Matrices of two measures: cells against sales practice, every size, every way to be wrong."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xifen as xf

#: The 3x3 of value by potential: code, zh, key, investment. Practice names star, cash cow, potential and long tail.
CELLS = [
    ("HH", "明星客户", "star", "heaviest"),
    ("HM", "核心客户", "core", "heavy"),
    ("HL", "现金牛客户", "cash_cow", "heavy"),
    ("MH", "成长客户", "growth", "heavy"),
    ("MM", "骨干客户", "mainstay", "moderate"),
    ("ML", "平稳客户", "steady", "moderate"),
    ("LH", "潜力客户", "potential", "moderate"),
    ("LM", "培育客户", "nurture", "moderate"),
    ("LL", "长尾客户", "long_tail", "none"),
]
ENGLISH = ["Star", "Core", "Cash cow", "Growth", "Mainstay", "Steady", "Potential", "Nurture", "Long tail"]
LEVELS = {"heaviest": "最大投入", "heavy": "重点投入", "moderate": "适度投入", "none": "不投入"}
CUTS = {"value": ["< 100000", "< 500000"], "potential": ["< 40", "< 70"]}
PLACES = {"L": (99_999, 39), "M": (100_000, 40), "H": (500_000, 70)}
EVERY_CELL = pd.DataFrame([(PLACES[c[0]][0], PLACES[c[1]][1]) for c, *_ in CELLS], columns=["value", "potential"])


def test_the_preset_has_the_cells_of_practice():
    out = xf.load_preset("matrix.value_potential", bins=CUTS).fit_transform(EVERY_CELL)
    assert out["matrix_cell"].tolist() == [key for _, _, key, _ in CELLS]
    assert out["investment_level"].tolist() == [level for *_, level in CELLS]
    assert out["playbook_key"].tolist() == [f"matrix.{key}" for _, _, key, _ in CELLS]
    zh = xf.load_preset("matrix.value_potential", lang="zh", bins=CUTS).fit_transform(EVERY_CELL)
    assert zh["matrix_cell"].tolist() == zh["matrix_cell"].cat.categories.tolist() == [name for _, name, *_ in CELLS]
    assert zh["investment_level"].tolist() == [LEVELS[level] for *_, level in CELLS]
    assert zh["investment_level"].cat.categories.tolist() == list(LEVELS.values())
    en = xf.load_preset("matrix.value_potential", lang="en", bins=CUTS).fit_transform(EVERY_CELL)
    assert en["matrix_cell"].tolist() == ENGLISH
    assert zh["playbook_key"].tolist() == en["playbook_key"].tolist() == out["playbook_key"].tolist()


def test_two_bins_take_the_corners():
    corners = EVERY_CELL.iloc[[0, 2, 6, 8]]
    matrix = xf.load_preset("matrix.value_potential", bins={"value": ["< 500000"], "potential": [50]})
    out = matrix.fit_transform(corners)
    assert out["matrix_cell"].tolist() == ["star", "cash_cow", "potential", "long_tail"]
    assert matrix.table()["code"].tolist() == ["HH", "HL", "LH", "LL"]
    learned = xf.load_preset("matrix.value_potential", bins=2).fit_transform(corners)
    assert learned["matrix_cell"].tolist() == out["matrix_cell"].tolist()


def test_importance_by_urgency():
    matters = pd.DataFrame({"importance": [9, 9, 1, 1], "urgency": [9, 1, 9, 1]})
    out = xf.load_preset("matrix.importance_urgency", lang="zh").fit_transform(matters)
    assert out["matrix_cell"].tolist() == ["立即处理", "计划处理", "转交处理", "稍后处理"]
    assert "investment_level" not in out
    assert out["playbook_key"].tolist() == ["matter.do_first", "matter.plan", "matter.delegate", "matter.later"]


def test_inputs_may_have_other_names_and_missing_values():
    frame = EVERY_CELL.rename(columns={"value": "monetary_12M"})
    frame["monetary_12M"] = frame["monetary_12M"].astype("Int64")
    frame.loc[2, "monetary_12M"] = pd.NA
    frame["potential"] = frame["potential"].astype(float)
    frame.loc[5, "potential"] = np.nan
    cuts = {"monetary_12M": CUTS["value"], "potential": CUTS["potential"]}
    matrix = xf.load_preset("matrix.value_potential", columns={"value": "monetary_12M"}, bins=cuts)
    for kind in (lambda f: f, pl.from_pandas):
        out = matrix.fit(kind(frame)).transform(kind(frame))
        cells = out["matrix_cell"].to_list() if isinstance(out, pl.DataFrame) else out["matrix_cell"].tolist()
        wanted = [key for _, _, key, _ in CELLS]
        assert [None if cell is None or cell != cell else cell for cell in cells] == [  # noqa: PLR0124
            None if row in (2, 5) else key for row, key in enumerate(wanted)
        ]


@pytest.mark.parametrize(("across", "down"), [(2, 2), (2, 3), (4, 3), (5, 5), (11, 2)])
def test_any_size_places_rows_as_a_binner_does(across: int, down: int):
    rng = np.random.default_rng(across)
    frame = pd.DataFrame({"a": rng.gamma(2, 100, 500), "b": rng.normal(size=500)})
    out = xf.SegmentMatrix(rows="a", columns="b", bins={"a": across, "b": down}).fit_transform(frame)
    bins = xf.Binner({"a": across, "b": down}).fit_transform(frame)
    letters = {2: "LH", 3: "LMH"}
    between = "-" if max(across, down) > 9 else ""
    name = [
        [letters[size][int(bin_) - 1] if size in letters else str(bin_) for bin_ in bins[axis]]
        for axis, size in (("a", across), ("b", down))
    ]
    assert out["matrix_cell"].tolist() == [f"{row}{between}{column}" for row, column in zip(*name, strict=True)]
    assert len(out["matrix_cell"].cat.categories) == across * down


def test_cells_may_be_plain_names_and_share_them():
    cells = {"HH": "invest", "HL": "hold", "LH": "invest", "LL": "leave"}
    matrix = xf.SegmentMatrix(rows="value", columns="potential", bins=2, cells=cells, output={"matrix_cell": "plan"})
    out = matrix.fit_transform(EVERY_CELL)
    assert out["plan"].cat.categories.tolist() == ["invest", "hold", "leave"]
    assert list(out.columns) == matrix.get_feature_names_out().tolist() == ["value", "potential", "plan"]


def test_cuts_are_kept_and_taken_over():
    matrix = xf.SegmentMatrix(rows="value", columns="potential", bins=3, cells="matrix.value_potential").fit(EVERY_CELL)
    wanted = matrix.transform(EVERY_CELL)
    same = xf.SegmentMatrix(rows="value", columns="potential", bins=matrix.bin_edges_, cells="matrix.value_potential")
    pd.testing.assert_frame_equal(same.fit(EVERY_CELL[:4]).transform(EVERY_CELL), wanted)
    restored = xf.SegmentMatrix.from_json(same.to_json())
    pd.testing.assert_frame_equal(restored.transform(EVERY_CELL), wanted)
    assert matrix.edges_table()["column"].tolist() == ["value", "value", "potential", "potential"]


ALL = {"".join(code): "x" for code in itertools.product("HL", repeat=2)}


@pytest.mark.parametrize(
    ("parameters", "failure", "words"),
    [
        ({"bins": 1}, xf.errors.ParameterError, "bins is 1 for"),
        ({"bins": 2.5}, xf.errors.ParameterError, "bins is 2.5 for"),
        ({"bins": ["< x"]}, xf.errors.ParameterError, 'holds "< x"'),
        ({"bins": {"valeu": 2}}, xf.errors.ParameterError, "did you mean 'value'"),
        ({"bins": 2, "cells": {"HH": "x"}}, xf.errors.ParameterError, "says nothing of 'HL'; wanted HH, HL, LH, LL"),
        ({"bins": 2, "cells": ALL | {"HX": "y"}}, xf.errors.ParameterError, "names 'HX', which is no cell"),
        ({"bins": 3, "cells": ALL | {"H4": "y"}}, xf.errors.ParameterError, "'H4', which is no cell"),
        ({"bins": 2, "cells": ALL | {"HH": {"zh": "甲"}}}, xf.errors.ParameterError, "has no key"),
        ({"bins": 2, "cells": ALL | {"HH": {"key": "x", "nmae": "y"}}}, xf.errors.ParameterError, "names 'nmae'"),
        ({"bins": 2, "cells": ALL | {"HH": 3}}, TypeError, "must be a name or a mapping"),
        ({"cells": ["x"]}, TypeError, "cells must be a mapping"),
        ({"cells": "matrix.value_potental"}, xf.errors.ParameterError, "did you mean 'matrix.value_potential'"),
        ({"bins": 4, "cells": "matrix.value_potential"}, xf.errors.ParameterError, "which is no cell"),
        ({"lang": "fr"}, xf.errors.ParameterError, "lang is 'fr'"),
        ({"columns": "value"}, xf.errors.ParameterError, "names 'value' twice"),
        ({"columns": "growth"}, xf.errors.InputError, "no column 'growth'"),
        ({"output": {"cell": "c"}}, xf.errors.ParameterError, "names 'cell', which is not one of matrix_cell"),
    ],
)
def test_a_wrong_matrix_is_a_sentence_at_fit(parameters, failure, words: str):
    matrix = xf.SegmentMatrix(**{"rows": "value", "columns": "potential", **parameters})
    with pytest.raises(failure, match=words):
        matrix.fit(EVERY_CELL)


def test_presets_refuse_what_they_do_not_know():
    for call, words in [
        (lambda: xf.load_preset("matrix.value_potential", columns={"valu": "x"}), "did you mean 'value'"),
        (lambda: xf.load_preset("matrix.value_potential", reference="mean"), "no parameter of matrix.value_potential"),
        (lambda: xf.load_preset("matrix.value_potential", lang="fr"), "lang is 'fr'"),
    ]:
        with pytest.raises(xf.errors.ParameterError, match=words):
            call()
    with pytest.raises(TypeError, match="expects 'value', 'potential'"):
        xf.load_preset("matrix.value_potential").fit(np.ones((3, 2)))
