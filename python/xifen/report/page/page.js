"use strict";
// Puts the page together: top, segments to choose, contents, sections; then draws the charts.

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

function buildTop() {
  document.getElementById("top").append(
    element("div", {}, element("h1", {}, element("bdi", {}, DATA.title)), element("p", { class: "note" }, DATA.subtitle)),
    element("div", { class: "tools" }, element("button", { onclick: toggleTheme }, say("theme")), element("button", { onclick: () => window.print() }, say("print"))),
  );
}

function buildChoice() {
  const buttons = [-1, ...DATA.segments.keys()].map((segment) => {
    const label = segment < 0 ? say("all") : DATA.segments[segment].label;
    const hidden = segment >= 0 && DATA.segments[segment].hidden;
    return element("button", { "aria-pressed": String(segment < 0), disabled: hidden, "data-segment": segment, onclick: () => choice.choose(segment) }, element("bdi", {}, label));
  });
  choice.listen((chosen) => buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(place - 1 === chosen))));
  document.getElementById("choice").append(element("div", { role: "group", "aria-label": say("choose") }, buttons));
}

function buildContents() {
  const list = DATA.parts.map((part) => [
    element("b", {}, part.title),
    element("ol", {}, part.sections.map((section) => element("li", {}, element("a", { href: `#${section.key}` }, section.title)))),
  ]);
  const narrow = matchMedia("(max-width: 860px)").matches;
  const contents = document.getElementById("contents");
  contents.setAttribute("aria-label", say("contents"));
  contents.append(narrow ? element("details", {}, element("summary", {}, say("contents")), list.flat()) : element("div", {}, list.flat()));
}

async function buildReport() {
  const main = document.getElementById("report");
  const waiting = [];
  for (const part of DATA.parts) {
    main.append(element("h2", {}, part.title));
    for (const section of part.sections) {
      const blocks = section.blocks.map((block) => {
        if (block.kind !== "chart") return SHOWN[block.kind](block);
        const chart = chartFigure(block);
        waiting.push(chart.draw);
        return chart.figure;
      });
      main.append(element("section", { id: section.key, "aria-labelledby": `${section.key}-title` }, element("h3", { id: `${section.key}-title` }, section.title), element("div", { class: "blocks" }, blocks)));
    }
  }
  for (const draw of waiting) await draw();
  document.documentElement.dataset.ready = "true";
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && choice.segment >= 0 && !document.getElementById("card").open) choice.choose(-1);
});
buildTop();
buildChoice();
buildContents();
buildReport();
