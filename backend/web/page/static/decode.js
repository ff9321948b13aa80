// Codes on a picture: by the browser's own reader where it knows what we need, else by zxing-cpp compiled for browsers.

const NEEDED = ["qr_code", "ean_13", "ean_8", "code_128", "data_matrix"];
const FORMATS = ["QRCode", "EAN13", "EAN8", "UPCA", "UPCE", "Code128", "DataMatrix", "ITF", "DataBar", "DataBarExp"];

/** A function that finds the codes on a canvas: [{ text, base64, symbology, aim }]; text is null for what is no text. */
export async function reader() {
  const known = (await globalThis.BarcodeDetector?.getSupportedFormats?.().catch(() => [])) ?? [];
  return NEEDED.every((format) => known.includes(format)) ? native(known) : wasm();
}

function native(known) {
  const detector = new BarcodeDetector({ formats: known.filter((format) => format !== "unknown") });
  return async (canvas) => (await detector.detect(canvas)).map((one) => ({ text: one.rawValue, base64: null, symbology: one.format, aim: null }));
}

async function wasm() {
  const { prepareZXingModule, readBarcodes } = await import("./zxing/reader/index.js");
  await prepareZXingModule({ overrides: { locateFile: () => new URL("./zxing/zxing_reader.wasm", import.meta.url).href }, fireImmediately: true });
  return async (canvas) => {
    const picture = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, canvas.width, canvas.height);
    const found = await readBarcodes(picture, { formats: FORMATS, tryHarder: true, maxNumberOfSymbols: 4, textMode: "Plain" });
    return found.filter((one) => one.isValid).map(seen);
  };
}

function seen(one) {
  return { ...content(one.bytes), symbology: one.format, aim: one.symbologyIdentifier || null };
}

function content(bytes) {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), base64: null };
  } catch {
    return { text: null, base64: btoa(String.fromCharCode(...bytes)) };
  }
}
