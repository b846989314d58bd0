"""The command line, called as a person calls it."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import xifen as xf
from xifen.cli import _with_options, main


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def xifen(*arguments: object, cwd: Path) -> Done:
    """Call the command line in this process: a new one would spend its time on imports."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err), chdir(cwd):
        patch.setattr(sys, "argv", ["xifen", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
    return Done(end.value.code or 0, out.getvalue(), err.getvalue())


def refused(*arguments: object, cwd: Path) -> str:
    """The one sentence of a call that must fail."""
    before = set(cwd.iterdir())
    done = xifen(*arguments, cwd=cwd)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("xifen: ")
    assert done.stderr.count("\n") == 1
    assert set(cwd.iterdir()) == before, "a call that fails leaves no file"
    return done.stderr


def test_the_installed_command_runs(tmp_path: Path):
    command = [sys.executable, "-m", "xifen", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert "segment" in done.stdout


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    log = xf.datasets.load_cdnow().head(400)
    log = log.assign(customer_id=log["customer_id"].map("{:05d}".format))
    log.to_csv(path, index=False)
    return path


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
    assert "--delimiter" in refused("segment", orders, "--delimiter", ";", cwd=folder)
    assert "--as-of is 'abc'" in refused("segment", orders, "--as-of", "abc", cwd=folder)
    assert ".parquet" in refused("segment", orders, "--out", "segments.pdf", cwd=folder)

    assert "no file" in refused("segment", folder, cwd=folder)

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
    assert "missing_customer_id" in message
    assert "row 1" in message
    assert "--invalid 'drop'" in message


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
    assert done.stderr == "xifen: rows left out: 1 row missing_customer_id (first: row 7)\n"


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("say with tz= in which time zone", "say with --tz in which time zone"),
        ("count them with returns='net' or not", "count them with --returns 'net' or not"),
        ("tz is 'Mars', which is no time zone", "--tz is 'Mars', which is no time zone"),
        ("give as_of as a date; leave date_format out", "give --as-of as a date; leave --date-format out"),
        ("customer_id is one; 'customer_id' a column", "--customer is one; 'customer_id' a column"),
        ("3 rows after_as_of, the amount of returns", "3 rows after_as_of, the amount of returns"),
        ("set --order-id or --out", "set --order-id or --out"),
    ],
)
def test_errors_name_options_not_keywords(sentence: str, said: str):
    assert _with_options(sentence) == said
