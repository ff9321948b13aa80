// Signing in: a code to one's phone, or the one that WeChat hands to this page in its address.

import { ask, keepSession, session } from "../api.js";
import { el, heading, put, refusal, speak } from "../dom.js";
import { byPhone } from "../phone.js";
import { say } from "../say.js";

export default async function signIn(shown, { rest, signal, again }) {
  const wechat = new URLSearchParams(location.hash.split("?")[1] ?? "").get("wechat_code");
  const { cities } = await ask("/api/public/v1/cities", { signal });
  const city = choiceOf(cities);
  const enter = async (proof) => {
    const opened = await ask("/sessions", { method: "POST", body: { ...proof, city: city.value(), device: deviceName() } });
    keepSession(opened);
    speak(say("已登录", "Signed in"));
    const wanted = `#/${rest.filter(Boolean).join("/") || "home"}`;
    if (location.hash === wanted) again();
    else location.replace(wanted);
  };
  put(shown, heading(say("登录", "Sign in")), el("p.lead", {}, say("登录后可以积分、出示会员码和查看记录。第一次登录就会建立账户。", "Sign in to earn points, show your code and see your records. Your first sign-in opens an account.")));
  if (cities.length === 0) {
    put(shown, refusal(say("这里还没有开通的城市。", "No city is open here yet.")));
    return;
  }
  if (wechat && !session()) await byWechat(shown, wechat, enter);
  put(shown, byPhone(say("登录", "Sign in"), enter, city.element), el("p.note", {}, say("在微信里使用小程序时会自动登录。不登录也可以", "The WeChat mini-program signs you in by itself. Without signing in you can "), el("a", { href: "#/scan" }, say("扫一扫，查商品有没有认证", "scan goods and see whether they are certified")), say("。", ".")));
}

async function byWechat(shown, code, enter) {
  try {
    await enter({ way: "wechat", code });
  } catch (error) {
    put(shown, refusal(error.message));
  }
}

/** One city needs no choice. */
function choiceOf(cities) {
  if (cities.length === 1) return { element: el("p.note", {}, say("所在城市：", "Your city: "), cities[0].name), value: () => cities[0].city };
  const select = el("select", { id: "city" }, cities.map((one) => el("option", { value: one.city }, one.name)));
  return { element: el("div", {}, el("label", { for: "city" }, say("所在城市（第一次登录时确定）", "Your city (settled at the first sign-in)")), select), value: () => select.value };
}

function deviceName() {
  const agent = navigator.userAgent;
  const names = [[/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Android/, "Android"], [/Macintosh/, "Mac"], [/Windows/, "Windows"]];
  const found = names.find(([pattern]) => pattern.test(agent))?.[1] ?? "";
  return `${found} ${say("网页", "web page")}`.trim();
}
