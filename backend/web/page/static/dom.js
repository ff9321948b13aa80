// Elements, written as they nest. Text is always text: nothing that was scanned or answered becomes markup.

const SVG = "http://www.w3.org/2000/svg";

/** `el("p.card", { id: "x", onclick }, "text", child)`: attributes by name, `on…` as listeners, null children left out. */
export function el(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  return put(made, ...children);
}

/** Adds children, nested lists too; null ones are left out. */
export function put(parent, ...children) {
  parent.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
  return parent;
}

export function drawn(size, path) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", `0 0 ${size} ${size}`);
  picture.setAttribute("shape-rendering", "crispEdges");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  picture.append(line);
  return picture;
}

/** Says to a screen reader what has changed on the screen. */
export function speak(text) {
  document.getElementById("spoken").textContent = text;
}

export const heading = (text) => el("h1", { tabindex: "-1" }, text);
export const refusal = (text) => el("p.refusal", { role: "alert" }, text);
export const waiting = (text) => el("p.waiting", { role: "status" }, text);

/** Does the work that a button stands for, once: it cannot be pressed again meanwhile. */
async function busy(pressed, work) {
  pressed.setAttribute("aria-busy", "true");
  pressed.disabled = true;
  try {
    await work(pressed);
  } finally {
    pressed.disabled = false;
    pressed.removeAttribute("aria-busy");
  }
}

export function button(text, work, kind = "button.main") {
  const made = el(kind, { type: "button" }, text);
  made.addEventListener("click", () => busy(made, work));
  return made;
}

/** Fields with the button that sends them; Enter in a field does the same. */
export function form(kind, text, work, ...fields) {
  const send = el("button.main", { type: "submit" }, text);
  const made = el(kind, { novalidate: true }, ...fields, send);
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!send.disabled) busy(send, work);
  });
  return made;
}

/** Text to type into, with `rows` on several lines; `fault` says beside it what is wrong with it. */
export function field(id, text, attributes = {}) {
  const fault = el("p.fault", { id: `${id}-fault`, role: "alert" });
  const kind = attributes.rows ? ["textarea", {}] : ["input", { type: "text" }];
  const input = el(kind[0], { id, ...kind[1], "aria-describedby": `${id}-fault`, ...attributes });
  const wrong = (words) => {
    fault.textContent = words;
    input.setAttribute("aria-invalid", "true");
    input.focus();
  };
  const right = () => {
    fault.textContent = "";
    input.removeAttribute("aria-invalid");
  };
  return { all: [el("label", { for: id }, text), input, fault], input, wrong, right, value: () => input.value.trim() };
}
