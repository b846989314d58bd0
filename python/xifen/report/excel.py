"""The workbook of a segmentation: management table, summary, ledger, definitions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from xifen import _columns as c
from xifen._atomic import replacing
from xifen._chinese import period_name
from xifen._frame import as_kind
from xifen._progress import Progress, Told
from xifen._report import CHINESE_NAMES
from xifen._warn import warn
from xifen.errors import ParameterError
from xifen.presets import words
from xifen.report._basis import basis
from xifen.report._words import Words
from xifen.report._workbook import MOST_ROWS, Kind, Workbook

__all__ = ["write", "write_table"]

_WORDS: Final = json.loads((files("xifen.report") / "excel.json").read_text(encoding="utf-8"))
#: What each column of the summary is, in its order; others a profile has are measures and stand behind.
_SUMMARY: Final[Mapping[str, Kind]] = {
    "customers": "whole",
    "share": "share",
    "revenue": "decimal",
    "revenue_share": "share",
}
#: And of the goals.
_GOALS: Final[Mapping[str, Kind]] = {
    "goal": "text",
    "target": "whole",
    "attained": "whole",
    "attainment": "share",
    "held": "text",
}


def write_table(
    table: Any,
    path: str | Path,
    *,
    lang: Literal["zh", "en"] = "zh",
    notes: Mapping[str, str] | None = None,
    rows_per_sheet: int = MOST_ROWS - 1,
) -> Path:
    """Write a management table as a workbook: real dates and numbers, filters, a frozen header, bars, comments.

    Parameters
    ----------
    table : pandas.DataFrame, polars.DataFrame, pyarrow.Table or dict of arrays
        What `management_table` gives, or any other table. Text stays text: ids keep their zeros, and what begins like
        a formula calculates nothing.
    path : path
        The .xlsx file. It is written whole or not at all.
    lang : {"zh", "en"}
        The language of sheet names and notices.
    notes : mapping, optional
        Header -> the comment of that header: the notes of ``management_table(return_notes=True)``.
    rows_per_sheet : int
        Customers on one sheet, at most 1,048,575; the rest stands on further sheets.

    Returns
    -------
    path : pathlib.Path
        The file.

    Raises
    ------
    ParameterError
        xlsxwriter is not installed, or a parameter cannot be used.
    XifenError
        The file cannot be written.

    Warns
    -----
    UserWarning
        The table stands on several sheets.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from xifen.report.excel import write_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_table(pd.DataFrame({"客户编号": ["001"]}), f"{folder}/customers.xlsx")
    ...     file.name
    'customers.xlsx'
    """
    page = _Page(lang)
    with replacing(_xlsx(path)) as made, Workbook(made, lang=lang, title=page.say("sheets", "table")) as book:
        notices = page.customers(book, as_kind(table, "pandas"), notes or {}, rows_per_sheet)
        if notices:
            page.notices(book, book.sheet(page.say("headings", "notices")), 0, notices)
    return Path(path)


def write(result: Any, path: str | Path, *, rows_per_sheet: int = MOST_ROWS - 1, progress: Told = None) -> Path:
    """Write the workbook of a segmentation: management table, summary, ledger, definitions.

    Contacts are shown where the plan kept them, owners and the next contact where it plans them.

    Parameters
    ----------
    result : Segmentation
        What ``plan.fit`` gives.
    path : path
        The .xlsx file. It is written whole or not at all.
    rows_per_sheet : int
        Customers on one sheet, at most 1,048,575; the rest stands on further sheets.
    progress : callable, bool or None
        Told ``(what, done, of)``; None shows a bar after two seconds where a person looks on, False never.

    Returns
    -------
    path : pathlib.Path
        The file.
    """
    page = _Page(result.lang)
    said = result.plan.values
    contact = bool(said.get("privacy", {}).get("contact"))
    owners = "owners" in said or "contact" in said
    title = page.say("sheets", "table")
    with Progress(3, progress) as step:
        step(title)
        table, notes = result.management(contact=contact, owners=owners, return_notes=True)
        table = page.translated(table)
        with replacing(_xlsx(path)) as made, Workbook(made, lang=page.lang, title=title, day=result.as_of) as book:
            notices = page.customers(book, table, notes, rows_per_sheet)
            step(page.say("sheets", "summary"))
            page.summary(book, result, notices)
            page.ledger(book, result)
            page.definitions(book, result, notes)
            step(Path(path).name)
    return Path(path)


class _Page:
    """The sheets, in one language."""

    def __init__(self, lang: Literal["zh", "en"]) -> None:
        if lang not in ("zh", "en"):
            raise ParameterError(f"lang is {lang!r}; wanted 'zh' or 'en'")
        self.lang: Literal["zh", "en"] = lang

    def say(self, part: str, key: str, **numbers: Any) -> str:
        """Give a word of excel.json; what has no entry stays as it is."""
        text: str = _WORDS[part].get(key, {}).get(self.lang, key)
        return text.format(
            **{name: f"{value:,}" if isinstance(value, int) else value for name, value in numbers.items()}
        )

    def customers(
        self, book: Workbook, table: pd.DataFrame, notes: Mapping[str, str], rows_per_sheet: int
    ) -> list[str]:
        """Write the customers, on as many sheets as they need; give what is to be said about them."""
        if not 1 <= rows_per_sheet < MOST_ROWS:
            raise ParameterError(f"rows_per_sheet is {rows_per_sheet}; wanted 1 to {MOST_ROWS - 1:,}")
        starts = range(0, max(len(table), 1), rows_per_sheet)
        name = self.say("sheets", "table")
        for number, start in enumerate(starts, 1):
            sheet = book.sheet(name if len(starts) == 1 else f"{name} {number}")
            part = table.iloc[start : start + rows_per_sheet]
            end = book.table(sheet, part, notes=notes, bars=True, many=True)
            book.widths(sheet, part)
            sheet.freeze_panes(1, 2)
            sheet.repeat_rows(0)
            sheet.autofilter(0, 0, max(end - 1, 1), len(table.columns) - 1)
        found = [self.say("sentences", key, count=count) for key, count in book.touched.items() if count]
        if len(starts) > 1:
            found.insert(0, self.say("sentences", "split", rows=len(table), sheets=len(starts)))
            warn(found[0])
        return found

    def summary(self, book: Workbook, result: Any, notices: list[str]) -> None:
        """Write segments with size and revenue, cells of few customers left out, the goals, and every notice."""
        sheet = book.sheet(self.say("sheets", "summary"))
        row = book.heading(sheet, 0, result.plan.name, size=16)
        sheet.write_string(
            row, 0, self.say("sentences", "as_of", day=result.as_of.isoformat(), count=len(result.frame))
        )
        say = Words(self.lang)
        for title, text in basis(result, as_kind(result.frame, "pandas"), say):
            row += 1
            sheet.write_string(row, 0, f"{title}{self.say('sentences', 'colon')}{text}")
        if result.review is not None:
            every = result.plan.values["review"].get("every", "quarter")
            period = period_name(result.review, every, self.lang)
            row += 1
            sheet.write_string(row, 0, self.say("sentences", "review", day=result.review.isoformat(), period=period))
        row += 2
        shown = []
        if result.segment is not None:
            profile = result.profile(shared=True)
            profile = profile[[name for name in (result.segment, *_SUMMARY) if name in profile]]
            profile[result.segment] = (
                profile[result.segment]
                .astype(object)
                .where(profile[result.segment].notna(), self.say("sentences", "none"))
            )
            shown.append(("segments", profile.rename(columns={result.segment: "segment"})))
        goals = result.goals()
        if len(goals):
            shown.append(("goals", goals.rename(columns={"share": "attainment"})[list(_GOALS)]))
        frames = []
        for heading, frame in shown:
            row = book.heading(sheet, row, self.say("headings", heading))
            frames.append(self.named(frame))
            kinds = {self.say("columns", name): kind for name, kind in {**_SUMMARY, **_GOALS}.items()}
            row = book.table(sheet, frames[-1], row=row, kinds=kinds, bars=heading == "segments") + 1
        if frames:
            book.widths(sheet, *frames)
        left_out = result.left_out()
        counted = ~left_out["what"].str.startswith(("field:", "small_cells"))
        said = left_out["sentence"].where(
            ~counted, left_out["sentence"] + self.say("sentences", "colon") + left_out["count"].map("{:,}".format)
        )
        self.notices(book, sheet, row, [*notices, *said, self.say("sentences", "privacy")])

    def notices(self, book: Workbook, sheet: Any, row: int, sentences: list[str]) -> None:
        row = book.heading(sheet, row, self.say("headings", "notices"))
        for place, sentence in enumerate(sentences, row):
            sheet.write_string(place, 0, sentence)

    def translated(self, table: pd.DataFrame) -> pd.DataFrame:
        """Put the words of the report in place of the codes of industries and needs."""
        say = Words(self.lang)
        headers = {column["key"]: column[self.lang] for column in words("management")["columns"]}
        return table.assign(
            **{headers[key]: table[headers[key]].map(say.known, na_action="ignore") for key in ("industry", "need")}
        )

    def named(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Put the words of the language in place of the names of the columns."""
        return frame.rename(columns={name: self.say("columns", str(name)) for name in frame.columns})

    def ledger(self, book: Workbook, result: Any) -> None:
        """Write what became of every row, and the other numbers of the run."""
        sheet = book.sheet(self.say("sheets", "ledger"), landscape=False)
        row, frames = 0, []
        if result.ledger is not None:
            rows = result.ledger.copy()
            if self.lang == "zh":
                rows[c.REASON] = [CHINESE_NAMES.get(reason, reason) for reason in rows[c.REASON]]
            frames.append(self.named(rows))
            row = book.heading(sheet, row, self.say("headings", "rows"))
            row = book.table(sheet, frames[-1], row=row) + 1
        counts = {self.count_name(key): count for key, count in result.counts.items()}
        frames.append(self.named(pd.DataFrame({"what": list(counts), "count": list(counts.values())})))
        row = book.heading(sheet, row, self.say("headings", "counts"))
        book.table(sheet, frames[-1], row=row)
        book.widths(sheet, *frames)

    def count_name(self, key: str) -> str:
        """Name a count; a conversion ("orders: amount, unit") as the report does."""
        if ", " in key:
            return Words(self.lang).count(key)
        return self.say("counts", key)

    def definitions(self, book: Workbook, result: Any, notes: Mapping[str, str]) -> None:
        """Write what the columns mean and what is done for each type."""
        sheet = book.sheet(self.say("sheets", "definitions"))
        row = book.heading(sheet, 0, self.say("headings", "columns"))
        headers = {column["key"]: column[self.lang] for column in words("management")["columns"]}
        columns = pd.DataFrame(
            {
                "column": list(headers.values()),
                "meaning": [self.say("meanings", key) for key in headers],
                "note": [notes.get(header) for header in headers.values()],
            },
            dtype="str",
        )
        columns = self.named(columns)
        row = book.table(sheet, columns, row=row) + 1
        book.widths(sheet, columns)
        if result.playbook is None:
            return
        row = book.heading(sheet, row, self.say("headings", "types"))
        plays = self.named(result.playbook.drop(columns="key"))
        book.table(sheet, plays, row=row)
        book.widths(sheet, columns, plays)


def _xlsx(path: str | Path) -> Path:
    if Path(path).suffix.lower() != ".xlsx":
        raise ParameterError(f"{path} is no name of a workbook; give one that ends with .xlsx")
    return Path(path)
