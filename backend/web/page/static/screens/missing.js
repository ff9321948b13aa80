// Points that the till never credited: the shop's slip is cited, and what became of each claim is told.

import { ask, Refusal, session } from "../api.js";
import { button, el, field, form, heading, put, speak } from "../dom.js";
import { figure, onDay, said, say } from "../say.js";
import { verdict } from "../verdict.js";

const SHOWN = 50;
const YUAN = /^(\d{1,8})(?:\.(\d{1,2}))?$/;

export default async function missing(shown, { signal, again }) {
  put(shown, heading(say("补记积分", "Missing points")),
    el("p.note", {}, say("结账时没有记上积分？请准备好购物小票：先选门店，再按小票填写。", "Nothing was credited at the till? Take your sales slip: choose the shop, then copy the slip.")));
  const details = slip();
  details.hidden = true;
  put(shown, shops(details), details);
  const { claims } = await ask(`/missing-points?limit=${SHOWN}`, { signal });
  if (claims.length) put(shown, el("h2", {}, say("我的补记申请", "My claims")), claims.map((each) => one(each, again)));
}

/** Finds shops by name; `details` then takes one of them. */
function shops(details) {
  const name = field("shop", say("门店名称", "Name of the shop"), { autocomplete: "off", maxlength: "60" });
  return form("form.card", say("查找门店", "Find the shop"), async () => {
    name.right();
    details.hidden = true;
    try {
      if (!name.value()) throw new Refusal("empty", say("请输入店名中的几个字。", "Please enter a part of the name."));
      const found = await ask(`/api/public/v1/stores?city=${session().city}&name=${encodeURIComponent(name.value())}`);
      if (!found.stores.length) throw new Refusal("none", say("没有找到这家门店，请换几个字再试。", "No such shop; try other words."));
      details.choose(found.stores);
    } catch (error) {
      name.wrong(error.message);
    }
  }, name.all);
}

function slip() {
  const choice = el("fieldset", {}, el("legend", {}, say("门店", "Shop")));
  const day = field("bought", say("小票上的日期", "Day on the slip"), { type: "date", max: new Date().toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" }) });
  const number = field("slip-no", say("小票号（流水号）", "Number of the slip"), { autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "60", "aria-describedby": "slip-hint slip-no-fault" });
  const amount = field("amount", say("合计金额（元），或其中一件的金额", "Total in yuan, or the price of one article"), { inputmode: "decimal", autocomplete: "off", maxlength: "11" });
  const found = el("div.result");
  let attempt = crypto.randomUUID(); // kept while the same slip is sent again
  const made = form("form.card", say("申请补记", "Claim"), async () => {
    for (const each of [day, number, amount]) each.right();
    found.replaceChildren();
    const fen = YUAN.exec(amount.value());
    if (!day.value()) return day.wrong(say("请选择日期。", "Please choose the day."));
    if (!number.value()) return number.wrong(say("请输入小票号。", "Please enter the number."));
    if (!fen) return amount.wrong(say("请输入金额，如 59.90。", "Please enter an amount such as 59.90."));
    try {
      const claimed = await ask("/missing-points", { method: "POST", body: { claim_id: attempt, store: choice.querySelector("input:checked").value, bought_on: day.value(), slip_no: number.value(), amount_fen: 100 * Number(fen[1]) + Number((fen[2] ?? "").padEnd(2, "0")) } });
      found.replaceChildren(el("p", { role: "status" }, said(claimed)), ...claimed.scans.map(verdict));
      speak(said(claimed));
      attempt = crypto.randomUUID();
    } catch (error) {
      if (error.code !== "offline") attempt = crypto.randomUUID();
      number.wrong(error.message);
    }
  }, choice, day.all, number.all, el("p.note", { id: "slip-hint" }, say("标点和空格可以不填；仅用于查找这笔销售。", "Marks and spaces may be left out; it serves to find this sale alone.")), amount.all, found);
  made.choose = (stores) => {
    choice.replaceChildren(choice.firstChild, ...stores.map((store, place) => el("label.pick", {}, el("input", { type: "radio", name: "store", value: store.store, checked: place === 0 }), store.name)));
    made.hidden = false;
    choice.querySelector("input").focus();
  };
  return made;
}

function one(claim, again) {
  const card = el("section.card", {}, el("h3", {}, `${claim.store_name ?? claim.store} · ${onDay(claim.bought_on)}`), el("p", {}, said(claim)),
    el("p.note", {}, say(`小票 ${claim.slip_no}，${figure("fen", claim.amount_fen)}，${onDay(claim.filed_at)}申请`, `Slip ${claim.slip_no}, ${figure("fen", claim.amount_fen)}, claimed on ${onDay(claim.filed_at)}`)));
  if (claim.may_ask_review) {
    const open = button(say("申请复核", "Ask for a second look"), () => open.replaceWith(review(claim, again)), "button.quiet");
    put(card, open);
  }
  return card;
}

function review(claim, again) {
  const text = field(`why-${claim.claim}`, say("为什么应当补记", "Why it should be credited"), { rows: "3", maxlength: "500" });
  return form("form", say("提交复核", "Send"), async () => {
    text.right();
    try {
      if (!text.value()) throw new Refusal("empty", say("请说明理由。", "Please say why."));
      await ask(`/missing-points/${claim.claim}/review`, { method: "POST", body: { text: text.value() } });
      speak(say("复核申请已提交", "Sent"));
      again();
    } catch (error) {
      text.wrong(error.message);
    }
  }, text.all);
}
