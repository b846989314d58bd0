"""The workbook: real types, text that calculates nothing, whole or not at all."""

from __future__ import annotations

import errno
import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xifen as xf
from customers import WHOLE
from python_calamine import CalamineWorkbook
from xifen.errors import ParameterError, XifenError
from xifen.report.excel import write, write_table

# openpyxl, the other reader here, does not know the newer kind of data bars.
pytestmark = pytest.mark.filterwarnings("ignore:.*xtension is not supported")

#: With what was to be done, as it was printed.
TABLE = WHOLE.assign(strategy=["专属客户经理+季度拜访", "推送案例资料+优惠券", "回归礼+流失原因调研"])


def rows_of(path: Path, sheet: int = 0) -> list[list[object]]:
    """What another reader sees."""
    with CalamineWorkbook.from_path(path) as book:
        return book.get_sheet_by_index(sheet).to_python()


def made(path: Path, table: object, **options: object) -> object:
    write_table(table, path, **options)
    return openpyxl.load_workbook(path)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_published_rows(tmp_path, lang):
    table, notes = xf.management_table(TABLE, lang, return_notes=True)
    sheet = made(tmp_path / "a.xlsx", table, lang=lang, notes=notes).active
    zh = lang == "zh"
    assert sheet.title == ("客户细分管理表" if zh else "Customers")
    rows = list(sheet.iter_rows(values_only=True))
    assert list(rows[0]) == table.columns.tolist()
    grades, types = (
        ("高中低", ["高价值忠实客户", "潜力开发客户", "流失风险客户"])
        if zh
        else (["High", "Middle", "Low"], ["High-value loyal", "Potential to develop", "Churn risk"])
    )
    for row, days, count, average, place in zip(rows[1:], [(2024, 1, 15), (2023, 11, 20), (2023, 8, 10)], [12, 3, 1], [5_000, 800, 1_200], range(3), strict=True):  # fmt: skip
        published = TABLE.iloc[place]
        assert row == (
            published["customer_id"], published["name"], published["industry"], None, pd.Timestamp(*days), count, average,
            published["need_type"], grades[place], types[place], published["strategy"], published["notes"],
        )  # fmt: skip


