// What points are good for, and what one has redeemed.

import { ask, newId } from "../api.js";
import { button, el, heading, put, refusal } from "../dom.js";
import { count, onDay, said, say } from "../say.js";

const KINDS = { service: () => say("公共服务", "Service"), voucher: () => say("券", "Voucher"), donation: () => say("捐赠", "Donation") };
const MINE = 10;

export default async function redeem(shown, { signal }) {
  put(shown, heading(say("兑换", "Redeem")));
  const [{ points }, catalogue, mine] = await Promise.all([ask("/wallet", { signal }), ask("/catalogue", { signal }), ask(`/redemptions?limit=${MINE}`, { signal })]);
  put(shown, el("p.lead", {}, say(`可用 ${count(points.amount)} 分`, `${count(points.amount)} points to use`)));
  if (mine.redemptions.length) put(shown, el("section.card", {}, el("h2", {}, say("我的兑换", "Mine")), el("ul.rows", {}, mine.redemptions.map(line))));
  const list = el("ul.scans");
  const more = el("div");
  put(shown, el("h2", {}, say("可以兑换", "On offer")), list, more);
  fill(catalogue);

  function fill(page) {
    list.append(...page.entries.map((entry) => offer(entry, points.amount)));
    if (!list.children.length) more.append(el("p.card", {}, say("现在没有可兑换的。", "Nothing is on offer just now.")));
    else more.replaceChildren(...(page.next ? [button(say("更多", "More"), () => ask(`/catalogue?after=${page.next}`, { signal }).then(fill), "button.quiet")] : []));
  }
}

function line(one) {
  return el("li", {}, el("a", { href: `#/redemption/${one.redemption}` }, said(one, "title")), el("small", {}, said(one)));
}

function offer(entry, points) {
  const fault = el("div");
  const pieces = pick(entry);
  // One id for one wish: pressed again after a cut it holds nothing twice.
  const id = newId();
  const take = button(say("兑换", "Redeem"), async () => {
    fault.replaceChildren();
    try {
      const held = await ask("/redemptions", { method: "POST", body: { redemption_id: id, entry: entry.entry, pieces: pieces.value() } });
      location.hash = `#/redemption/${held.redemption}`;
    } catch (error) {
      fault.replaceChildren(refusal(error.message));
    }
  }, "button.quiet");
  const gone = entry.left === 0 || entry.limit?.left === 0;
  const short = points < entry.points;
  return el("li.card", {},
    el("h3", {}, said(entry, "title")),
    el("p", {}, el("strong.price", {}, say(`${count(entry.points)} 分`, `${count(entry.points)} points`)), ` · ${KINDS[entry.kind]()}`),
    el("p", {}, said(entry, "text")),
    el("p.note", {}, facts(entry).join(say("；", "; "))),
    gone ? el("p.note", {}, entry.left === 0 ? say("已兑完。", "None are left.") : say("本期已兑满。", "You have had your share for now."))
      : short ? el("p.note", {}, say(`还差 ${count(entry.points - points)} 分。`, `${count(entry.points - points)} points are missing.`))
        : [pieces.element, take],
    fault);
}

function facts(entry) {
  return [
    entry.left === null ? null : say(`还有 ${count(entry.left)} 份`, `${count(entry.left)} left`),
    entry.limit ? said(entry.limit, "words") : null,
    entry.at_till ? say(`到网点确认：${entry.partners.map((one) => one.name ?? one.store).join("、")}`, `confirmed at: ${entry.partners.map((one) => one.name ?? one.store).join(", ")}`) : null,
    entry.voucher_days ? say(`券 ${entry.voucher_days} 天内有效`, `voucher good for ${entry.voucher_days} days`) : null,
    say(`${onDay(entry.until)}前可兑`, `until ${onDay(entry.until)}`),
  ].filter(Boolean);
}

function pick(entry) {
  if (entry.pieces_max === 1) return { element: null, value: () => 1 };
  const id = `pieces-${entry.entry}`;
  const most = Math.min(entry.pieces_max, entry.left ?? entry.pieces_max, entry.limit?.left ?? entry.pieces_max, 20);
  const select = el("select", { id }, Array.from({ length: most }, (_, at) => el("option", { value: at + 1 }, say(`${at + 1} 份`, String(at + 1)))));
  return { element: el("div", {}, el("label", { for: id }, say("几份", "How many")), select), value: () => Number(select.value) };
}
