// Signing in: a code to one's phone, or the one that WeChat hands to this page in its address.

import { ask, keepSession, session } from "../api.js";
import { el, field, form, heading, put, refusal, speak } from "../dom.js";
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
  put(shown, byPhone(city, enter), el("p.note", {}, say("在微信里使用小程序时会自动登录。不登录也可以", "The WeChat mini-program signs you in by itself. Without signing in you can "), el("a", { href: "#/scan" }, say("扫一扫，查商品有没有认证", "scan goods and see whether they are certified")), say("。", ".")));
}

async function byWechat(shown, code, enter) {
  try {
    await enter({ way: "wechat", code });
  } catch (error) {
    put(shown, refusal(error.message));
  }
}

function byPhone(city, enter) {
  const phone = field("phone", say("手机号", "Mobile number"), { type: "tel", inputmode: "tel", autocomplete: "tel-national", maxlength: "20" });
  const code = field("sms", say("短信里的六位验证码", "The six digits of the message"), { inputmode: "numeric", autocomplete: "one-time-code", maxlength: "6" });
  const send = form("form", say("获取验证码", "Send me a code"), async (pressed) => {
    phone.right();
    try {
      const sent = await ask("/phone-codes", { method: "POST", body: { phone: phone.value() } });
      submit.hidden = false;
      speak(say("验证码已发出，请输入短信里的六位数字", "The code is on its way; enter the six digits of the message"));
      code.input.focus();
      countDown(pressed, sent.again_after_s);
    } catch (error) {
      phone.wrong(error.message);
    }
  }, city.element, phone.all);
  const submit = form("form", say("登录", "Sign in"), async () => {
    code.right();
    try {
      await enter({ way: "phone", phone: phone.value(), code: code.value() });
    } catch (error) {
      code.wrong(error.message);
    }
  }, code.all);
  submit.hidden = true;
  return el("section.card", {}, send, submit);
}

/** One city needs no choice. */
function choiceOf(cities) {
  if (cities.length === 1) return { element: el("p.note", {}, say("所在城市：", "Your city: "), cities[0].name), value: () => cities[0].city };
  const select = el("select", { id: "city" }, cities.map((one) => el("option", { value: one.city }, one.name)));
  return { element: el("div", {}, el("label", { for: "city" }, say("所在城市（第一次登录时确定）", "Your city (settled at the first sign-in)")), select), value: () => select.value };
}

function countDown(button, seconds) {
  const usual = say("重新获取验证码", "Send another code");
  const tick = (left) => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? say(`${left} 秒后可重新获取`, `Another code in ${left} s`) : usual;
    if (left > 0 && button.isConnected) setTimeout(tick, 1_000, left - 1);
  };
  setTimeout(tick, 0, seconds); // after `button` has given it back
}

function deviceName() {
  const agent = navigator.userAgent;
  const names = [[/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Android/, "Android"], [/Macintosh/, "Mac"], [/Windows/, "Windows"]];
  const found = names.find(([pattern]) => pattern.test(agent))?.[1] ?? "";
  return `${found} ${say("网页", "web page")}`.trim();
}
