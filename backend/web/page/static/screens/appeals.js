// What one said against decisions, and what came of it.

import { ask } from "../api.js";
import { el, heading, put } from "../dom.js";
import { onDay, said, say } from "../say.js";

const SHOWN = 50;

export default async function appeals(shown, { signal }) {
  put(shown, heading(say("我的申诉", "My appeals")));
  const found = (await ask(`/appeals?limit=${SHOWN}`, { signal })).appeals;
  put(shown, found.length ? found.map(one) : el("p.card", {}, say("没有申诉。对未奖励或待核查的记录，可以在“为什么”页面申请复核。", "None. Against a scan that earned nothing or is held, appeal on its page of reasons.")));
}

function one(filed) {
  return el("section.card", {}, el("h2", {}, said(filed)), el("p", {}, filed.text),
    filed.explanation ? el("p", {}, say("答复：", "Answer: "), filed.explanation) : null,
    el("p.note", {}, say(`${onDay(filed.filed_at)}提交，`, `Filed on ${onDay(filed.filed_at)}, `), filed.decided_at ? say(`${onDay(filed.decided_at)}答复`, `answered on ${onDay(filed.decided_at)}`) : say(`最迟${onDay(filed.due_on)}答复`, `answered by ${onDay(filed.due_on)}`)),
    el("p", {}, el("a", { href: `#/explain/${filed.basket}/${filed.line_no}` }, say("看这条记录", "See the scan"))));
}
