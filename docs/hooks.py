"""What the site makes of the package and of files outside docs/pages while it is built.

A page says ``<!-- made: presets -->`` on a line of its own, and the text of `MADE` takes its place. `COPIED` are files of
the repository that the site holds too; their links to files that are pages here lead to these pages.
"""

# ruff: noqa: INP001 - mkdocs loads this file by its path

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

#: Page of the site <- file of the repository.
COPIED = {
    "zh/readme.md": "README.zh.md",
    **{f"notebooks/{path.name}": f"notebooks/{path.name}" for path in sorted(ROOT.glob("notebooks/*.ipynb"))},
}
#: File of the repository -> the page that shows it.
SHOWN = {
    **{source: page for page, source in COPIED.items()},
    "tests/bench/RESULTS.md": "performance.md",
    "CHANGELOG.md": "changes.md",
    "README.md": "index.md",
}
_MARK = re.compile(r"^<!-- made: (\w+) -->$", re.MULTILINE)
#: A line that ends within Chinese text: a browser would show a space there.
_BROKEN = re.compile(
    r"(?<=[\u3001-\u303f\uff01-\uff5e”])\n {0,3}(?=[^\s|>#*+-])|(?<=[\u4e00-\u9fff])\n {0,3}(?=[\u3001-\u303f\u4e00-\u9fff\uff01-\uff5e“])"
)
_LINK = re.compile(r"\]\(([^)#:\s]+)((?:#[^)\s]*)?)\)")


def results() -> str:
    """Give the tables of the bench without their title."""
    text = (ROOT / "tests/bench/RESULTS.md").read_text(encoding="utf-8")
    return text.removeprefix("# Side by side")


def behind() -> str:
    """List the comparisons of the bench that fall short of their target, and count the others."""
    lines = ["| table | rival | measured | wanted |", "|---|---|---|---|"]
    met = 0
    for section in (ROOT / "tests/bench/RESULTS.md").read_text(encoding="utf-8").split("\n### ")[1:]:
        title = section.partition("\n")[0]
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in section.splitlines()
            if line.startswith("|")
        ]
        for row in rows[2:]:
            for head, cell in zip(rows[0], row, strict=True):
                met += ": met" in cell
                found = re.fullmatch(r"([\d.]+x), wanted ([\d.]+x): \*\*not met\*\*", cell)
                if found:
                    ours = head.removeprefix("xifen").removesuffix("is faster by").strip(", ")
                    lines.append(f"| {title}{f' ({ours})' if ours else ''} | {row[0]} | {found[1]} | {found[2]} |")
    return f"{len(lines) - 2} comparisons fall short of their target, {met} reach it.\n\n" + "\n".join(lines)


def changes() -> str:
    """Give the changelog without its title."""
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").removeprefix("# Changelog")


def presets() -> str:
    """List every preset: what it makes, reads and can be told, and where its numbers come from."""
    import xifen as xf

    lines: list[str] = []
    family = ""
    for row in xf.list_presets().sort_values("name", kind="stable").itertuples():
        if row.name.split(".")[0] != family:
            family = row.name.split(".")[0]
            lines += [f"## {family}.*", ""]
        lines += [f"### {row.name}", "", f"{row.title_en} · {row.title_zh}", ""]
        facts = {"makes": row.operation, "reads": row.inputs, "may read": row.optional, "parameters": row.parameters}
        lines += [f"- {name}: {_code(text)}" for name, text in facts.items() if text]
        told = {"practice publishes": row.published, "our choice": row.ours}
        lines += [*(f"- {name}: {_plain(text)}" for name, text in told.items() if text), ""]
    return "\n".join(lines)


def keys() -> str:
    """Describe every key of a plan, from its JSON Schema."""
    from xifen import Plan

    schema = Plan.schema()
    single = {name: told for name, told in schema["properties"].items() if "properties" not in _item(told)}
    lines = ["| key | meaning | kind | default |", "|---|---|---|---|", *_rows(single)]
    for name, told in schema["properties"].items():
        if name not in single:
            many = told.get("type") == "array"
            head = f"`[[{name}]]`" if many else f"`[{name}]`"
            lines += ["", f"### {head} {{ #{name} }}", "", _plain(told["description"]), ""]
            if many:
                lines += ["May stand any number of times.", ""]
            lines += ["| key | meaning | kind | default |", "|---|---|---|---|", *_rows(_item(told)["properties"])]
    return "\n".join(lines)


