// The camera until it has read a code: a code with bars has to be read alike twice, for blur can forge its check digit.

import { Refusal } from "./api.js";
import { reader } from "./decode.js";
import { say } from "./say.js";

const WIDTH_MAX = 1280;
const EVERY_MS = 120;
const MATRIX = /qr|matrix/i;

/** The first code that is sure. Raises Refusal where there is no camera, or it may not be used. */
export async function watch(view, signal) {
  const stream = await open();
  const close = () => stream.getTracks().forEach((track) => track.stop());
  signal.addEventListener("abort", close);
  try {
    view.srcObject = stream;
    const [find] = await Promise.all([readerOrRefusal(), view.play()]);
    return await first(view, find, signal);
  } finally {
    close();
    view.srcObject = null;
  }
}

async function open() {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Refusal("no-camera", say("这个浏览器不能使用相机，请用照片或输入编号。", "This browser cannot use the camera; use a photo or type the number."));
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: { ideal: "environment" }, width: { ideal: WIDTH_MAX } } });
  } catch {
    throw new Refusal("no-camera", say("没有得到相机。请在浏览器设置里允许本网站使用相机，或用照片、输入编号。", "The camera is not to be had. Allow this site to use it in the browser's settings, or use a photo or type the number."));
  }
}

async function readerOrRefusal() {
  try {
    return await reader();
  } catch {
    throw new Refusal("no-reader", say("这个浏览器不能识码，请用照片或输入编号。", "This browser cannot read codes; use a photo or type the number."));
  }
}

async function first(view, find, signal) {
  const canvas = document.createElement("canvas");
  let before = null;
  while (!signal.aborted) {
    for (const code of await find(drawn(view, canvas))) {
      if (MATRIX.test(code.symbology) || code.text === before) return code;
      before = code.text;
    }
    await new Promise((resume) => setTimeout(resume, EVERY_MS));
  }
  throw new DOMException("left", "AbortError");
}

function drawn(view, canvas) {
  const shrink = Math.min(1, WIDTH_MAX / view.videoWidth);
  canvas.width = Math.max(1, Math.round(view.videoWidth * shrink));
  canvas.height = Math.max(1, Math.round(view.videoHeight * shrink));
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(view, 0, 0, canvas.width, canvas.height);
  return canvas;
}
