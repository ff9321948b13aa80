// What one agrees to, each purpose apart; taking back is one press, as giving is.

import { ask } from "../api.js";
import { button, el, heading, put, refusal, speak } from "../dom.js";
import { onDay, said, say } from "../say.js";

const BANDS = { under_14: () => say("未满 14 岁", "Under 14"), "14_to_17": () => say("14 至 17 岁", "14 to 17"), adult: () => say("已满 18 岁", "18 or older") };

export default async function consents(shown, { signal }) {
  put(shown, heading(say("我同意了什么", "What I agree to")),
    el("p.lead", {}, say("除基本服务外都可以不同意，不影响积分；随时可以撤回。", "All but the basic service may be left out, which changes nothing about points, and taken back at any time.")));
  const list = el("div.screen");
  put(shown, list);
  draw(await ask("/consents", { signal }));

  function draw(found) {
    list.replaceChildren(...found.purposes.map((one) => purpose(one, draw)), age(found.age, () => ask("/consents").then(draw)));
  }
}

function purpose(one, draw) {
  const fault = el("div");
  const name = said(one, "name");
  const change = (method, body, words) => async () => {
    fault.replaceChildren();
    try {
      draw(await ask(`/consents/${one.purpose}`, { method, body }));
      speak(`${name}${say("：", ": ")}${words}`);
    } catch (error) {
      fault.replaceChildren(refusal(error.message));
    }
  };
  const give = button(say("同意", "Agree"), change("PUT", one.text && { text_sha256: one.text.sha256 }, say("已同意", "agreed")), "button.quiet");
  const take = button(say("撤回同意", "Take it back"), change("DELETE", undefined, say("已撤回", "taken back")), "button.quiet");
  give.setAttribute("aria-label", say(`同意：${name}`, `Agree: ${name}`));
  take.setAttribute("aria-label", say(`撤回同意：${name}`, `Take back: ${name}`));
  const state = one.optional ? (one.given ? say(`已同意${one.since ? `（${onDay(one.since)}）` : ""}`, `agreed${one.since ? ` on ${onDay(one.since)}` : ""}`) : say("未同意", "not agreed")) : say("使用本服务所必需", "needed for the service");
  return el("section.card", { "data-purpose": one.purpose }, el("h2", {}, name), el(`p.state.${one.given ? "yes" : "no"}`, {}, state),
    one.text ? el("details", {}, el("summary", {}, say("看全文", "Read the text")), el("p.full", {}, said(one.text, "text"))) : null,
    one.text_changed ? el("p.note", {}, say("文本已更新，您同意的是旧文本；同意新文本请再按一次“同意”。", "The text has changed since; agree again to the new one.")) : null,
    one.optional && one.given && one.text_changed && !one.closed ? give : null,
    one.optional && one.given ? take : null,
    one.optional && !one.given ? (one.closed ? el("p.note", {}, said(one.closed)) : give) : null,
    fault);
}

function age(standing, reload) {
  const fault = el("div");
  const select = el("select", { id: "band" }, standing.band ? null : el("option", { value: "" }, say("请选择", "Please choose")), Object.entries(BANDS).map(([band, words]) => el("option", { value: band, selected: band === standing.band }, words())));
  const declare = button(say("保存年龄段", "Save"), async () => {
    fault.replaceChildren();
    if (!select.value) return;
    try {
      await ask("/age-band", { method: "PUT", body: { band: select.value } });
      speak(say("已保存", "Saved"));
      await reload();
    } catch (error) {
      fault.replaceChildren(refusal(error.message));
    }
  }, "button.quiet");
  return el("section.card", {}, el("h2", {}, say("年龄段", "Age")),
    el("p.note", {}, say("只记年龄段，不记生日。14 岁以下由监护人同意，18 岁以下不能办理绿色信用凭证。", "Only the band is kept, no birthday. Under 14 a guardian agrees; under 18 there is no credit passport.")),
    standing.waits_for_guardian ? el("p.refusal", {}, say("还在等监护人同意。", "A guardian still has to agree.")) : null,
    el("label", { for: "band" }, say("我的年龄段", "My age")), select, declare, fault);
}
