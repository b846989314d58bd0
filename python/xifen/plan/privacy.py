"""Privacy and law: which columns are kept out, pseudonyms, and counts too small to share."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, Final

import numpy as np
import pandas as pd

from xifen.errors import ParameterError

__all__ = ["advice", "kept_out", "pseudonymise", "suppress"]

#: Bytes of a key below which it could be guessed.
_SHORTEST_KEY: Final = 16
_WORDS: Final[dict[str, Any]] = json.loads((files("xifen.plan") / "privacy.json").read_text(encoding="utf-8"))
_CONTACT: Final = re.compile("|".join(_WORDS["contact"]), re.IGNORECASE)
_SENSITIVE: Final = {kind: re.compile("|".join(words), re.IGNORECASE) for kind, words in _WORDS["sensitive"].items()}


def kept_out(column: str, said: Mapping[str, Any], before: str | None = None) -> str | None:
    """Say, by a word, why a column may not be used under what a plan says in [privacy]; None where it may.

    Parameters
    ----------
    column : str
        Its name, by which it is known.
    said : mapping
        The block [privacy] with its defaults: ``plan.block("privacy")``.
    before : str, optional
        The name it had before the plan renamed it, which tells as much.

    Returns
    -------
    str or None
        "contact" for a way to reach a person; otherwise the kind of sensitive personal information: religion, health,
        finances, location, minors, biometrics or identity.

    Examples
    --------
    >>> import xifen as xf
    >>> from xifen.plan import privacy
    >>> said = xf.Plan.from_dict({"xifen": 1, "as_of": "2026-06-30", "privacy": {"purpose": {"income": "credit"}}}).block("privacy")
    >>> [privacy.kept_out(column, said) for column in ("phone", "religion", "income", "industry")]
    ['contact', 'religion', None, None]
    """
    names = [column] if before is None else [column, before]
    if not said["contact"] and any(_CONTACT.fullmatch(name) for name in names):
        return "contact"
    if not set(names).isdisjoint(said["purpose"] or {}):
        return None
    return next((kind for kind, words in _SENSITIVE.items() if any(map(words.search, names))), None)


def advice(column: str, why: str) -> str:
    """Say what to do about a column that is kept out.

    Parameters
    ----------
    column : str
    why : str
        What `kept_out` says of it.

    Returns
    -------
    str
        The end of a sentence: which line of the plan lets the column in.

    Examples
    --------
    >>> from xifen.plan import privacy
    >>> privacy.advice("phone", "contact")
    'it is a way to reach a person: [privacy] contact = true keeps it'
    """
    if why == "contact":
        return "it is a way to reach a person: [privacy] contact = true keeps it"
    return f'it is sensitive ({why}): say what it is needed for, [privacy] purpose = {{ {column} = "..." }}'


def pseudonymise(ids: Iterable[Any], key: str | bytes) -> list[str | None]:
    """Replace ids by pseudonyms: the same id and key always give the same, and without the key none leads back.

    Pseudonyms are personal information still: whoever has the key and the ids can find them again. Keep the key apart.

    Parameters
    ----------
    ids : list, array or Series
        Texts or whole numbers; 1, 1.0 and "1" are one id. Missing ones stay missing (None).
    key : str or bytes
        A secret of 16 to 64 bytes, the output of ``secrets.token_hex(16)`` for example.

    Returns
    -------
    list of str
        16 letters and digits each: 80 bits of BLAKE2b with the key.

    Raises
    ------
    ParameterError
        The key is too short or too long.

    Examples
    --------
    >>> from xifen.plan import privacy
    >>> privacy.pseudonymise(["001", "002", None], "correct horse battery")
    ['uhanb76pqmra4hmg', 'cfrfkye2f6kh7ou2', None]
    """
    secret = key.encode() if isinstance(key, str) else bytes(key)
    if not _SHORTEST_KEY <= len(secret) <= hashlib.blake2b.MAX_KEY_SIZE:
        raise ParameterError(
            f"the key has {len(secret)} bytes; wanted {_SHORTEST_KEY} to {hashlib.blake2b.MAX_KEY_SIZE}, from secrets.token_hex(16) for example"
        )
    return [None if _is_missing(one) else _pseudonym(one, secret) for one in ids]


def suppress(table: pd.DataFrame | pd.Series, k: int = 5, *, total: Any = None) -> Any:
    """Leave out counts below `k`, and as many others as it takes that no total gives them away.

    It is taken that readers know the total of every row and column and of all, where these are `k` or more. A count from
    1 to k - 1 is left out, and then others, until nobody can calculate that it is below k: the largest value it could
    have, by linear programming over all that is shown, is at least k. Zero is shown where it hides nothing.

    Parameters
    ----------
    table : pandas.DataFrame or pandas.Series
        Counts, whole numbers from 0, without totals. A frame's rows and columns add up, a Series' items do.
    k : int, default 5
        The smallest count that is shown.
    total : label, optional
        Add the totals under this label, as a row and a column (of a Series as an item): a total is left out where it is
        too small or would give something away. Whoever shows totals takes them from here.

    Returns
    -------
    the same kind, of Int64
        Missing where a count is left out.

    Raises
    ------
    ParameterError
        The table holds something else than counts, or k is below 1.

    Notes
    -----
    Cell suppression as statistical offices do it: Hundepool et al., Statistical Disclosure Control (2012), chapter 4. The
    others are chosen greedily, a rectangle at a time, so that more than the fewest possible may be left out. Tables are
    looked at one by one: what two groupings of the same customers give away together is not.

    Examples
    --------
    >>> import pandas as pd
    >>> from xifen.plan import privacy
    >>> privacy.suppress(pd.Series({"star": 120, "core": 40, "growth": 3}), total="all")
    star       120
    core      <NA>
    growth    <NA>
    all        163
    dtype: Int64
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ParameterError(f"k is {k!r}; wanted a whole number from 1")
    counts = _counts(table)
    if counts.ndim == 1:
        cells, hidden = _hidden_in_line(counts, k)
        end = None if total is not None else -1
        labels = [*table.index, total][:end]
        return pd.Series(pd.array(cells[:end], "Int64"), labels, name=table.name).mask(hidden[:end])
    if 1 in counts.shape:  # each row, or each column, is its own total
        line, of_line = _hidden_in_line(counts.ravel(), k)
        cells, hidden = (part[:-1].reshape(counts.shape) for part in (line, of_line))
        cells, hidden = _with_totals(cells, hidden, line[-1], of_line[-1])
    else:
        cells = np.block([[counts, counts.sum(1, keepdims=True)], [counts.sum(0, keepdims=True), counts.sum()]])
        hidden = _hidden_in_table(cells, k)
    rows, columns = [*table.index, total], [*table.columns, total]
    end = None if total is not None else -1
    out = pd.DataFrame(cells[:end, :end], rows[:end], columns[:end]).astype("Int64")
    return out.mask(hidden[:end, :end])


