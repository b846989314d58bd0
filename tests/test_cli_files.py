"""The command line on files of every kind, on plans, and when it is interrupted."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pandas as pd
import pytest
import xifen as xf
from command_line import cdnow_file, log_of, refused, xifen
from xifen._report import Language, profile_text
from xifen.cli._files import check_out
from xifen.errors import InputError
from xifen.report.excel import write_table


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    return cdnow_file(tmp_path)


# Files of other kinds, found and converted.


@pytest.mark.parametrize(("lang", "said"), [("en", "* few customers"), ("zh", "* 人数过少")])
def test_counts_that_are_not_shown_have_a_sign_and_its_reason(lang: str, said: str):
    profile = pd.DataFrame({"type": ["a", "b"], "customers": pd.array([1200, None], "Int64"), "share": [0.9, None]})
    text = profile_text(profile, "type", Language(lang))
    assert "1,200" in text
    assert text.splitlines()[-2].split() == ["b", "*"]
    assert text.splitlines()[-1].startswith(said)
    assert "*" not in profile_text(profile[:1], "type", Language(lang))


def test_what_is_found_out_about_a_file_is_said(tmp_path: Path):
    path = tmp_path / "订单.csv"
    lines = ["客户;日期;金额", *(f"张{n % 7};2024-03-0{n % 9 + 1};{n}.5" for n in range(60))]
    path.write_text("\n".join(lines), encoding="gb18030")
    options = ["--customer", "客户", "--timestamp", "日期", "--amount", "金额", "--as-of", "2024-12-31"]
    done = xifen("segment", path, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1
    assert "was read as gb18030 and with ';' between values" in done.stderr
    assert "--encoding and --delimiter decide otherwise" in done.stderr
    assert xifen("segment", path, *options, "--encoding", "gb18030", "--delimiter", ";", cwd=tmp_path).stderr == ""
    assert xifen("segment", path, *options, "--quiet", cwd=tmp_path).stdout == ""


def test_chinese_exports_and_workbooks(tmp_path: Path):
    header = ["订单客户\t", "日期", "金额(万元)"]
    rows = [
        [f'="00{n % 5}"', f"2024年{n % 9 + 1}月15日", f"{n + 1},000.5" if n % 2 else f"¥{n + 1}"] for n in range(40)
    ]
    pd.DataFrame(rows, columns=header).to_csv(tmp_path / "log.csv", index=False, encoding="utf-8-sig")
    write_table(pd.DataFrame(rows, columns=header), tmp_path / "log.xlsx")  # pandas would write ="000" as a formula
    options = [
        "--customer",
        "订单客户",
        "--timestamp",
        "日期",
        "--amount",
        "金额(万元)",
        "--date-format",
        "%Y年%m月%d日",
    ]
    for name in ("log.csv", "log.xlsx"):
        done = xifen("segment", name, *options, "--chinese", "--lang", "zh", "--out", "out.xlsx", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "读取时的转换" in done.stdout
        assert re.search(r"按列名单位（万元）换算 \(column_unit_万元\) +40 ", done.stdout)
        written = pd.read_excel(tmp_path / "out.xlsx", engine="calamine", dtype={"订单客户": str})
        assert sorted(written["订单客户"]) == ["000", "001", "002", "003", "004"]
    assert "--chinese" in refused("segment", "log.csv", "--customer", header[0], *options[2:], cwd=tmp_path)


@pytest.mark.filterwarnings("default")
def test_amounts_that_cannot_be_read_are_dropped_and_counted(tmp_path: Path):
    log = log_of(tmp_path, "a,2024-01-01,1.2万", "b,2024-01-02,约三千", "c,2024-01-03,7")
    assert "'约三千' in row 1, line 3 of the file" in refused("segment", log, "--chinese", cwd=tmp_path)
    done = xifen("segment", log, "--chinese", "--invalid", "drop", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {"column": "amount", "conversion": "unreadable", "rows": 1, "first_row": 1} in said["conversions"]
    assert {"reason": "missing_amount", "rows": 1, "first_row": 1} in said["ledger"]
    assert said["customers"] == 2
    plan = 'xifen = 1\n[sources.orders]\npath = "log.csv"\nchinese = true\n[tables]\ninvalid = "drop"\n'
    (tmp_path / "plan.toml").write_text(plan, encoding="utf-8")
    counts = json.loads(xifen("run", "plan.toml", "--json", cwd=tmp_path).stdout)["counts"]
    assert counts["orders: amount, unreadable"] == 1
    assert counts["order_rows_used"] == 2


def test_days_as_excel_counts_them(tmp_path: Path):
    log = log_of(tmp_path, "a,45306,5", "b,45307,6")
    assert xifen("segment", log, "--date-format", "excel", "--as-of", "2024-01-20", cwd=tmp_path).returncode == 0
    assert "2024-01-15" in (tmp_path / "segments.csv").read_text(encoding="utf-8-sig")


def test_json_is_one_object(orders: Path):
    done = xifen("segment", orders, "--as-of", "1998-06-30", "--json", cwd=orders.parent)
    said = json.loads(done.stdout)
    assert said["rows"] == 400
    assert said["ledger"] == [{"reason": "used", "rows": 400, "first_row": 0}]
    assert sum(line["customers"] for line in said["segments"]) == said["customers"]
    assert done.stderr == ""


def test_exit_codes(tmp_path: Path):
    assert xifen("segment", "nowhere.csv", cwd=tmp_path).returncode == 1
    for call in (("segment",), ("no-such-command",), ("demo", "--no-such-option"), ("demo", "--lang", "fr")):
        assert xifen(*call, cwd=tmp_path).returncode == 2
    assert "Exit codes: 0 done; 1 refused" in " ".join(xifen("--help", cwd=tmp_path).stdout.split())
    assert list(tmp_path.iterdir()) == []


def test_completion_is_there(tmp_path: Path):
    command = [sys.executable, "-m", "xifen"]
    done = subprocess.run([*command, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert "--install-completion" in done.stdout


def test_presets(tmp_path: Path):
    done = xifen("presets", "--lang", "zh", cwd=tmp_path)
    assert "rfm.named" in done.stdout
    assert "流失预警" in done.stdout
    assert all(re.match(r"\S+  +\S", line) for line in done.stdout.splitlines())
    assert {"name", "inputs"} <= json.loads(xifen("presets", "rfm.named", "--json", cwd=tmp_path).stdout).keys()
    shown = xifen("presets", "types.practice", cwd=tmp_path).stdout
    assert "order_count_90D = 0 AND frequency_score <= :low_frequency" in shown
    assert re.search(r"churn_days = 90 +days without an order", shown)
    assert re.search(r"General value +otherwise", shown)
    whole = json.loads(xifen("presets", "types.practice", "--json", cwd=tmp_path).stdout)
    assert whole == json.loads((resources.files("xifen.presets") / "types.practice.json").read_text(encoding="utf-8"))
    for lang, said in (("en", "otherwise: 30 points"), ("zh", "年订单数 (order_count_12M)")):
        assert said in xifen("presets", "score.value", "--lang", lang, cwd=tmp_path).stdout
    for name in xf.list_presets()["name"]:  # of each all it is made of
        preset = json.loads((resources.files("xifen.presets") / f"{name}.json").read_text(encoding="utf-8"))
        shown = xifen("presets", name, "--lang", "zh", cwd=tmp_path).stdout
        parts = [
            *preset.get("labels", []),
            *preset.get("cells", []),
            *preset.get("entries", []),
            *preset.get("indicators", {}).values(),
        ]
        assert all(part["zh"] in shown for part in parts), name
    assert "did you mean 'rfm.named'" in refused("presets", "rfm.name", cwd=tmp_path)


def test_coverage_of_rules(tmp_path: Path):
    rules = xf.RuleSegmenter({"big": "monetary > 500", "small": "monetary < 500"}).fit(
        pd.DataFrame({"monetary": [1.0]})
    )
    (tmp_path / "rules.json").write_text(rules.to_json(), encoding="utf-8")
    done = xifen("coverage", "rules.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "500" in done.stdout
    found = json.loads(xifen("coverage", "rules.json", "--json", cwd=tmp_path).stdout)["coverage"]["RuleSegmenter"]
    assert found["complete"] is False
    assert "no file" in refused("coverage", "nowhere.json", cwd=tmp_path)
    (tmp_path / "cut.json").write_text(rules.to_json()[:50], encoding="utf-8")
    refused("coverage", "cut.json", cwd=tmp_path)


# Plans.


@pytest.fixture(scope="module")
def crm() -> object:
    return xf.datasets.make_crm(60, seed=2)


@pytest.fixture
def plan(tmp_path: Path, crm: object) -> Path:
    crm.orders.to_csv(tmp_path / "orders.csv", index=False)
    crm.customers.to_excel(tmp_path / "customers.xlsx", index=False)
    path = tmp_path / "plan.toml"
    path.write_text(
        'xifen = 1\nname = "small"\nas_of = "2026-06-30"\n'
        '[sources.orders]\npath = "orders.csv"\n[sources.customers]\npath = "customers.xlsx"\n'
        '[tables]\nwindows = ["12M"]\ninvalid = "drop"\n[[scores]]\nname = "rfm"\n[[segments]]\npreset = "rfm.named_six"\n'
        '[playbook]\npreset = "playbook.rfm_named_six"\ntype = "segment"\n[output]\nexcel = "table.xlsx"\nmodel = "model.json"\n',
        encoding="utf-8",
    )
    return path


@pytest.mark.filterwarnings("default")
def test_a_plan_runs_and_explains(plan: Path):
    folder = plan.parent
    done = xifen("run", plan, "--table", folder / "all.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "small: 60 customers as of 2026-06-30" in done.stdout
    assert {"table.xlsx", "model.json", "all.csv"} <= {file.name for file in folder.iterdir()}
    written = pd.read_csv(folder / "all.csv", dtype={"customer_id": str}, encoding="utf-8-sig")
    assert len(written) == 60
    known = written.dropna(subset="segment").iloc[0]
    done = xifen("explain", folder / "model.json", known["customer_id"], cwd=folder)  # reads the plan's files again
    assert done.returncode == 0, done.stderr
    assert known["segment"] in done.stdout
    assert xifen("run", plan, "--with-customers", "--json", cwd=folder).returncode == 0
    (folder / "orders.csv").unlink()
    done = xifen("explain", folder / "model.json", known["customer_id"], "--json", cwd=folder)
    assert json.loads(done.stdout)["segment"] == known["segment"]
    assert "no customer 'nobody'" in refused("explain", folder / "model.json", "nobody", cwd=folder)
    assert xifen("coverage", folder / "model.json", cwd=folder).returncode == 0
    assert "orders.csv" in refused("run", plan, cwd=folder)


def test_a_plan_is_validated(plan: Path):
    done = xifen("validate", plan, cwd=plan.parent)
    assert done.returncode == 0, done.stderr
    assert "rfm.named_six" in done.stdout
    assert xifen("validate", "retail", "--plan-only", cwd=plan.parent).returncode == 0
    plan.write_text(plan.read_text(encoding="utf-8").replace("windows", "windoes"), encoding="utf-8")
    message = refused("validate", plan, cwd=plan.parent)
    assert "plan.toml, line 9" in message
    assert "did you mean 'windows'" in message
    assert "no plan" in refused("validate", "nowhere.toml", cwd=plan.parent)


def test_packages_that_are_absent_are_named_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("xifen.cli._files.find_spec", lambda name: None if name == "altair" else name)
    with pytest.raises(InputError, match=r"page.html needs altair; install with: pip install \"xifen\[report\]\""):
        check_out(tmp_path / "page.html", (".html",))
    assert not check_out(tmp_path / "page.xlsx", (".xlsx",))


def test_a_plan_is_valid_only_if_its_files_have_its_columns(plan: Path):
    """What is refused is told whole, by text, exit code and JSON alike, and a run is refused for it, too."""
    folder, text = plan.parent, plan.read_text(encoding="utf-8")

    def told(*options: object) -> list[str]:
        done = xifen("validate", plan, *options, "--json", cwd=folder)
        said = json.loads(done.stdout)
        assert (done.returncode == 0) is said["valid"] is not bool(said["errors"])
        assert done.stderr == "".join(f"xifen: {sentence}\n" for sentence in said["errors"])
        if said["errors"] and not options:
            assert xifen("run", plan, cwd=folder).returncode == 1
        return said["errors"]

    assert told() == []
    plan.write_text(text.replace("[output]\n", '[output]\nreport = "reports/page.html"\n', 1), encoding="utf-8")
    (outputs,) = told()
    assert "there is no directory" in outputs
    mapped = '[sources.orders]\ncolumns = { amount = "amout", order_id = "nr" }\n'
    plan.write_text(text.replace("[sources.orders]\n", mapped), encoding="utf-8")
    number, amount = told()
    assert "did you mean 'amount'? its columns are: 'order_id'" in amount
    assert "'nr'" in number
    assert "[sources.orders]" in number
    plan.write_text(
        text.replace("[sources.customers]\n", '[sources.customers]\ndrop = ["employees"]\n'), encoding="utf-8"
    )
    assert told() == []  # nothing reads it
    more = '[[segments]]\npreset = "band.size"\n[privacy]\nopt_out = "opt_oot"\n[[goals]]\nname = "g"\nrule = "x > 1"\nwindow = "3M"\ntarget = 1\n'
    plan.write_text(plan.read_text(encoding="utf-8") + more, encoding="utf-8")
    employees, goal, wish = told()
    assert "'employees', which the data does not have" in employees
    assert "the goal 'g' reads 'x'" in goal
    assert "'opt_oot'" in wish
    plan.write_text(text, encoding="utf-8")
    (folder / "orders.csv").rename(folder / "moved.csv")
    (absent,) = told()
    assert "[sources.orders]: there is no file" in absent
    assert told("--orders", "moved.csv") == []
    assert told("--plan-only") == []
    assert told("--messages", "nowhere.csv") == ["--messages nowhere.csv: there is no such file"]
    (folder / "orders.csv").write_bytes(b"PAR1")
    assert "begins like parquet" in told()[0]


def test_a_plan_never_writes_over_what_it_reads(plan: Path):
    folder = plan.parent
    assert "is the file of orders itself" in refused("run", plan, "--table", folder / "orders.csv", cwd=folder)
    assert "is the file of customers itself" in refused("run", plan, "--excel", folder / "customers.xlsx", cwd=folder)
    assert "give such a name" in refused("run", plan, "--report", folder / "report.pdf", cwd=folder)


def test_other_files_than_the_plans(plan: Path):
    folder = plan.parent
    (folder / "new").mkdir()
    pd.read_csv(folder / "orders.csv").head(50).to_parquet(folder / "new" / "orders.parquet")
    (folder / "orders.csv").unlink()
    done = xifen("run", plan, "--orders", "new/orders.parquet", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["order_rows"] == 50
    assert "--messages nowhere.csv: there is no such file" in refused(
        "run", plan, "--messages", "nowhere.csv", cwd=folder
    )


def test_a_model_is_applied_to_other_files(plan: Path):
    """Nothing is fitted: what comes of it is what the library's transform gives."""
    folder = plan.parent
    assert xifen("run", plan, cwd=folder).returncode == 0
    before = (folder / "model.json").read_bytes()
    later = pd.read_csv(folder / "orders.csv", dtype={"customer_id": str}).head(300)
    later.to_parquet(folder / "later.parquet")
    (folder / "orders.csv").unlink()
    options = ("--orders", "later.parquet", "--as-of", "2026-03-31", "--table", "out.parquet", "--model", "later.json")
    done = xifen("apply", "model.json", *options, "--with-customers", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["as_of"] == "2026-03-31"
    people = pd.read_excel(folder / "customers.xlsx", engine="calamine", dtype={"customer_id": str})
    wanted = xf.Segmentation.load(folder / "model.json").transform(later, people, as_of="2026-03-31").frame
    found = pd.read_parquet(folder / "out.parquet").set_index("customer_id")
    fresh = xf.Plan.load(plan).fit(later, people).frame
    assert found["rfm_cell"].astype(object).fillna("").tolist() == wanted["rfm_cell"].astype(object).fillna("").tolist()
    assert fresh["rfm_cell"].astype(object).fillna("").tolist() != found["rfm_cell"].astype(object).fillna("").tolist()
    assert xifen("explain", "later.json", found.index[0], cwd=folder).returncode == 0  # its customers are in it
    assert "nothing was written" in xifen("apply", "model.json", *options[:2], cwd=folder).stderr
    assert "is the model itself" in refused("apply", "model.json", *options[:2], "--model", "model.json", cwd=folder)
    assert "--as-of: got 'soon'" in refused("apply", "model.json", *options[:2], "--as-of", "soon", cwd=folder)
    (folder / "other.json").write_text("{}", encoding="utf-8")
    assert "is not the file of a Segmentation" in refused("apply", "other.json", cwd=folder)
    assert "there is no file" in refused("apply", "model.json", cwd=folder)
    assert (folder / "model.json").read_bytes() == before


def test_what_plans_say_is_in_their_language(plan: Path):
    plan.write_text('lang = "zh"\n' + plan.read_text(encoding="utf-8").replace("small", "小"), encoding="utf-8")
    said = xifen("run", plan, cwd=plan.parent).stdout + xifen("run", plan, cwd=plan.parent).stdout
    said += xifen("apply", "model.json", cwd=plan.parent).stderr
    steps = xifen("validate", plan, cwd=plan.parent).stdout
    assert "小：60 位客户，截至 2026-06-30" in said
    assert "管理表：" in said
    assert "（已替换原有文件）" in said
    assert "没有写出文件" in said
    assert "可以运行" in steps
    assert "得到 " in steps
    own = {"table.xlsx", "model.json", "xifen:"}
    assert [
        word for word in re.findall(r"[A-Za-z.:]{4,}", re.sub(r"/\S+/|--[a-z]+", "", said)) if word not in own
    ] == []


# Interrupted, read-only, full.


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_half_written_file(orders: Path, end: signal.Signals):
    """The write is held open until the signal comes."""
    folder = orders.parent
    script = folder.parent / f"{folder.name}.py"
    script.write_text(
        "import sys, time\nimport pandas as pd\nimport xifen.cli\n"
        "def slow(frame, path, **_):\n    open(path, 'w').write('half')\n    print('writing', flush=True)\n"
        # Short rests: a signal that comes just before one would be heard only after it.
        "    for _ in range(600):\n        time.sleep(0.1)\n"
        "pd.DataFrame.to_csv = slow\nsys.argv = ['xifen', 'segment', *sys.argv[1:]]\nxifen.cli.main()\n",
        encoding="utf-8",
    )
    (folder / "segments.csv").write_text("earlier", encoding="utf-8")
    command = [sys.executable, script, str(orders)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        process.send_signal(end)
        _, said = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[end]
    assert "Traceback" not in said
    assert (folder / "segments.csv").read_text(encoding="utf-8") == "earlier"
    assert {file.name for file in folder.iterdir()} == {"orders.csv", "segments.csv"}


@pytest.mark.parametrize("out", ["out.csv", "out.parquet", "out.xlsx"])
def test_a_full_disk_is_one_sentence(orders: Path, monkeypatch: pytest.MonkeyPatch, out: str):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for place in ("pandas.DataFrame.to_csv", "pyarrow.parquet.write_table", "zipfile.ZipFile.write"):
        monkeypatch.setattr(place, full)
    assert "cannot be written: no space left on device" in refused("segment", orders, "--out", out, cwd=orders.parent)


def test_a_read_only_folder_is_told_before_any_work(orders: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.access", lambda _, mode: mode != os.W_OK)  # the super-user may write anywhere
    assert "cannot be written; give another name" in refused("segment", orders, cwd=orders.parent)
