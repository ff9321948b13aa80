// The resident API as this page asks it. Refusals come as sentences, ready to be shown.

import { say, said } from "./say.js";

const API = "/api/resident/v1";
const PATIENCE_MS = 20_000;
const KEPT = "greenpoints.session";

export class Refusal extends Error {
  constructor(code, sentence, status = 0) {
    super(sentence);
    this.code = code;
    this.status = status;
  }
}

/** { token, city } of whoever is signed in on this browser, or null. Nothing else of a person is kept here. */
export function session() {
  try {
    return JSON.parse(localStorage.getItem(KEPT));
  } catch {
    return null;
  }
}

export function keepSession({ token, city }) {
  localStorage.setItem(KEPT, JSON.stringify({ token, city }));
}

export function forgetSession() {
  localStorage.removeItem(KEPT);
}

/** The answer's body. Raises Refusal; a session that has ended is forgotten, which the window is told. */
export async function ask(path, { method = "GET", body, photo, signal, whole = false } = {}) {
  const headers = {};
  const who = session();
  if (who) headers.Authorization = `Bearer ${who.token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (photo) headers["Content-Type"] = photo.type;
  const answer = await sent(path.startsWith("/api/") ? path : API + path, {
    method,
    headers,
    body: photo ?? (body === undefined ? undefined : JSON.stringify(body)),
    signal: signal ? AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) : AbortSignal.timeout(PATIENCE_MS),
    cache: "no-store",
    credentials: "omit",
  });
  if (answer.status === 204) return null;
  if (answer.ok && whole) return answer.blob();
  const found = await answer.json().catch(() => null);
  if (answer.ok && found !== null) return found;
  if (found?.code === "unauthenticated" && who) { // a wrong code of a phone is a 401 too
    forgetSession();
    window.dispatchEvent(new Event("signed-out"));
  }
  throw new Refusal(found?.code ?? "unreadable", sentenceOf(found), answer.status);
}

/** Asks by POST, and lets the browser save the answer as `name`. */
export async function download(path, name) {
  save(await ask(path, { method: "POST", whole: true }), name);
}

export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function sent(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    if (options.signal.aborted && error.name === "AbortError") throw error;
    throw new Refusal("offline", say("没有连上服务，请检查网络后再试。", "The service cannot be reached; check the network and try again."));
  }
}

function sentenceOf(found) {
  if (found?.errors?.length) return found.errors.map((error) => said(error, "detail")).join(say("；", "; "));
  return (found && said(found, "detail")) || say("服务出错了，请稍后再试。", "Something went wrong; please try again later.");
}

/** An id of our own for a scan: the same one is sent again after a cut, so that it counts once. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
