"use strict";
// The customer table (search, sort, pages) and the one-page card of a customer.

const people = {
  block: DATA.parts.flatMap((part) => part.sections.flatMap((section) => section.blocks)).find((block) => block.kind === "customers"),
  perPage: 25,
  page: 0,
  sorted: { column: "place", down: false },
  query: "",
  found: [],

  id(place) {
    return this.block ? this.block.ids[place] : "";
  },
  segment(place) {
    return DATA.segments[this.block.segments[place]].label;
  },
  tags(place) {
    return this.block.has[place].map((tag) => this.block.tags[tag]);
  },
  value(column, place) {
    const value = column.values[place];
    return column.type === "text" ? (value < 0 ? null : column.labels[value]) : value;
  },
  written(column, place) {
    const value = this.value(column, place);
    if (value === null) return "–";
    if (typeof value !== "number") return String(value);
    return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) >= 1000 ? 0 : 2, useGrouping: !/\d{4}/.test(String(value)) || Math.abs(value) >= 10000 });
  },

  /** What is compared when the table is sorted by a column. */
  key(column, place) {
    if (column === "id") return this.id(place);
    if (column === "segment") return this.block.segments[place];
    if (column === "tags") return this.block.has[place].length;
    return this.value(this.block.columns[column], place);
  },
  find() {
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    this.found = this.block.ids.map((_, place) => place).filter((place) => {
      if (choice.segment >= 0 && this.block.segments[place] !== choice.segment) return false;
      return words.every((word) => this.texts[place].includes(word));
    });
    const { column, down } = this.sorted;
    if (column === "place") return;
    const sign = down ? -1 : 1;
    this.found.sort((left, right) => {
      const [a, b] = [this.key(column, left), this.key(column, right)];
      if (a === null || b === null) return (a === null) - (b === null); // missing last, whichever way
      return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), DATA.lang));
    });
  },

  show(block) {
    const visible = block.table.map((place) => [place, block.columns[place].title, block.columns[place].type === "number"]);
    this.heads = [["id", say("customer"), false], ["segment", say("segment"), false], ...visible, ["tags", say("tags"), false]];
    const searched = block.columns.filter((column) => column.type === "text");
    this.texts = block.ids.map((id, place) => [id, this.segment(place), ...this.tags(place), ...searched.map((column) => this.value(column, place) ?? "")].join(" ").toLowerCase());
    this.body = element("tbody");
    this.headRow = element("tr", {}, this.heads.map(([key, title, number]) => element("th", { scope: "col", class: number ? "number" : "", "aria-sort": "none" }, element("button", { onclick: () => this.sort(key) }, title))));
    const input = element("input", { type: "search", placeholder: say("search"), "aria-label": say("search"), oninput: (event) => { this.query = event.target.value; this.page = 0; this.update(); } });
    this.count = element("span", { class: "note", "aria-live": "polite" });
    const turn = (step) => () => { this.page += step; this.update(); };
    this.back = element("button", { onclick: turn(-1) }, say("previous"));
    this.forth = element("button", { onclick: turn(1) }, say("next"));
    choice.listen(() => { this.page = 0; this.update(); });
    this.update();
    return element(
      "div",
      {},
      block.notes.map((text) => element("p", { class: "note" }, text)),
      element("div", { class: "bar" }, input, this.count, this.back, this.forth),
      element("div", { class: "scroll" }, element("table", { class: "people-table" }, element("thead", {}, this.headRow), this.body)),
    );
  },
  sort(column) {
    const numeric = column !== "id" && column !== "segment" && (column === "tags" || this.block.columns[column].type !== "text");
    this.sorted = { column, down: this.sorted.column === column ? !this.sorted.down : numeric };
    this.page = 0;
    this.update();
  },
  update() {
    this.find();
    const pages = Math.max(1, Math.ceil(this.found.length / this.perPage));
    this.page = Math.min(Math.max(this.page, 0), pages - 1);
    const first = this.page * this.perPage;
    const places = this.found.slice(first, first + this.perPage);
    this.body.replaceChildren(...places.map((place) => this.row(place)));
    this.heads.forEach(([key], at) => this.headRow.children[at].setAttribute("aria-sort", key !== this.sorted.column ? "none" : this.sorted.down ? "descending" : "ascending"));
    this.count.textContent = places.length ? say("shown", { first: first + 1, last: first + places.length, count: this.found.length.toLocaleString("en") }) : say("none_found");
    this.back.disabled = this.page === 0;
    this.forth.disabled = this.page >= pages - 1;
  },
  row(place) {
    const open = (event) => { event.stopPropagation(); this.open(place); };
    const cells = this.heads.map(([key, , number]) => {
      if (key === "id") return element("th", { scope: "row" }, element("button", { class: "link", "aria-label": `${say("open_card")}: ${this.id(place)}`, onclick: open }, element("bdi", {}, this.id(place))));
      const text = key === "segment" ? this.segment(place) : key === "tags" ? this.tags(place).join(DATA.lang === "zh" ? "、" : ", ") : this.written(this.block.columns[key], place);
      return element("td", { class: number ? "number" : key === "tags" ? "tags" : "", title: key === "tags" ? text : null }, text);
    });
    return element("tr", { onclick: open }, cells);
  },

  /** The one-page card: facts, history, tags, why, actions. */
  open(place) {
    const block = this.block;
    const dialog = document.getElementById("card");
    const facts = (columns) => factList(columns.map((at) => block.columns[at]).filter((column) => this.value(column, place) !== null).map((column) => [column.title, this.written(column, place)]));
    const part = (title, wide, ...content) => element("div", { class: wide ? "wide" : "" }, element("h4", {}, say(title)), content);
    const tags = [
      ...this.tags(place).map((tag) => element("span", {}, tag)),
      ...block.unknown[place].map((tag) => element("span", { class: "unknown" }, `${block.tags[tag]}: ${say("card.unknown")}`)),
    ];
    const segment = DATA.segments[block.segments[place]];
    const actions = block.opted_out[place] ? element("p", {}, say("card.opt_out")) : [segment.strategy.length ? factList(segment.strategy) : element("p", { class: "note" }, say("no_data")), facts(block.actions)];
    const close = () => dialog.close();
    dialog.setAttribute("aria-label", `${say("card")} ${this.id(place)}`);
    dialog.replaceChildren(
      element(
        "header",
        {},
        element("div", {}, element("p", { class: "note" }, say("card")), element("h3", {}, element("bdi", {}, this.id(place)), ` · ${segment.label}`)),
        element("button", { onclick: printCard }, say("print")),
        element("button", { onclick: close, autofocus: true }, say("close")),
      ),
      element(
        "div",
        { class: "columns" },
        part("card.facts", false, facts(block.facts)),
        part("card.history", false, facts(block.history)),
        part("card.tags", true, element("div", { class: "chips" }, tags.length ? tags : element("span", { class: "unknown" }, say("card.no_tags")))),
        part("card.why", true, this.why(place)),
        part("card.actions", true, actions),
      ),
    );
    if (!dialog.open) dialog.showModal();
  },
  /** The rules that gave the segment and the tags, with this customer's values. */
  why(place) {
    const block = this.block;
    const wanted = new Set([this.segment(place), ...this.tags(place)]);
    const told = [];
    for (const steps of block.rules) {
      if (!steps.decides && !steps.tags) continue;
      for (const rule of steps.rules.filter((one) => wanted.has(one.label))) {
        const seen = rule.inputs.filter((name) => name in block.names).map((name) => block.columns[block.names[name]]);
        const values = seen.map((column) => [column.title, this.value(column, place) === null ? say("missing") : this.written(column, place)]);
        const note = steps.decides ? say(rule.rule ? "card.first_match" : "card.default") : "";
        told.push(element("div", { class: "why" }, element("b", {}, rule.label), note ? element("p", { class: "note" }, note) : null, rule.rule ? element("code", {}, rule.rule) : null, values.length ? factList(values) : null));
      }
    }
    return told;
  },
};

function printCard() {
  document.body.classList.add("card-only");
  window.print();
  document.body.classList.remove("card-only");
}
