// One statement: shown to a named recipient for a purpose, kept as a file, made void.

import { ask, save, session } from "../api.js";
import { button, el, field, form, heading, put, refusal, speak } from "../dom.js";
import { qr } from "../qr.js";
import { count, onDay, said, say } from "../say.js";

const PURPOSES = { benefit: () => say("享受优惠", "a benefit"), public_service: () => say("办理公共服务", "a public service"), honour: () => say("评优表彰", "an honour") };
const WHYS = {
  resident: () => say("您已作废这份声明。", "You made it void."),
  withdrawn: () => say("您撤回了同意，声明已作废。", "You took your consent back, which made it void."),
  returned: () => say("部分商品已退货，次数不再够，声明已作废。", "Goods came back since, so that it no longer holds."),
};

export default async function statement(shown, { rest, signal, again }) {
  const [{ statements }, { purposes }, { benefits }] = await Promise.all([
    ask("/passport", { signal }), ask("/consents", { signal }),
    ask(`/api/public/v1/passport/benefits?city=${session().city}`, { signal }),
  ]);
  const one = statements.find((each) => each.statement === rest[0]);
  const back = el("p.row", {}, el("a.link", { href: "#/passport" }, say("返回绿色信用凭证", "Back to the passport")));
  if (!one) {
    put(shown, heading(say("绿色信用声明", "Credit statement")), refusal(say("没有这份声明。", "There is no such statement.")), back);
    return;
  }
  const opened = benefits.filter((each) => each.at_least <= one.at_least);
  put(shown, heading(said(one)),
    el(`section.verdict.${one.holds ? "won" : "plain"}`, {}, el("p.outcome", {}, one.holds ? say("有效", "Good") : one.revoked_at ? say("已作废", "Void") : say("已过期", "Out of date")),
      el("p", {}, one.holds ? say(`${onDay(one.expires_at)}前有效`, `until ${onDay(one.expires_at)}`) : (WHYS[one.revoked_why]?.() ?? "")),
      one.holds && opened.length ? el("p.note", {}, say("可享：", "Opens: "), opened.map((each) => say(each.title_zh, each.title_en)).join(say("、", ", "))) : null));
  if (one.holds) {
    put(shown, showing(one, opened, signal), keeping(one));
    if (purposes.some((each) => each.purpose === "credit_export" && each.given)) put(shown, sending(one));
    put(shown, voiding(one, again));
  }
  put(shown, back);
}

