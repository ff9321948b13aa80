// The green-credit passport: agreed to apart, stated when its owner asks for it, and what it opens.

import { ask, session } from "../api.js";
import { consent } from "../consent.js";
import { counterCode } from "../counter_code.js";
import { button, el, heading, put, refusal, speak } from "../dom.js";
import { looked } from "../looked.js";
import { count, onDay, said, say } from "../say.js";

const LOOKED_AT_MOST = 100;
const CHECKED = ["verifier", "platform"];

export default async function passport(shown, { signal }) {
  put(shown, heading(say("绿色信用凭证", "Green-credit passport")),
    el("p.lead", {}, say("由您自己保管的证明，只说“12 个月内至少几次绿色消费”，没有商店、商品和金额。您不出示，谁也看不到；不办也不影响积分。", "A proof that you keep: only “at least so many green purchases in 12 months”, no shop, product or amount. Nobody sees it unless you show it, and points do not depend on it.")));
  const place = el("div.screen");
  put(shown, place);
  await draw(await ask("/consents", { signal }));

  async function draw({ age, purposes }) {
    const [own, exported] = ["credit_passport", "credit_export"].map((name) => purposes.find((one) => one.purpose === name));
    const [{ may_state, statements }, { benefits }, { entries }] = await Promise.all([
      ask("/passport", { signal }),
      ask(`/api/public/v1/passport/benefits?city=${session().city}`, { signal }),
      ask(`/access-log?limit=${LOOKED_AT_MOST}`, { signal }),
    ]);
    place.replaceChildren(...[
      consent(own, draw),
      own.closed && age.band === null ? el("p", {}, el("a.link", { href: "#/consents" }, say("去申明年龄段", "Declare your age"))) : null,
      own.given ? stating(may_state, benefits) : null,
      statements.length ? mine(statements) : null,
      opened(benefits),
      checks(entries.filter((one) => CHECKED.includes(one.role))),
      own.given ? consent(exported, draw) : null,
      own.given && exported.closed?.code === "age-not-verified" ? counter() : null,
    ].filter(Boolean));
  }
}

function stating(steps, benefits) {
  if (!steps.length) {
    return el("section.card", {}, el("h2", {}, say("出具声明", "Have it stated")), el("p", {}, say("近 12 个月还没有经核验的绿色消费。结账时出示会员码，买到认证商品后就可以出具。", "No verified green purchase in the last 12 months yet. Show your code at the till when you buy certified goods.")));
  }
  const fault = el("div");
  const opens = (step) => benefits.filter((one) => one.at_least <= step).length;
  const words = (step) => say(`至少 ${count(step)} 次${opens(step) ? `，可享 ${opens(step)} 项` : ""}`, `at least ${count(step)}${opens(step) ? `: opens ${opens(step)}` : ""}`);
  const select = el("select", { id: "step" }, steps.map((step) => el("option", { value: step }, words(step))));
  return el("section.card", {}, el("h2", {}, say("出具声明", "Have it stated")),
    el("label", { for: "step" }, say("声明多少次", "How many")), select,
    el("p.note", {}, say("够用就好：选对方要求的次数，说得越少越好。", "State what the other asks for and no more.")),
    button(say("出具声明", "Have it stated"), async () => {
      fault.replaceChildren();
      try {
        const { statement } = await ask("/passport/statements", { method: "POST", body: { at_least: Number(select.value) } });
        speak(say("声明已出具", "Stated"));
        location.hash = `#/statement/${statement}`;
      } catch (error) {
        fault.replaceChildren(refusal(error.message));
      }
    }), fault);
}

function mine(statements) {
  return el("section.screen", {}, el("h2", {}, say("我的声明", "My statements")), el("ul.scans", {}, statements.map((one) => el("li", {}, el("a", { href: `#/statement/${one.statement}` },
    el("span.what", {}, said(one)),
    el(`span.award.${one.holds ? "some" : "none"}`, {}, one.holds ? say("有效", "good") : one.revoked_at ? say("已作废", "void") : say("已过期", "out of date")),
    el("small", {}, say(`${onDay(one.issued_at)}出具，${onDay(one.expires_at)}到期`, `stated ${onDay(one.issued_at)}, ends ${onDay(one.expires_at)}`)))))));
}

function opened(benefits) {
  return el("section.card", {}, el("h2", {}, say("凭证可以享受什么", "What it opens")),
    benefits.length ? el("ul.rows", {}, benefits.map((one) => el("li", {}, el("span", {}, say(one.title_zh, one.title_en),
      el("small", {}, say(`至少 ${count(one.at_least)} 次 · ${one.recipient}核验`, `at least ${count(one.at_least)} · checked by ${one.recipient}`)),
      el("small", {}, say("依据：", "By: "), el("a", { href: one.document_url, target: "_blank", rel: "noreferrer noopener" }, one.document_number))))))
      : el("p", {}, say("本市还没有公布可享的优惠。", "Your city has published nothing yet.")));
}

function checks(entries) {
  return el("section.card", {}, el("h2", {}, say("向谁出示过、谁核验过", "To whom it was shown, who checked it")),
    entries.length ? looked(entries) : el("p", {}, say("还没有出示过。", "It was not shown to anybody yet.")));
}

function counter() {
  return el("section.card", {}, el("h2", {}, say("核验年龄", "Have your age confirmed")),
    el("p", {}, say("向信用平台提供前，请到服务窗口核验已满 18 岁。窗口只看证件，不留存。", "Before anything goes to the platform, a service counter confirms that you are 18. It looks at a document and keeps nothing of it.")),
    counterCode("/age-verifications", say("获取核验码", "Get a code"), say("请把这个码读给窗口工作人员", "Read this code out at the counter")));
}
