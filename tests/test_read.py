"""Files into tables: what is found out about them, what is converted on request, and what is refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xifen._chinese import Conversions, numbers, period_name
from xifen._read import DataFile
from xifen.errors import InputError, ParameterError


def text_file(folder: Path, *lines: str, encoding: str = "utf-8", name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return path


def workbook(folder: Path, *rows: list[object], title: str = "Sheet", name: str = "data.xlsx") -> Path:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(folder / name)
    return folder / name


def columns(path: Path, *, ids: tuple[str, ...] = (), **options: object) -> dict[str, list[object]]:
    kinds = {key: options.pop(key) for key in ("times", "amounts", "drop") if key in options}
    return DataFile(path, **options).read(ids=ids, **kinds).table.to_pydict()


# What a file is.


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", None), ("utf-8-sig", None), ("gb18030", "as gb18030"), ("utf-16", "as utf-16")],
)
@pytest.mark.parametrize(
    ("separator", "said"), [(",", None), (";", "';' between"), ("\t", "'\\t' between"), ("|", "'|' between")]
)
def test_encoding_and_delimiter_are_found_and_reported(tmp_path, encoding, found, separator, said):
    path = text_file(
        tmp_path, separator.join(["编号", "名称"]), separator.join(["001", "张三，采购"]), encoding=encoding
    )
    file = DataFile(path)
    assert file.read(ids=["编号"]).table.to_pydict() == {"编号": ["001"], "名称": ["张三，采购"]}
    if found or said:
        assert all(part in file.findings for part in (found, said) if part)
        assert "encoding= and delimiter= decide otherwise" in file.findings
    else:
        assert file.findings is None


def test_bytes_that_only_could_be_gb18030_are_not_guessed(tmp_path):
    path = text_file(tmp_path, "id,name", "1,Müller", "2,Grüße", "3,Café à Nîmes", encoding="cp1252")
    with pytest.raises(InputError, match="neither UTF-8 nor plain Chinese text in GB18030; name its encoding"):
        DataFile(path).read()
    assert columns(path, encoding="cp1252")["name"] == ["Müller", "Grüße", "Café à Nîmes"]
    path.write_bytes(b"id,name\n1,\xff\xfe\xfd\n")
    with pytest.raises(InputError, match="name its encoding"):
        DataFile(path).read()


def test_a_wrong_encoding_gives_no_replacement_characters(tmp_path):
    path = text_file(tmp_path, "id,name", "1,张三", encoding="gb18030")
    with pytest.raises(InputError, match=r"is not utf-8 .*name its encoding by encoding='gb18030', 'big5' or 'cp1252'"):
        DataFile(path, encoding="utf-8").read()
    with pytest.raises(InputError, match="is not ascii"):
        DataFile(path, encoding="ascii").read()


def test_commas_in_another_delimiter_do_not_mislead(tmp_path):
    path = text_file(tmp_path, "id;amount", '1;"2,5"', '2;"1,000,5"')
    assert DataFile(path).separator == ";"
    assert DataFile(text_file(tmp_path, "id", "1", "2")).separator == ","


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"PAR1....", "begins like parquet"),
        ("a.csv", b"PK\x03\x04...", "begins like a workbook"),
        ("a.parquet", b"id,x\n1,2\n", "cannot be read as parquet, for it begins like text"),
        ("a.xlsx", b"id,x\n1,2\n", "begins like text; save its sheet as csv or parquet, or give it the ending"),
        ("a.xlsx", b"PK\x03\x04 cut short", "cannot be read as a workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0 cut short", "cannot be read as a workbook"),
        ("a.parquet", b"PAR1 cut short", "cannot be read as parquet"),
    ],
)
def test_a_file_that_is_not_what_its_ending_says(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        DataFile(tmp_path / name).read()


def test_columns_that_are_missing_or_twice(tmp_path):
    path = text_file(tmp_path, "id,name,name", "1,2,3")
    with pytest.raises(InputError, match="has 2 columns 'name'"):
        DataFile(path).read()
    path = text_file(tmp_path, "id,nmae", "1,2")
    with pytest.raises(InputError, match="no column 'name'; did you mean 'nmae'"):
        DataFile(path).read(["name"])
    with pytest.raises(InputError, match="Name yours by columns="):
        DataFile(path).read(["wholly else"])
    with pytest.raises(InputError, match="no column 'x'"):
        DataFile(workbook(tmp_path, ["id"], ["1"])).read(["x"])


def test_an_unnamed_column_and_one_that_is_dropped_are_not_read(tmp_path):
    assert columns(text_file(tmp_path, "id,phone,", "1,2,3"), ids=("id",), drop=["phone"]) == {"id": ["1"]}


def test_a_long_value_and_hostile_ones(tmp_path):
    long = "x" * 3_000_000
    path = text_file(tmp_path, "id,note", f'1,"{long}"', '2,"<script>\n</script>"', "3,=1+1", "4,\x00\u202e")
    assert columns(path, ids=("id",))["note"] == [long, "<script>\n</script>", "=1+1", "\x00\u202e"]


# Kinds of columns.


def test_what_columns_become(tmp_path):
    path = text_file(
        tmp_path,
        "id,count,code,share,known,day,text,empty,stamp",
        "001,5,01,0.5,true,2024-01-15,NA,,2024-01-15 08:00",
        "1e3,,02,.25,FALSE,,-3 apples,,",
        "NA,-12,10,1e3,,2024-02-29,,,",
    )
    table = DataFile(path).read(ids=["id"]).table
    assert table.to_pydict() == {
        "id": ["001", "1e3", "NA"],
        "count": [5, None, -12],
        "code": ["01", "02", "10"],
        "share": [0.5, 0.25, 1000.0],
        "known": [True, False, None],
        "day": [dt.date(2024, 1, 15), None, dt.date(2024, 2, 29)],
        "text": ["NA", "-3 apples", None],
        "empty": [None, None, None],
        "stamp": ["2024-01-15 08:00", None, None],
    }
    assert columns(text_file(tmp_path, "x,y", "2024-02-30,1234567890123456"))["x"] == ["2024-02-30"]
    assert columns(text_file(tmp_path, "x,y", "., +"))["x"] == ["."]


def test_amounts_must_be_numbers(tmp_path):
    path = text_file(tmp_path, "amount", "5", "¥5")
    with pytest.raises(InputError, match=r"'¥5' in row 1, which is no number.*chinese=True"):
        DataFile(path).read(amounts=["amount"])
    assert columns(path, amounts=["amount"], chinese=True) == {"amount": [5.0, 5.0]}
    with pytest.raises(InputError, match=r"'1.234,5' in row 0.*with a decimal point and without thousands separators"):
        DataFile(text_file(tmp_path, "amount", '"1.234,5"')).read(amounts=["amount"])
    with pytest.raises(InputError, match="'five' in row 0"):
        DataFile(text_file(tmp_path, "amount", "five"), chinese=True).read(amounts=["amount"])


def test_parquet_keeps_its_kinds(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"id": [1, 2], "day": pd.to_datetime(["2024-01-01", None]), "x": [1.5, None]}).to_parquet(path)
    assert columns(path, ids=("id",)) == {
        "id": ["1", "2"], "day": [pd.Timestamp(2024, 1, 1), None], "x": [1.5, None],
    }  # fmt: skip
    assert DataFile(path).read(ids=["id"], text_ids=False).table["id"].to_pylist() == [1, 2]


@pytest.mark.parametrize("ids", [[1.0, 1.5], [1.0, 2.0**53], [1.0, -(2.0**60)]])
def test_float_ids_that_lost_digits_are_refused(tmp_path, ids):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"id": ids}).to_parquet(path)
    with pytest.raises(InputError, match=r"in row 1, which is no id \(floats lose digits"):
        DataFile(path).read(ids=["id"])
    pd.DataFrame({"id": [1.0, None, 2.0**53 - 1]}).to_parquet(path)
    assert columns(path, ids=("id",))["id"] == ["1", None, "9007199254740991"]


def test_workbooks(tmp_path):
    path = workbook(
        tmp_path,
        ["编号", "日期", "金额", "备注", "在用"],
        ["001", pd.Timestamp(2024, 1, 15), 12.5, "=1+1x", True],
        [17, None, 3, None, False],
        [],
        ["A-3", pd.Timestamp(2024, 2, 29), None, 5, None],
    )
    table = DataFile(path).read(ids=["编号"], times=["日期"], amounts=["金额"]).table
    assert table["编号"].to_pylist() == ["001", "17", "A-3"]
    assert table["日期"].to_pylist() == [dt.date(2024, 1, 15), None, dt.date(2024, 2, 29)]
    assert table["金额"].to_pylist() == [12.5, 3.0, None]
    assert table["在用"].to_pylist() == [True, False, None]
    with pytest.raises(InputError, match=r"no sheet 'Shet'; it has: .*; did you mean 'Sheet'"):
        DataFile(path, sheet="Shet").read()
    assert "line 5 of the file" in DataFile(path)._with_lines("in row 2")
    with pytest.raises(InputError, match="no first line"):
        DataFile(workbook(tmp_path, [])).read()


def test_ids_of_workbooks_keep_15_digits(tmp_path):
    with pytest.raises(InputError, match=r"in row 0, which is no id \(Excel keeps 15 digits"):
        DataFile(workbook(tmp_path, ["id"], [1234567890123456])).read(ids=["id"])
    assert columns(workbook(tmp_path, ["id"], [123456789012345]), ids=("id",)) == {"id": ["123456789012345"]}


def test_days_as_excel_counts_them_only_on_request(tmp_path):
    path = workbook(tmp_path, ["day"], [45306], [45306.75])
    with pytest.raises(InputError, match="holds numbers; if they are the days Excel counts"):
        DataFile(path).read(times=["day"])
    days = columns(path, times=["day"], dates="excel")["day"]
    assert days == [pd.Timestamp(2024, 1, 15), pd.Timestamp(2024, 1, 15, 18)]
    for wrong in ("0", "60", "2958466", "-1", "soon"):
        with pytest.raises(InputError, match="no date of the form 'excel'"):
            DataFile(text_file(tmp_path, "day", wrong), dates="excel").read(times=["day"])


# Chinese tables.


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12万", 120_000.0), ("1.2亿", 120_000_000.0), ("12.34万", 123_400.0), ("3千", 3_000.0), ("1.5百万", 1_500_000.0),
        ("¥5,000.00", 5_000.0), ("￥５，０００．５", 5_000.5), ("5000元", 5_000.0), ("12万元", 120_000.0), ("-¥1,234", -1_234.0),
        ("¥-1,234", -1_234.0), ("30%", 0.3), ("0.1％", 0.001), ("1.2E+05", 120_000.0), ("０．３", 0.3), ("+7", 7.0), (".5", 0.5),
        ("2万亿", 2e12), ("1,234,567.89", 1_234_567.89),
    ],
)  # fmt: skip
def test_numbers(text, value):
    assert numbers(pa.array([text, None]), "x", Conversions()).to_pylist() == [value, None]


@pytest.mark.parametrize(
    "text", ["", "元", "¥", "1,23", "12,3456", "万", "1.2.3", "$5", "5万5", "007", "1 2", "%", "十", "（5）"]
)
def test_what_is_no_number(text):
    assert numbers(pa.array(["5", text]), "x", Conversions()) is None


@given(st.integers(-(10**12), 10**12), st.sampled_from(["", "万", "亿"]), st.integers(0, 4))
@settings(max_examples=50, deadline=None)
def test_units_round_once(whole, unit, places):
    text = f"{'-' if whole < 0 else ''}{abs(whole) // 10**places}" + (
        f".{abs(whole) % 10**places:0{places}d}" if places else ""
    )
    power = {"": 0, "万": 4, "亿": 8}[unit]
    assert numbers(pa.array([text + unit]), "x", Conversions()).to_pylist() == [float(f"{text}e{power}")]


def test_conversions_are_counted_with_their_first_row(tmp_path):
    path = text_file(
        tmp_path,
        '"订单编号\t","金额","毛利率","备注","老客户"',
        '"=""0017""","-","30%","无","是"',
        '"18\t","12万","５％","好\t","否"',
        '"19","1,200","-","=1+1","-"',
    )
    read = DataFile(path, chinese=True).read(ids=["订单编号"], amounts=["金额"])
    assert read.table.to_pydict() == {
        "订单编号": ["0017", "18", "19"],
        "金额": [None, 120_000.0, 1_200.0],
        "毛利率": [0.3, 0.05, None],
        "备注": [None, "好", "=1+1"],
        "老客户": [True, False, None],
    }
    found = {(row[0], row[1]): (row[2], row[3]) for row in read.conversions.to_numpy().tolist()}
    assert found == {
        ("订单编号", "formula_text"): (1, 0), ("订单编号", "trailing_tab"): (1, 1),
        ("金额", "missing_word"): (1, 0), ("金额", "thousands_separator"): (1, 2), ("金额", "unit"): (1, 1),
        ("毛利率", "missing_word"): (1, 2), ("毛利率", "full_width"): (1, 1), ("毛利率", "percent"): (2, 0),
        ("备注", "missing_word"): (1, 0), ("备注", "trailing_tab"): (1, 1),
        ("老客户", "missing_word"): (1, 2), ("老客户", "yes_no"): (2, 0),
    }  # fmt: skip