function showing(one, opened, signal) {
  const names = [...new Set(opened.map((each) => each.recipient))];
  const to = field("recipient", say("出示给谁（单位全称）", "To whom (full name)"), { maxlength: "100", autocomplete: "off", list: names.length ? "recipients" : null });
  const purpose = el("select", { id: "purpose" }, Object.entries(PURPOSES).map(([name, words]) => el("option", { value: name }, words())));
  const nonce = field("nonce", say("对方给的核对码（没有可不填）", "Their check code (if they gave one)"), { maxlength: "64", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const place = el("div.result");
  const show = async () => {
    to.right();
    nonce.right();
    if (!to.value()) {
      to.wrong(say("请填写出示给谁。", "Please say to whom."));
      return;
    }
    try {
      const body = { recipient: to.value(), purpose: purpose.value, ...(nonce.value() ? { nonce: nonce.value() } : {}) };
      const found = await ask(`/passport/statements/${one.statement}/presentations`, { method: "POST", body, signal });
      place.replaceChildren(await pictured(found, body, signal));
      place.querySelector("h2").focus();
    } catch (error) {
      if (!signal.aborted) place.replaceChildren(refusal(error.message));
    }
  };
  return el("div.screen", {}, form("form.card", say("生成出示码", "Make a code to show"), show, el("h2", {}, say("出示", "Show it")), to.all,
    names.length ? el("datalist", { id: "recipients" }, names.map((name) => el("option", { value: name }))) : null,
    el("label", { for: "purpose" }, say("用于", "What for")), purpose, nonce.all,
    el("p.note", {}, say("只有您写的这一方能核验，10 分钟后失效。每次出示都记入您的查阅记录。", "Good for this recipient alone and for ten minutes. Each showing is in your access log."))), place);
}

async function pictured({ presentation, expires_at }, { recipient, purpose }, signal) {
  const left = el("p.left");
  const frame = el("div.qr.dense", { role: "img", "aria-label": say("声明的二维码", "The statement as a QR code") }, await qr(presentation, signal));
  const ends = performance.now() + (new Date(expires_at) - Date.now());
  const tick = () => {
    const rest = Math.max(0, Math.round((ends - performance.now()) / 1_000));
    left.textContent = rest ? say(`${Math.floor(rest / 60)} 分 ${rest % 60} 秒内有效`, `Good for ${Math.floor(rest / 60)} min ${rest % 60} s`) : say("已失效，请重新生成", "It has ended; make another");
    frame.dataset.stale = String(rest === 0);
    if (rest === 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 1_000);
  signal.addEventListener("abort", () => clearInterval(timer));
  tick();
  const copied = el("div");
  return el("section.card.centre", {}, el("h2", { tabindex: "-1" }, say(`请 ${recipient} 扫码核验`, `For ${recipient} to check`)),
    el("p.note", {}, say(`用于${PURPOSES[purpose]()}`, `for ${PURPOSES[purpose]()}`)), frame, left,
    navigator.clipboard ? button(say("复制文字（对方不能扫码时）", "Copy as text (where it cannot be scanned)"), async () => {
      await navigator.clipboard.writeText(presentation).catch(() => {});
      copied.replaceChildren(el("p.note", {}, say("已复制", "Copied")));
      speak(say("已复制", "Copied"));
    }, "button.quiet") : null, copied);
}

function keeping(one) {
  const fault = el("div");
  return el("section.card", {}, el("h2", {}, say("自己保存", "Keep it yourself")),
    el("p", {}, say("可验证凭证（W3C 标准文件），由您保管，公开的公钥就能离线验证。", "A verifiable credential (W3C), which anybody can check offline by our published key.")),
    button(say("下载凭证文件", "Download the file"), async () => {
      fault.replaceChildren();
      try {
        const { credential } = await ask(`/passport/statements/${one.statement}`);
        save(new Blob([credential], { type: "application/vc+jwt" }), `green-points-${count(one.at_least)}.jwt`);
        speak(say("已下载", "Downloaded"));
      } catch (error) {
        fault.replaceChildren(refusal(error.message));
      }
    }, "button.quiet"), fault);
}

function sending(one) {
  const answer = el("div");
  return el("section.card", {}, el("h2", {}, say("提交信用平台", "Send to the credit platform")),
    el("p", {}, say("按您已同意的法律依据提交“至少几次”，不含其他内容。撤回同意后停止，并要求对方删除。", "Only “at least so many”, under the basis that you agreed to. Taking the consent back stops it and asks for deletion.")),
    button(say("提交", "Send"), async () => {
      try {
        await ask(`/passport/statements/${one.statement}/exports`, { method: "POST" });
        answer.replaceChildren(el("p.state.yes", { role: "status" }, say("已提交，几分钟内送达。", "On its way; it arrives within minutes.")));
      } catch (error) {
        answer.replaceChildren(refusal(error.message));
      }
    }, "button.quiet"), answer);
}

function voiding(one, again) {
  const fault = el("div");
  const sure = el("input", { id: "sure", type: "checkbox" });
  return el("section.card", {}, el("h2", {}, say("作废", "Make it void")),
    el("p", {}, say("作废后不能恢复，已出示的也不再有效；需要时可以重新出具。", "It cannot be undone, and what was shown no longer holds; you can have it stated anew.")),
    el("label.tick", { for: "sure" }, sure, say("我要作废这份声明", "I want to make it void")),
    button(say("作废声明", "Make it void"), async () => {
      fault.replaceChildren();
      if (!sure.checked) {
        fault.replaceChildren(refusal(say("请先勾选。", "Please tick first.")));
        return;
      }
      try {
        await ask(`/passport/statements/${one.statement}`, { method: "DELETE" });
        speak(say("声明已作废", "It is void"));
        again();
      } catch (error) {
        fault.replaceChildren(refusal(error.message));
      }
    }, "button.grave"), fault);
}
