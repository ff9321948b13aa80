// Keeps the shell, so that the page opens without a network and says so. What the API answers is never kept.
const KEPT = "greenpoints-shell-{{ version }}";
const ASSETS = "/m/assets/{{ version }}/";
const SHELL = {{ (["/m/", "/m/en", "/m/manifest.webmanifest"] + shell) | tojson }};

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const older = caches.keys().then((names) => names.filter((name) => name.startsWith("greenpoints-shell-") && name !== KEPT));
  event.waitUntil(older.then((names) => Promise.all(names.map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (address.pathname.startsWith(ASSETS)) event.respondWith(keptOrFetched(request));
  else if (request.mode === "navigate" && SHELL.includes(address.pathname)) event.respondWith(fetchedOrKept(request, address.pathname));
});

// The address names the content, so what is kept cannot be out of date.
async function keptOrFetched(request) {
  const kept = await caches.open(KEPT);
  const found = await kept.match(request);
  if (found) return found;
  const fetched = await fetch(request);
  if (fetched.ok) await kept.put(request, fetched.clone());
  return fetched;
}

async function fetchedOrKept(request, path) {
  try {
    return await fetch(request);
  } catch {
    return (await (await caches.open(KEPT)).match(path)) ?? Response.error();
  }
}