def _pseudonym(one: Any, secret: bytes) -> str:
    if isinstance(one, (float, np.floating)) and float(one).is_integer():
        one = int(one)
    digest = hashlib.blake2b(str(one).encode(), key=secret, digest_size=10).digest()
    return base64.b32encode(digest).decode().lower()


def _is_missing(one: Any) -> bool:
    return one is None or one is pd.NA or one != one  # noqa: PLR0124 NaN alone is not equal to itself


def _counts(table: Any) -> np.ndarray:
    try:
        numbers: np.ndarray = table.to_numpy(dtype="float64")
    except (TypeError, ValueError):
        raise ParameterError("the table holds something else than numbers; wanted counts") from None
    if not (np.isfinite(numbers) & (numbers >= 0) & (numbers == np.floor(numbers))).all():
        raise ParameterError("the table holds a number that is no count: missing, negative or with a fraction")
    return numbers.astype(np.int64)


def _hidden_in_line(counts: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the counts with their total behind them, and what is left out: a count could be all that is left out together."""
    cells = np.append(counts, counts.sum())
    hidden = (cells > 0) & (cells < k)
    while 0 < cells[:-1][hidden[:-1]].sum() < k and not hidden.all():
        # The smallest that is there first, zeros next, the total last.
        left = np.flatnonzero(~hidden)
        hidden[min(left, key=lambda place: (place == counts.size, cells[place] == 0, cells[place]))] = True
    return cells, hidden


def _with_totals(
    cells: np.ndarray, hidden: np.ndarray, total: int, total_hidden: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Put totals around a single row or column: its own cells again, and the total in every corner."""
    column = cells.shape[1] == 1
    if not column:
        cells, hidden = cells.T, hidden.T
    cells = np.vstack([np.hstack([cells, cells]), [[total, total]]])
    hidden = np.vstack([np.hstack([hidden, hidden]), [[total_hidden, total_hidden]]])
    return (cells, hidden) if column else (cells.T, hidden.T)


def _hidden_in_table(cells: np.ndarray, k: int) -> np.ndarray:
    """Choose what is left out of a table with its totals in the last row and column.

    Leaving out more never gives away what was safe, so that each small cell is looked at once.
    """
    hidden: np.ndarray = (cells > 0) & (cells < k)
    # Totals that are too small are one line of counts each, before any cell is looked at.
    hidden[-1] |= _hidden_in_line(cells[-1, :-1], k)[1]
    hidden[:, -1] |= _hidden_in_line(cells[:-1, -1], k)[1]
    for row, column in np.argwhere(hidden & (cells < k)):
        while not hidden.all() and _exchanged(row, column, cells, hidden, k) < k > _largest(row, column, cells, hidden):
            best = _rectangle(row, column, cells, hidden, k)
            hidden[np.ix_(*best)] = True
    return hidden


def _rectangle(row: int, column: int, cells: np.ndarray, hidden: np.ndarray, k: int) -> tuple[list[int], list[int]]:
    """Find the cheapest rectangle around a cell: what one corner could have more, its neighbours would have less."""
    rows, columns = cells.shape
    cost = np.where(hidden, 0, cells + 1.0)
    # Neighbours that are too small to make the cell k, and totals, are taken only when there is nothing else.
    room = np.minimum.outer(cells[:, column], cells[row, :])
    price = cost[:, [column]] + cost[[row], :] + cost + np.where(cells[row, column] + room < k, 1e12, 0.0)
    outside = np.logical_or.outer(np.arange(rows) == rows - 1, np.arange(columns) == columns - 1)
    price = np.where(outside, price + 1e15, price)
    new = ~hidden | ~hidden[:, [column]] | ~hidden[[row], :]
    price[~new] = np.inf  # nothing in it would change
    price[row, :] = np.inf
    price[:, column] = np.inf
    other_row, other_column = np.unravel_index(np.argmin(price), price.shape)
    if not np.isfinite(price[other_row, other_column]):
        return list(range(rows)), list(range(columns))
    return [row, int(other_row)], [column, int(other_column)]


def _exchanged(row: int, column: int, cells: np.ndarray, hidden: np.ndarray, k: int) -> int:
    """Find a value up to `k` a cell could have: it gains what two neighbours lose and the far corner of the four gains."""
    could_be = int(cells[row, column])
    if row == cells.shape[0] - 1 or column == cells.shape[1] - 1:
        return could_be  # totals change with more than three others
    inside = hidden[:-1, :-1]
    rectangles = inside & inside[:, [column]] & inside[[row], :]
    rectangles[row, :] = rectangles[:, column] = False
    down, across = cells[:-1, column].copy(), cells[row, :-1].copy()
    while could_be < k:
        room = np.minimum.outer(down, across) * rectangles
        other_row, other_column = np.unravel_index(np.argmax(room), room.shape)
        gain = room[other_row, other_column]
        if gain == 0:
            break
        could_be += int(gain)
        down[other_row] -= gain
        across[other_column] -= gain
    return could_be


def _largest(row: int, column: int, cells: np.ndarray, hidden: np.ndarray) -> float:
    """Find the largest value a cell could have, by all that is shown and by how rows and columns add up."""
    from scipy.optimize import linprog

    unknown = np.argwhere(hidden)
    sums = np.zeros((sum(cells.shape), len(unknown)))
    places = np.arange(len(unknown))
    # Along a row the last column is the total, along a column the last row.
    sums[unknown[:, 0], places] = np.where(unknown[:, 1] == cells.shape[1] - 1, -1.0, 1.0)
    sums[cells.shape[0] + unknown[:, 1], places] = np.where(unknown[:, 0] == cells.shape[0] - 1, -1.0, 1.0)
    known = np.where(hidden, 0, cells)
    right = -np.concatenate([known[:, :-1].sum(1) - known[:, -1], known[:-1, :].sum(0) - known[-1, :]])
    wanted = -((unknown[:, 0] == row) & (unknown[:, 1] == column)).astype(float)
    found = linprog(wanted, A_eq=sums, b_eq=right, bounds=(0, None), method="highs")
    return float("inf") if found.fun is None else -round(found.fun, 6)
