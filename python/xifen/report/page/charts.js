"use strict";
// Charts: Vega-Lite with its interpreter (no code from strings, which the page's policy forbids), fed with the rows of the chosen segment.

const tip = element("div", { class: "tip", hidden: true });
document.body.append(tip);

/** Show what is under the pointer, as text. */
function showTip(handler, event, item, value) {
  if (value === null || value === undefined || value === "") {
    tip.hidden = true;
    return;
  }
  const lines = Object.entries(value).map(([name, text]) => element("div", {}, name.trim() ? `${name}: ${text}` : String(text)));
  tip.replaceChildren(...lines);
  tip.hidden = false;
  tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.max(8, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8))}px`;
}

/** Give the rows a block shows for a segment, as objects. */
function rowsOf(block, segment) {
  const names = Object.keys(block.rows);
  const found = [];
  for (let row = 0; row < block.rows[names[0]].length; row++) {
    const of = block.rows.s ? block.rows.s[row] : -1;
    if (block.by === "choice" && of !== segment) continue;
    found.push(Object.fromEntries(names.map((name) => [name, block.rows[name][row]])));
  }
  return found;
}

/** A chart with its title, its note and its numbers. */
function chartFigure(block) {
  const place = element("div", { class: "chart", role: "img", "aria-label": block.alt });
  const empty = element("p", { class: "note", hidden: true }, say("empty"));
  const numbers = element("details", {}, element("summary", {}, say("numbers_behind")));
  const caption = element(
    "figcaption",
    {},
    block.title ? element("h4", {}, block.title) : null,
    block.note ? element("p", { class: "note" }, block.note) : null,
    block.by === "none" ? element("p", { class: "note" }, say("not_filtered")) : null,
  );
  const size = { bars: "third", heat: "half", quadrant: "full" }[block.chart] || "full";
  // Many columns need room for their numbers: on a narrow screen such a chart is moved sideways.
  const across = { profile: "measure", overlap: "x" }[block.chart];
  if (across) place.style.minWidth = `${150 + 44 * new Set(block.rows[across]).size}px`;
  const frame = element("div", { class: "scroll", tabindex: across ? "0" : null }, place);
  const figure = element("figure", { class: size, "data-chart": block.chart }, caption, frame, empty, numbers);
  const shown = { view: null, rows: [] };
  const show = (segment) => {
    shown.rows = rowsOf(block, segment);
    empty.hidden = shown.rows.length > 0;
    place.hidden = shown.rows.length === 0;
    figure.dataset.rows = shown.rows.length;
    figure.dataset.segment = segment;
    if (numbers.open) list();
    if (!shown.view) return;
    if (block.by === "mark") shown.view.signal("chosen", segment);
    shown.view.data("rows", shown.rows).runAsync();
  };
  const list = () => {
    const hidden = new Set(["s", "o", "mo", "xo", "yo"]);
    const names = Object.keys(block.rows).filter((name) => !hidden.has(name));
    const lines = shown.rows.slice(0, 400).map((row) => [
      ...(block.rows.s ? [row.s < 0 ? say("all") : DATA.segments[row.s].label] : []),
      ...names.map((name) => (typeof row[name] === "number" ? String(Math.round(row[name] * 1e4) / 1e4) : row[name])),
    ]);
    const heads = [...(block.rows.s ? [say("segment")] : []), ...names];
    numbers.replaceChildren(numbers.firstChild, plainTable({ columns: heads, rows: lines }));
  };
  numbers.addEventListener("toggle", () => numbers.open && list());
  const draw = async () => {
    const spec = { ...block.spec, data: { name: "rows" }, datasets: { rows: rowsOf(block, -1) } };
    const options = { actions: false, renderer: "svg", ast: true, defaultStyle: false, tooltip: showTip, logLevel: 1 };
    shown.view = (await vegaEmbed(place, spec, options)).view;
    show(choice.segment);
  };
  show(-1);
  choice.listen(show);
  return { figure, draw };
}
