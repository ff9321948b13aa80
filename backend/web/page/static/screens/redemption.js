// One redemption: to be confirmed here or at a counter, its voucher, or what became of it.

import { ask } from "../api.js";
import { button, el, heading, put, refusal, speak } from "../dom.js";
import { qr } from "../qr.js";
import { atMoment, said, say } from "../say.js";

export default async function redemption(shown, { rest, signal, again }) {
  const place = `/redemptions/${encodeURIComponent(rest[0])}`;
  const one = await ask(place, { signal });
  const fault = el("div");
  const act = (verb, words) => async () => {
    fault.replaceChildren();
    try {
      await ask(`${place}/${verb}`, { method: "POST", body: {} });
      speak(words);
      again();
    } catch (error) {
      fault.replaceChildren(refusal(error.message));
    }
  };
  const held = one.state === "held";
  put(shown, heading(said(one, "title")),
    el(`section.verdict.${one.state === "confirmed" ? "won" : "plain"}`, {},
      el("p.sentence", {}, said(one)),
      el("p.note", {}, say(`${one.pieces} 份，共 ${one.points} 分`, `${one.pieces} for ${one.points} points`))),
    one.code ? await shownCode(one.code, say("请向工作人员出示兑换码", "Show this code at the counter"), say(`${atMoment(one.expires_at)}前有效`, `good until ${atMoment(one.expires_at)}`), signal) : null,
    one.voucher?.code ? await shownCode(one.voucher.code, say("使用时出示券码", "Show this voucher to use it"), say("只能用一次，用后失效", "Good once"), signal) : null,
    held && !one.code ? button(say("确认兑换", "Confirm"), act("confirm", say("已兑换", "Redeemed"))) : null,
    held ? button(say("取消，退回积分", "Cancel; the points come back"), act("cancel", say("已取消", "Cancelled")), "button.quiet") : null,
    fault, el("p.row", {}, el("a.link", { href: "#/redeem" }, say("返回兑换", "Back"))));
}

async function shownCode(code, lead, good, signal) {
  return el("section.card.centre", {}, el("p.lead", {}, lead),
    el("div.qr", { role: "img", "aria-label": say("二维码，内容与下面的号码相同", "A QR code of the same code as below") }, await qr(code, signal)),
    el("p.code", {}, code), el("p.note", {}, good));
}
