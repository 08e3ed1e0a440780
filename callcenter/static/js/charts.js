/* Charts drawn from the page's own table, in the page's own colours; loaded only where there is one.
   A figure says what it wants: data-chart (bars, rows, lines, across, sankey), data-of (the table's id),
   data-figures (columns by their code, apart by blanks). The table's rows say data-l (label), data-g (group),
   data-all (the group's sum); its cells data-c (column), data-v (value) and, where it is not what they show, data-t
   (the value in words); heads data-n (a shorter name). */
const SERIES = 5;
let painted = [];

export function startCharts() {
  const script = document.createElement("script");
  script.src = new URL("../vendor/echarts.js", import.meta.url);
  script.addEventListener("load", paintAll);
  document.head.append(script);
  new MutationObserver(paintAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paintAll);
  document.body.addEventListener("htmx:afterSettle", paintAll);
}

function paintAll() {
  for (const one of painted) one.dispose();
  painted = [...document.querySelectorAll("[data-chart]")].map(paint).filter(Boolean);
}

function paint(figure) {
  const table = document.getElementById(figure.dataset.of);
  const place = figure.querySelector(".chart-canvas");
  if (!table || !place || !globalThis.echarts) return null;
  const option = KINDS[figure.dataset.chart](read(table), figure.dataset.figures.split(" "), look(), figure);
  figure.hidden = !option;
  if (!option) return null;
  const chart = globalThis.echarts.init(place, null, { renderer: "canvas" });
  chart.setOption(option);
  new ResizeObserver(() => chart.isDisposed() || chart.resize()).observe(place);
  return chart;
}

/* What the table says. */
function read(table) {
  const names = {};
  for (const head of table.querySelectorAll("thead [data-c]")) names[head.dataset.c] = head.dataset.n ?? head.textContent.trim();
  const rows = [...table.querySelectorAll("tbody tr[data-l]")].map((row) => {
    const cells = {};
    for (const cell of row.querySelectorAll("[data-c]")) {
      const shown = cell.querySelector("b, a") ?? cell;
      const value = cell.dataset.v === "" ? null : Number(cell.dataset.v);
      cells[cell.dataset.c] = { value, shown: cell.dataset.t ?? shown.textContent.trim() };
    }
    return { label: row.dataset.l, group: row.dataset.g ?? "", all: "all" in row.dataset, from: row.dataset.f, cells };
  });
  return { names, rows };
}

/* The page's tokens as they are now; a custom property itself would still say light-dark(). */
function look() {
  const probe = document.createElement("i");
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const names = ["ink", "ink-2", "ink-3", "line", "surface", "accent", "g1", "g2", "g3", "g4"];
  const found = Object.fromEntries(names.map((name) => [name, colour(name)]));
  found.font = getComputedStyle(document.body).fontFamily;
  probe.remove();
  found.series = [found.accent, found.g1, found.g3, found.ink, found.g2];
  return found;
}

function frame(look, more) {
  return {
    animation: false,
    textStyle: { fontFamily: look.font, fontSize: 12, color: look["ink-2"] },
    grid: { left: 8, right: 96, top: 24, bottom: 8, containLabel: true },
    tooltip: {
      trigger: "axis", confine: true, backgroundColor: look.surface, borderColor: look.line,
      textStyle: { color: look.ink, fontSize: 12, fontFamily: look.font }, axisPointer: { type: "none" },
    },
    ...more,
  };
}

const axis = (look, data, more = {}) => ({
  type: "category", data, axisTick: { show: false }, axisLine: { lineStyle: { color: look.line } },
  axisLabel: { color: look["ink-3"], hideOverlap: true, width: 110, overflow: "truncate" }, ...more,
});
const scale = (look, share, more = {}) => ({
  type: "value", splitLine: { lineStyle: { color: look.line } },
  axisLabel: { color: look["ink-3"], hideOverlap: true, formatter: (value) => (share ? `${Math.round(value * 100)} %` : short(value)) },
  minInterval: share ? 0 : 1, ...more,
});
const short = (value) =>
  new Intl.NumberFormat(document.documentElement.lang, { notation: "compact" }).format(value);

/* Series are groups of one figure, or, without groups, figures side by side. */
function series({ names, rows }, figures, across) {
  const shown = rows.filter((row) => row.all === across);
  const groups = [...new Set(shown.map((row) => row.group))].slice(0, SERIES);
  if (groups.length > 1) {
    return groups.map((group) => ({
      name: group, figure: figures[0], rows: shown.filter((row) => row.group === group),
    }));
  }
  return figures.map((figure) => ({ name: names[figure], figure, rows: shown }));
}

function keys(figure, found, look) {
  const list = figure.querySelector(".chart-keys");
  list.replaceChildren(
    ...found.map((one, place) => {
      const item = document.createElement("li");
      const swatch = document.createElement("i");
      swatch.className = "swatch";
      swatch.style.background = look.series[place % look.series.length];
      item.append(swatch, one.name);
      return item;
    }),
  );
  list.hidden = found.length < 2;
}

