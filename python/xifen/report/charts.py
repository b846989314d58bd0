"""Charts as Vega-Lite, made with Altair: the only place that draws.

A chart is drawn from a block of a section (`sections`), so a notebook shows the same charts as the page. On the page its
colours are the page's own (CSS variables, so that one drawing serves light, dark and paper); elsewhere they are fixed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from xifen.errors import ParameterError, XifenError
from xifen.report import sections
from xifen.report._view import View

try:
    import altair as alt
    import vl_convert
except ModuleNotFoundError as failure:  # pragma: no cover - tests have them
    raise XifenError(f'charts need {failure.name}; install it with: pip install "xifen[report]"') from None

__all__ = ["Figure", "charts", "javascript", "spec"]

#: Colours by their part: the page's variables, or fixed ones for files.
PAGE: Final = {part: f"var(--{part})" for part in ("ink", "quiet", "line", "first", "second", "paper")}
FIXED: Final = {
    "ink": "#1c2733", "quiet": "#5b6773", "line": "#d9dfe6", "first": "#2563a8", "second": "#b45f06", "paper": "#ffffff",
}  # fmt: skip
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
            The ending is not one of these.
        """
        path = Path(path)
        if path.suffix not in (".png", ".svg", ".pdf", ".json", ".html"):
            raise ParameterError(f"'{path.name}' does not end in .png, .svg, .pdf, .json or .html")
        options: dict[str, Any] = {".png": {"ppi": 144}, ".html": {"inline": True}}.get(path.suffix, {})
        self.chart.save(str(path), **options)
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
                drawn[key] = Figure(_draw(block, FIXED, view.words.lang, width=520, title=title), title)
    return drawn