def plans() -> str:
    """Show the plans that come with xifen."""
    from xifen import Plan

    return "\n\n".join(f"### {name}\n\n```toml\n{Plan.preset_text(name).strip()}\n```" for name in Plan.presets())


def commands() -> str:
    """Describe every command, with its arguments and options."""
    import typer.main
    import xifen.cli

    group = typer.main.get_command(xifen.cli.app)
    lines: list[str] = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        lines += [f"## xifen {name} {{ #{name} }}", "", _plain(command.help or ""), ""]
        lines += ["| | | default |", "|---|---|---|"]
        for option in command.params:
            if option.name == "help":
                continue
            shown = ", ".join(option.opts) if option.opts[0].startswith("-") else option.metavar or option.name.upper()
            default = "" if option.default in (None, False) or callable(option.default) else _value(option.default)
            lines.append(f"| `{shown}` | {_cell(option.help or '')} | {_code(default)} |")
        lines.append("")
    return "\n".join(lines)


#: What a page can ask for.
MADE: Mapping[str, Callable[[], str]] = {
    "results": results,
    "behind": behind,
    "changes": changes,
    "presets": presets,
    "keys": keys,
    "plans": plans,
    "commands": commands,
}


def with_made(markdown: str) -> str:
    """Put the made texts in place of their marks."""
    return _MARK.sub(lambda found: MADE[found[1]](), markdown)


def with_links(markdown: str, source: str, page: str) -> str:
    """Let the links of a copied file lead to pages of the site; those to files that have none become plain text."""
    here = posixpath.dirname(source)

    def link(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(here, found[1]))
        if target not in SHOWN:
            return "]"
        return f"]({posixpath.relpath(SHOWN[target], posixpath.dirname(page) or '.')}{found[2]})"

    text = _LINK.sub(link, markdown)
    return re.sub(r"\[([^]\[]+)\](?![(\[:])", lambda found: found[1] if found[1] + "]" in text else found[0], text)


def on_files(files: Any, config: Any) -> Any:
    """Add the copied files."""
    from mkdocs.structure.files import File

    for page, source in COPIED.items():
        path = ROOT / source
        if page.endswith(".md"):
            text = with_links(path.read_text(encoding="utf-8"), source, page)
            files.append(File.generated(config, page, content=text))
        else:
            files.append(File.generated(config, page, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill the marks of a page, and let a Chinese sentence go on where its line ends."""
    parts = re.split(r"(^```.*?^```$)", with_made(markdown), flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [_BROKEN.sub("", part) for part in parts[::2]]
    return "".join(parts)


def _item(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Look through an array at what it holds."""
    items: Mapping[str, Any] = told.get("items", told)
    return items


def _rows(properties: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Give a line per key; the keys of a table in it stand behind it with a point."""
    for name, told in properties.items():
        default = _value(told["default"]) if "default" in told else ""
        yield f"| `{before}{name}` | {_cell(told.get('description', ''))} | {_cell(_kind(told))} | {_code(default)} |"
        if "properties" in told:
            yield from _rows(told["properties"], f"{before}{name}.")


def _kind(told: Mapping[str, Any]) -> str:
    """Name what a key holds."""
    if "const" in told:
        return f"`{_value(told['const'])}`"
    if "enum" in told:
        shown = told["enum"][:4]
        return " or ".join(f"`{_value(one)}`" for one in shown) + (" ..." if len(told["enum"]) > len(shown) else "")
    if "anyOf" in told:
        return " or ".join(dict.fromkeys(_kind(one) for one in told["anyOf"]))
    kind = told.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(_kind({"type": one}) for one in kind)
    if kind == "array":
        return f"list of {_kind(told['items'])}" if "items" in told else "list"
    if kind == "string":
        return "date" if told.get("pattern", "").startswith("^\\d{4}") else "text"
    return {"object": "table", "integer": "whole number", "number": "number", "boolean": "true or false"}.get(
        kind, kind
    )


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(getattr(value, "value", value))


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|").replace("\n", " ")


def _plain(text: str) -> str:
    """Keep stars and brackets of plain text from being read as markup, outside code."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([*_<>\[\]])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)
