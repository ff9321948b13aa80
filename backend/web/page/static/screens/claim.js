// A basket of nobody becomes one's own by the code on the sales slip.

import { ask, Refusal } from "../api.js";
import { el, field, form, heading, put, speak } from "../dom.js";
import { say } from "../say.js";
import { verdict } from "../verdict.js";

export default async function claim(shown) {
  const code = field("claim", say("小票上的 16 位领取码", "The 16 characters on your slip"), { autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "40", "aria-describedby": "claim-hint claim-fault" });
  const found = el("div.result");
  const take = async () => {
    code.right();
    found.replaceChildren();
    try {
      if (!code.value()) throw new Refusal("empty", say("请输入领取码。", "Please enter the code."));
      const { scans } = await ask("/claims", { method: "POST", body: { code: code.value() } });
      found.replaceChildren(...scans.map(verdict));
      speak(say(`已领取，共 ${scans.length} 件`, `Claimed: ${scans.length}`));
    } catch (error) {
      code.wrong(error.message);
    }
  };
  put(shown, heading(say("领取码", "Claim code")),
    form("form.card", say("领取", "Claim"), take, code.all,
      el("p.note", { id: "claim-hint" }, say("结账时没有出示会员码也不要紧：七天内凭小票领取，只能领一次。大小写、短横线都可以。", "No code shown at the till? Claim within seven days by the slip, once. Case and hyphens do not matter."))),
    found,
    el("p.row", {}, el("a.link", { href: "#/missing" }, say("没有领取码？凭小票补记积分", "No claim code? Claim by the slip itself"))));
}