def spec(block: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """Give a block's chart as the page draws it: without its rows, in the page's colours, as wide as its place."""
    drawn: dict[str, Any] = _draw(block, PAGE, lang, width="container").to_dict(validate=False)
    del drawn["datasets"]
    return drawn


@functools.cache
def javascript() -> str:
    """Give Vega, Vega-Lite and Vega-Embed as one script; some seconds the first time."""
    script: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return script


def _draw(block: Mapping[str, Any], colours: Mapping[str, str], lang: str, *, width: Any, title: str = "") -> Any:
    rows = block["rows"]
    names = list(rows)
    values = [dict(zip(names, line, strict=True)) for line in zip(*rows.values(), strict=True)]
    if block["by"] == "choice" and width != "container":
        values = [line for line in values if line["s"] < 0]
    chart = _CHARTS[block["chart"]](colours, lang, block.get("options", {}))
    chart.data = alt.NamedData(_ROWS)
    chart.datasets = {_ROWS: values}
    if title:
        chart = chart.properties(title=title)
    chart = chart.properties(width=width, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    if block["by"] == "mark":
        chart = chart.add_params(alt.param(name="chosen", value=-1))
    text = {"labelFont": _FONT, "titleFont": _FONT, "labelColor": colours["ink"], "titleColor": colours["quiet"]}
    return chart.configure(
        aria=False,
        background="transparent" if colours is PAGE else colours["paper"],
        font=_FONT,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            **text,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor=colours["line"],
            domainColor=colours["line"],
            tickColor=colours["line"],
            labelLimit=150,
        ),
        legend=alt.LegendConfig(**text, labelFontSize=12, orient="top", labelLimit=200),
        title=alt.TitleConfig(font=_FONT, color=colours["ink"], anchor="start", fontSize=14),
        text=alt.MarkConfig(font=_FONT, fontSize=12, color=colours["ink"]),
    )


def _count_axis(lang: str) -> Any:
    """Write large numbers of an axis the way the language does."""
    if lang == "en":
        return alt.Axis(format="~s", tickCount=4)
    say = "datum.value >= 1e8 ? format(datum.value / 1e8, '~r') + '亿' : datum.value >= 1e4 ? format(datum.value / 1e4, '~r') + '万' : format(datum.value, ',')"
    return alt.Axis(labelExpr=say, tickCount=4)


def _by(order: str) -> Any:
    return alt.EncodingSortField(field=order, op="min", order="ascending")


def _dimmed() -> Any:
    """Everything but the chosen segment steps back."""
    return alt.condition("chosen < 0 || datum.s == chosen", alt.value(1), alt.value(0.25))


def _bars(colours: Mapping[str, str], lang: str, options: Mapping[str, Any]) -> Any:
    base = alt.Chart().transform_aggregate(n="sum(n)", o="min(o)", groupby=["label"])
    y = alt.Y("label:N", sort=_by("o"), title=None, axis=alt.Axis(grid=False, ticks=False, domain=False))
    x = alt.X("n:Q", title=options["value"], axis=_count_axis(lang), scale=alt.Scale(domainMin=0))
    tooltip = [alt.Tooltip("label:N", title=" "), alt.Tooltip("n:Q", title=options["value"], format=",")]
    return base.mark_bar(color=colours["first"], height={"band": 0.7}).encode(y=y, x=x, tooltip=tooltip).properties(
        height=alt.Step(_STEP)
    )


def _pairs(colours: Mapping[str, str], lang: str, options: Mapping[str, Any]) -> Any:
    names = options["series"]
    return (
        alt.Chart()
        .mark_bar()
        .encode(
            y=alt.Y("label:N", sort=_by("o"), title=None, axis=alt.Axis(grid=False, ticks=False, domain=False)),
            yOffset=alt.YOffset("series:N", sort=names),
            x=alt.X("value:Q", title=None, axis=alt.Axis(format=".0%", tickCount=4)),
            color=alt.Color(
                "series:N",
                sort=names,
                title=None,
                scale=alt.Scale(domain=names, range=[colours["first"], colours["second"]]),
            ),
            opacity=_dimmed(),
            tooltip=[
                alt.Tooltip("label:N", title=" "),
                alt.Tooltip("series:N", title="  "),
                alt.Tooltip("value:Q", title="   ", format=".1%"),
            ],
        )
        .properties(height=alt.Step(16))
    )


def _cells(colours: Mapping[str, str], x: Any, y: Any, value: Any, text: Any, tooltip: list[Any], base: Any) -> Any:
    """Colour cells by a value, and write it into them."""
    opacity = alt.Opacity(value, scale=alt.Scale(range=[0.06, 0.6], zero=True), legend=None)
    grid = base.encode(x=x, y=y, tooltip=tooltip)
    return grid.mark_rect(color=colours["first"], stroke=colours["line"]).encode(opacity=opacity) + grid.mark_text(
        color=colours["ink"]
    ).encode(text=text)


def _heat(colours: Mapping[str, str], lang: str, options: Mapping[str, Any]) -> Any:
    mean = options.get("mean", False)
    sums = {"n": "sum(n)"} | ({"revenue": "sum(revenue)"} if mean else {})
    base = alt.Chart().transform_aggregate(**sums, groupby=["r", "f"])
    if mean:
        base = base.transform_calculate(value="datum.revenue / datum.n")
    value = "value:Q" if mean else "n:Q"
    axis = {"labelAngle": 0, "grid": False, "ticks": False, "domain": False}
    x = alt.X("r:O", title=options["x"], axis=alt.Axis(**axis))
    y = alt.Y("f:O", title=options["y"], sort="descending", axis=alt.Axis(**axis))
    if lang == "zh":
        base = base.transform_calculate(
            said=f"datum.{value[:-2]} >= 1e8 ? format(datum.{value[:-2]} / 1e8, '.1f') + '亿' : datum.{value[:-2]} >= 1e4 ? "
            f"format(datum.{value[:-2]} / 1e4, '.1f') + '万' : format(datum.{value[:-2]}, ',.0f')"
        )
        text: Any = alt.Text("said:N")
    else:
        text = alt.Text(value, format=".3~s" if mean else ",.0f")
    tooltip = [
        alt.Tooltip("r:O", title=options["x"]),
        alt.Tooltip("f:O", title=options["y"]),
        alt.Tooltip(value, title=options["value"], format=",.0f"),
    ]
    return _cells(colours, x, y, value, text, tooltip, base).properties(height=alt.Step(44))


def _quadrant(colours: Mapping[str, str], lang: str, options: Mapping[str, Any]) -> Any:
    base = alt.Chart().transform_aggregate(
        n="sum(n)", revenue="sum(revenue)", xo="min(xo)", yo="min(yo)", groupby=["x", "y", "name"]
    )
    axis = {"labelAngle": 0, "grid": False, "ticks": False, "domain": False}
    x = alt.X("x:N", sort=_by("xo"), title=options["x"], axis=alt.Axis(**axis))
    y = alt.Y("y:N", sort=_by("yo"), title=options["y"], axis=alt.Axis(**axis))
    grid = base.encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("name:N", title=" "),
            alt.Tooltip("n:Q", title=options["value"], format=","),
            alt.Tooltip("revenue:Q", title="%", format=".1%"),
        ],
    )
    opacity = alt.Opacity("n:Q", scale=alt.Scale(range=[0.08, 0.6], zero=True), legend=None)
    return (
        grid.mark_rect(color=colours["first"], stroke=colours["line"]).encode(opacity=opacity)
        + grid.mark_text(dy=-16, fontWeight="bold", color=colours["ink"]).encode(text="name:N")
        + grid.mark_text(dy=2, color=colours["ink"]).encode(text=alt.Text("n:Q", format=","))
        + grid.mark_text(dy=20, color=colours["ink"]).encode(text=alt.Text("revenue:Q", format=".1%"))
    ).properties(height=alt.Step(76))


