// A code that is read out to somebody: at a service counter, or to a guardian. It ends by itself.

import { ask } from "./api.js";
import { button, el, refusal, speak } from "./dom.js";
import { atMoment, say } from "./say.js";

export function counterCode(path, words, lead) {
  const place = el("div");
  const get = button(words, async () => {
    try {
      const { code, expires_at } = await ask(path, { method: "POST" });
      place.replaceChildren(el("p.lead", {}, lead), el("p.code", {}, code), el("p.note", {}, say(`只用一次，${atMoment(expires_at)}前有效`, `Good once, until ${atMoment(expires_at)}`)));
      speak(say("码已显示", "The code is shown"));
    } catch (error) {
      place.replaceChildren(refusal(error.message));
    }
  }, "button.quiet");
  return [get, place];
}
