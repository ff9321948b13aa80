// Scanning: by the camera, from a photo, or typed. Signed in, the scan is recorded; otherwise the label is only looked up.

import { ask, newId, session } from "../api.js";
import { watch } from "../camera.js";
import { button, el, field, form, heading, put, refusal, speak, waiting } from "../dom.js";
import { readPhoto } from "../photo.js";
import { say } from "../say.js";
import { label, soldAt } from "../label.js";
import { verdict } from "../verdict.js";

export default async function scan(shown, { signal }) {
  const view = el("video.view", { playsinline: true, muted: true, hidden: true, "aria-label": say("相机画面", "What the camera sees") });
  const result = el("div.result", { tabindex: "-1" });
  const camera = button(say("打开相机扫码", "Open the camera"), () => look());
  const file = el("input.file", { id: "photo", type: "file", accept: "image/*" });
  const typed = field("typed", say("或者输入标签上的编号", "Or type the number on the label"), { autocomplete: "off", spellcheck: "false", maxlength: "500" });
  const lookUp = form("form.line", say("查询", "Look up"), async () => {
    if (typed.value()) await take({ text: typed.value(), symbology: null, aim: null });
  }, typed.all);
  file.addEventListener("change", () => file.files[0] && fromPhoto(file.files[0]));
  put(shown, heading(say("扫一扫", "Scan")),
    el("p.lead", {}, session()
      ? say("对准商品上的认证标签、二维码或条码。", "Point at the certification mark, QR or bar code of the goods.")
      : say("未登录时只查询认证，不记录、不积分。", "Without signing in, goods are only looked up: nothing is recorded or earned.")),
    el("section.card", {}, view, camera,
      session() ? [file, el("label.choose", { for: "photo" }, say("从照片识读", "Read a photo"))] : null,
      lookUp),
    result);

  async function look() {
    result.replaceChildren();
    view.hidden = false;
    camera.hidden = true;
    speak(say("相机已打开，请对准条码", "The camera is on; point it at the code"));
    try {
      const found = await watch(view, signal);
      navigator.vibrate?.(60);
      await take(found);
    } catch (error) {
      if (!signal.aborted) tell(refusal(error.message));
    } finally {
      view.hidden = true;
      camera.hidden = false;
    }
  }

  async function fromPhoto(chosen) {
    wait(say("正在识读照片…", "Reading the photo…"));
    try {
      const codes = await readPhoto(chosen, signal);
      file.value = "";
      if (codes.length === 1) await take(codes[0]);
      else if (codes.length) choose(codes);
      else tell(refusal(say("照片里没有识读到条码。请靠近一些、避开反光再拍一张，或输入编号。", "No code was found on the photo. Take another one closer and without glare, or type the number.")));
    } catch (error) {
      if (!signal.aborted) tell(refusal(error.message));
    }
  }

  function choose(codes) {
    tell(el("section.card", {}, el("h2", {}, say("照片里有几个码，要哪一个？", "There are several codes; which one?")),
      codes.map((one) => button(one.text ?? say("二进制内容", "binary content"), () => take(one), "button.quiet"))));
  }

  /** The same id for as long as it takes: a scan that was sent twice counts once. */
  async function take(code, id = newId()) {
    wait(say("正在查询…", "Looking it up…"));
    const content = code.text === null ? { code_b64: code.base64 } : { code: code.text };
    try {
      if (!session()) tell(label(await ask("/api/public/v1/labels:read", { method: "POST", body: await looked(code, signal), signal })));
      else recorded(await ask("/scans", { method: "POST", body: { scan_id: id, ...content, symbology: code.symbology, aim: code.aim }, signal }), code);
    } catch (error) {
      if (signal.aborted) return;
      tell(refusal(error.message));
      if (error.code === "offline" || error.status >= 500) result.append(button(say("重试", "Try again"), () => take(code, id)));
    }
  }

  async function recorded(found, code) {
    tell(verdict(found), el("p.row", {}, el("a.link", { href: `#/explain/${found.basket}/${found.line_no}` }, say("看全部理由", "See every reason"))));
    const answered = result.firstChild;
    const sold = await ask("/api/public/v1/labels:read", { method: "POST", body: await looked(code, signal), signal }).then(soldAt, () => null);
    if (sold && result.firstChild === answered) result.append(el("section.card", {}, sold));
  }

  function tell(...said) {
    result.replaceChildren(...said);
    result.focus();
  }

  /** A status speaks for itself; the focus comes with the answer. */
  function wait(text) {
    result.replaceChildren(waiting(text));
  }
}

/** The question what a code is and where it was sold: in one's own city, or in the only one that there is. */
async function looked(code, signal) {
  const own = session()?.city;
  const { cities } = own ? { cities: [] } : await ask("/api/public/v1/cities", { signal });
  return { text: code.text ?? "", symbology: code.symbology, aim: code.aim, city: own ?? (cities.length === 1 ? cities[0].city : null) };
}
