// Another account of one's own becomes this one.

import { ask } from "../api.js";
import { el, heading, put } from "../dom.js";
import { byPhone } from "../phone.js";
import { said, say } from "../say.js";

export default async function merge(shown) {
  const done = el("div");
  put(shown, heading(say("合并账户", "Merge accounts")),
    el("p.lead", {}, say("用另一个手机号开过账户？验证那个手机号，它的积分、记录和限额就并入本账户。合并后不能恢复。", "Did you open an account by another number? Prove that number, and its points, records and limits become this account's. It cannot be undone.")),
    byPhone(say("合并到本账户", "Merge into this account"), async (proof) => {
      const { moved } = await ask("/merges", { method: "POST", body: proof });
      const rows = moved.map((one) => el("li", {}, said(one, "words")));
      done.replaceChildren(el("section.verdict.won", { role: "status" }, el("p.outcome", {}, say("已合并", "Merged")),
        rows.length ? el("ul.plain", {}, rows) : el("p", {}, say("那个账户没有余额。", "There was nothing in that account."))));
    }), done);
}
