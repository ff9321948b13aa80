// The member code: a QR that the till reads, made anew before it ends; the screen stays awake meanwhile.

import { ask } from "../api.js";
import { button, el, heading, put, refusal, speak } from "../dom.js";
import { qr } from "../qr.js";
import { say } from "../say.js";

const ANEW_BEFORE_S = 15;
const AFTER_A_FAULT_S = 5;

export default async function code(shown, { signal }) {
  const frame = el("div.qr", { role: "img", "aria-label": say("会员码二维码，请对准收银台的扫码器", "Your member code as a QR, for the reader at the till") });
  const left = el("p.left", {});
  const fault = el("div");
  const anew = button(say("换一个新码", "Make a new one"), () => renew(), "button.quiet");
  put(shown, heading(say("会员码", "My code")), el("section.card.centre", {},
    el("p.lead", {}, say("结账前，请收银员扫这个码", "Show it to the cashier before you pay")), frame, left, fault, anew),
  el("p.note", {}, say("扫不出来时，请把屏幕调亮、擦净屏幕。每个码只用于一单，不要截图发给别人。", "If it is not read, turn up the brightness and wipe the screen. Each code is good for one purchase; do not send pictures of it.")));
  let timer = 0;
  signal.addEventListener("abort", () => clearInterval(timer));
  keepAwake(signal);
  // A phone that slept shows a code that has ended: look again at once.
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && renew(), { signal });
  await renew();

  async function renew() {
    clearInterval(timer);
    fault.replaceChildren();
    try {
      const issued = await ask("/member-codes", { method: "POST", signal });
      const picture = await qr(issued.code, signal);
      if (signal.aborted) return;
      frame.replaceChildren(picture);
      frame.dataset.stale = "false";
      follow(issued.good_for_s);
    } catch (error) {
      if (signal.aborted) return;
      frame.dataset.stale = "true";
      left.textContent = "";
      fault.replaceChildren(refusal(error.message));
      timer = setInterval(renew, AFTER_A_FAULT_S * 1_000);
    }
  }

  /** Counts by a clock that runs on evenly, whatever the phone believes the time to be. */
  function follow(goodFor_s) {
    const ends = performance.now() + goodFor_s * 1_000;
    const tick = () => {
      const rest = Math.max(0, Math.round((ends - performance.now()) / 1_000));
      left.textContent = say(`${rest} 秒内有效，会自动更换`, `Good for ${rest} s, then renewed by itself`);
      if (rest <= ANEW_BEFORE_S) renew();
    };
    tick();
    timer = setInterval(tick, 1_000);
    speak(say("会员码已显示", "Your code is shown"));
  }
}

function keepAwake(signal) {
  let lock = null;
  const take = async () => {
    try {
      lock = (await navigator.wakeLock?.request("screen")) ?? null;
    } catch {
      lock = null; // a low battery may forbid it; the code is shown all the same
    }
  };
  take();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && take(), { signal });
  signal.addEventListener("abort", () => lock?.release());
}
