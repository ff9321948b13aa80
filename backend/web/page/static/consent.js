// One purpose that may be agreed to: its name, its text, and one press either way.

import { ask } from "./api.js";
import { button, el, refusal, speak } from "./dom.js";
import { onDay, said, say } from "./say.js";

/** `changed` is handed all purposes as they stand after the press; it draws them anew, this card among them. */
export function consent(one, changed) {
  const fault = el("div");
  const name = said(one, "name");
  const change = (method, body, words) => async () => {
    fault.replaceChildren();
    try {
      await changed(await ask(`/consents/${one.purpose}`, { method, body }));
      document.querySelector(`[data-purpose="${one.purpose}"] h2`)?.focus();
      speak(`${name}${say("：", ": ")}${words}`);
    } catch (error) {
      fault.replaceChildren(refusal(error.message));
    }
  };
  const give = button(say("同意", "Agree"), change("PUT", one.text && { text_sha256: one.text.sha256 }, say("已同意", "agreed")), "button.quiet");
  const take = button(say("撤回同意", "Take it back"), change("DELETE", undefined, say("已撤回", "taken back")), "button.quiet");
  give.setAttribute("aria-label", say(`同意：${name}`, `Agree: ${name}`));
  take.setAttribute("aria-label", say(`撤回同意：${name}`, `Take back: ${name}`));
  return el("section.card", { "data-purpose": one.purpose }, el("h2", { tabindex: "-1" }, name), el(`p.state.${one.given ? "yes" : "no"}`, {}, stateOf(one)),
    one.text ? el("details", {}, el("summary", {}, say("看全文", "Read the text")), el("p.full", {}, said(one.text, "text"))) : null,
    one.text_changed ? el("p.note", {}, say("文本已更新，您同意的是旧文本；同意新文本请再按一次“同意”。", "The text has changed since; agree again to the new one.")) : null,
    one.optional && one.given && one.text_changed && !one.closed ? give : null,
    one.optional && one.given ? take : null,
    one.optional && !one.given ? (one.closed ? el("p.note", {}, said(one.closed)) : give) : null,
    fault);
}

function stateOf(one) {
  if (!one.optional) return say("使用本服务所必需", "needed for the service");
  if (!one.given) return say("未同意", "not agreed");
  return say(`已同意${one.since ? `（${onDay(one.since)}）` : ""}`, `agreed${one.since ? ` on ${onDay(one.since)}` : ""}`);
}
