"""The eight rules of src/README.md, read off the source."""

from __future__ import annotations

import ast
import itertools
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "src/core"
BINDING = ROOT / "src/python"
PYTHON = ROOT / "python/xifen"

ROOMS = ("transactions", "text", "binning", "scorecard", "rules", "cluster")
BINDING_DOORS = ("lib.rs", "run.rs", "convert.rs", "error.rs")


def files(folder: Path, suffix: str) -> list[Path]:
    found = sorted(folder.rglob(f"*{suffix}"))
    assert found, f"no {suffix} files in {folder}"
    return found


def code(path: Path) -> str:
    """Rust source without comments and without its tests."""
    text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
    return text.split("#[cfg(test)]")[0]


def imports(path: Path) -> set[str]:
    """Every module a Python file imports, as dotted names; `from xifen import rules` counts as xifen.rules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room_of(path: Path, folder: Path) -> str:
    return path.relative_to(folder).parts[0].removesuffix(path.suffix)


def test_the_same_word_names_each_layer_of_a_room():
    for room in ROOMS:
        assert (CORE / room / "mod.rs").exists()
        assert (BINDING / f"{room}.rs").exists()
        assert (PYTHON / f"{room}.py").exists() or (PYTHON / room / "__init__.py").exists()
        assert list((ROOT / "tests").glob(f"test_{room}*.py"))


# 1. Core never names Python; the binding never computes; Python never loops over rows.


def test_core_never_names_python():
    dependencies = tomllib.loads((CORE / "Cargo.toml").read_text(encoding="utf-8"))["dependencies"]
    assert not {"pyo3", "numpy", "pyo3-arrow", "arrow-array"} & set(dependencies)
    for path in files(CORE, ".rs"):
        assert not re.search(r"\b(pyo3|numpy|pandas|polars|arrow_array|PyResult)\b", code(path)), path


def test_the_binding_never_computes():
    for path in files(BINDING, ".rs"):
        if path.name in BINDING_DOORS:
            continue
        # Loops over the columns of a result are fine; over their values they are not.
        assert not re.search(r"\b(while|loop)\b|\bin [^{]*\.\.|rayon|\.fold\(|\.sum\(|\.sort", code(path)), path


def test_python_never_loops_over_rows():
    forbidden = re.compile(r"\.(iterrows|itertuples|iter_rows|applymap)\(|\.apply\(|\bin range\(len\(")
    for path in files(PYTHON, ".py"):
        assert not forbidden.search(path.read_text(encoding="utf-8")), path


# 2. Rooms do not import rooms, in either language.


@pytest.mark.parametrize("folder", [CORE, BINDING], ids=["core", "binding"])
def test_rust_rooms_do_not_import_rooms(folder: Path):
    for path, other in itertools.product(files(folder, ".rs"), ROOMS):
        if room_of(path, folder) in ROOMS and room_of(path, folder) != other:
            assert not re.search(rf"\b(crate|xifen_core)::{other}\b", code(path)) or folder == BINDING, (path, other)
            assert not re.search(rf"\bcrate::{other}\b", code(path)), (path, other)


def test_python_rooms_do_not_import_rooms():
    for path in files(PYTHON, ".py"):
        room = room_of(path, PYTHON)
        for other in ROOMS:
            if room in ROOMS and other != room:
                assert not any(name.startswith(f"xifen.{other}") for name in imports(path)), (path, other)


@pytest.mark.parametrize(
    ("upper", "seen_by"), [("cli", ()), ("report", ("cli", "plan")), ("plan", ("cli", "report", "__init__.py"))]
)
def test_nothing_below_sees_plans_reports_or_commands(upper: str, seen_by: tuple[str, ...]):
    for path in files(PYTHON, ".py"):
        if path.relative_to(PYTHON).parts[0] not in (upper, *seen_by, "__main__.py"):
            assert not any(name.startswith(f"xifen.{upper}") for name in imports(path)), path


# 3. One door per foreign thing.


@pytest.mark.parametrize(
    ("library", "door"),
    [
        ("narwhals", "_frame.py"),
        ("polars", ("_frame.py", "_results.py")),
        ("altair", "report/charts.py"),
        ("xlsxwriter", "report/_workbook.py"),
        ("python_calamine", "_read.py"),
        ("typer", "cli"),
        ("vl_convert", "report/charts.py"),
        ("pyspark", "engines/spark.py"),
    ],
)
def test_one_python_door(library: str, door: str | tuple[str, ...]):
    for path in files(PYTHON, ".py"):
        if not path.relative_to(PYTHON).as_posix().startswith(door) and path.parent.name != "datasets":
            assert not any(name.split(".")[0] == library for name in imports(path)), path


def test_one_rust_door():
    for path in files(BINDING, ".rs"):
        if path.name != "convert.rs":
            assert not re.search(
                r"\b(arrow_array|arrow_buffer|arrow_cast|arrow_schema|pyo3_arrow|numpy::)", code(path)
            ), path


# 4. Every call into Rust goes through run.rs.


def test_only_run_detaches():
    for path in files(BINDING, ".rs"):
        if path.name != "run.rs":
            assert not re.search(r"\.detach\(|allow_threads|ThreadPool", code(path)), path


def pyfunctions(path: Path) -> list[tuple[str, str, str]]:
    """The (name, arguments, body) of every function a binding file exports."""
    pattern = re.compile(
        r"#\[pyfunction[^]]*\]\s*(?:#\[[^]]*\]\s*)*(?:pub\(crate\) )?fn (\w+)[^(]*\(([^)]*)\)(.*?)\n\}", re.DOTALL
    )
    return pattern.findall(code(path))


def test_every_function_that_takes_data_runs_detached():
    for path in files(BINDING, ".rs"):
        for name, arguments, body in pyfunctions(path):
            if "Frame" in arguments or "PyReadonlyArray" in arguments or "Matrix" in arguments:
                assert "run(" in body, (path, name)


# 5. Data crosses once; configuration crosses as one JSON string. (Calls are counted in test_boundary.py.)


def test_binding_functions_take_each_table_once_and_one_configuration():
    for path in files(BINDING, ".rs"):
        for name, arguments, _ in pyfunctions(path):
            assert len(re.findall(r"(?<!<)\bFrame\b", arguments)) <= 1, (path, name)
            if path.name not in BINDING_DOORS:
                assert len(re.findall(r"&str\b", arguments)) <= 1, (path, name)


# 6. Fitted state lives in Python. (Its types are checked in test_estimators.py.)


def test_no_stateful_rust_objects():
    for path in files(BINDING, ".rs"):
        assert "#[pyclass" not in code(path), path


# 7. Validation stands in two places.


def test_frames_are_told_apart_in_one_place():
    for path in files(PYTHON, ".py"):
        if path.name != "_frame.py" and path.parent.name != "datasets":
            assert not re.search(r"isinstance\([^)]*(DataFrame|pa\.Table)", path.read_text(encoding="utf-8")), path


# 8. No file over 500 lines; nothing that panics in core outside tests.


def test_no_file_over_500_lines():
    for folder, suffix in [("src", ".rs"), ("python", ".py"), ("python", ".pyi"), ("tests", ".py"), ("tests", ".rs")]:
        for path in files(ROOT / folder, suffix):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            assert lines <= 500, f"{path.relative_to(ROOT)} has {lines} lines"


def test_core_cannot_panic():
    lints = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["lints"]["clippy"]
    for lint in ("unwrap_used", "expect_used", "panic", "indexing_slicing", "todo", "unimplemented", "unreachable"):
        assert lints[lint] == "deny"
    for path in files(CORE, ".rs"):
        assert not re.search(r"allow\([^)]*clippy::(unwrap|expect|panic|indexing|todo|unreachable)", code(path)), path


def test_no_path_of_a_machine_and_no_registry_host():
    # The words are put together here so that this file does not contain them.
    forbidden = ["/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/", "pypi" + ".org", "pythonhosted" + ".org"]
    for folder, suffix in itertools.product(
        ("src", "python", "tests", "notebooks"), (".rs", ".py", ".pyi", ".md", ".json")
    ):
        for path in (ROOT / folder).rglob(f"*{suffix}"):
            text = path.read_text(encoding="utf-8")
            assert not [word for word in forbidden if word in text], path
