// What one agrees to, each purpose apart; taking back is one press, as giving is.

import { ask } from "../api.js";
import { consent } from "../consent.js";
import { button, el, heading, put, refusal, speak } from "../dom.js";
import { say } from "../say.js";

const BANDS = { under_14: () => say("未满 14 岁", "Under 14"), "14_to_17": () => say("14 至 17 岁", "14 to 17"), adult: () => say("已满 18 岁", "18 or older") };

export default async function consents(shown, { signal }) {
  put(shown, heading(say("我同意了什么", "What I agree to")),
    el("p.lead", {}, say("除基本服务外都可以不同意，不影响积分；随时可以撤回。", "All but the basic service may be left out, which changes nothing about points, and taken back at any time.")));
  const list = el("div.screen");
  put(shown, list);
  draw(await ask("/consents", { signal }));

  function draw(found) {
    list.replaceChildren(...found.purposes.map((one) => consent(one, draw)), age(found.age, () => ask("/consents").then(draw)));
  }
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
    standing.waits_for_guardian ? el("p.refusal", {}, say("还在等监护人同意，请到“孩子与监护人”获取监护码。", "A guardian still has to agree; get a code under “Children and guardians”.")) : null,
    el("label", { for: "band" }, say("我的年龄段", "My age")), select, declare, fault,
    standing.band === "under_14" ? el("p", {}, el("a.link", { href: "#/family" }, say("去“孩子与监护人”", "To “Children and guardians”"))) : null);
}
