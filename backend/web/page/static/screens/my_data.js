// One's own data: taking it away, who looked at it, leaving for good.

import { ask, download, forgetSession } from "../api.js";
import { button, el, heading, put, refusal, speak } from "../dom.js";
import { looked } from "../looked.js";
import { count, figure, said, say, UNITS } from "../say.js";

const SHOWN = 20;

export default async function myData(shown, { signal }) {
  put(shown, heading(say("我的数据", "My data")), taking());
  const looked = await ask(`/access-log?limit=${SHOWN}`, { signal });
  put(shown, seen(looked.entries), leaving());
}

function taking() {
  const fault = el("div");
  const save = (format, name) => async () => {
    fault.replaceChildren();
    try {
      await download(`/export?format=${format}`, name);
      speak(say("已下载", "Downloaded"));
    } catch (error) {
      fault.replaceChildren(refusal(error.message));
    }
  };
  return el("section.card", {}, el("h2", {}, say("带走我的数据", "Take my data away")),
    el("p", {}, say("这里保存的与您有关的全部数据，下载后请自己保管好。", "All that is held about you here; keep the file safe.")),
    button(say("下载表格（CSV）", "Download tables (CSV)"), save("csv", "green-points.zip"), "button.quiet"),
    button(say("下载 JSON", "Download JSON"), save("json", "green-points.json"), "button.quiet"), fault);
}

function seen(entries) {
  return el("section.card", {}, el("h2", {}, say("谁看过我的数据", "Who saw my data")),
    entries.length ? looked(entries)
      : el("p", {}, say("还没有人看过。", "Nobody has.")));
}

function leaving() {
  const section = el("section.card", {}, el("h2", {}, say("注销账户", "Close my account")));
  put(section, el("p", {}, say("注销后不能恢复。先看会失去什么，再决定。", "It cannot be undone. See first what ends with it.")),
    button(say("看注销的后果", "What would I lose?"), async () => {
      try {
        section.replaceChildren(...told(await ask("/account/closing")));
        section.querySelector("h2").focus();
      } catch (error) {
        section.append(refusal(error.message));
      }
    }, "button.quiet"));
  return section;
}

function told(found) {
  const lost = found.losses.flatMap((one) => ["available", "pending", "to_collect"].filter((state) => one[state]).map((state) => el("li", {}, `${UNITS[one.unit]?.() ?? one.unit} ${figure(one.unit, one[state])}`)));
  const open = [
    [found.redemptions_open, say(`未完成的兑换 ${count(found.redemptions_open)} 笔`, `${count(found.redemptions_open)} redemptions not finished`)],
    [found.scans_waiting, say(`等待核定的扫码 ${count(found.scans_waiting)} 次`, `${count(found.scans_waiting)} scans not decided yet`)],
  ].filter(([number]) => number).map(([, words]) => el("li", {}, words));
  const sure = el("input", { id: "sure", type: "checkbox" });
  const gives = found.money_fen ? el("input", { id: "gives", type: "checkbox" }) : null;
  const fault = el("div");
  const close = button(say("注销账户", "Close my account"), async () => {
    fault.replaceChildren();
    if (!sure.checked) {
      fault.replaceChildren(refusal(say("请先勾选“我已看过”。", "Please tick that you have read it.")));
      return;
    }
    try {
      await ask("/account/closing", { method: "POST", body: { told_sha256: found.told_sha256, gives_up_money: Boolean(gives?.checked) } });
      forgetSession();
      speak(say("账户已注销", "The account is closed"));
      location.hash = "#/sign-in";
    } catch (error) {
      fault.replaceChildren(refusal(error.message));
    }
  }, "button.grave");
  return [
    el("h2", { tabindex: "-1" }, say("注销账户", "Close my account")),
    lost.length || open.length ? el("p", {}, say("会失去：", "You would lose:")) : el("p", {}, say("没有会失去的积分或兑换。", "There are no points or redemptions to lose.")),
    el("ul.plain", {}, lost, open),
    el("p", {}, say("注销后仍会留存：", "What stays:")),
    el("ul.plain", {}, found.kept.map((one) => el("li", {}, said(one, "text")))),
    el("label.tick", { for: "sure" }, sure, say("我已看过，仍要注销", "I have read it and want to close it")),
    gives ? el("label.tick", { for: "gives" }, gives, say(`放弃未用的补贴 ${figure("fen", found.money_fen)}`, `I give up ${figure("fen", found.money_fen)} of subsidy`)) : null,
    close, fault,
  ].filter(Boolean);
}