const isShare = (found) => found.every((one) => one.rows.every((row) => (row.cells[one.figure]?.value ?? 0) <= 1))
  && found.some((one) => one.rows.some((row) => row.cells[one.figure]?.shown.includes("%")));

function marks(found, look, type, labels) {
  const alone = found.length === 1;
  return found.map((one, place) => {
    const by = new Map(one.rows.map((row) => [row.label, row.cells[one.figure]]));
    return {
      type, name: one.name, barMaxWidth: 48, symbolSize: 6, connectNulls: false,
      itemStyle: { color: alone && type === "bar" ? look.g3 : look.series[place % look.series.length] },
      lineStyle: { width: 2 },
      label: { show: alone && type === "bar", position: "top", color: look.ink, formatter: (it) => it.data.shown },
      data: labels.map((label) => {
        const cell = by.get(label);
        return cell ? { value: cell.value, shown: cell.shown } : null;
      }),
    };
  });
}

const told = (items) => {
  const list = Array.isArray(items) ? items : [items];
  return [list[0]?.name, ...list.filter((it) => it.data).map((it) => `${it.seriesName}: ${it.data.shown ?? it.value}`)]
    .map(safe).join("<br>");
};
const safe = (text) => String(text ?? "").replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

function overLabels(type) {
  return (table, figures, look, figure) => {
    const found = series(table, figures, false);
    const labels = [...new Set(found.flatMap((one) => one.rows.map((row) => row.label)))];
    if (!labels.length) return null;
    keys(figure, found, look);
    const option = frame(look, {
      xAxis: axis(look, labels), yAxis: scale(look, isShare(found)), series: marks(found, look, type, labels),
    });
    option.grid.right = 8;
    option.tooltip.formatter = told;
    return option;
  };
}

/* Long names read best beside their bars, the longest first. */
function rows(table, figures, look, figure) {
  const found = series(table, figures, false);
  const sums = new Map();
  for (const one of found)
    for (const row of one.rows)
      sums.set(row.label, (sums.get(row.label) ?? 0) + (row.cells[one.figure]?.value ?? 0));
  const labels = [...sums].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([label]) => label).reverse();
  if (!labels.length) return null;
  keys(figure, found, look);
  const drawn = marks(found, look, "bar", labels);
  for (const one of drawn) one.label.position = "right";
  const option = frame(look, {
    yAxis: axis(look, labels, { axisLabel: { color: look["ink-2"], width: window.innerWidth < 768 ? 110 : 220, overflow: "truncate" } }),
    xAxis: scale(look, isShare(found)), series: drawn,
  });
  option.tooltip.formatter = told;
  return option;
}

/* One line a group over the columns, from the group's sum. */
function across({ names, rows: all }, figures, look, figure) {
  const groups = all.filter((row) => row.all).slice(0, SERIES);
  const used = figures.filter((code) => groups.some((row) => row.cells[code]?.value != null));
  if (!used.length) return null;
  keys(figure, groups.map((row) => ({ name: row.group || row.label })), look);
  const option = frame(look, {
    xAxis: axis(look, used.map((code) => names[code])),
    yAxis: scale(look, true),
    series: groups.map((row, place) => ({
      type: "line", name: row.group || row.label, symbolSize: 6, lineStyle: { width: 2 },
      itemStyle: { color: look.series[place % look.series.length] },
      label: { show: groups.length === 1, position: "top", color: look.ink, formatter: (it) => it.data.shown },
      data: used.map((code) => row.cells[code]),
    })),
  });
  option.tooltip.formatter = told;
  return option;
}

function sankey({ rows: all }, figures, look) {
  const links = all.filter((row) => row.from && row.cells[figures[0]]?.value).slice(0, 60).map((row) => {
    const [place, from, to] = JSON.parse(row.from);
    const { value, shown } = row.cells[figures[0]];
    return { source: `${place}|${from}`, target: `${place + 1}|${to}`, value, shown };
  });
  if (!links.length) return null;
  const nodes = [...new Set(links.flatMap((link) => [link.source, link.target]))];
  const name = (id) => id.slice(id.indexOf("|") + 1);
  const option = frame(look, {
    series: [{
      type: "sankey", left: 8, right: 150, top: 8, bottom: 8, nodeGap: 10, nodeWidth: 12, draggable: false,
      emphasis: { focus: "adjacency" }, lineStyle: { color: look.g4, opacity: 0.6 },
      label: { color: look.ink, width: 140, overflow: "truncate", formatter: (it) => name(it.name) },
      data: nodes.map((id) => ({
        name: id, depth: Number(id.slice(0, id.indexOf("|"))) - 1,
        itemStyle: { color: id.startsWith("3|") ? look.accent : look.g2, borderWidth: 0 },
      })),
      links,
    }],
  });
  option.tooltip.trigger = "item";
  option.tooltip.formatter = (it) =>
    safe(it.dataType === "edge" ? `${name(it.data.source)} → ${name(it.data.target)}: ${it.data.shown}` : name(it.name));
  return option;
}

const KINDS = { bars: overLabels("bar"), lines: overLabels("line"), rows, across, sankey };
