// One's paper cards: which are good, and that one is lost.

import { ask } from "../api.js";
import { button, el, heading, put, refusal, speak } from "../dom.js";
import { onDay, say } from "../say.js";

const ENDED = { lost: () => say("已挂失", "reported lost"), replaced: () => say("已换新卡", "replaced") };

export default async function cards(shown, { signal, again }) {
  put(shown, heading(say("纸质会员卡", "Paper cards")),
    el("p.lead", {}, say("给家里不用智能手机的人，或自己备用：收银员扫一扫卡就能积分。卡只能积分，不能兑换。", "For someone without a smartphone, or to spare: the till reads it and you earn. It redeems nothing.")));
  const found = (await ask("/cards", { signal })).cards;
  put(shown, found.length ? found.map((one) => card(one, again)) : el("p.card", {}, say("还没有会员卡。请到服务窗口领取，报手机号即可。", "None yet. A service counter issues one to your phone number.")),
    el("p.row", {}, el("a.link", { href: "#/merge" }, say("把一张卡里的积分并入本账户", "Merge a card's points into this account"))));
}

function card(one, again) {
  const shown = el("section.card", { "data-card": one.ending }, el("h2", {}, say(`尾号 ${one.ending}`, `Ending in ${one.ending}`)),
    el("p.note", {}, say(`${onDay(one.issued_at)}发放`, `issued on ${onDay(one.issued_at)}`)));
  if (one.blocked_at) return put(shown, el("p.state", {}, `${ENDED[one.blocked_why]()} · ${onDay(one.blocked_at)}`));
  return put(shown, button(say(`挂失尾号 ${one.ending} 的卡`, `Report card ${one.ending} lost`), async () => {
    try {
      await ask(`/cards/${one.card}/block`, { method: "POST" });
      speak(say("已挂失，此后不再记入；积分还在。", "Reported: it credits nothing from now on; your points stay."));
      again();
    } catch (error) {
      put(shown, refusal(error.message));
    }
  }, "button.quiet"));
}
