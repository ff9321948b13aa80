// What one has: points first and large, then what waits, what ends, and the two things done most.

import { ask } from "../api.js";
import { button, el, heading, put, refusal, speak } from "../dom.js";
import { atMoment, figure, onDay, said, say, UNITS } from "../say.js";

const EXPIRIES_SHOWN = 3;

export default async function home(shown, { signal, again }) {
  const title = heading(say("我的积分", "My points"));
  put(shown, title);
  const [{ balances }, { expiries, next }, caps] = await Promise.all([
    ask("/balances", { signal }),
    ask(`/expiries?limit=${EXPIRIES_SHOWN}`, { signal }),
    ask("/caps:read", { method: "POST", body: {}, signal }),
  ]);
  const [points] = balances.filter((one) => one.unit === "points");
  put(shown, 
    el("section.hero", { "aria-label": say("可用积分", "Points to use") },
      el("p.figure", {}, figure("points", points.amount), el("span.unit", {}, say("分", " points"))),
      el("p", {}, points.amount ? say("可以使用", "ready to use") : say("还没有积分。结账时出示会员码，买到认证商品就会积分。", "No points yet. Show your code at the till: certified goods earn points."))),
    el("div.pair", {},
      el("a.big", { href: "#/code" }, say("出示会员码", "Show my code"), el("small", {}, say("结账时用", "at the till"))),
      el("a.big", { href: "#/scan" }, say("扫一扫", "Scan"), el("small", {}, say("看商品认证", "see what is certified"))),
      el("a.big.wide", { href: "#/redeem" }, say("兑换", "Redeem"), el("small", {}, say("公共服务、券、捐赠", "services, vouchers, donations")))));
  put(shown, waitingOf(balances), toCollect(balances, again), ends(expiries, next), others(balances), left(caps.policies),
    el("p.row", {}, el("a.link", { href: "#/claim" }, say("小票上有领取码？在这里领取", "A claim code on your slip? Enter it here"))));
}

function waitingOf(balances) {
  const rows = balances.flatMap((one) => one.pending.map((each) => el("li", {}, said(each, "words"), el("small", {}, say(`${atMoment(each.available_at)}起可用`, `ready from ${atMoment(each.available_at)}`)))));
  return rows.length ? [el("section.card", {}, el("h2", {}, say("待生效", "On its way")), el("ul.rows", {}, rows))] : [];
}

function toCollect(balances, again) {
  const rows = balances.flatMap((one) => one.to_collect.map((each) => el("li", {}, said(each, "words"), el("small", {}, say(`请在${atMoment(each.collect_by)}前领取`, `collect it before ${atMoment(each.collect_by)}`)))));
  if (!rows.length) return null;
  const section = el("section.card", {}, el("h2", {}, say("待领取", "To collect")), el("ul.rows", {}, rows));
  section.append(button(say("全部领取", "Collect all"), async () => {
    try {
      await ask("/collect", { method: "POST", body: {} });
      speak(say("已领取", "Collected"));
      again();
    } catch (error) {
      section.append(refusal(error.message));
    }
  }));
  return section;
}

function ends(expiries, more) {
  if (!expiries.length) return null;
  const rows = expiries.map((one) => el("li", {}, said(one, "words"), el("small", {}, say(`${onDay(one.last_day)}前有效`, `good through ${onDay(one.last_day)}`))));
  return el("section.card", {}, el("h2", {}, say("将到期", "Coming to an end")), el("ul.rows", {}, rows),
    more ? el("p.note", {}, say("更晚到期的未列出。", "Later ones are not shown.")) : null);
}

/** Money, impact and evidence, each apart; a wallet that was never used is left out. */
function others(balances) {
  const rows = balances.filter((one) => (one.unit !== "points" && one.amount) || one.owed.amount || one.held.amount).flatMap((one) => [
    one.unit === "points" || !one.amount ? null : el("li", {}, UNITS[one.unit](), el("strong", {}, figure(one.unit, one.amount))),
    one.held.amount ? el("li", {}, say("兑换占用，待确认", "Held by redemptions"), el("strong", {}, said(one.held, "words"))) : null,
    one.owed.amount ? el("li", {}, say("退货后的欠账，以后的奖励先抵扣", "Owed after returns; later awards repay it first"), el("strong", {}, said(one.owed, "words"))) : null,
  ]);
  const shown = rows.filter(Boolean);
  return shown.length ? el("section.card", {}, el("h2", {}, say("其他", "Besides")), el("ul.rows", {}, shown)) : null;
}

/** What the caps leave before the next purchase, under the name of each policy. */
function left(policies) {
  const capped = policies.filter((one) => one.caps.length);
  if (!capped.length) return null;
  return el("section.card", {}, el("h2", {}, say("还能积多少", "What is left to earn")),
    capped.map((one) => el("div", {}, el("p.note", {}, said(one, "title")), el("ul.rows", {}, one.caps.map((cap) => el("li", {}, said(cap)))))));
}
