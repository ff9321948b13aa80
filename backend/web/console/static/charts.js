// Charts are drawn from the rows of a table on the same page, so that both always say the same. What draws them is large, and
// is asked for by pages that have one.
const ECHARTS = new URL("echarts.js", document.currentScript.src).href;
let fetched = false;
const COLOURS = {
  light: ["#0f6b3a", "#2563a8", "#b45309", "#7c3a8c", "#5b6b62", "#a3283b"],
  dark: ["#6fcf9a", "#7fb2ee", "#f0ad5c", "#cf9bdd", "#a6b4ab", "#ee8f9c"],
};

function numberOf(cell) {
  return Number(cell.dataset.value ?? cell.textContent.replace(/[^\d.-]/g, ""));
}

function shown(value, unit) {
  const parts = unit === "yuan" ? (value / 100).toFixed(2).split(".") : [String(value)];
  const whole = parts[0].replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return unit === "yuan" ? `¥${whole}.${parts[1]}` : unit ? `${whole} ${unit}` : whole;
}

function draw(place) {
  const table = document.getElementById(place.dataset.table);
  if (!table) return;
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  const rows = [...table.tBodies[0].rows];
  const { kind, unit } = place.dataset;
  const across = kind === "across";
  const columns = place.dataset.y.split(",").map(Number);
  // Bars from the left need room for each row, and few rows no more than that.
  if (across) place.style.height = `${Math.max(5, 2.5 + rows.length * 1.4 * (columns.length > 1 ? 1.4 : 1))}rem`;
  // What a cell says beneath its link is told by the table alone.
  const cells = rows.map((row) => row.cells[Number(place.dataset.x)]);
  const names = cells.map((cell) => (cell.querySelector("a") ?? cell).textContent.trim());
  const style = getComputedStyle(document.body);
  const [ink, faint, line] = ["ink", "dim", "line"].map((name) => style.getPropertyValue(`--gp-${name}`));
  const chart = window.echarts.getInstanceByDom(place) ?? window.echarts.init(place);
  chart.setOption({
    color: COLOURS[document.documentElement.dataset.bsTheme],
    animation: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    textStyle: { fontFamily: style.fontFamily, color: ink },
    grid: { left: 8, right: 16, top: columns.length > 1 ? 36 : 16, bottom: 8, containLabel: true },
    legend: { show: columns.length > 1, top: 0, left: 0, itemHeight: 8, textStyle: { color: ink } },
    // As text on the canvas: a box of HTML would need inline styles, which the page's policy forbids.
    tooltip: { trigger: "axis", renderMode: "richText", valueFormatter: (value) => shown(value, unit) },
    [across ? "yAxis" : "xAxis"]: {
      type: "category",
      data: names,
      inverse: across,
      axisLine: { lineStyle: { color: line } },
      axisLabel: { color: faint, interval: across ? 0 : "auto" },
    },
    [across ? "xAxis" : "yAxis"]: {
      type: "value",
      minInterval: 1,
      axisLabel: { color: faint, formatter: (value) => shown(value, unit === "yuan" ? unit : "").replace(/\.00$/, "") },
      splitLine: { lineStyle: { color: line } },
    },
    series: columns.map((column) => ({
      name: heads[column],
      type: kind === "line" ? "line" : "bar",
      stack: kind === "stack" ? "all" : undefined,
      barMaxWidth: across ? 14 : 28,
      symbol: "none",
      lineStyle: { width: 2 },
      data: rows.map((row) => numberOf(row.cells[column])),
    })),
  });
}

function drawAll() {
  const places = document.querySelectorAll(".gp-chart");
  if (window.echarts) for (const place of places) draw(place);
  else if (places.length && !fetched) {
    fetched = true;
    document.head.append(Object.assign(document.createElement("script"), { src: ECHARTS, onload: drawAll }));
  }
}

document.addEventListener("DOMContentLoaded", drawAll);
document.addEventListener("htmx:after:swap", drawAll);
new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
window.addEventListener("resize", () => {
  for (const place of document.querySelectorAll(".gp-chart")) window.echarts?.getInstanceByDom(place)?.resize();
});
