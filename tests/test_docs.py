"""The documentation: its code runs, its links lead somewhere, every public name stands in it once, and it asks no other host."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import typer.main
import xifen as xf
import xifen.cli
import xifen.cluster
import xifen.plan
import xifen.presets
import xifen.report.charts
import xifen.report.excel
import xifen.report.html
import xifen.report.sections
from xifen.plan import privacy

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs/pages"
CONFIG = ROOT / "docs/mkdocs.yml"
README = ROOT / "README.zh.md"
ALL = sorted(PAGES.rglob("*.md"))
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

spec = importlib.util.spec_from_file_location("docs_hooks", ROOT / "docs/hooks.py")
assert spec is not None
assert spec.loader is not None
hooks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hooks)


def name_of(path: Path) -> str:
    return path.relative_to(PAGES).as_posix() if path.is_relative_to(PAGES) else path.name


def fences(path: Path) -> Iterator[tuple[str, str, int]]:
    """The language, text and first line of every block of code of a page."""
    text = path.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        yield found[1], found[2], text.count("\n", 0, found.start()) + 1


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


# Code.


def examples(block: str, first: int) -> list[doctest.Example]:
    """The examples of a pycon block; what is printed may hold empty lines."""
    found: list[tuple[list[str], list[str], int]] = []
    for place, line in enumerate(block.splitlines()):
        if line.startswith(">>> "):
            found.append(([line[4:]], [], first + place))
        elif found and not found[-1][1] and (line == "..." or line.startswith("... ")):
            found[-1][0].append(line[4:])
        else:
            assert found, f"line {first + place} is printed by nothing"
            found[-1][1].append(line)
    made = []
    for source, printed, line in found:
        want = "".join(f"{text}\n" for text in printed)
        raised = re.match(r"Traceback \(most recent call last\):\n\s+\.\.\.\n(.*)", want, flags=re.DOTALL)
        made.append(doctest.Example("\n".join(source), want, raised[1] if raised else None, line))
    return made


def run(path: Path) -> list[str]:
    """Run the code of a page in one namespace; what went wrong."""
    names: dict[str, object] = {"__name__": "__main__"}
    wrong: list[str] = []
    for language, block, line in fences(path):
        if language == "python":
            exec(compile("\n" * line + block, str(path), "exec"), names)
        elif language == "pycon":
            test = doctest.DocTest(examples(block, line), names, name_of(path), str(path), 0, None)
            doctest.DocTestRunner(verbose=False, optionflags=FLAGS).run(test, out=wrong.append, clear_globs=False)
            names = test.globs
    return wrong


WITH_CODE = [path for path in [*ALL, README] if any(kind in ("python", "pycon") for kind, _, _ in fences(path))]


@pytest.mark.skipif(int(pd.__version__.split(".")[0]) < 3, reason="pages show what pandas 3 prints")
@pytest.mark.parametrize("path", WITH_CODE, ids=name_of)
def test_the_code_of_a_page_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if "kmodes" in path.name:
        pytest.importorskip("kmodes")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", module="kmodes")
        wrong = run(path)
    assert not wrong, "\n".join(wrong)


def test_code_that_is_wrong_is_found(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("```pycon\n>>> 1 + 1\n3\n```\n\n```pycon\n>>> int('x')\n```\n", encoding="utf-8")
    wrong = "".join(run(page))
    assert "Expected" in wrong
    assert "ValueError" in wrong


def test_every_block_names_its_language():
    known = {"python", "pycon", "console", "sh", "toml", "r"}
    for path in [*ALL, README]:
        assert {kind for kind, _, _ in fences(path)} <= known, path


# Commands in blocks of shell.


def calls(text: str) -> Iterator[list[str]]:
    """The calls of xifen, as words."""
    for line in text.splitlines():
        for part in re.findall(r"(?:^|[\s;&|(])xifen (.*?)(?=$|&&|\|\||[|>]|\s2>)", re.sub(r"\s+#.*", "", line)):
            yield shlex.split(part)


def options(command: object) -> set[str]:
    return {name for option in command.params for name in option.opts} | {"--help"}


def wrong_options(words: list[str]) -> list[str]:
    """Words of a call that the command line does not know."""
    group = typer.main.get_command(xifen.cli.app)
    first, *others = words
    if first.startswith("-"):
        known = options(group)
        return [word for word in words if word not in known]
    if first not in group.commands:
        return [first]
    known = options(group.commands[first])
    return [word for word in others if word.startswith("--") and word.split("=")[0] not in known]


def test_every_command_and_option_exists():
    group = typer.main.get_command(xifen.cli.app)
    found = 0
    for path in [*ALL, README]:
        text = path.read_text(encoding="utf-8")
        inline = re.findall(r"`(xifen [a-z-][^`]*)`", prose(path))
        indented = re.findall(r"^ {4}(xifen .*)$", text, flags=re.MULTILINE)
        for block in [*inline, *indented, *(text for kind, text, _ in fences(path) if kind in ("console", "sh"))]:
            for words in calls(block):
                found += 1
                assert not wrong_options(words), (path, words)
        # An option that is named by itself belongs to some command, or to a task of ./x.
        alone = set(re.findall(r"`(--[a-z-]+)`", text))
        assert alone <= {name for command in group.commands.values() for name in options(command)} | {"--serve"}, path
    assert found > 10
    assert wrong_options(["run", "plan.toml", "--modle", "x"]) == ["--modle"]
    assert wrong_options(["runn"]) == ["runn"]


def test_every_task_exists():
    tasks = re.findall(r"^\./x (\w+)", (ROOT / "x").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for path in [*ALL, README]:
        assert set(re.findall(r"\./x (\w+)", path.read_text(encoding="utf-8"))) <= set(tasks), path


# Links.


def anchors(page: str) -> set[str]:
    """The anchors of the headings of a page, those that are made included."""
    if page in hooks.COPIED:
        return set()
    text = hooks.with_made((PAGES / page).read_text(encoding="utf-8"))
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    found = set()
    for title in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE):
        own = re.search(r"\{ #([\w-]+) \}", title)
        plain = re.sub(r"[^\w\s-]", "", re.sub(r"\{.*?\}", "", title).lower(), flags=re.UNICODE).strip()
        found.add(own[1] if own else re.sub(r"\s", "-", plain))
    return found


def reference() -> list[str]:
    """Every name a page of the reference shows, as it is written there."""
    return [
        name
        for path in ALL
        for name in re.findall(r"^::: (\S+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]


def broken(path: Path) -> list[str]:
    """Links of a page that lead nowhere."""
    text = prose(path)
    here = path.parent
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            wrong.append(target)  # no page leads to another host
            continue
        file, _, anchor = target.partition("#")
        to = (here / file).resolve() if file else path.resolve()
        page = to.relative_to(PAGES).as_posix() if to.is_relative_to(PAGES) else None
        if page in hooks.COPIED:
            to = ROOT / hooks.COPIED[page]
        if not to.is_file() or (anchor and (page is None or anchor not in anchors(page))):
            wrong.append(target)
    shown = set(reference())
    for name in re.findall(r"\]\[([^\]]+)\]", text):
        owner, _, method = name.rpartition(".")
        if name not in shown and not (owner in shown and hasattr(object_of(owner), method)):
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_every_link_of_a_page_leads_somewhere(path: Path):
    assert not broken(path)


def test_links_that_lead_nowhere_are_found(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("[a](none.md) [b](#none) [c][xifen.none] [d](https://example.org)\n# here\n", encoding="utf-8")
    assert broken(page) == ["none.md", "#none", "https://example.org", "xifen.none"]


def test_every_link_of_the_chinese_readme_leads_to_a_file():
    for target in re.findall(r"\]\(([^)#\s]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / target).is_file(), target
    text = hooks.with_links(README.read_text(encoding="utf-8"), "README.zh.md", "zh/readme.md")
    for target in re.findall(r"\]\(([^)#\s]+)\)", text):
        page = (PAGES / "zh" / target).resolve().relative_to(PAGES).as_posix()
        assert (PAGES / page).is_file() or page in hooks.COPIED, target


def test_every_page_stands_in_the_contents():
    nav = CONFIG.read_text(encoding="utf-8").partition("\nnav:\n")[2]
    listed = re.findall(r"([\w/-]+\.md)$", nav, flags=re.MULTILINE)
    assert sorted(listed) == sorted(
        [*(name_of(path) for path in ALL), *(page for page in hooks.COPIED if page.endswith(".md"))]
    )


def test_every_mark_is_filled():
    asked = [name for path in ALL for name in re.findall(r"<!-- made: (\w+) -->", path.read_text(encoding="utf-8"))]
    assert sorted(asked) == sorted(hooks.MADE)
    for make in hooks.MADE.values():
        assert len(make()) > 500


def test_made_pages_name_all_there_is():
    presets, keys, commands = hooks.presets(), hooks.keys(), hooks.commands()
    assert all(f"### {name}\n" in presets for name in xf.list_presets()["name"])
    assert all(f"{{ #{name} }}" in keys or f"`{name}`" in keys for name in xf.Plan.schema()["properties"])
    assert all(f"## xifen {name} " in commands for name in typer.main.get_command(xifen.cli.app).commands)
    assert "--with-customers" in commands


# The reference.

#: What other modules of the package use, behind a public name, and nobody else should.
WITHIN = {
    "xifen.presets": {"amounts_of", "matrix_cells", "strategies", "words", "list_presets", "load_preset"},
    "xifen.report.charts": {"javascript", "spec"},
    "xifen.report.sections": {"PARTS", "SECTIONS", "build"},
}
MODULES = [
    xf, xf.datasets, xf.errors, xifen.cluster, xifen.plan, privacy, xifen.presets, xifen.report.charts,
    xifen.report.excel, xifen.report.html, xifen.report.sections,
]  # fmt: skip


def object_of(name: str) -> object:
    """What a dotted name stands for."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part, None)
        return found
    return None


