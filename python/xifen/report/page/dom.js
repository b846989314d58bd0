"use strict";
// Text of the data reaches the page as text alone: element() knows no markup.

const DATA = JSON.parse(document.getElementById("data").textContent);

/** Make an element; `children` are elements, text, or nothing. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** Give a sentence of the page, its {places} filled. */
function say(key, values = {}) {
  return DATA.words[key].replace(/\{(\w+)\}/g, (place, name) => (name in values ? values[name] : place));
}

/** Terms and what is to be said of them. */
function factList(items) {
  return element("dl", { class: "facts" }, items.map(([term, text]) => [element("dt", {}, term), element("dd", {}, element("bdi", {}, text))]));
}

/** A marked place for what only a person can know. */
function slotBox(text) {
  const label = `${say("by_person")}: ${text}`;
  return element(
    "div",
    { class: "slot" },
    element("b", {}, say("by_person")),
    element("span", {}, text),
    element("div", { contenteditable: "plaintext-only", role: "textbox", "aria-multiline": "true", "aria-label": label, title: say("slot_hint"), tabindex: "0" }),
  );
}

// The chosen segment: its place, or -1 for everyone. Whoever shows data by segment listens.
const choice = {
  segment: -1,
  listeners: [],
  listen(listener) {
    this.listeners.push(listener);
  },
  choose(segment) {
    this.segment = segment === this.segment ? -1 : segment;
    for (const listener of this.listeners) listener(this.segment);
    const label = this.segment < 0 ? null : DATA.segments[this.segment].label;
    document.getElementById("said").textContent = label === null ? say("not_chosen") : say("chosen", { segment: label });
  },
};