def test_cells_have_real_types_and_formats(tmp_path):
    table, notes = xf.management_table(TABLE, return_notes=True)
    sheet = made(tmp_path / "a.xlsx", table, notes=notes).active
    kinds = [cell.data_type for cell in sheet[2]]
    assert kinds == ["s", "s", "s", "n", "d", "n", "n", "s", "s", "s", "s", "s"]  # a cell of nothing counts as "n"
    assert sheet["E2"].number_format == "yyyy-mm-dd"
    assert sheet["F2"].number_format.startswith("#,##0")
    assert sheet["A2"].number_format == "@"
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:L4"
    assert sheet["G1"].comment.text == "平均每单金额"
    assert sheet["D1"].comment.text == "默认不显示联系方式"
    bars = [
        str(area.sqref) for area in sheet.conditional_formatting if any(rule.type == "dataBar" for rule in area.rules)
    ]
    assert bars == ["F2:F4", "G2:G4"]
    widths = {name: dimension.width for name, dimension in sheet.column_dimensions.items()}
    assert widths["K"] > 20  # ten Chinese characters take twenty cells
    assert widths["H"] < 25


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+86 138", "-5", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", '=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0", "{=1}", "http://x"],
)  # fmt: skip
def test_text_never_becomes_a_formula(tmp_path, text):
    book = made(tmp_path / "a.xlsx", pd.DataFrame({"名称": [text, "b"], "备注": ["c", text]}))
    cell = book.active["A2"]
    assert cell.data_type == "s"
    assert cell.quotePrefix is (text[0] in "=+-@\t\r＝")
    assert book.active["B3"].value.replace("_x000D_", "\r") == text
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        xml = "".join(parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/"))
    assert "<f>" not in xml
    assert "hyperlink" not in xml.lower().replace("=hyperlink", "")


def test_hostile_texts_in_every_text_field(tmp_path):
    hostile = [
        "<script>alert(1)</script>", "</t></is></c>", "<r><t>x</t></r>", "<r>", "&amp;", "a\x00b", "\ufffe\uffff", "\u202ename", "_x0041_",
        "x" * 10_000_000, "😀" * 20_000, "x" * 32_767, "a\nb", " ", "", None,
    ]  # fmt: skip
    table = pd.DataFrame(dict.fromkeys(("id", "名称<&>", "=header"), hostile), dtype=object)
    book = made(tmp_path / "a.xlsx", table, lang="en")
    sheet = book["Customers"]
    assert [cell.value for cell in sheet[1]] == ["id", "名称<&>", "=header"]
    seen = [row[1] for row in sheet.iter_rows(min_row=2, values_only=True)]
    seen += [None] * (len(hostile) - len(seen))
    assert seen[:2] == hostile[:2]
    assert seen[2].strip() == hostile[2]
    assert seen[3:9] == [
        "<r>",
        "&amp;",
        "ab",
        None,
        "\u202ename",
        "_x005F_x0041_",
    ]  # Excel reads the escape back, openpyxl shows it
    assert len(seen[9]) == 32_767
    assert seen[9].endswith("x…")
    assert len(seen[10].encode("utf-16-le")) <= 2 * 32_767
    assert seen[10].rstrip("…") == "😀" * (len(seen[10]) - 1)
    assert seen[11:14] == ["x" * 32_767, "a\nb", " "]
    notices = [row[0] for row in book["Notices"].iter_rows(values_only=True)]
    assert "6 cells are longer than 32,767 characters; they are cut and end with …" in notices
    assert "6 cells held control characters that a workbook cannot keep; they are left out" in notices


def test_columns_of_every_kind(tmp_path):
    table = pd.DataFrame(
        {
            "whole": [1, 2**52], "large": [2**60, 1], "float": [np.nan, np.inf], "share": pd.array([1, None], "Int64"),
            "truth": pd.array([True, None], "boolean"), "category": pd.Categorical(["b", None]), "list": [["a", "b"], None],
            "time": pd.to_datetime(["2024-01-15 08:30", None]), "zone": pd.to_datetime(["2024-01-15 23:30", None]).tz_localize("Asia/Shanghai"),
            "old": pd.to_datetime(["1850-05-01", "2024-01-15"]), "mixed": ["a", 1], "none": [None, None],
        }
    )  # fmt: skip
    sheet = made(tmp_path / "a.xlsx", table).active
    first, second = (list(row) for row in sheet.iter_rows(min_row=2, values_only=True))
    assert first == [
        1, "1152921504606846976", None, 1, "是", "b", "a; b", pd.Timestamp(2024, 1, 15, 8, 30), pd.Timestamp(2024, 1, 15, 23, 30),
        "1850-05-01", "a", None,
    ]  # fmt: skip
    assert second == [2**52, "1", None, None, None, None, None, None, None, "2024-01-15", "1", None]


@pytest.mark.parametrize("kind", [pl.from_pandas, lambda frame: pa.Table.from_pandas(frame, preserve_index=False)])
def test_other_frames(tmp_path, kind):
    table = kind(xf.management_table(TABLE))
    assert rows_of(write_table(table, tmp_path / "a.xlsx"))[1][0] == "001"


def test_rows_made_by_column_are_those_of_the_frame(tmp_path):
    """More rows than one piece, more columns than the alphabet has letters, texts that XML or Excel read otherwise."""
    rows = 20_003
    texts = ["a&b<c>", "_x0041_", "\r=1", " lead ", "x\ny", "😀", "=1", None]
    table = pd.DataFrame({f"t{n}": texts[n % 8 :] + texts[: n % 8] for n in range(28)})
    table = table.sample(rows, replace=True, random_state=0)
    table["n"] = np.arange(rows) / 7
    seen = rows_of(write_table(table, tmp_path / "a.xlsx"))
    assert seen[0] == table.columns.tolist()
    read = pd.DataFrame(seen[1:], columns=seen[0])
    pd.testing.assert_frame_equal(
        read, table.astype(object).where(table.notna(), "").reset_index(drop=True), check_dtype=False
    )


def test_no_rows_and_one_row(tmp_path):
    table = xf.management_table(TABLE)
    assert len(rows_of(write_table(table[:0], tmp_path / "a.xlsx"))) == 1
    assert len(rows_of(write_table(table[:1], tmp_path / "a.xlsx"))) == 2


def test_more_rows_than_a_sheet_holds(tmp_path):
    table = pd.DataFrame({"id": [f"{n:03d}" for n in range(7)]})
    with pytest.warns(UserWarning, match="7 customers stand on 3 sheets"):
        book = made(tmp_path / "a.xlsx", table, lang="en", rows_per_sheet=3)
    assert book.sheetnames == ["Customers 1", "Customers 2", "Customers 3", "Notices"]
    parts = [[row[0] for row in book[f"Customers {n}"].iter_rows(values_only=True)] for n in (1, 2, 3)]
    assert parts == [["id", "000", "001", "002"], ["id", "003", "004", "005"], ["id", "006"]]
    assert book["Customers 2"].auto_filter.ref == "A1:A4"
    for wrong in (0, 1_048_576):
        with pytest.raises(ParameterError, match="wanted 1 to 1,048,575"):
            write_table(table, tmp_path / "a.xlsx", rows_per_sheet=wrong)


def test_the_same_input_gives_the_same_bytes(tmp_path):
    table = xf.management_table(TABLE)
    first, second = (write_table(table, tmp_path / name).read_bytes() for name in ("a.xlsx", "b.xlsx"))
    assert first == second


def test_the_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    table = xf.management_table(TABLE)
    path = write_table(table, tmp_path / "a.xlsx")
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("zipfile.ZipFile.write", full)
    with pytest.raises(XifenError, match=r"a\.xlsx cannot be written: no space left on device"):
        write_table(table, path)
    monkeypatch.undo()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("xifen.report.excel._Page.notices", interrupted)  # the rows are written by then
    monkeypatch.setattr("xifen.report._workbook.Workbook.widths", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_table(table, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def test_what_cannot_be_written(tmp_path):
    table = xf.management_table(TABLE)
    with pytest.raises(ParameterError, match=r"a.csv is no name of a workbook; give one that ends with .xlsx"):
        write_table(table, tmp_path / "a.csv")
    with pytest.raises(XifenError, match="cannot be written"):
        write_table(table, tmp_path / "nowhere" / "a.xlsx")
    with pytest.raises(ParameterError, match="lang is 'fr'"):
        write_table(table, tmp_path / "a.xlsx", lang="fr")


def test_without_the_library_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
    with pytest.raises(ParameterError, match=re.escape('pip install "xifen[report]"')):
        write_table(xf.management_table(TABLE), tmp_path / "a.xlsx")


# The workbook of a plan's result.


@pytest.fixture(scope="module")
def crm():
    return xf.datasets.make_crm(400, seed=3)


def result_of(crm: object, preset: str, customers: int = 400) -> object:
    plan = xf.Plan.preset(preset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # playbooks and absent columns are tested elsewhere
        return plan.fit(
            orders=crm.orders[crm.orders["customer_id"] <= customers],
            customers=crm.customers[:customers],
            messages=crm.messages[crm.messages["customer_id"] <= customers],
        )


@pytest.mark.parametrize(("preset", "names"), [("sales.zh", ["客户细分管理表", "摘要", "数据台账", "定义"]), ("sales.en", ["Customers", "Summary", "Ledger", "Definitions"])])  # fmt: skip
def test_the_workbook_of_a_plan(tmp_path, crm, preset, names):
    result = result_of(crm, preset)
    write(result, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == names
    table = rows_of(tmp_path / "a.xlsx")
    assert len(table) == 401
    assert table[0][:12] == xf.management_table(TABLE, result.lang).columns.tolist()
    assert all(row[3] == "" for row in table[1:]), "contacts are not shown unless the plan keeps them"
    summary = [row for row in book[names[1]].iter_rows(values_only=True) if row[0] is not None]
    said = {"zh": ["退货：", "完成度", "销售额"], "en": ["Returns: ", "Attainment", "Revenue"]}[result.lang]
    cells = [str(cell) for row in summary for cell in row]
    assert all(any(cell.startswith(word) for cell in cells) for word in said)
    shared = result.profile(shared=True)
    counts = dict(zip(shared[result.segment], shared["customers"], strict=True))
    written = {row[0]: row[1] for row in summary if row[0] in counts}
    assert written == {label: None if pd.isna(count) else count for label, count in counts.items()}
    ledger = [row for row in book[names[2]].iter_rows(values_only=True) if row[0] is not None]
    assert ledger[2][1] == result.ledger["rows"][0]
    said = {row[0]: row[1] for row in ledger}
    assert said[{"zh": "订单行", "en": "rows of orders"}[result.lang]] == len(crm.orders)
    definitions = [row[0] for row in book[names[3]].iter_rows(values_only=True)]
    assert set(table[0][:12]) <= set(definitions)
    assert set(result.playbook["label"]) <= set(definitions)
    for sheet in book:
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            assert cell.data_type in "snd"
            assert str(cell.value) not in ("nan", "NaT", "None", "<NA>") or cell.value is None


def test_codes_are_in_words(tmp_path, crm):
    """As in the report; what has no word stays as it is."""
    industry = crm.customers["industry"].astype(object)
    customers = crm.customers.assign(industry=industry.where(crm.customers.index > 0, "tulips"))
    plan = xf.Plan.preset("sales.zh")
    result = plan.fit(orders=crm.orders, customers=customers, messages=crm.messages)
    write(result, tmp_path / "a.xlsx")
    header, *rows = rows_of(tmp_path / "a.xlsx")
    column = [row[header.index("所属行业")] for row in rows]
    assert column[0] == "tulips"
    assert {"零售业", "制造业"} <= set(column)
    assert not set(column) & set(crm.customers["industry"])


def test_cells_of_few_customers_are_not_shown(tmp_path, crm):
    result = result_of(crm, "sales.en", customers=30)
    shared = result.profile(shared=True)
    assert shared["customers"].isna().any()
    write(result, tmp_path / "a.xlsx")
    summary = {row[0]: row[1:5] for row in rows_of(tmp_path / "a.xlsx", 1)}
    for label in shared.loc[shared["customers"].isna(), result.segment].dropna():
        assert summary[label] == ["", "", "", ""]
    assert "counts below 5 are not shown in shared tables" in summary


def test_one_customer(tmp_path, crm):
    write(result_of(crm, "retail", customers=1), tmp_path / "a.xlsx")
    assert len(rows_of(tmp_path / "a.xlsx")) == 2
