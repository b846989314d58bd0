"""Numbers, dates and exports as Chinese tables have them, read on request; every conversion is counted.

Nothing is guessed: a unit is read from the value (12万) or from the name of its column (金额(万元)), a date by the format
that was given.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Any, Final, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xifen import _columns as c
from xifen._warn import warn
from xifen.errors import InputError, ParameterError

__all__ = ["CONVERSION", "Conversions", "cleaned", "dates", "flags", "has_unit", "numbers", "period_name", "unreadable"]

#: The column of a table of conversions that says what was done; beside it stand column, rows and first_row.
CONVERSION: Final = "conversion"
#: Powers of ten.
_UNITS: Final = {
    "百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "十亿": 9, "百亿": 10, "千亿": 11, "万亿": 12,
}  # fmt: skip
_COLUMN_UNIT: Final = re.compile(r"(千|万|百万|千万|亿)元\s*[)\]】]?\s*$")
_MISSING: Final = ("-", "--", "—", "——", "无")
_FLAGS: Final = {"是": True, "否": False}
_NUMBER: Final = (
    r"^(?P<sign>[-+]?)\s*(?P<currency>¥?)\s*(?P<inner>[-+]?)"
    r"(?P<whole>[1-9][0-9]{0,2}(?:,[0-9]{3})+|0|[1-9][0-9]*|)(?P<fraction>(?:\.[0-9]+)?)(?P<power>(?:[eE][-+]?[0-9]{1,3})?)\s*"
    rf"(?P<unit>(?:{'|'.join(sorted(_UNITS, key=len, reverse=True))})?)(?P<yuan>元?)(?P<percent>%?)$"
)
_SERIAL: Final = "excel"
#: The days from Excel's day 0 to 1970-01-01, its first day after the leap day that never was, and its last.
_SERIAL_ZERO, _SERIAL_FIRST, _SERIAL_LAST = 25_569, 61, 2_958_465
_MICROSECONDS: Final = 86_400_000_000


class Conversions:
    """What was converted: how many rows of which column, in which way, and the first of them."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str, int, int]] = []

    def add(self, column: str, conversion: str, mask: Any) -> None:
        rows = pc.sum(mask).as_py() or 0
        if rows:
            self._found.append((column, conversion, rows, pc.index(pc.fill_null(mask, False), True).as_py()))

    def table(self) -> pd.DataFrame:
        """Give a row per column and conversion, as `ledger_summary` gives one per reason."""
        return pd.DataFrame(self._found, columns=["column", CONVERSION, c.ROWS, c.FIRST_ROW])


def cleaned(words: Any, column: str, found: Conversions) -> Any:
    """Take off what platforms put around the values of their exports, and let - and 无 be missing."""
    bare = pc.replace_substring_regex(words, r"^\s*=\"([^\"]*)\"\s*$", r"\1")
    found.add(column, "formula_text", pc.not_equal(bare, words))
    tabless = pc.utf8_trim(bare, "\t")
    found.add(column, "trailing_tab", pc.not_equal(tabless, bare))
    trimmed = pc.utf8_trim_whitespace(tabless)
    missing = pc.is_in(pc.utf8_normalize(trimmed, "NFKC"), pa.array(_MISSING, trimmed.type))
    found.add(column, "missing_word", missing)
    return pc.if_else(pc.or_(missing, pc.equal(trimmed, "")), None, trimmed)


def has_unit(column: str) -> str | None:
    """Give the unit of amounts the name of a column ends with, other than 元: 万元 in 金额(万元)."""
    found = _COLUMN_UNIT.search(_narrow(column))
    return f"{found[1]}元" if found else None


