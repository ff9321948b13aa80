// Scanning: by the camera, from a photo, or typed. Signed in, the scan is recorded; otherwise the label is only looked up.

import { ask, newId, session } from "../api.js";
import { watch } from "../camera.js";
import { button, el, field, form, heading, put, refusal, speak, waiting } from "../dom.js";
import { say } from "../say.js";
import { label } from "../label.js";
import { verdict } from "../verdict.js";

export default async function scan(shown, { signal }) {
  const view = el("video.view", { playsinline: true, muted: true, hidden: true, "aria-label": say("相机画面", "What the camera sees") });
  const result = el("div.result", { tabindex: "-1" });
  const camera = button(say("打开相机扫码", "Open the camera"), () => look());
  const typed = field("typed", say("或者输入标签上的编号", "Or type the number on the label"), { autocomplete: "off", spellcheck: "false", maxlength: "500" });
  const lookUp = form("form.line", say("查询", "Look up"), async () => {
    if (typed.value()) await take({ text: typed.value(), symbology: null, aim: null });
  }, typed.all);
  put(shown, heading(say("扫一扫", "Scan")),
    el("p.lead", {}, session()
      ? say("对准商品上的认证标签、二维码或条码。", "Point at the certification mark, QR or bar code of the goods.")
      : say("未登录时只查询认证，不记录、不积分。", "Without signing in, goods are only looked up: nothing is recorded or earned.")),
    el("section.card", {}, view, camera,
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

  /** The same id for as long as it takes: a scan that was sent twice counts once. */
  async function take(code, id = newId()) {
    wait(say("正在查询…", "Looking it up…"));
    const content = code.text === null ? { code_b64: code.base64 } : { code: code.text };
    try {
      if (!session()) tell(label(await ask("/api/public/v1/labels:read", { method: "POST", body: { text: code.text ?? "", symbology: code.symbology, aim: code.aim }, signal })));
      else recorded(await ask("/scans", { method: "POST", body: { scan_id: id, ...content, symbology: code.symbology, aim: code.aim }, signal }));
    } catch (error) {
      if (signal.aborted) return;
      tell(refusal(error.message));
      if (error.code === "offline" || error.status >= 500) result.append(button(say("重试", "Try again"), () => take(code, id)));
    }
  }

  function recorded(found) {
    tell(verdict(found), el("p.row", {}, el("a.link", { href: `#/explain/${found.basket}/${found.line_no}` }, say("看全部理由", "See every reason"))));
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
