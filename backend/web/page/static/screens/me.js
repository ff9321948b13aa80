// Oneself here: where one is signed in, and how to leave.

import { ask, forgetSession } from "../api.js";
import { button, el, heading, put, refusal } from "../dom.js";
import { atMoment, say } from "../say.js";

const WAYS = { wechat: () => say("微信", "WeChat"), phone: () => say("手机号", "Phone"), development: () => say("开发登录", "Development") };

export default async function me(shown, { signal, again }) {
  put(shown, heading(say("我的", "Me")));
  const { sessions } = await ask("/sessions", { signal });
  const out = button(say("退出登录", "Sign out"), async () => {
    try {
      await ask("/sessions/current", { method: "DELETE" });
    } catch (error) {
      if (error.code === "offline") {
        put(shown, refusal(error.message));
        return;
      }
    }
    forgetSession();
    location.hash = "#/sign-in";
  }, "button.quiet");
  put(shown, el("nav.links", { "aria-label": say("我的权利", "My rights") },
    el("a", { href: "#/consents" }, say("我同意了什么", "What I agree to")),
    el("a", { href: "#/passport" }, say("绿色信用凭证", "Green-credit passport")),
    el("a", { href: "#/notices" }, say("到期提醒", "Notices")),
    el("a", { href: "#/family" }, say("孩子与监护人", "Children and guardians")),
    el("a", { href: "#/appeals" }, say("我的申诉", "My appeals")),
    el("a", { href: "#/missing" }, say("补记积分", "Missing points")),
    el("a", { href: "#/my-data" }, say("我的数据：带走、查看、注销", "My data: take it away, see who looked, leave")),
    el("a", { href: "#/cards" }, say("纸质会员卡：查看、挂失", "Paper cards: see, report lost")),
    el("a", { href: "#/merge" }, say("合并我的另一个账户", "Merge another account of mine"))));
  put(shown, el("section.card", {}, el("h2", {}, say("登录的设备", "Where you are signed in")), el("ul.rows", {}, sessions.map((one) => row(one, again)))), out);
}

function row(one, again) {
  const name = `${one.device ?? say("未命名的设备", "A device without a name")} · ${WAYS[one.way]()}`;
  const line = el("li", {}, el("span", {}, name, el("small", {}, say(`${atMoment(one.issued_at)} 登录`, `since ${atMoment(one.issued_at)}`))));
  if (one.current) line.append(el("strong", {}, say("本机", "this one")));
  else line.append(button(say("退出", "End"), async () => {
    try {
      await ask(`/sessions/${one.session}`, { method: "DELETE" });
      again();
    } catch (error) {
      line.append(refusal(error.message));
    }
  }, "button.small"));
  return line;
}
