"""The command line, called as a person calls it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from command_line import RETURNER, cdnow_file, log_of, refused, xifen
from xifen.cli import main
from xifen.cli._command import with_options


def test_the_installed_command_runs(tmp_path: Path):
    command = [sys.executable, "-m", "xifen", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert "segment" in done.stdout


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    return cdnow_file(tmp_path)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_demo(tmp_path: Path, lang: str):
    done = xifen("demo", "--lang", lang, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert {"en": "Champions", "zh": "冠军客户"}[lang] in done.stdout
    for words in ("69,659", "23,570", "recency_days"):
        assert words in done.stdout
    written = pd.read_csv(tmp_path / "segments.csv", encoding="utf-8-sig")
    assert len(written) == 23_570
    assert written["segment"].notna().all()
    assert abs(written["monetary"].sum() - 2_500_315.63) < 0.005


def test_segment_keeps_ids_as_text(orders: Path):
    done = xifen("segment", orders, "--as-of", "1998-06-30", cwd=orders.parent)
    assert done.returncode == 0, done.stderr
    written = pd.read_csv(orders.parent / "segments.csv", dtype={"customer_id": str}, encoding="utf-8-sig")
    assert written["customer_id"].iloc[0] == "00001"


def test_segment_reads_and_writes_parquet(orders: Path):
    parquet = orders.with_suffix(".parquet")
    pd.read_csv(orders, dtype={"customer_id": str}).to_parquet(parquet)
    done = xifen("segment", parquet, "--as-of", "max", "--out", "out.parquet", cwd=orders.parent)
    assert done.returncode == 0, done.stderr
    assert pd.read_parquet(orders.parent / "out.parquet")["segment"].notna().all()


def test_other_names_delimiters_and_encodings(tmp_path: Path):
    path = tmp_path / "订单.csv"
    lines = ["客户;日期;金额", *(f"张{n % 7};0{n % 9 + 1}/03/2024;{n}.5" for n in range(60))]
    path.write_text("\n".join(lines), encoding="gb18030")
    options = ["--customer", "客户", "--timestamp", "日期", "--amount", "金额", "--as-of", "2024-12-31"]
    full = [*options, "--delimiter", ";", "--encoding", "gb18030", "--date-format", "%d/%m/%Y", "--lang", "zh"]
    done = xifen("segment", path, *full, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "张0" in (tmp_path / "segments.csv").read_text(encoding="utf-8-sig")
    assert "--encoding" in refused("segment", path, *options, "--out", "no.csv", cwd=tmp_path)


def test_every_refusal_is_one_sentence_with_a_next_step(orders: Path):
    folder = orders.parent
    assert "no file" in refused("segment", "nowhere.csv", cwd=folder)
    message = refused("segment", orders, "--customer", "custmer_id", cwd=folder)
    assert "did you mean 'customer_id'" in message
    assert "--customer" in message
    assert "its columns are: 'customer_id'" in message
    message = refused("segment", orders, "--timestamp", "time", "--amount", "amont", cwd=folder)
    assert "has no columns 'time" in message
    assert " and 'amont' (did you mean 'amount'?); its columns are: " in message
    assert "--delimiter" in refused("segment", orders, "--delimiter", ";", cwd=folder)
    assert "--as-of is 'abc'" in refused("segment", orders, "--as-of", "abc", cwd=folder)
    assert ".parquet" in refused("segment", orders, "--out", "segments.pdf", cwd=folder)

    assert "is a folder; name a file" in refused("segment", folder, cwd=folder)
    (folder / "log.json").write_text("[]", encoding="utf-8")
    assert "is a .json file, which is not read here" in refused("segment", "log.json", cwd=folder)
    assert "rename it first" in refused("segment", orders, "--customer", "segment", cwd=folder)

    bad = folder / "bad.csv"
    bad.write_text("", encoding="utf-8")
    assert "no first line" in refused("segment", bad, cwd=folder)
    bad.write_text("customer_id,timestamp,amount\n1,03/04/2024,5\n", encoding="utf-8")
    message = refused("segment", bad, cwd=folder)
    assert "--date-format '%d/%m/%Y'" in message
    bad.write_text("customer_id,timestamp,amount\n1,2024-01-01,¥5\n", encoding="utf-8")
    assert "¥5" in refused("segment", bad, cwd=folder)
    bad.write_text("customer_id,timestamp,amount\n1,2024-01-01,5\n,2024-01-02,6\n", encoding="utf-8")
    message = refused("segment", bad, cwd=folder)
    assert "missing_customer_id in column 'customer_id' (first: row 1, line 3 of the file)" in message
    assert "repair them, or leave them out with --invalid drop" in message


def test_a_pipe_that_lacks_characters_gets_question_marks(orders: Path, monkeypatch: pytest.MonkeyPatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    command = ["xifen", "segment", str(orders), "--lang", "zh", "--out", str(orders.parent / "out.csv")]
    monkeypatch.setattr(sys, "argv", command)
    with redirect_stdout(out), pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    assert "???" in out.buffer.getvalue().decode("cp1252")


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_sentence(orders: Path):
    log = pd.read_csv(orders, dtype={"customer_id": str})
    log.loc[7, "customer_id"] = None
    log.to_csv(orders, index=False)
    done = xifen("segment", orders, "--invalid", "drop", cwd=orders.parent)
    assert done.returncode == 0, done.stderr
    assert (
        done.stderr
        == "xifen: rows left out: 1 row missing_customer_id in column 'customer_id' (first: row 7, line 9 of the file)\n"
    )


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("say with tz= in which time zone", "say with --tz in which time zone"),
        ("count them with returns='net' or not", "count them with --returns net or not"),
        ("say date_format='%d/%m/%Y', or", "say --date-format '%d/%m/%Y', or"),
        ("'the customer_id column' and 'it's as_of' are yours", "'the customer_id column' and 'it's as_of' are yours"),
        ("customer_id= and amount= both name 'x'", "--customer and --amount both name 'x'"),
        ("as_of.csv and data/order_id/x cannot be read", "as_of.csv and data/order_id/x cannot be read"),
        ("tz is 'Mars', which is no time zone", "--tz is 'Mars', which is no time zone"),
        ("give as_of as a date; leave date_format out", "give --as-of as a date; leave --date-format out"),
        ("customer_id is one; 'customer_id' a column", "--customer is one; 'customer_id' a column"),
        ("3 rows after_as_of, the amount of returns", "3 rows after_as_of, the amount of returns"),
        ("set --order-id or --out", "set --order-id or --out"),
    ],
)
def test_errors_name_options_not_keywords(sentence: str, said: str):
    assert with_options(sentence) == said


def test_the_order_log_is_never_overwritten(orders: Path):
    folder, before = orders.parent, orders.read_bytes()
    (folder / "link.csv").symlink_to(orders)
    os.link(orders, folder / "hard.csv")
    for out in (orders, "orders.csv", f"../{folder.name}/orders.csv", "link.csv", "hard.csv"):
        assert "is the order log itself" in refused("segment", orders, "--out", out, cwd=folder)
    assert "is the order log itself" in refused("segment", "link.csv", "--out", orders, cwd=folder)
    assert orders.read_bytes() == before


def test_a_replaced_file_is_told(orders: Path):
    folder = orders.parent
    assert "replaced" not in xifen("segment", orders, cwd=folder).stdout
    assert "segments.csv, an earlier file replaced" in xifen("segment", orders, cwd=folder).stdout
    assert "已替换" in xifen("segment", orders, "--lang", "zh", cwd=folder).stdout


def test_a_wrong_out_is_found_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log = log_of(tmp_path, *RETURNER)
    (tmp_path / "folder.csv").mkdir()
    monkeypatch.setattr("xifen.cli.segment._tell", lambda *_, **__: pytest.fail("there was work"))
    monkeypatch.setattr("xifen.cli.segment.DataFile.read", lambda *_, **__: pytest.fail("there was work"))
    for call in (("segment", log), ("demo",)):
        assert "no directory" in refused(*call, "--out", "nowhere/out.csv", cwd=tmp_path)
        assert "is a directory" in refused(*call, "--out", "folder.csv", cwd=tmp_path)
        assert ".parquet" in refused(*call, "--out", "out.pdf", cwd=tmp_path)


def test_a_closed_pipe_keeps_the_file(orders: Path):
    command = [sys.executable, "-m", "xifen", "segment", str(orders)]
    with subprocess.Popen(command, cwd=orders.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 0
    assert said == b""
    assert len(pd.read_csv(orders.parent / "segments.csv")) > 0


@pytest.mark.parametrize(("lang", "none", "total"), [("en", "(no segment)", "total"), ("zh", "（未归入细分）", "合计")])
def test_customers_without_a_segment_are_listed(tmp_path: Path, lang: str, none: str, total: str):
    done = xifen("segment", log_of(tmp_path, *RETURNER), "--lang", lang, "--as-of", "2024-01-05", cwd=tmp_path)
    lines = {line.split("  ")[0]: line.split() for line in map(str.strip, done.stdout.splitlines())}
    assert lines[none][-5:] == ["1", "33.3%", "0.0%", "0", "-4.00"]
    assert lines[total][1:4] == ["3", "100.0%", "100.0%"]
    # 14 and 5 of the 19 that customers with a positive total spent
    assert {line[-4] for line in lines.values() if line and line[-1] == "14.00" and len(line) > 6} == {"73.7%"}


def test_no_revenue_is_a_dash(tmp_path: Path):
    log = log_of(tmp_path, "a,2024-01-01,5", "a,2024-01-02,-5", "b,2024-01-02,0", "c,2024-01-02,-9")
    done = xifen("segment", log, "--as-of", "2024-01-05", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "100.0%             –" in done.stdout
    words = done.stdout.replace("(", " ").replace("%", " ").split()
    assert not {"inf", "-inf", "nan", "NaN", "None", "<NA>"} & set(words)


def test_whole_numbers_stay_whole(tmp_path: Path):
    log = log_of(tmp_path, *RETURNER)
    xifen("segment", log, "--as-of", "2024-01-05", cwd=tmp_path)
    xifen("segment", log, "--as-of", "2024-01-05", "--out", "out.parquet", cwd=tmp_path)
    lines = (tmp_path / "segments.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[1].startswith("a,2024-01-01,2024-01-01,4,1,1,1,5.0,")
    assert lines[3] == "c,,,,0,0,1,-4.0,0.0,4.0,,,0.0,,,1,1,,,"
    written = pd.read_parquet(tmp_path / "out.parquet")
    assert written["recency_score"].dtype == "Int8"
    assert written["recency_days"].dtype == "Int64"
    assert str(pq.read_schema(tmp_path / "out.parquet").field("recency_score").type) == "int8"


@pytest.mark.parametrize("delimiter", ["\t", "\\t", "tab"])
def test_a_tab_may_be_written_three_ways(tmp_path: Path, delimiter: str):
    header, *lines = (line.replace(",", "\t") for line in ("customer_id,timestamp,amount", *RETURNER))
    log = log_of(tmp_path, *lines, header=header)
    assert xifen("segment", log, "--delimiter", delimiter, cwd=tmp_path).returncode == 0
    assert xifen("segment", log.rename(tmp_path / "log.tsv"), cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("delimiter", ["||", "", "\\n", "\n", '"', "；", "tabs"])
def test_a_delimiter_is_one_character(tmp_path: Path, delimiter: str):
    message = refused("segment", log_of(tmp_path, *RETURNER), "--delimiter", delimiter, cwd=tmp_path)
    assert "wanted one ASCII character" in message


def test_files_of_other_kinds_are_named(tmp_path: Path):
    message = refused("segment", log_of(tmp_path, *RETURNER, name="log.parquet"), cwd=tmp_path)
    assert "log.parquet cannot be read as parquet" in message
    for name in ("log.xlsx", "log.XLS"):
        message = refused("segment", log_of(tmp_path, *RETURNER, name=name), cwd=tmp_path)
        assert "save its sheet as csv or parquet" in message
    message = refused("segment", log_of(tmp_path, *RETURNER), "--encoding", "martian", cwd=tmp_path)
    assert "--encoding is 'martian'" in message


def test_rows_in_errors_have_their_line(tmp_path: Path):
    message = refused("segment", log_of(tmp_path, *RETURNER, "d,03/04/2024,5"), cwd=tmp_path)
    assert "first: row 4, line 6 of the file" in message
    message = refused("segment", log_of(tmp_path, *RETURNER, "", "d,2024-01-01,$5"), cwd=tmp_path)
    assert "'$5' in row 4, line 7 of the file" in message
    message = refused("segment", log_of(tmp_path, *RETURNER, "d,2024-01-01,5,6"), cwd=tmp_path)
    assert "in row 4, line 6 of the file: Expected 3 columns, got 4" in message
    # a value over two lines: the row begins one line later
    message = refused("segment", log_of(tmp_path, '"x\ny",2024-01-01,5', ",2024-01-02,6"), cwd=tmp_path)
    assert "row 1, line 4 of the file" in message
    pd.DataFrame({"customer_id": ["a", None], "timestamp": "2024-01-01", "amount": 5.0}).to_parquet(
        tmp_path / "log.parquet"
    )
    message = refused("segment", "log.parquet", cwd=tmp_path)
    assert "first: row 1 of the data, counted from 0" in message


def test_bad_rows_show_the_ledger(tmp_path: Path):
    log = log_of(tmp_path, *RETURNER, ",2024-01-01,5")
    done = xifen("segment", log, cwd=tmp_path)
    assert done.returncode == 1
    assert "order_ledger" not in done.stderr
    assert "Every row accounted for" in done.stdout
    assert "missing_customer_id     1          4" in done.stdout


@pytest.mark.filterwarnings("default")
def test_nothing_to_score_is_said(tmp_path: Path):
    log = log_of(tmp_path, *RETURNER)
    done = xifen("segment", log, "--as-of", "2020-01-01", cwd=tmp_path)
    wanted = "xifen: no purchase on or before --as-of 2020-01-01; the log runs from 2024-01-01 to 2024-01-03\n"
    assert done.stderr == wanted
    assert "after_as_of     4" in done.stdout
    log = log_of(tmp_path, ",2024-01-01,5", "b,,7", "c,2024-01-03,")
    for as_of in ("max", "2024-06-30"):
        done = xifen("segment", log, "--invalid", "drop", "--as-of", as_of, cwd=tmp_path)
        assert done.returncode == 1
        assert "no row can be used: 1 missing_customer_id, 1 missing_timestamp, 1 missing_amount" in done.stderr
        assert "missing_amount     1" in done.stdout
    log = log_of(tmp_path, "a,2024-01-01,-5")
    assert "no row of the log is a purchase" in refused("segment", log, "--as-of", "2024-06-30", cwd=tmp_path)
    assert "has no rows" in refused("segment", log_of(tmp_path), cwd=tmp_path)


def test_version(tmp_path: Path):
    assert xifen("--version", cwd=tmp_path).stdout == f"xifen {version('xifen')}\n"


def test_one_is_singular(tmp_path: Path):
    done = xifen("segment", log_of(tmp_path, "a,2024-01-01,5"), cwd=tmp_path)
    assert "1 row of log.csv" in done.stdout
    assert "1 customer written" in done.stdout


def test_chinese_headings_and_narrow_tables(orders: Path):
    done = xifen("segment", orders, "--lang", "zh", cwd=orders.parent)
    for heading in ("去向", "行数", "距今天数 (recency_days)", "客户数", "收入占比", "金额中位数", "已使用 (used)"):
        assert heading in done.stdout
    done = xifen("segment", orders, "--as-of", "1998-06-30", cwd=orders.parent)
    parts = done.stdout.split("\n\n")
    for part in [part for part in parts if part.startswith(("Every", "The table", "Where", "Segments"))]:
        assert max(map(len, part.splitlines())) <= 100
    edges = next(part for part in parts if part.startswith("Where"))
    assert not [line for line in edges.splitlines() if "monetary" not in line and "." in line]


def test_an_id_is_missing_only_where_its_cell_is_empty(tmp_path: Path):
    ids = ["NA", "N/A", "NULL", "nan", "None"]
    log = log_of(tmp_path, *(f"{name},2024-01-0{day},{day}" for day, name in enumerate(ids, 1)))
    assert xifen("segment", log, cwd=tmp_path).returncode == 0
    written = pd.read_csv(tmp_path / "segments.csv", keep_default_na=False, encoding="utf-8-sig")
    assert written["customer_id"].tolist() == sorted(ids)
    log = log_of(tmp_path, "a,2024-01-01,5", '"",2024-01-01,5', "b,NULL,5", "c,2024-01-01,N/A")
    message = refused("segment", log, cwd=tmp_path)
    for reason in ("customer_id", "timestamp", "amount"):
        assert f"1 row missing_{reason}" in message
