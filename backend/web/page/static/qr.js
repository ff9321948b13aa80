// A QR code as a picture. The server draws it, so that no phone needs a program for it.

import { ask } from "./api.js";
import { drawn } from "./dom.js";

const QUIET = 4; // modules of white around it, ISO/IEC 18004

export async function qr(text, signal) {
  const { rows } = await ask("/qr", { method: "POST", body: { text }, signal });
  const path = rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map((run) => `M${run.index + QUIET} ${y + QUIET}h${run[0].length}v1h-${run[0].length}z`));
  return drawn(rows.length + 2 * QUIET, path.join(""));
}
