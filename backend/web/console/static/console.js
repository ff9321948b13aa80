// What pages of the console do beyond links, forms and htmx. No script stands in a page itself.
document.addEventListener("change", (event) => {
  // A choice that takes effect at once.
  if (event.target.matches("[data-send]")) event.target.form.requestSubmit();
});
document.addEventListener("submit", (event) => {
  const asked = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (asked && !window.confirm(asked)) {
    event.preventDefault();
    return;
  }
  // A form is sent once, however often its button is pressed.
  if (event.target.dataset.sent) event.preventDefault();
  else if (!event.target.hasAttribute("hx-post")) event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
// A form of which a part is renewed (data-renewed) keeps what was typed while the server answered.
const asked = new WeakMap();
const late = new WeakMap();
const nameOf = (field) => (field.type === "checkbox" ? `${field.name}=${field.value}` : field.name);
const stateOf = (field) => (field.type === "checkbox" ? field.checked : field.value);
const fieldsOf = (place) => [...place.querySelectorAll("input[name]:not([type=hidden]), select[name], textarea[name]")];
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const place = ctx.target;
  if (place?.matches?.("[data-renewed]")) asked.set(ctx, new Map(fieldsOf(place).map((field) => [nameOf(field), stateOf(field)])));
});
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  const before = asked.get(ctx);
  // Where rows were taken away or moved, others stand under their names.
  if (!before || /^(remove|up):/.test(ctx.sourceElement.value ?? "")) return;
  const changed = fieldsOf(ctx.target).filter((field) => before.has(nameOf(field)) && before.get(nameOf(field)) !== stateOf(field));
  const focused = document.activeElement?.name;
  late.set(ctx, { states: new Map(changed.map((field) => [nameOf(field), stateOf(field)])), focused });
});
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const typed = late.get(ctx);
  if (!typed) return;
  for (const field of fieldsOf(ctx.target)) {
    if (field.name === typed.focused) field.focus();
    if (!typed.states.has(nameOf(field))) continue;
    if (field.type === "checkbox") field.checked = typed.states.get(nameOf(field));
    else field.value = typed.states.get(nameOf(field));
  }
  if (typed.states.size) ctx.target.dispatchEvent(new Event("input", { bubbles: true }));
});