def public() -> dict[str, object]:
    """Every public class, function and exception, by the name it is best known by."""
    named: dict[int, tuple[str, object]] = {}
    for module in MODULES:
        for name in module.__all__:
            found = getattr(module, name)
            if not inspect.ismodule(found) and name not in WITHIN.get(module.__name__, ()):
                named.setdefault(id(found), (f"{module.__name__}.{name}", found))
    return dict(named.values())


def test_every_public_name_stands_in_the_reference_once():
    shown = reference()
    objects = [object_of(name) for name in shown]
    assert all(found is not None for found in objects), [n for n, o in zip(shown, objects, strict=True) if o is None]
    places = [id(found) for found in objects]
    assert len(set(places)) == len(places), "a name stands twice"
    absent = [name for name, found in public().items() if id(found) not in places]
    assert not absent
    assert set(public()) <= set(shown), "the reference writes names as they are imported"


# No other host.


def test_the_site_asks_no_other_host():
    config = CONFIG.read_text(encoding="utf-8")
    assert "font: false" in config
    assert "generator: false" in config
    assert "polyfills: [assets/iframe-worker.js]" in config  # otherwise the plugin loads it from elsewhere
    assert not re.search(r"https?://|analytics|mermaid|mathjax|katex", config)
    assert "privacy" not in re.findall(r"^  - (\w+)", config, flags=re.MULTILINE)
    for path in [*ALL, README, *PAGES.glob("assets/*")]:
        assert not re.search(r"https?://|<(script|iframe|img|link)\b|!\[|@import", path.read_text(encoding="utf-8")), (
            path
        )


def test_the_site_builds_in_strict_mode(tmp_path: Path):
    for needed in ("mkdocs", "material", "mkdocstrings_handlers.python", "jieba"):
        if importlib.util.find_spec(needed.split(".")[0]) is None:
            pytest.skip(f"{needed} is not installed: ./x docs has it")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(CONFIG)]
    done = subprocess.run([*build, "--site-dir", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for page in tmp_path.rglob("*.html"):
        asked = re.findall(
            r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"?(https?:|//)", page.read_text(encoding="utf-8")
        )
        assert not asked, page
    assert "rfm_table" in (tmp_path / "search/search_index.json").read_text(encoding="utf-8")
