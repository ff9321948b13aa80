// A photo is made smaller here, which also strips where and when it was taken, and is read by the server.

import { ask, Refusal } from "./api.js";
import { say } from "./say.js";

const SIDE_MAX = 2048;

/** The codes on it. Raises Refusal. */
export async function readPhoto(file, signal) {
  const { codes } = await ask("/photos:read", { method: "POST", photo: await reduced(file), signal });
  return codes.map((one) => ({ text: one.code, base64: one.code_b64, symbology: one.symbology, aim: one.aim }));
}

async function reduced(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new Refusal("no-picture", say("这不是可以打开的图片。", "This is no picture that can be opened."));
  }
  const shrink = Math.min(1, SIDE_MAX / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * shrink));
  canvas.height = Math.max(1, Math.round(picture.height * shrink));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((made) => canvas.toBlob(made, "image/jpeg", 0.9));
}
