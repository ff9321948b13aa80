// What a label is and whether it is certified now, for whoever asks.

import { el } from "./dom.js";
import { onDay, said, say } from "./say.js";
import { standing } from "./verdict.js";

/** Shops that sold it lately; nothing where none is known. */
export function soldAt(found) {
  if (!found.sellers.length) return null;
  return el("div", {}, el("h2", {}, say("近期有售的门店", "Sold lately at")), el("ul.rows", {}, found.sellers.map((one) => el("li", {}, one.name))),
    el("p.note", {}, say("每夜更新；顾客太少的门店不列出。", "As of last night; shops with few buyers are left out.")));
}

export function label(found) {
  const good = found.certificates.filter((one) => one.state === "valid");
  const first = good.length
    ? say("有绿色认证，证书在有效期内。", "Certified: the certificate holds.")
    : found.certificates.length
      ? say("查到了证书，但现在不在有效状态。", "There is a certificate, but it does not hold now.")
      : say("没有查到这件商品的绿色认证。", "No green certification was found for it.");
  return el(`section.verdict.${good.length ? "won" : "plain"}`, {},
    el("p.outcome", {}, good.length ? say("已认证", "Certified") : say("未查到有效认证", "Not certified")),
    el("p.sentence", {}, first),
    el("p.note", {}, said(found.label)),
    found.label.warnings.map((one) => el("p", {}, said(one))),
    found.certificates.map((one) => el("dl.facts", {},
      el("dt", {}, say("商品", "Goods")), el("dd", {}, one.product),
      el("dt", {}, say("认证", "Scheme")), el("dd", {}, `${one.scheme_zh} ${one.number}`),
      el("dt", {}, say("状态", "State")), el("dd", {}, standing(one.state)),
      el("dt", {}, say("有效至", "Until")), el("dd", {}, one.valid_until ? onDay(one.valid_until) : say("长期", "no end")))),
    soldAt(found),
    found.registry_imported_at ? el("p.note", {}, say(`证书资料更新于${onDay(found.registry_imported_at)}`, `Certificates as of ${onDay(found.registry_imported_at)}`)) : null);
}
