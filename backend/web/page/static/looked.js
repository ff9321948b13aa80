// Who looked at one's data, in words.

import { el } from "./dom.js";
import { atMoment, say } from "./say.js";

const PURPOSES = {
  own_copy: () => say("本人带走数据", "a copy for oneself"),
  enquiry: () => say("答复咨询", "an enquiry"),
  appeal: () => say("复核申诉", "an appeal"),
  audit: () => say("审计", "an audit"),
  investigation: () => say("核查", "an investigation"),
  benefit: () => say("核验绿色信用声明", "a check of a credit statement"),
  credit_export: () => say("向信用平台提供", "sending to the credit platform"),
};
const WHATS = {
  export: () => say("全部数据", "all data"),
  account: () => say("账户", "the account"),
  scans: () => say("扫码记录", "scans"),
  statement: () => say("只有“至少几次”的声明", "a statement of “at least so many”"),
};
const ROLES = { self: () => say("本人", "Oneself"), official: () => say("主管部门", "Authority"), support: () => say("客服", "Support"), shop: () => say("商店", "Shop") };

export function looked(entries) {
  return el("ul.rows", {}, entries.map((one) => el("li", {},
    el("span", {}, whoOf(one), say("：", ": "), PURPOSES[one.purpose]?.() ?? one.purpose,
      el("small", {}, `${atMoment(one.at)} · ${WHATS[one.what]?.() ?? one.what}`)))));
}

function whoOf(one) {
  const role = ROLES[one.role]?.();
  if (!role) return one.who;
  return one.role === "self" ? role : `${role} ${one.who}`;
}
