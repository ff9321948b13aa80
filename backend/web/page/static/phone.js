// That a phone is one's own: a code is sent to it and typed here.

import { ask } from "./api.js";
import { el, field, form, speak } from "./dom.js";
import { say } from "./say.js";

/** `prove` is handed { way, phone, code }; what it refuses is said beside the code. `words` stand on its button. */
export function byPhone(words, prove, ...above) {
  const phone = field("phone", say("手机号", "Mobile number"), { type: "tel", inputmode: "tel", autocomplete: "tel-national", maxlength: "20" });
  const code = field("sms", say("短信里的六位验证码", "The six digits of the message"), { inputmode: "numeric", autocomplete: "one-time-code", maxlength: "6" });
  const send = form("form", say("获取验证码", "Send me a code"), async (pressed) => {
    phone.right();
    try {
      const sent = await ask("/phone-codes", { method: "POST", body: { phone: phone.value() } });
      submit.hidden = false;
      speak(say("验证码已发出，请输入短信里的六位数字", "The code is on its way; enter the six digits of the message"));
      code.input.focus();
      countDown(pressed, sent.again_after_s);
    } catch (error) {
      phone.wrong(error.message);
    }
  }, above, phone.all);
  const submit = form("form", words, async () => {
    code.right();
    try {
      await prove({ way: "phone", phone: phone.value(), code: code.value() });
    } catch (error) {
      code.wrong(error.message);
    }
  }, code.all);
  submit.hidden = true;
  return el("section.card", {}, send, submit);
}

function countDown(button, seconds) {
  const usual = say("重新获取验证码", "Send another code");
  const tick = (left) => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? say(`${left} 秒后可重新获取`, `Another code in ${left} s`) : usual;
    if (left > 0 && button.isConnected) setTimeout(tick, 1_000, left - 1);
  };
  setTimeout(tick, 0, seconds); // after `button` has given it back
}
