// What was scanned and what came of it, newest first; each line leads to its reasons.

import { ask } from "../api.js";
import { button, el, heading, put, refusal } from "../dom.js";
import { atMoment, said, say } from "../say.js";

const PAGE = 20;

export default async function history(shown, { signal }) {
  put(shown, heading(say("记录", "History")));
  const list = el("ul.scans");
  const end = el("div");
  put(shown, list, end);
  await more(null);

  async function more(after) {
    const page = await ask(`/scans?limit=${PAGE}${after ? `&after=${encodeURIComponent(after)}` : ""}`, { signal });
    list.append(...page.scans.map(line));
    if (!list.children.length) end.append(el("p.card", {}, say("还没有记录。结账时出示会员码，或扫一扫商品上的标签。", "Nothing yet. Show your code at the till, or scan a label.")));
    end.replaceChildren(...(page.next ? [button(say("更早的记录", "Earlier ones"), () => more(page.next).catch((error) => end.append(refusal(error.message))), "button.quiet")] : [...end.children]));
  }
}

function line(scan) {
  const place = scan.channel === "phone" ? say("手机扫码", "Scanned by phone") : (scan.store?.name ?? say("收银台", "At a till"));
  return el("li", {}, el("a", { href: `#/explain/${scan.basket}/${scan.line_no}` },
    el("span.what", {}, said(scan)),
    el(`span.award.${scan.award ? "some" : "none"}`, {}, scan.award ? `+${said(scan.award, "words")}` : say("未奖励", "no award")),
    scan.promised ? el("span.why", {}, said(scan.promised)) : null,
    scan.returned ? el("span.why", {}, said(scan.returned)) : null,
    el("small", {}, `${place} · ${atMoment(scan.sold_at)}`),
    el("small", {}, scan.label.text ?? say("个人信息，未保存", "Not kept: personal"))));
}
