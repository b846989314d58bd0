"""Charts as Vega-Lite, made with Altair: the only place that draws.

A chart is drawn from a block of a section (`sections`), so a notebook shows the same charts as the page. On the page its
colours are the page's own (CSS variables, so that one drawing serves light, dark and paper); elsewhere they are fixed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from xifen._atomic import replacing
from xifen.errors import ParameterError, XifenError
from xifen.report import sections
from xifen.report._view import View

try:
    import altair as alt
    import vl_convert
except ModuleNotFoundError as failure:  # pragma: no cover - tests have them
    raise XifenError(f'charts need {failure.name}; install it with: pip install "xifen[report]"') from None

__all__ = ["Figure", "charts", "javascript", "spec"]


class Style(NamedTuple):
    """Colours by their part, and the language of numbers."""

    lang: str
    ink: str
    quiet: str
    line: str
    first: str
    second: str
    background: str


def _of_the_page(lang: str) -> Style:
    """Give the page's own variables, which are light, dark or paper's."""
    return Style(lang, "var(--ink)", "var(--quiet)", "var(--line)", "var(--first)", "var(--second)", "transparent")


def _of_a_file(lang: str) -> Style:
    return Style(lang, "#1c2733", "#5b6773", "#d9dfe6", "#2563a8", "#b45f06", "#ffffff")


_FONT: Final = '"Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "Segoe UI", sans-serif'
_ROWS: Final = "rows"
_STEP: Final = 28


class Figure:
    """A chart to look at in a notebook without a network, and to save.

    Attributes
    ----------
    chart : altair.TopLevelMixin
        The Altair chart, to change or to combine.
    title : str
    """

    def __init__(self, chart: Any, title: str) -> None:
        self.chart = chart
        self.title = title

    def save(self, path: str | Path) -> Path:
        """Write the chart as .png, .svg, .pdf, .json, or .html that needs no network.

        Parameters
        ----------
        path : str or Path
            Its ending says what to write.

        Returns
        -------
        Path

        Raises
        ------
        ParameterError
            The ending is not one of these, or the file cannot be written.
        """
        path = Path(path)
        if path.suffix not in (".png", ".svg", ".pdf", ".json", ".html"):
            raise ParameterError(f"'{path.name}' does not end in .png, .svg, .pdf, .json or .html")
        options: dict[str, dict[str, Any]] = {".png": {"ppi": 144}, ".html": {"inline": True}}
        with replacing(path) as part:
            self.chart.save(str(part), **options.get(path.suffix, {}))
        return path

    def _repr_html_(self) -> str:
        return str(vl_convert.vegalite_to_svg(self.chart.to_dict()))

    def __repr__(self) -> str:
        return f"Figure({self.title!r})"


def charts(result: Any, lang: str | None = None) -> dict[str, Figure]:
    """Draw every chart of the report.

    Parameters
    ----------
    result : Segmentation
    lang : {"zh", "en"}, optional
        None is the result's own.

    Returns
    -------
    dict of str to Figure
        By section, the first chart of a section under its key ("rfm"), the others numbered ("rfm_2").
    """
    view = View(result, lang, customers=0)
    drawn: dict[str, Figure] = {}
    for part in sections.build(view):
        for section in part["sections"]:
            blocks = [block for block in section["blocks"] if block["kind"] == "chart"]
            for place, block in enumerate(blocks, start=1):
                title = block.get("title", section["title"])
                key = section["key"] if place == 1 else f"{section['key']}_{place}"
                drawn[key] = Figure(_draw(block, _of_a_file(view.words.lang), width=520, title=title), title)
    return drawn


def spec(block: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """Give a block's chart as the page draws it: without its rows, in the page's colours, as wide as its place."""
    drawn: dict[str, Any] = _draw(block, _of_the_page(lang), width="container").to_dict(validate=False)
    del drawn["datasets"]
    return drawn


@functools.cache
def javascript() -> str:
    """Give Vega, Vega-Lite and Vega-Embed as one script; some seconds the first time."""
    script: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return script


def _draw(block: Mapping[str, Any], style: Style, *, width: Any, title: str = "") -> Any:
    rows = block["rows"]
    names = list(rows)
    values = [dict(zip(names, line, strict=True)) for line in zip(*rows.values(), strict=True)]
    if block["by"] == "choice" and width != "container":
        values = [line for line in values if line["s"] < 0]
    chart = _CHARTS[block["chart"]](block, style)
    chart.data = alt.NamedData(_ROWS)
    chart.datasets = {_ROWS: values}
    if title:
        chart = chart.properties(title=title)
    chart = chart.properties(width=width, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    if block["by"] == "mark":
        chart = chart.add_params(alt.param(name="chosen", value=-1))
    text: dict[str, Any] = {"labelFont": _FONT, "titleFont": _FONT, "labelColor": style.ink, "titleColor": style.quiet}
    return chart.configure(
        aria=False,
        background=style.background,
        font=_FONT,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            **text,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor=style.line,
            domainColor=style.line,
            tickColor=style.line,
            labelLimit=150,
        ),
        legend=alt.LegendConfig(**text, labelFontSize=12, orient="top", labelLimit=200),
        title=alt.TitleConfig(font=_FONT, color=style.ink, anchor="start", fontSize=14),
        text=alt.MarkConfig(font=_FONT, fontSize=12, color=style.ink),
    )


def _order(rows: Mapping[str, Any], name: str, order: str) -> list[Any]:
    """Give the labels of an axis in their order: fixed, so that choosing a segment moves nothing."""
    return [label for _, label in sorted(dict.fromkeys(zip(rows[order], rows[name], strict=True)))]


def _axis(cls: Any, field: str, labels: list[Any], title: Any = None, **axis: Any) -> Any:
    """Make an axis of labels without lines."""
    return cls(
        f"{field}:N",
        title=title,
        scale=alt.Scale(domain=labels),
        sort=None,
        axis=alt.Axis(grid=False, ticks=False, domain=False, **axis),
    )


def _dimmed() -> Any:
    """Everything but the chosen segment steps back."""
    return alt.condition("chosen < 0 || datum.s == chosen", alt.value(1), alt.value(0.25))


def _written(value: str, lang: str) -> str:
    """Write a number briefly, as an expression of Vega."""
    if lang == "en":
        return f"{value} >= 1e4 ? format({value}, '.3~s') : format({value}, ',.0f')"
    return (
        f"{value} >= 1e8 ? format({value} / 1e8, '.3~r') + '亿' : {value} >= 1e4 ? format({value} / 1e4, '.3~r') + '万' : "
        f"format({value}, ',.0f')"
    )


def _counts(value: str, title: str, lang: str) -> Any:
    axis = alt.Axis(labelExpr=_written("datum.value", lang), tickCount=4)
    return alt.X(value, title=title, axis=axis)


def _bars(block: Mapping[str, Any], style: Style) -> Any:
    title = block["options"]["value"]
    labels = _order(block["rows"], "label", "o")
    return (
        alt.Chart()
        .mark_bar(color=style.first, height={"band": 0.7})
        .encode(
            y=_axis(alt.Y, "label", labels),
            x=_counts("n:Q", title, style.lang),
            tooltip=[alt.Tooltip("label:N", title=" "), alt.Tooltip("n:Q", title=title, format=",")],
        )
        .properties(height=_STEP * len(labels))
    )


def _pairs(block: Mapping[str, Any], style: Style) -> Any:
    names, labels = block["options"]["series"], _order(block["rows"], "label", "o")
    both = [style.first, style.second]
    return (
        alt.Chart()
        .mark_bar()
        .encode(
            y=_axis(alt.Y, "label", labels),
            yOffset=alt.YOffset("series:N", scale=alt.Scale(domain=names)),
            x=alt.X("value:Q", title=None, axis=alt.Axis(format=".0%", tickCount=5)),
            color=alt.Color("series:N", title=None, scale=alt.Scale(domain=names, range=both)),
            opacity=_dimmed(),
            tooltip=[
                alt.Tooltip("label:N", title=" "),
                alt.Tooltip("series:N", title="  "),
                alt.Tooltip("value:Q", title="   ", format=".1%"),
            ],
        )
        .properties(height=40 * len(labels))
    )


def _cells(base: Any, style: Style, value: str, text: Any) -> Any:
    """Colour cells by a value, and write it into them."""
    opacity = alt.Opacity(value, scale=alt.Scale(range=[0.06, 0.6], zero=True), legend=None)
    boxes = base.mark_rect(color=style.first, stroke=style.line).encode(opacity=opacity)
    return boxes + base.mark_text(color=style.ink).encode(text=text)


def _heat(block: Mapping[str, Any], style: Style) -> Any:
    options, rows = block["options"], block["rows"]
    across, up = (sorted(set(rows[name])) for name in ("r", "f"))
    base = (
        alt.Chart()
        .transform_calculate(said=_written("datum.value", style.lang))
        .encode(
            x=_axis(alt.X, "r", across, options["x"], labelAngle=0),
            y=_axis(alt.Y, "f", up[::-1], options["y"]),
            tooltip=[
                alt.Tooltip("r:N", title=options["x"]),
                alt.Tooltip("f:N", title=options["y"]),
                alt.Tooltip("value:Q", title=options["value"], format=",.0f"),
            ],
        )
    )
    return _cells(base, style, "value:Q", "said:N").properties(height=46 * len(up))


def _quadrant(block: Mapping[str, Any], style: Style) -> Any:
    options, rows = block["options"], block["rows"]
    up = _order(rows, "y", "yo")
    base = alt.Chart().encode(
        x=_axis(alt.X, "x", _order(rows, "x", "xo"), options["x"], labelAngle=0),
        y=_axis(alt.Y, "y", up, options["y"]),
        tooltip=[
            alt.Tooltip("name:N", title=" "),
            alt.Tooltip("n:Q", title=options["value"], format=","),
            alt.Tooltip("revenue:Q", title=options["revenue"], format=".1%"),
        ],
    )
    boxes = _cells(base, style, "n:Q", alt.Text("n:Q", format=","))
    name = base.mark_text(dy=-22, fontWeight="bold", color=style.ink).encode(text="name:N")
    share = base.mark_text(dy=20, color=style.ink).encode(text=alt.Text("revenue:Q", format=".1%"))
    return (boxes + name + share).properties(height=92 * len(up))


def _overlap(block: Mapping[str, Any], style: Style) -> Any:
    rows = block["rows"]
    up = _order(rows, "y", "yo")
    base = (
        alt.Chart()
        .transform_calculate(said=_written("datum.n", style.lang))
        .encode(
            x=_axis(alt.X, "x", _order(rows, "x", "xo"), labelAngle=-40, labelLimit=110),
            y=_axis(alt.Y, "y", up),
            tooltip=[
                alt.Tooltip("x:N", title=" "),
                alt.Tooltip("y:N", title="  "),
                alt.Tooltip("n:Q", title=block["options"]["value"], format=","),
            ],
        )
    )
    return _cells(base, style, "n:Q", "said:N").properties(height=34 * len(up))


def _profile(block: Mapping[str, Any], style: Style) -> Any:
    """Rows against measures: above the centre in one colour, below it in the other, stronger the further away."""
    options, rows = block["options"], block["rows"]
    centre, reach = options["centre"], options["reach"]
    up = _order(rows, "label", "o")
    base = (
        alt.Chart()
        .transform_calculate(
            side=f"datum.value >= {centre} ? 'above' : 'below'",
            away=f"0.05 + 0.55 * min(1, abs(datum.value - {centre}) / {reach - centre})",
        )
        .encode(
            x=_axis(alt.X, "measure", _order(rows, "measure", "mo"), labelAngle=-40, labelLimit=130),
            y=_axis(alt.Y, "label", up),
            tooltip=[
                alt.Tooltip("label:N", title=" "),
                alt.Tooltip("measure:N", title="  "),
                alt.Tooltip("value:Q", title="   ", format=".2f"),
            ],
        )
    )
    both = alt.Scale(domain=["above", "below"], range=[style.first, style.second])
    boxes = base.mark_rect(stroke=style.line).encode(
        color=alt.Color("side:N", scale=both, legend=None),
        fillOpacity=alt.FillOpacity("away:Q", scale=None, legend=None),
    )
    text = base.mark_text(color=style.ink, fontSize=11).encode(text=alt.Text("value:Q", format=".2f"))
    if block["by"] == "mark":
        boxes, text = boxes.encode(opacity=_dimmed()), text.encode(opacity=_dimmed())
    return (boxes + text).properties(height=30 * len(up))


def _pareto(block: Mapping[str, Any], style: Style) -> Any:
    options = block["options"]
    axis, whole = alt.Axis(format=".0%", tickCount=5), alt.Scale(domain=[0, 1])
    curve = alt.Chart().encode(
        x=alt.X("x:Q", title=options["x"], axis=axis, scale=whole),
        y=alt.Y("y:Q", title=options["y"], axis=axis, scale=whole),
    )
    even = curve.mark_line(color=style.quiet, strokeDash=[4, 4], strokeWidth=1).encode(y=alt.Y("x:Q"))
    tooltip = [
        alt.Tooltip("x:Q", title=options["x"], format=".0%"),
        alt.Tooltip("y:Q", title=options["y"], format=".1%"),
    ]
    area = curve.mark_area(color=style.first, opacity=0.15)
    line = curve.mark_line(color=style.first, strokeWidth=2)
    return (even + area + line + curve.mark_point(opacity=0, size=120).encode(tooltip=tooltip)).properties(height=300)


def _goals(block: Mapping[str, Any], style: Style) -> Any:
    title, labels = block["options"]["value"], _order(block["rows"], "label", "o")
    base = alt.Chart()
    bars = base.mark_bar(color=style.first, height={"band": 0.6}).encode(
        y=_axis(alt.Y, "label", labels, labelLimit=220),
        x=alt.X("value:Q", title=title, axis=alt.Axis(format=".0%", tickCount=4)),
        tooltip=[alt.Tooltip("label:N", title=" "), alt.Tooltip("value:Q", title=title, format=".1%")],
    )
    mark = base.mark_rule(color=style.second, strokeWidth=2).encode(x=alt.datum(1))
    return (bars + mark).properties(height=36 * len(labels))


_CHARTS: Final[dict[str, Callable[[Mapping[str, Any], Style], Any]]] = {
    "bars": _bars,
    "pairs": _pairs,
    "heat": _heat,
    "quadrant": _quadrant,
    "overlap": _overlap,
    "profile": _profile,
    "pareto": _pareto,
    "goals": _goals,
}
