// Notices before points end: agreed to apart, and each of them granted in WeChat, as WeChat wants it.

import { ask } from "../api.js";
import { consent } from "../consent.js";
import { button, el, heading, put, refusal, speak } from "../dom.js";
import { count, say } from "../say.js";

export default async function notices(shown, { signal }) {
  put(shown, heading(say("到期提醒", "Notices")),
    el("p.lead", {}, say("积分到期前 30 天和 7 天，在微信里提醒您一次。不开也不影响积分。", "A message in WeChat 30 and 7 days before points end. Points do not depend on it.")));
  const place = el("div.screen");
  put(shown, place);
  await draw(await ask("/consents", { signal }));

  async function draw({ purposes }) {
    const agreed = purposes.find((one) => one.purpose === "notices");
    const { grants_left } = await ask("/notices", { signal });
    place.replaceChildren(consent(agreed, draw), granted(grants_left, agreed.given));
  }

  function granted(left, agreed) {
    const fault = el("div");
    const reload = async (words) => {
      await draw(await ask("/consents"));
      place.querySelector(".grants h2").focus();
      speak(words);
    };
    const act = (work, words) => async () => {
      fault.replaceChildren();
      try {
        await work();
        await reload(words);
      } catch (error) {
        fault.replaceChildren(refusal(error.message));
      }
    };
    const code = new URLSearchParams(location.hash.split("?")[1] ?? "").get("wechat_code");
    return el("section.card.grants", {}, el("h2", { tabindex: "-1" }, say("微信授权", "Granted in WeChat")),
      el("p.state", {}, left ? say(`还可收到 ${count(left)} 条提醒`, `${count(left)} more may be sent`) : say("没有可用的授权", "None is granted")),
      el("p.note", {}, say("微信规定：每按一次“允许”，只能收一条。请在小程序的“到期提醒”里按“允许”。", "By WeChat's rules each “allow” is good for one message. Press “allow” under “Notices” in the mini-program.")),
      left && !agreed ? el("p.refusal", {}, say("还没有同意“消息提醒”，所以不会发送。", "You have not agreed to notices, so none is sent.")) : null,
      code ? button(say("再允许一条", "Allow one more"), act(async () => {
        history.replaceState(null, "", "#/notices"); // the code is good once
        await ask("/notices", { method: "POST", body: { code } });
      }, say("已允许一条", "One more is allowed")), "button.main") : null,
      left ? button(say("不再接收，清除授权", "No notices any more; forget the grants"), act(() => ask("/notices", { method: "DELETE" }), say("已清除", "Forgotten")), "button.quiet") : null,
      fault);
  }
}