def test_nothing_is_converted_unless_asked(tmp_path):
    path = text_file(tmp_path, "id,x,y,金额(万元)", '"=""1""",12万,30%,5')
    read = DataFile(path).read(ids=["id"])
    assert read.table.to_pydict() == {"id": ['="1"'], "x": ["12万"], "y": ["30%"], "金额(万元)": [5]}
    assert read.conversions.empty


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("金额(万元)", 10_000),
        ("金额（万元）", 10_000),
        ("年采购额万元", 10_000),
        ("金额(元)", 1),
        ("金额", 1),
        ("规模[亿元]", 10**8),
        ("额_千元", 1000),
    ],
)
def test_units_are_read_from_the_name_of_the_column(tmp_path, name, factor):
    for path in (text_file(tmp_path, name, "5", "2.5"), workbook(tmp_path, [name], [5], [2.5])):
        assert columns(path, chinese=True)[name] == [5 * factor, 2.5 * factor]


def test_a_unit_in_two_places_is_refused(tmp_path):
    with pytest.raises(InputError, match="'5万' in row 1, and its own name says 万元 already"):
        DataFile(text_file(tmp_path, "金额(万元)", "5", "5万"), chinese=True).read()


def test_a_factor_of_10_000_warns(tmp_path):
    path = text_file(tmp_path, "金额", *["12万", "15万", "9万"], *["11", "14", "8"])
    with pytest.warns(UserWarning, match="around 10,000 times the 3 without; are those in 万元"):
        assert columns(path, chinese=True)["金额"][:4] == [120_000.0, 150_000.0, 90_000.0, 11.0]
    columns(text_file(tmp_path, "金额", "12万", "15万", "9万", "110000", "140000", "80000"), chinese=True)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2024/1/15", "%Y/%m/%d"), ("2024.1.15", "%Y.%m.%d"), ("2024年1月15日", "%Y年%m月%d日"), ("20240115", "%Y%m%d"),
        ("２０２４年１月１５日", "%Y年%m月%d日"), ("45306", "excel"), ("2024-01-15", "%Y-%m-%d"),
    ],
)  # fmt: skip
def test_dates_by_a_format_that_is_given(tmp_path, text, form):
    path = text_file(tmp_path, "day,n", f"{text},1", ",2")
    read = DataFile(path, dates=form, chinese=True).read(times=["day"])
    assert read.table["day"].to_pylist() == [dt.date(2024, 1, 15), None]
    assert read.conversions["conversion"].tolist()[-1] == "date"
    assert columns(path, dates={"day": form})["day"] == [dt.date(2024, 1, 15), None]
    with pytest.raises(InputError, match="'11月20日' in row 0, which is no date"):
        DataFile(text_file(tmp_path, "day", "11月20日"), dates=form).read(times=["day"])