def _overlap(colours: Mapping[str, str], lang: str, options: Mapping[str, Any]) -> Any:
    base = alt.Chart().transform_aggregate(n="sum(n)", xo="min(xo)", yo="min(yo)", groupby=["x", "y"])
    axis = {"grid": False, "ticks": False, "domain": False}
    x = alt.X("x:N", sort=_by("xo"), title=None, axis=alt.Axis(**axis, labelAngle=-40, labelLimit=110))
    y = alt.Y("y:N", sort=_by("yo"), title=None, axis=alt.Axis(**axis))
    tooltip = [
        alt.Tooltip("x:N", title=" "),
        alt.Tooltip("y:N", title="  "),
        alt.Tooltip("n:Q", title=options["value"], format=","),
    ]
    text = alt.Text("n:Q", format=".3~s")
    return _cells(colours, x, y, "n:Q", text, tooltip, base).properties(height=alt.Step(30))


def _profile(colours: Mapping[str, str], lang: str, options: Mapping[str, Any]) -> Any:
    """Rows against measures: above the centre in one colour, below it in the other, stronger the further away."""
    centre, reach = options["centre"], options["reach"]
    if options.get("sums"):
        base = (
            alt.Chart()
            .transform_aggregate(n="sum(n)", z="sum(z)", o="min(o)", mo="min(mo)", groupby=["label", "measure"])
            .transform_calculate(value="datum.z / datum.n", s="-1")
        )
    else:
        base = alt.Chart()
    base = base.transform_calculate(
        side=f"datum.value >= {centre} ? 'above' : 'below'",
        away=f"0.05 + 0.55 * min(1, abs(datum.value - {centre}) / {reach - centre})"
    )
    axis = {"grid": False, "ticks": False, "domain": False}
    grid = base.encode(
        x=alt.X("measure:N", sort=_by("mo"), title=None, axis=alt.Axis(**axis, labelAngle=-40, labelLimit=120)),
        y=alt.Y("label:N", sort=_by("o"), title=None, axis=alt.Axis(**axis)),
        tooltip=[
            alt.Tooltip("label:N", title=" "),
            alt.Tooltip("measure:N", title="  "),
            alt.Tooltip("value:Q", title="   ", format=".2f"),
        ],
    )
    side = alt.Color(
        "side:N", scale=alt.Scale(domain=["above", "below"], range=[colours["first"], colours["second"]]), legend=None
    )
    boxes = grid.mark_rect(stroke=colours["line"]).encode(
        color=side, fillOpacity=alt.FillOpacity("away:Q", scale=None, legend=None)
    )
    text = grid.mark_text(color=colours["ink"]).encode(text=alt.Text("value:Q", format=".2f"))
    if not options.get("sums"):
        text = text.encode(opacity=_dimmed())
    return (boxes + text).properties(height=alt.Step(_STEP))


def _pareto(colours: Mapping[str, str], lang: str, options: Mapping[str, Any]) -> Any:
    share = {"format": ".0%", "tickCount": 5}
    x = alt.X("x:Q", title=options["x"], axis=alt.Axis(**share), scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("y:Q", title=options["y"], axis=alt.Axis(**share), scale=alt.Scale(domain=[0, 1]))
    tooltip = [
        alt.Tooltip("x:Q", title=options["x"], format=".0%"),
        alt.Tooltip("y:Q", title=options["y"], format=".1%"),
    ]
    curve = alt.Chart().encode(x=x, y=y)
    even = curve.mark_line(color=colours["quiet"], strokeDash=[4, 4], strokeWidth=1).encode(y=alt.Y("x:Q"))
    return (
        even
        + curve.mark_area(color=colours["first"], opacity=0.15)
        + curve.mark_line(color=colours["first"], strokeWidth=2)
        + curve.mark_point(opacity=0, size=120).encode(tooltip=tooltip)
    ).properties(height=300)


def _goals(colours: Mapping[str, str], lang: str, options: Mapping[str, Any]) -> Any:
    base = alt.Chart()
    y = alt.Y("label:N", sort=_by("o"), title=None, axis=alt.Axis(grid=False, ticks=False, domain=False, labelLimit=220))
    x = alt.X("value:Q", title=options["value"], axis=alt.Axis(format=".0%", tickCount=4), scale=alt.Scale(domainMin=0))
    tooltip = [alt.Tooltip("label:N", title=" "), alt.Tooltip("value:Q", title=options["value"], format=".1%")]
    bars = base.mark_bar(color=colours["first"], height={"band": 0.6}).encode(x=x, y=y, tooltip=tooltip)
    mark = base.mark_rule(color=colours["second"], strokeWidth=2).encode(x=alt.datum(1))
    return (bars + mark).properties(height=alt.Step(36))


_CHARTS: Final[dict[str, Callable[[Mapping[str, str], str, Mapping[str, Any]], Any]]] = {
    "bars": _bars,
    "pairs": _pairs,
    "heat": _heat,
    "quadrant": _quadrant,
    "overlap": _overlap,
    "profile": _profile,
    "pareto": _pareto,
    "goals": _goals,
}
