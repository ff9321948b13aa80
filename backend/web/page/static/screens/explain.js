// Every reason of one decision, as the server computes it again from the stored facts.

import { ask, newId } from "../api.js";
import { el, field, form, heading, put } from "../dom.js";
import { said, say } from "../say.js";
import { verdict } from "../verdict.js";

export default async function explain(shown, { rest, signal }) {
  const [basket, line] = rest;
  put(shown, heading(say("为什么", "Why")));
  const found = await ask(`/scans/${encodeURIComponent(basket)}/lines/${encodeURIComponent(line)}`, { signal });
  put(shown, verdict(found.scan), found.policies.map(policy));
  if (found.limit) put(shown, el("p.card", {}, said(found.limit)));
  put(shown, el("p.note", {}, found.recomputed_equal
    ? say("以上由系统根据留存的事实重新算出，与当时的结果一致。", "Computed again just now from the stored facts, with the same result.")
    : say("重新计算的结果与当时不同，可以在下面申请复核。", "Computed again, the result differs; you may have it looked at below.")),
  AGAINST.has(found.scan.outcome) ? appeal(found.scan) : null,
  el("p.row", {}, el("a.link", { href: "#/history" }, say("返回记录", "Back to the history"))));
}

/** What an appeal can be made against: no award, or one that is held. */
const AGAINST = new Set(["none", "held"]);

function appeal(scan) {
  const id = newId();
  const words = field("appeal", say("哪里不对？请写明理由", "What is wrong? Please say why"), { rows: 4, maxlength: "500" });
  const section = el("details.card", {}, el("summary", {}, say("我有异议，申请复核", "I disagree: have it looked at again")));
  section.append(form("form", say("提交申诉", "Appeal"), async () => {
    words.right();
    try {
      const filed = await ask("/appeals", { method: "POST", body: { appeal_id: id, basket: scan.basket, line_no: scan.line_no, text: words.value() } });
      section.replaceWith(el("section.verdict.plain", { role: "status" }, el("p.sentence", {}, said(filed)), el("p", {}, el("a", { href: "#/appeals" }, say("我的申诉", "My appeals")))));
    } catch (error) {
      words.wrong(error.message);
    }
  }, words.all));
  return section;
}

function policy(checked) {
  return el("section.card", {},
    el("h2", {}, checked.title),
    el("p.note", {}, say("依据：", "By: "), checked.document_url
      ? el("a", { href: checked.document_url, rel: "noopener noreferrer", target: "_blank" }, checked.document_number)
      : checked.document_number),
    el("ul.rules", {}, [...checked.rules].sort((one, other) => weight(other) - weight(one)).map(rule)));
}

/** What decided stands first, then what held. */
const weight = (checked) => 2 * checked.decides + checked.holds;

function rule(checked) {
  const state = checked.holds ? say("符合", "holds") : say("不符合", "does not hold");
  return el("li", {},
    el("details", { open: checked.decides }, el("summary", {}, said(checked, "name"), el(`span.mark.${checked.holds ? "yes" : "no"}`, {}, state)),
      el("ul.checks", {}, checked.conditions.map((each) => el("li", { class: each.holds ? "yes" : "no" },
        el("span.sign", { "aria-hidden": "true" }, each.holds ? "✓" : "✕"),
        el("span.spoken", {}, each.holds ? say("符合：", "holds: ") : say("不符合：", "does not hold: ")), said(each)))),
      checked.arithmetic.length ? el("ol.sums", {}, checked.arithmetic.map((each) => el("li", {}, said(each)))) : null));
}