def test_a_format_finds_its_other_columns_and_a_wrong_one_is_said(tmp_path):
    path = text_file(tmp_path, "a,b,c", "2024年1月15日 08:30,2024年1月15日 09:00,x", "2024年1月16日 00:00,,y")
    table = columns(path, times=["a"], dates="%Y年%m月%d日 %H:%M")
    assert table["b"] == [pd.Timestamp(2024, 1, 15, 9), None]
    assert table["c"] == ["x", "y"]
    with pytest.raises(ParameterError, match="'%Q' cannot be used"):
        DataFile(path, dates="%Q").read(times=["a"])


def test_quarters_and_half_years_have_names():
    assert [period_name(dt.date(2026, month, 1), "quarter") for month in (1, 4, 9, 12)] == [
        "2026年第一季度", "2026年第二季度", "2026年第三季度", "2026年第四季度",
    ]  # fmt: skip
    assert period_name(dt.date(2026, 7, 1), "half_year") == "2026年下半年"
    assert period_name(dt.date(2026, 12, 31), "quarter", "en") == "2026 Q4"


def test_yen_signs_do_not_hide_gb18030(tmp_path):
    path = text_file(tmp_path, "客户,金额", *[f"客户{n},¥{n}.00" for n in range(1, 9)], encoding="gb18030")
    assert columns(path, chinese=True)["客户"][:2] == ["客户1", "客户2"]