def numbers(words: Any, column: str, found: Conversions) -> Any | None:
    """Read numbers with 万 and 亿, ¥, separators, full-width digits and %; None where some value is no number."""
    plain, parts, wrong = _parsed(words)
    if wrong is not None:
        return None
    whole, fraction = pc.struct_field(parts, "whole"), pc.struct_field(parts, "fraction")
    unit, sign, inner = pc.struct_field(parts, "unit"), pc.struct_field(parts, "sign"), pc.struct_field(parts, "inner")
    with_unit = pc.and_(pc.is_valid(words), pc.not_equal(unit, ""))
    named = has_unit(column)
    if named and pc.any(with_unit).as_py():
        row = pc.index(pc.fill_null(with_unit, False), True).as_py()
        raise InputError(
            f"column '{column}' holds '{words[row].as_py()}' in row {row}, and its own name says {named} already: "
            "say the unit in one of the two places"
        )
    percent = pc.equal(pc.struct_field(parts, "percent"), "%")
    power = pc.coalesce(
        pa.array(_UNITS.values(), pa.int64()).take(pc.index_in(unit, pa.array(_UNITS, unit.type))),
        pa.scalar(_UNITS[named.removesuffix("元")] if named else 0, pa.int64()),
    )
    power = pc.subtract(power, pc.if_else(percent, 2, 0))
    written = pc.utf8_trim(pc.struct_field(parts, "power"), "eE+")
    power = pc.add(power, pc.if_else(pc.equal(written, ""), "0", written).cast(pa.int64()))
    # Digits and a power of ten, so that each value is rounded once: 12.34万 is 12.34e4.
    digits = pc.binary_join_element_wise(
        pc.if_else(pc.xor(pc.equal(sign, "-"), pc.equal(inner, "-")), "-", ""),
        pc.replace_substring(whole, ",", ""), fraction, pc.binary_join_element_wise("e", power.cast(pa.string()), ""), "",
    )  # fmt: skip
    values = digits.cast(pa.float64())
    found.add(column, "full_width", pc.not_equal(plain, words))
    found.add(column, "thousands_separator", pc.match_substring(whole, ","))
    found.add(
        column,
        "currency",
        pc.or_(pc.equal(pc.struct_field(parts, "currency"), "¥"), pc.equal(pc.struct_field(parts, "yuan"), "元")),
    )
    found.add(column, "percent", percent)
    found.add(column, "unit", with_unit)
    if named:
        found.add(column, f"column_unit_{named}", pc.is_valid(words))
    _warn_of_a_factor(values, with_unit, column)
    return values


def first_no_number(words: Any) -> int | None:
    """Find the first value that is no number as `numbers` reads them."""
    return _parsed(words)[2]


def unreadable(words: Any) -> Any:
    """Say which values are no number as `numbers` reads them."""
    _, parts, _ = _parsed(words)
    digits = pc.binary_join_element_wise(pc.struct_field(parts, "whole"), pc.struct_field(parts, "fraction"), "")
    return pc.and_(pc.is_valid(words), pc.invert(pc.fill_null(pc.not_equal(digits, ""), False)))


def _parsed(words: Any) -> tuple[Any, Any, int | None]:
    """Give values in half-width signs, the parts of each as a number, and the first that is none."""
    plain = pc.utf8_normalize(words, "NFKC")
    parts = pc.extract_regex(plain, _NUMBER)
    digits = pc.binary_join_element_wise(pc.struct_field(parts, "whole"), pc.struct_field(parts, "fraction"), "")
    there = pc.fill_null(pc.and_(pc.is_valid(parts), pc.not_equal(digits, "")), False)
    row = pc.index(pc.or_(pc.is_null(words), there), False).as_py()
    return plain, parts, None if row < 0 else row


def _warn_of_a_factor(values: Any, mask: Any, column: str) -> None:
    """Warn where plain numbers look as if they were meant in 万."""
    size = pc.abs(values)
    groups = [pc.drop_null(pc.filter(size, pc.and_(one, pc.greater(size, 0)))) for one in (mask, pc.invert(mask))]
    if any(len(group) < 3 for group in groups):
        return
    with_unit, plain = (pc.quantile(group, q=0.5)[0].as_py() for group in groups)
    if 3_000 <= with_unit / plain <= 30_000:
        warn(
            f"column '{column}': its {len(groups[0]):,} values with 万 or 亿 are around 10,000 times the {len(groups[1]):,} "
            "without; are those in 万元? They are taken as they stand"
        )


