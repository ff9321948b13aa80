// Children under 14 and those who agree for them. Whose child it is, is known to the two of them: no name is kept.

import { ask, session } from "../api.js";
import { counterCode } from "../counter_code.js";
import { button, el, field, form, heading, put, refusal, speak } from "../dom.js";
import { onDay, said, say } from "../say.js";

export default async function family(shown, { signal }) {
  put(shown, heading(say("孩子与监护人", "Children and guardians")),
    el("p.lead", {}, say("未满 14 岁须由监护人同意才能积分；18 岁以下不能办理绿色信用凭证。", "Under 14 a guardian has to agree before anything is earned; under 18 there is no credit passport.")));
  const { age } = await ask("/consents", { signal });
  if (age.band === "under_14") put(shown, child(age));
  else if (age.band === "adult") await guardian(shown, signal);
  else put(shown, el("section.card", {}, el("p", {}, age.band ? say("14 至 17 岁不需要监护人同意。", "From 14 to 17 no guardian has to agree.") : say("请先申明您的年龄段。", "Please declare your age first.")),
    el("p", {}, el("a.link", { href: "#/consents" }, say("去看年龄段", "To the age")))));
}

function child(age) {
  return el("section.card", {}, el("h2", {}, say("请监护人同意", "Ask a guardian")),
    age.waits_for_guardian ? el("p.refusal", {}, say("监护人还没有同意，现在不能积分。", "No guardian has agreed yet, so nothing is earned.")) : el("p.state.yes", {}, say("监护人已同意", "A guardian has agreed")),
    el("p", {}, say("请监护人用自己的手机登录，打开“我的”里的“孩子与监护人”，输入监护码。", "A guardian signs in on their own phone, opens “Children and guardians” under “Me”, and enters the code.")),
    counterCode("/guardian-codes", say("获取监护码", "Get a code"), say("请把这个码给监护人", "Give this code to your guardian")));
}

async function guardian(shown, signal) {
  const { cities } = await ask("/api/public/v1/cities", { signal });
  const city = el("select", { id: "ward-city", onchange: () => draw().catch((error) => list.replaceChildren(refusal(error.message))) }, cities.map((one) => el("option", { value: one.city, selected: one.city === session().city }, one.name)));
  const list = el("section.card");
  put(shown, cities.length > 1 ? el("div", {}, el("label", { for: "ward-city" }, say("孩子所在的城市", "The child's city")), city) : null, list);
  const text = await draw();
  put(shown, adding());

  async function draw() {
    const found = await ask(`/wards?city=${city.value}`, { signal });
    list.replaceChildren(el("h2", { tabindex: "-1" }, say("我监护的孩子", "Children in my care")),
      found.wards.length ? el("ul.rows", {}, found.wards.map((one, at) => row(one, at + 1))) : el("p", {}, say("还没有。", "None yet.")));
    return found.text;
  }

  function row({ ward, since }, number) {
    const line = el("li", {}, el("span", {}, say(`第 ${number} 个孩子`, `Child ${number}`), el("small", {}, say(`${onDay(since)}同意`, `agreed on ${onDay(since)}`))));
    const take = button(say("撤回同意", "Take it back"), async () => {
      try {
        await ask(`/wards/${ward}?city=${city.value}`, { method: "DELETE" });
        await draw();
        list.querySelector("h2").focus();
        speak(say("已撤回，不再为孩子积分", "Taken back; nothing is earned for the child any more"));
      } catch (error) {
        line.append(refusal(error.message));
      }
    }, "button.small");
    take.setAttribute("aria-label", say(`撤回对第 ${number} 个孩子的同意`, `Take back the consent for child ${number}`));
    line.append(take);
    return line;
  }

  function adding() {
    const code = field("ward", say("孩子手机上的监护码", "The code on the child's phone"), { maxlength: "20", autocomplete: "off", autocapitalize: "characters", spellcheck: "false" });
    const take = async () => {
      code.right();
      if (!code.value()) {
        code.wrong(say("请输入监护码。", "Please enter the code."));
        return;
      }
      try {
        await ask("/wards", { method: "POST", body: { code: code.value(), city: city.value, text_sha256: text.sha256 } });
        code.input.value = "";
        await draw();
        list.querySelector("h2").focus();
        speak(say("已同意，孩子可以积分了", "Agreed; the child can earn points now"));
      } catch (error) {
        code.wrong(error.message);
      }
    };
    return form("form.card", say("我同意", "I agree"), take, el("h2", {}, say("同意孩子使用", "Agree for a child")), el("p.full", {}, said(text, "text")), code.all);
  }
}
