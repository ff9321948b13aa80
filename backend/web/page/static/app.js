// Where the page begins: which screen stands for which address, who may see it, where the focus goes.

import { Refusal, session } from "./api.js";
import { refusal } from "./dom.js";
import { say } from "./say.js";
import appeals from "./screens/appeals.js";
import cards from "./screens/cards.js";
import claim from "./screens/claim.js";
import code from "./screens/code.js";
import consents from "./screens/consents.js";
import explain from "./screens/explain.js";
import family from "./screens/family.js";
import history from "./screens/history.js";
import home from "./screens/home.js";
import me from "./screens/me.js";
import merge from "./screens/merge.js";
import missing from "./screens/missing.js";
import myData from "./screens/my_data.js";
import notices from "./screens/notices.js";
import passport from "./screens/passport.js";
import redeem from "./screens/redeem.js";
import redemption from "./screens/redemption.js";
import scan from "./screens/scan.js";
import signIn from "./screens/sign_in.js";
import statement from "./screens/statement.js";

// A screen fills `main` and may return what is to be done when it is left. `open`: for those not signed in, too.
const SCREENS = {
  home: { show: home, tab: "home" },
  code: { show: code, tab: "code" },
  scan: { show: scan, tab: "scan", open: true },
  history: { show: history, tab: "history" },
  explain: { show: explain, tab: "history" },
  claim: { show: claim, tab: "home" },
  missing: { show: missing, tab: "home" },
  redeem: { show: redeem, tab: "home" },
  redemption: { show: redemption, tab: "home" },
  consents: { show: consents, tab: "me" },
  cards: { show: cards, tab: "me" },
  merge: { show: merge, tab: "me" },
  "my-data": { show: myData, tab: "me" },
  passport: { show: passport, tab: "me" },
  statement: { show: statement, tab: "me" },
  notices: { show: notices, tab: "me" },
  family: { show: family, tab: "me" },
  appeals: { show: appeals, tab: "me" },
  me: { show: me, tab: "me" },
  "sign-in": { show: signIn, tab: "me", open: true },
};

const main = document.getElementById("main");
let leave = new AbortController();

function place() {
  const [name, ...rest] = plain(location.hash.split("?")[0].replace(/^#\/?/, "")).split("/");
  return { name: SCREENS[name] ? name : "home", rest };
}

function plain(address) {
  try {
    return decodeURIComponent(address);
  } catch {
    return ""; // a link that was cut in the midst of a letter
  }
}

async function show() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  let { name, rest } = place();
  if (!session() && !SCREENS[name].open) [name, rest] = ["sign-in", [name, ...rest]];
  markTab(SCREENS[name].tab);
  main.replaceChildren();
  const shown = document.createElement("div");
  shown.className = "screen";
  shown.dataset.screen = name;
  shown.setAttribute("aria-busy", "true"); // a screen reader waits until it is whole
  main.append(shown);
  try {
    await SCREENS[name].show(shown, { rest, signal, again: show });
  } catch (error) {
    if (signal.aborted) return;
    failed(shown, error);
  } finally {
    shown.removeAttribute("aria-busy");
  }
  if (!signal.aborted) settle(shown);
}

function failed(shown, error) {
  if (!(error instanceof Refusal)) throw error;
  shown.dataset.failed = "yes";
  shown.append(refusal(error.message));
}

// A screen reader is told where it is: the heading has the focus, the window its name. Not at the first opening, where
// it begins at the top by itself.
let opened = false;
function settle(shown) {
  const title = shown.querySelector("h1");
  if (!title) return;
  document.title = `${title.textContent} · ${say("绿色积分", "Green Points")}`;
  if (opened && !shown.contains(document.activeElement)) title.focus();
  if (opened) window.scrollTo(0, 0);
  opened = true;
}

function markTab(name) {
  for (const tab of document.querySelectorAll("[data-tab]")) {
    if (tab.dataset.tab === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

function sayNetwork() {
  document.getElementById("offline").hidden = navigator.onLine;
}

function keepLanguageLink() {
  const link = document.getElementById("language");
  link.href = link.pathname + location.hash;
}

window.addEventListener("hashchange", () => {
  keepLanguageLink();
  show();
});
window.addEventListener("signed-out", show);
window.addEventListener("online", () => {
  sayNetwork();
  // A whole screen stays: drawn anew it would lose what was typed, and the id under which something is sent again.
  if (main.querySelector("[data-failed]")) show();
});
window.addEventListener("offline", sayNetwork);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names the screen
  main.focus();
});

keepLanguageLink();
sayNetwork();
show();

if ("serviceWorker" in navigator) {
  const ours = window.trustedTypes?.createPolicy("greenpoints", { createScriptURL: () => "/m/sw.js" });
  navigator.serviceWorker.register(ours ? ours.createScriptURL("") : "/m/sw.js", { scope: "/m/" }).catch(() => {});
}
