// The answer to a scan, in one sentence first: what came of it, what the label is, what is to be done.

import { el } from "./dom.js";
import { said, say } from "./say.js";

const NEXT = {
  pending_product: () => say("不用再扫，查实后会自动补上。", "No need to scan again: it is added once it has been checked."),
  unclaimed: () => say("凭小票上的领取码可以领取。", "Claim it with the code on the slip."),
  held: () => say("核查完会通知您，通常不需要您做什么。", "You will hear when it has been checked; there is nothing for you to do."),
};

export function verdict(scan) {
  const won = Boolean(scan.award);
  return el(`section.verdict.${won ? "won" : "plain"}`, {},
    el("p.outcome", {}, won ? `+${said(scan.award, "words")}` : scan.outcome_words && say(scan.outcome_words, ENGLISH[scan.outcome] ?? scan.outcome)),
    el("p.sentence", {}, said(scan)),
    NEXT[scan.outcome] ? el("p", {}, NEXT[scan.outcome]()) : null,
    scan.channel === "phone" && BOUGHT.has(scan.reason) ? el("p", {}, say("购买时在收银台", "Buying it, "), el("a", { href: "#/code" }, say("出示会员码", "show your code")), say("，按购买核定积分。", " at the till: the purchase is judged by itself.")) : null,
    el("dl.facts", {}, ...fact(say("标签", "Label"), scan.label.text), ...fact(say("证书", "Certificate"), certificate(scan.certificate))));
}

/** Reasons for which a purchase may earn what a look at the label does not. */
const BOUGHT = new Set(["condition", "evidence", "cap", "price_missing"]);

const ENGLISH = { awarded: "Awarded", none: "No award", pending_product: "Being checked", unclaimed: "Not claimed yet", held: "Held for a check" };

const fact = (name, value) => (value ? [el("dt", {}, name), el("dd", {}, value)] : []);

function certificate(used) {
  if (!used) return null;
  const graded = used.grade ? say(`，${used.grade} 级`, `, grade ${used.grade}`) : "";
  return `${used.number}${graded}`;
}
