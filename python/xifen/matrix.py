"""Two measures cut into a few bins each, and a name, an investment level and a playbook for every cell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from xifen import _columns as names
from xifen import _core, _display
from xifen._base import ColumnAdder
from xifen._cuts import column_names, cuts_by_column, is_fitted_edges, known_columns, renamed
from xifen._frame import Frame
from xifen._results import Labels
from xifen.binning import Strategy, _Bins
from xifen.errors import ParameterError

__all__ = ["SegmentMatrix"]

#: What the bins of an axis are called, worst to best, by how many there are; more have numbers.
_LETTERS: Final = {2: ["L", "H"], 3: ["L", "M", "H"]}
#: What a cell may say of itself; the language picks its name and its investment level.
_FIELDS: Final = ("key", "zh", "en", "investment", "investment_zh", "investment_en", "playbook")
#: The added columns, and the field of a cell each of them shows.
_ADDED: Final = {
    names.MATRIX_CELL: "key",
    names.INVESTMENT_LEVEL: "investment",
    names.PLAYBOOK_KEY: "playbook",
}


class SegmentMatrix(ColumnAdder, _Bins):
    """Place every row in a matrix of two measures, and give it what its cell says.

    Parameters
    ----------
    rows, columns : str
        The measures of the two axes; more is better.
    bins : int, list, or dict of str to these
        How many bins an axis has, or its cuts: numbers (a value equal to one lies below it) or text with its operator,
        ``["< 100000", "< 500000"]``. By column name where the axes differ. Also another estimator's `bin_edges_`.
    cells : mapping of str to str or mapping, or str
        What each cell is: its code -> its name, or a mapping with ``key`` and, where there are any, ``zh``, ``en``,
        ``investment``, ``investment_zh``, ``investment_en``, ``playbook``. Or the name of a preset
        (``"matrix.value_potential"``) whose cells to take. A code is the row's bin and the column's: of two bins "L"
        and "H", of three "L", "M" and "H", otherwise "1" to the number of bins ("HM"; "H4"; "10-4" above 9 bins).
        Two bins may take the corners of a matrix of three. None names each cell by its code.
    strategy : {"quantile", "uniform", "kmeans", "mean", "median"} or dict of str to these
        How cuts are found where `bins` gives none; as for `Binner`.
    lang : {"en", "zh"}, optional
        The language of names and investment levels; None gives the keys.
    output : dict of str to str, optional
        Other names for added columns, default name to new name.
    n_jobs : int, optional
        Threads; None means all processors. It never changes a result.

    Attributes
    ----------
    bin_edges_, closed_, n_features_in_, feature_names_in_
        As for `Binner`.

    Examples
    --------
    >>> import pandas as pd
    >>> import xifen as xf
    >>> customers = pd.DataFrame({"amount": [900_000, 700_000, 20_000], "growth": [0.4, 0.0, 0.5]})
    >>> matrix = xf.SegmentMatrix(
    ...     rows="amount",
    ...     columns="growth",
    ...     bins={"amount": ["< 500000"], "growth": ["< 0.2"]},
    ...     cells="matrix.value_potential",
    ...     lang="en",
    ... )
    >>> matrix.fit_transform(customers)[["matrix_cell", "investment_level", "playbook_key"]]
      matrix_cell investment_level      playbook_key
    0        Star         Heaviest       matrix.star
    1    Cash cow            Heavy   matrix.cash_cow
    2   Potential         Moderate  matrix.potential
    """

    _most_bins = 100

    def __init__(
        self,
        *,
        rows: str,
        columns: str,
        bins: Any = 3,
        cells: Mapping[str, Any] | str | None = None,
        strategy: Strategy | Mapping[str, Strategy] = "quantile",
        lang: Literal["en", "zh"] | None = None,
        output: Mapping[str, str] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.rows = rows
        self.columns = columns
        self.bins = bins
        self.cells = cells
        self.strategy = strategy
        self.lang = lang
        self.output = output
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the cuts, and check that every cell is named.

        Parameters
        ----------
        X : frame
            pandas, polars, pyarrow Table or dict of arrays; missing values are left out.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        InputError
            A column is absent, not numeric, holds infinity, or has no value to learn cuts from.
        ParameterError
            A parameter cannot be used, or a cell has no name.
        TypeError
            X is an array: it has no column names.
        """
        self._fit(self._open(X), place=False)
        return self

    def transform(self, X: Any) -> Any:
        """Add what each row's cell says.

        Parameters
        ----------
        X : frame
            Any frame with the two columns.

        Returns
        -------
        frame
            The caller's frame and, behind its own columns, `matrix_cell` and, where the cells say any,
            `investment_level` and `playbook_key`. A missing measure makes them missing.

        Raises
        ------
        InputError
            A column is absent, not numeric, holds infinity, or an added one is already there.
        """
        check_is_fitted(self)
        frame = self._open(X)
        return self._add(frame, self._cross(frame, self._axes(), {}, fit=False, place=True))

    def table(self) -> pd.DataFrame:
        """Show the cells of the fitted matrix, the best first.

        Returns
        -------
        pandas.DataFrame
            `code`, then what the cells say: `key`, `zh`, `en`, `investment` and so on.
        """
        check_is_fitted(self)
        cells = self._cells()
        fields = [field for field in _FIELDS if any(field in cell for cell in cells.values())]
        return pd.DataFrame([{"code": code, **{f: cell.get(f, "") for f in fields}} for code, cell in cells.items()])

    def _shown(self) -> list[_display.Part]:
        return [*super()._shown(), ("cells", self.table())]

    def _reads(self) -> list[str]:
        return self._axes()

    def _adds(self) -> list[str]:
        return list(self._added(self._cells()).values())

    def _fit(self, frame: Frame, *, place: bool) -> dict[str, Any]:
        axes = self._axes()
        if self.lang not in (None, "en", "zh"):
            raise ParameterError(f"lang is {self.lang!r}; wanted 'en', 'zh' or None for the keys")
        try:
            out = self._cross(frame, axes, self._parameters(axes), fit=True, place=place)
        except ParameterError as failure:  # a Binner calls these by two names
            raise ParameterError(re.sub(r"\b(n_bins|edges)\b", "bins", str(failure))) from None
        self._added(self._cells())
        self._remember(frame)
        return out

    def _axes(self) -> list[str]:
        return column_names("rows and columns", [self.rows, self.columns])

    def _parameters(self, axes: list[str]) -> dict[str, Any]:
        """Tell numbers of bins from cuts."""
        bins = cuts_by_column(self.bins)
        if not isinstance(bins, Mapping):
            bins = dict.fromkeys(axes, bins)
        known_columns("bins", bins, axes)
        whole = {axis: isinstance(value, (int, np.integer, float)) for axis, value in bins.items()}
        return {
            "n_bins": {axis: value for axis, value in bins.items() if whole[axis]},
            "edges": {axis: value for axis, value in bins.items() if not whole[axis]},
            "strategy": self.strategy,
        }

    def _descending(self, columns: list[str]) -> list[str]:
        return []

    def _plain(self, parameter: Any) -> Any:
        return cuts_by_column(parameter) if is_fitted_edges(parameter) else parameter

    def _add(self, frame: Frame, found: dict[str, Any]) -> Any:
        cells = self._cells()
        (row, row_missing), (column, column_missing) = found["scores"]
        across = len(self.bin_edges_[self.columns]) + 1
        # The place of each row's cell in `cells`, which begin with the best; the last place is no cell.
        place = len(cells) - 1 - ((row.astype(np.int16) - 1) * across + (column - 1))
        for missing in (row_missing, column_missing):
            if missing is not None:
                place[missing] = len(cells)
        columns = {}
        for default, name in self._added(cells).items():
            labels = self._labels(cells, _ADDED[default])
            known = list(dict.fromkeys(label for label in labels if label is not None))
            codes = np.asarray([-1 if label is None else known.index(label) for label in [*labels, None]], np.int16)
            columns[name] = Labels(codes[place], known)
        return frame.add(columns)

    def _labels(self, cells: Mapping[str, Mapping[str, str]], field: str) -> list[str | None]:
        """One text per cell, in the wanted language where there is one; None where a cell has none."""
        wanted = (
            field
            if self.lang is None
            else {"key": self.lang, "investment": f"investment_{self.lang}"}.get(field, field)
        )
        return [cell.get(wanted, cell.get(field)) for cell in cells.values()]

    def _added(self, cells: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """Map the default name of every added column to its name here."""
        default = [name for name, field in _ADDED.items() if any(field in cell for cell in cells.values())]
        return renamed(default, self.output)

    def _cells(self) -> dict[str, dict[str, str]]:
        """Every cell of the matrix, the best first."""
        sizes = self._sizes()
        given = self._given(sizes)
        cells: dict[str, dict[str, str]] = {}
        for code in _codes(sizes):
            cell = {"key": code} if given is None else given.get(code)
            if cell is None:
                raise ParameterError(f"cells says nothing of '{code}'; wanted {', '.join(_codes(sizes))}")
            cells[code] = {"key": cell} if isinstance(cell, str) else dict(cell)
        return cells

    def _sizes(self) -> list[int]:
        """How many bins each axis has: as fitted, and before that as asked for."""
        axes = self._axes()
        if hasattr(self, "bin_edges_"):
            return [len(self.bin_edges_[axis]) + 1 for axis in axes]
        said = self._parameters(axes)
        two = self.strategy in ("mean", "median")
        cuts = {axis: len(edges) + 1 for axis, edges in said["edges"].items()}
        return [cuts.get(axis, said["n_bins"].get(axis, 2 if two else 5)) for axis in axes]

    def _given(self, sizes: list[int]) -> Mapping[str, Any] | None:
        """Read `cells`; wrong ones are refused."""
        cells: Any = self.cells
        if isinstance(cells, str):
            from xifen.presets import matrix_cells  # presets know the matrix, so only a call may know them

            cells = matrix_cells(cells)
        if cells is None:
            return None
        if not isinstance(cells, Mapping):
            raise TypeError(f"cells must be a mapping of code to name, or a preset's name; got {type(cells).__name__}")
        # Two bins may take the corners of three.
        known = _codes([3 if size == 2 else size for size in sizes])
        for code, cell in cells.items():
            if code not in known:
                near = _core.did_you_mean(str(code), known)
                raise ParameterError(
                    f"cells names {code!r}, which is no cell{near or ';'} wanted {', '.join(_codes(sizes))}"
                )
            fields = {"key": cell} if isinstance(cell, str) else cell
            if not isinstance(fields, Mapping) or not all(isinstance(text, str) for text in fields.values()):
                raise TypeError(f"cell '{code}' must be a name or a mapping of text; got {cell!r}")
            known_columns(f"cell '{code}'", fields, list(_FIELDS))
            if not fields.get("key"):
                raise ParameterError(f"cell '{code}' has no key; give it a name")
        return cells


def _codes(sizes: Sequence[int]) -> list[str]:
    """Name every cell, the best first."""
    names = [_LETTERS.get(size, [str(number) for number in range(1, size + 1)])[::-1] for size in sizes]
    between = "-" if max(sizes) > 9 else ""
    return [f"{row}{between}{column}" for row in names[0] for column in names[1]]
