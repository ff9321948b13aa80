// The answer to a scan, in one sentence first: what came of it, what is to be done, what the label is and proves.

import { el } from "./dom.js";
import { said, say } from "./say.js";

const ENGLISH = { awarded: "Awarded", none: "No award", pending_product: "Being checked", unclaimed: "Not claimed yet", held: "Held for a check" };
const PLACES = { show_member_code: "#/code", refresh_member_code: "#/code", claim: "#/claim" };
const STATES = {
  valid: () => say("有效", "valid"),
  suspended: () => say("已暂停", "suspended"),
  withdrawn: () => say("已撤销", "withdrawn"),
  expired: () => say("已过期", "expired"),
  not_yet_valid: () => say("尚未生效", "not yet valid"),
};

/** What is known of a certificate's standing, in a word. */
export const standing = (state) => (STATES[state] ?? (() => state))();

export function verdict(scan) {
  const won = Boolean(scan.award);
  return el(`section.verdict.${won ? "won" : "plain"}`, {},
    el("p.outcome", {}, won ? `+${said(scan.award, "words")}` : say(scan.outcome_words, ENGLISH[scan.outcome] ?? scan.outcome)),
    el("p.sentence", {}, said(scan)),
    scan.next_step ? step(scan.next_step) : null,
    el("p.note", {}, said(scan.label)),
    el("dl.facts", {}, fact(say("标签", "Label"), scan.label.text), fact(say("证书", "Certificate"), certificate(scan.certificate))));
}

function step(next) {
  const place = PLACES[next.code];
  return el("p", {}, place ? el("a", { href: place }, said(next)) : said(next));
}

const fact = (name, value) => (value ? [el("dt", {}, name), el("dd", {}, value)] : null);

function certificate(used) {
  if (!used) return null;
  const graded = used.grade ? say(`，${used.grade} 级`, `, grade ${used.grade}`) : "";
  return `${used.number}${graded}${say("，", ", ")}${standing(used.state)}`;
}
