// The till says what is on the page; this only puts it there. Everything is text, nothing is HTML.
"use strict";
const $ = (id) => document.getElementById(id);
const SIGNS = { good: "✓", plain: "●", warn: "▲", stop: "■" }, SURE_MS = 5000;
const told = new Set(); // seqs of claim codes that the till knows to be shown
let screen = null, chosen = null, sure = 0;

function make(tag, text = "", className = "", ...children) {
  const made = Object.assign(document.createElement(tag), { textContent: text, className });
  made.append(...children);
  return made;
}
const write = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; }; // unchanged is not read aloud again
async function post(path, body = {}) {
  try {
    const answer = await fetch(path, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) showState({ level: "warn", zh: "没有成功", en: "", detail_zh: (await answer.json()).detail });
  } catch { lost(); }
}

function showState(state) {
  document.body.dataset.level = state.level;
  const parts = { sign: SIGNS[state.level], word: state.zh, detail: state.detail_zh, "word-en": state.en };
  for (const id in parts) write(id, parts[id]);
}

function showBasket(basket) {
  const lines = basket?.lines ?? [];
  $("lines").replaceChildren(...lines.map((line) => make("tr", "", "",
    make("td", line.code, "", ...(line.hint_zh ? [make("span", line.hint_zh, "hint")] : [])),
    make("td", line.qty, "number"), make("td", line.price_zh, "number"))));
  $("empty").hidden = lines.length > 0;
  write("whose", !basket ? "" : basket.member ? "✓ 会员" : "未出示会员码");
  write("total", lines.length ? `共 ${basket.pieces} 件  ${basket.total_zh}` : "");
  $("lines").lastChild?.scrollIntoView({ block: "end" });
}

function showSlip(slip) {
  [$("slip").hidden, $("basket").hidden] = [!slip, Boolean(slip)];
  if (slip && !$("symbol").src.endsWith(`/slips/${slip.seq}.svg`)) $("symbol").src = `/slips/${slip.seq}.svg`;
  write("claim", slip?.claim ?? "");
}

function pastBasket(past) {
  const row = make("li", "", past.progress, make("span", `第 ${past.seq} 单`), make("span", past.said_zh, "said"));
  if (!past.claim) return row;
  const isChosen = chosen?.seq === past.seq, look = make("button", isChosen ? "收起" : "领取码");
  look.onclick = () => { chosen = isChosen ? null : past; show(); };
  row.append(look);
  if (document.visibilityState === "visible" && !told.has(past.seq)) { // whoever stands here can give it to the customer
    told.add(past.seq);
    post("/slips/shown", { seq: past.seq });
  }
  return row;
}

function show() {
  write("device", screen.device);
  write("cashier", screen.cashier ? `收银员 ${screen.cashier}` : "");
  write("link", (screen.online ? "● 已联网" : "○ 未联网") + (screen.waiting ? ` · ${screen.waiting} 单待上传` : ""));
  showState(screen.state);
  $("also").replaceChildren(...screen.also.map((state) => make("li", `${SIGNS[state.level]} ${state.zh}`, state.level)));
  showBasket(screen.basket);
  showSlip(chosen ?? screen.slip);
  $("reads").replaceChildren(...screen.reads.map((read) => make("li", "", read.good ? "" : "bad", make("span", read.at),
    make("span", read.good ? "✓" : "✗"), make("span", `${read.code} ${read.said_zh}`, "said"))));
  $("baskets").replaceChildren(...screen.baskets.map(pastBasket));
  $("finish").disabled = !screen.basket;
  showVoid();
}

function showVoid(last = screen.void_seq) {
  if (sure !== last) sure = 0;
  $("void").disabled = !last;
  $("void").className = sure ? "sure" : "";
  write("void", sure ? `再按一次，作废第 ${sure} 单` : last ? `作废上一单（第 ${last} 单）` : "作废上一单");
}

$("finish").onclick = () => post("/finish");
$("void").onclick = () => {
  if (sure) post("/void", { seq: sure });
  sure = sure ? 0 : screen.void_seq;
  setTimeout(() => { sure = 0; showVoid(); }, SURE_MS);
  showVoid();
};
function lost() {
  showState({ level: "stop", zh: "扫码终端没有运行", en: "The till is not running", detail_zh: "请重新启动，或通知店长" });
  $("finish").disabled = $("void").disabled = true;
}
function listen() {
  const events = new EventSource("/events");
  events.onmessage = (event) => {
    const had = screen?.basket;
    screen = JSON.parse(event.data);
    if (screen.basket && !had) chosen = null; // the next customer is here
    show();
  };
  events.onerror = () => { events.close(); lost(); setTimeout(listen, 1000); };
}
listen();
