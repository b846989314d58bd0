"use strict";
// How each kind of block is shown. Charts and the customer table have files of their own.

/** A table of texts. `segments` names the segment of each row, which its label then chooses. */
function plainTable(block) {
  const numeric = new Set(block.numeric || []);
  const code = new Set(block.code || []);
  const labelled = block.label ?? 0;
  const head = block.columns.map((title, place) => element("th", { scope: "col", class: numeric.has(place) ? "number" : "" }, title));
  const rows = block.rows.map((row, line) =>
    element(
      "tr",
      {},
      row.map((text, place) => {
        const kind = numeric.has(place) ? "number" : text.length > 24 ? "long" : text.length < 13 ? "short" : "";
        if (code.has(place)) return element("td", { class: kind }, element("code", {}, text));
        const segment = block.segments && place === labelled ? block.segments[line] : null;
        if (segment === null) return element("td", { class: kind }, text);
        return element("th", { scope: "row" }, element("button", { class: "link", onclick: () => choice.choose(segment) }, text));
      }),
    ),
  );
  if (block.segments) {
    choice.listen((chosen) => rows.forEach((row, line) => row.classList.toggle("dim", chosen >= 0 && block.segments[line] !== chosen)));
  }
  return element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows)));
}

function titled(block, ...content) {
  const badge = "badge" in block ? element("span", { class: `badge ${block.badge ? "good" : "bad"}` }, block.badge ? "✓" : "!") : null;
  const heading = block.title ? element("h4", {}, badge, block.title) : null;
  const note = block.note ? element("p", { class: "note" }, block.note) : null;
  return element("div", {}, heading, note, content);
}

const SHOWN = {
  numbers(block) {
    const values = block.items.map((item) => element("dd", {}, item.values[0]));
    choice.listen((chosen) => values.forEach((value, place) => (value.textContent = block.items[place].values[chosen + 1])));
    return element("dl", { class: "numbers" }, block.items.map((item, place) => element("div", { title: item.note }, element("dt", {}, item.title), values[place])));
  },
  questions(block) {
    return element(
      "div",
      { class: "questions" },
      block.items.map((item) =>
        element(
          "div",
          { class: "panel" },
          element("h4", {}, item.title),
          item.reason ? element("p", { class: "note" }, item.reason) : null,
          element("ol", { class: "answers" }, item.answers.map(([place, reason]) => element("li", {}, element("button", { class: "link", onclick: () => people.open(place) }, element("bdi", {}, people.id(place))), " ", element("bdi", { class: "note" }, reason)))),
        ),
      ),
    );
  },
  table(block) {
    if (!block.folded) return titled(block, plainTable(block));
    return element("details", {}, element("summary", {}, block.title), block.note ? element("p", { class: "note" }, block.note) : null, plainTable(block));
  },
  cards(block) {
    const cards = block.items.map((item) =>
      element(
        "article",
        { class: "panel" },
        element("h4", {}, element("button", { class: "link", onclick: () => choice.choose(item.segment) }, DATA.segments[item.segment].label)),
        item.groups.filter((group) => group.items.length).map((group) => [group.title ? element("p", { class: "note group" }, group.title) : null, factList(group.items)]),
        item.slots.map(slotBox),
      ),
    );
    choice.listen((chosen) => cards.forEach((card, place) => card.classList.toggle("dim", chosen >= 0 && block.items[place].segment !== chosen)));
    return element("div", { class: "cards" }, cards);
  },
  outline(block) {
    const titles = Object.fromEntries(DATA.parts.flatMap((part) => part.sections.map((section) => [section.key, section.title])));
    return element(
      "ol",
      { class: "outline" },
      block.items.map((item) => {
        const links = item.links.filter((key) => key in titles);
        const shown = links.map((key, place) => [place ? " · " : "", element("a", { href: `#${key}` }, titles[key])]);
        return element(
          "li",
          {},
          element("h4", {}, item.title),
          item.facts.length ? factList(item.facts) : null,
          links.length ? element("p", { class: "links note" }, say("see"), shown.flat()) : null,
          element("div", { class: "slots" }, item.slots.map(slotBox)),
        );
      }),
    );
  },
  lead: (block) => element("p", { class: "note" }, block.text),
  facts: (block) => titled(block, factList(block.items)),
  notes: (block) => titled(block, element("ul", { class: "notes" }, block.items.map((text) => element("li", {}, element("bdi", {}, text))))),
  customers: (block) => people.show(block),
};
