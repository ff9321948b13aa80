// Words, amounts and times in the language of the page. Chinese stands first everywhere, English beside it.

const english = document.documentElement.lang === "en";

export const say = (zh, en) => (english ? en : zh);

/** The sentence of an answer that brings both languages: `name` and `name_en`. */
export const said = (answer, name = "sentence") => (english && answer[`${name}_en`]) || answer[name];

const CHINA = { timeZone: "Asia/Shanghai" };
const locale = english ? "en-GB" : "zh-CN";
const day = new Intl.DateTimeFormat(locale, { ...CHINA, year: "numeric", month: "long", day: "numeric" });
const moment = new Intl.DateTimeFormat(locale, { ...CHINA, year: "numeric", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
const number = new Intl.NumberFormat(locale);

export const onDay = (iso) => day.format(new Date(iso));
export const atMoment = (iso) => moment.format(new Date(iso));
export const count = (amount) => number.format(amount);

/** The amount alone, as large type shows it: whole points, yuan of fen, grams as kilograms. */
export function figure(unit, amount) {
  if (unit === "fen") return `¥${number.format(Math.trunc(amount / 100))}.${String(Math.abs(amount) % 100).padStart(2, "0")}`;
  return number.format(amount);
}

export const UNITS = {
  points: () => say("积分", "Points"),
  fen: () => say("补贴金额", "Subsidy"),
  gco2e: () => say("减碳估算（克）", "Carbon saved, estimate (g)"),
  evidence: () => say("绿色消费凭证", "Green purchases on record"),
};