def flags(words: Any, column: str, found: Conversions) -> Any | None:
    """Read 是 and 否; None where some value is neither."""
    place = pc.index_in(words, pa.array(_FLAGS, words.type))
    if pc.any(pc.and_(pc.is_null(place), pc.is_valid(words))).as_py() or place.null_count == len(place):
        return None
    found.add(column, "yes_no", pc.is_valid(words))
    return pa.array(_FLAGS.values()).take(place)


def dates(words: Any, column: str, form: str, found: Conversions, *, sure: bool = True) -> Any:
    """Read dates by a strftime format, or with "excel" the days Excel counts.

    A value of another form is refused, or where the column is not `sure` to hold dates, the answer is None.
    """
    plain = pc.utf8_trim_whitespace(pc.utf8_normalize(words, "NFKC"))
    if form == _SERIAL:
        times = _serials(plain)
    else:
        try:
            times = pd.to_datetime(pd.Series(plain.to_pylist(), dtype="str"), format=_narrow(form), errors="coerce")
        except (ValueError, TypeError) as failure:
            raise ParameterError(
                f"the date format {form!r} cannot be used ({failure}); wanted one such as '%Y年%m月%d日'"
            ) from None
        times = pa.array(times, pa.timestamp("us"), from_pandas=True)
    wrong = pc.and_(pc.is_null(times), pc.is_valid(plain))
    if pc.any(wrong).as_py():
        if not sure:
            return None
        row = pc.index(wrong, True).as_py()
        raise InputError(
            f"column '{column}' holds '{words[row].as_py()[:60]}' in row {row}, which is no date of the form {form!r}; "
            "repair it, or give the format of your dates"
        )
    found.add(column, "date", pc.is_valid(times))
    on_the_day = pc.equal(pc.floor_temporal(times, unit="day"), times)
    return times.cast(pa.date32()) if pc.all(on_the_day, min_count=0).as_py() else times


def _narrow(text: str) -> str:
    """Make （ and ： narrow, as they become in values."""
    return unicodedata.normalize("NFKC", text)


def _serials(words: Any) -> Any:
    fits = pc.match_substring_regex(words, r"^[0-9]{1,7}(\.[0-9]+)?$")
    days = pc.if_else(fits, words, None).cast(pa.float64())
    fits = pc.and_(pc.greater_equal(days, float(_SERIAL_FIRST)), pc.less(days, float(_SERIAL_LAST + 1)))
    # To the second: the fraction of a day has no more.
    seconds = pc.round(pc.multiply(pc.subtract(pc.if_else(fits, days, None), float(_SERIAL_ZERO)), 86_400.0))
    return pc.multiply(seconds.cast(pa.int64()), 1_000_000).cast(pa.timestamp("us"))


def period_name(day: dt.date, every: Literal["quarter", "half_year"], lang: Literal["zh", "en"] = "zh") -> str:
    """Name the quarter or half-year of a day.

    Examples
    --------
    >>> import datetime as dt
    >>> from xifen._chinese import period_name
    >>> period_name(dt.date(2026, 7, 1), "quarter"), period_name(dt.date(2026, 6, 30), "half_year")
    ('2026年第三季度', '2026年上半年')
    >>> period_name(dt.date(2026, 7, 1), "half_year", "en")
    '2026 H2'
    """
    part = (day.month - 1) // (3 if every == "quarter" else 6)
    if lang == "en":
        return f"{day.year} {'Q' if every == 'quarter' else 'H'}{part + 1}"
    return f"{day.year}年" + (f"第{'一二三四'[part]}季度" if every == "quarter" else "上下"[part] + "半年")