def test_the_cell_that_is_no_number_is_named_not_one_that_is(tmp_path):
    path = text_file(tmp_path, "id,amount", "1,¥5", "2,1.2万", "3,约三千")
    with pytest.raises(InputError, match="'约三千' in row 2, which is no number"):
        DataFile(path, chinese=True).read(ids=["id"], amounts=["amount"])


@pytest.mark.parametrize(
    ("chinese", "words", "amounts"),
    [
        (
            True,
            ["5", "约三千", "1.2万", "NA", "-", "7e3", "twelve", "¥1,234.50"],
            [5, None, 12_000, None, None, 7e3, None, 1234.5],
        ),
        (False, ["5.", "约三千", ".5", "NA", "", "-7E3", "1,2", "12"], [5, None, 0.5, None, None, -7e3, None, 12]),
    ],
)
def test_amounts_that_are_no_numbers_are_missing_on_request(tmp_path, chinese, words, amounts):
    path = text_file(tmp_path, "id;amount", *(f"{place};{word}" for place, word in enumerate(words)))
    read = DataFile(path, chinese=chinese).read(ids=["id"], amounts=["amount"], invalid="drop")
    assert read.table["amount"].to_pylist() == amounts
    found = read.conversions.set_index("conversion").loc["unreadable"]
    assert found.tolist() == ["amount", 2, 1]


def test_a_wrong_encoding_is_a_sentence_while_errors_are_told(tmp_path):
    path = text_file(tmp_path, "客户,金额", "甲,5", encoding="gb18030")
    file = DataFile(path, encoding="utf-8")
    with pytest.raises(InputError, match=r"is not utf-8.*name its encoding"), file.naming_lines():
        file.read(ids=["客户"], amounts=["金额"])
