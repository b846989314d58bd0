"""The HTML report: one file that opens from disk without a network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, Final

from xifen._atomic import replacing
from xifen._progress import Progress, Told
from xifen.errors import ParameterError
from xifen.report import charts, sections
from xifen.report._segments import strategies
from xifen.report._view import View

__all__ = ["render", "write"]

_SCRIPTS: Final = ("dom.js", "charts.js", "blocks.js", "customers.js", "page.js")


def write(
    result: Any,
    path: str | os.PathLike[str],
    *,
    lang: str | None = None,
    customers: int = 2000,
    real_ids: bool = False,
    progress: Told = None,
) -> Path:
    """Write the report of a Segmentation.

    Parameters
    ----------
    result : Segmentation
    path : str or path
        Where to write; an earlier file is replaced, and only by a whole one.
    lang : {"zh", "en"}, optional
        The language of the page; None is the result's own. Labels stay as they are.
    customers : int
        The most customers in the table: of every segment those with the highest revenue. 0 leaves the table out, for
        readers who may see counts but no customers.
    real_ids : bool
        Show customers by their own ids instead of running numbers.
    progress : callable, bool or None
        Told ``(what, done, of)``; None shows a bar after two seconds where a person looks on, False never.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        A parameter cannot be used, or the file cannot be written.
    """
    path = Path(path)
    text = render(result, lang=lang, customers=customers, real_ids=real_ids, progress=progress)
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return path


def render(
    result: Any,
    *,
    lang: str | None = None,
    customers: int = 2000,
    real_ids: bool = False,
    progress: Told = None,
) -> str:
    """Give the report as text; parameters as for `write`."""
    if isinstance(customers, bool) or not isinstance(customers, int) or customers < 0:
        raise ParameterError(f"customers is {customers!r}; wanted a whole number, 0 for no table")
    with Progress(len(sections.SECTIONS) + 2, progress) as step, ThreadPoolExecutor(1) as aside:
        aside.submit(charts.javascript)  # some seconds the first time, on the side; it is kept
        view = View(result, lang, customers=customers, real_ids=real_ids)
        parts = sections.build(view, step)
        step("charts")
        for part in parts:
            for section in part["sections"]:
                for block in section["blocks"]:
                    if block["kind"] == "chart":
                        block["spec"] = charts.spec(block, view.words.lang)
        step("page")
        return _page(view, {**_about(view), "parts": parts})


def _about(view: View) -> dict[str, Any]:
    words = view.words
    count = words("made_of", customers=words.number(len(view)), segments=len(view.labels))
    about = [view.result.plan.name, words("as_of", day=f"{view.result.as_of:%Y-%m-%d}"), count]
    return {
        "lang": words.lang,
        "title": words("title"),
        "subtitle": " · ".join(words.text(part) for part in about if part),
        "words": words.all(),
        "segments": [
            {"label": label, "strategy": [[words(field), text] for field, text in said.items()], "hidden": bool(hidden)}
            for label, said, hidden in zip(view.labels, strategies(view), view.hidden_segments, strict=True)
        ],
    }


def _page(view: View, data: dict[str, Any]) -> str:
    """Put page, style, scripts and data into one file; nothing of it may be fetched, and only these scripts run."""
    folder = resources.files("xifen.report") / "page"
    scripts = [charts.javascript(), "\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS)]
    scripts = [script.replace("</script", "<\\/script").replace("<!--", "<\\!--") for script in scripts]
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    policy = "; ".join(
        [
            "default-src 'none'",
            "script-src " + " ".join(f"'sha256-{digest}'" for digest in hashes),
            "style-src 'unsafe-inline'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    filled = {
        "lang": {"zh": "zh-CN", "en": "en"}[view.words.lang],
        "policy": policy,
        "title": html.escape(data["title"]),
        "style": (folder / "page.css").read_text(encoding="utf-8"),
        "no_script": html.escape(view.words("no_script")),
        "skip": html.escape(view.words("skip")),
        "data": _embedded(data),
        "vega": scripts[0],
        "script": scripts[1],
    }
    template = (folder / "page.html").read_text(encoding="utf-8")
    pieces = template.split("%%")  # text, name, text, name, ...
    pieces[1::2] = [filled[name] for name in pieces[1::2]]
    return "".join(pieces)


def _embedded(data: Any) -> str:
    """Write JSON so that no text in it can end the element it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for mark, safe in (("<", "\\u003c"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029"), ("\r", "\\r")):
        text = text.replace(mark, safe)
    return text
