// Another account of one's own becomes this one: proved by its phone, or by the sheet of its paper card.

import { ask, Refusal } from "../api.js";
import { el, field, form, heading, put } from "../dom.js";
import { byPhone } from "../phone.js";
import { said, say } from "../say.js";

export default async function merge(shown) {
  const done = el("div");
  const joined = async (proof) => {
    const { moved } = await ask("/merges", { method: "POST", body: proof });
    const rows = moved.map((one) => el("li", {}, said(one, "words")));
    done.replaceChildren(el("section.verdict.won", { role: "status" }, el("p.outcome", {}, say("已合并", "Merged")),
      rows.length ? el("ul.plain", {}, rows) : el("p", {}, say("那个账户没有余额。", "There was nothing in that account."))));
  };
  put(shown, heading(say("合并账户", "Merge accounts")),
    el("p.lead", {}, say("用另一个手机号开过账户？验证那个手机号，它的积分、记录和限额就并入本账户。合并后不能恢复。", "Did you open an account by another number? Prove that number, and its points, records and limits become this account's. It cannot be undone.")),
    byPhone(say("合并到本账户", "Merge into this account"), joined),
    el("h2", {}, say("有纸质会员卡？", "A paper card?")), byCard(joined), done);
}

function byCard(joined) {
  const card = field("card-number", say("卡号（19 位）", "The card's number, 19 characters"), { autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "40" });
  const code = field("binding", say("绑定码（印在卡外，12 位）", "The binding code printed apart from it, 12 characters"), { autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "20" });
  return form("form.card", say("把卡并入本账户", "Merge the card"), async () => {
    for (const each of [card, code]) each.right();
    try {
      if (!card.value()) return card.wrong(say("请输入卡号。", "Please enter the number."));
      if (!code.value()) throw new Refusal("empty", say("请输入绑定码。", "Please enter the code."));
      await joined({ way: "card", card: card.value(), code: code.value() });
    } catch (error) {
      (error.code === "card-malformed" ? card : code).wrong(error.message);
    }
  }, card.all, code.all, el("p.note", {}, say("绑定码输错五次后，须到服务窗口办理。", "After five wrong codes a service counter has to help.")));
}
