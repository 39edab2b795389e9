// The charts of the statistics. Without script, and for screen readers, the tables below them have the same numbers.

import uPlot from "../vendor/uplot/dist/uPlot.esm.js";

const found = document.getElementById("analysis-data");
const data = found ? JSON.parse(found.textContent) : null;
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const FILLS = { fake: "--fake-fill", real: "--real-fill", uncertain: "--uncertain-fill", no_result: "--none-fill" };

const drawn = [];

// Bars in `root`; redrawn when the colours change, resized with the page.
function chart(root, rows, options) {
  const one = { root, plot: null };
  one.draw = () => {
    one.plot?.destroy();
    one.plot = new uPlot({ ...size(root), legend: { show: false }, ...options() }, rows, root);
  };
  one.draw();
  new ResizeObserver(() => one.plot.setSize(size(root))).observe(root);
  drawn.push(one);
}

const size = (root) => ({ width: root.clientWidth, height: root.clientHeight });
document.addEventListener("theme", () => drawn.forEach((each) => each.draw()));

function axis(more) {
  const grid = { stroke: color("--line"), width: 1 };
  return { stroke: color("--ink-2"), grid, ticks: grid, font: "12px system-ui", ...more };
}

const wholeNumbers = { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000], size: 52 };
const upTo = (_plot, _low, high) => [0, Math.max(high ?? 0, 1)];

function overTime(root) {
  const { labels, verdicts } = data;
  const places = labels.map((_, index) => index);
  const stacked = [];
  verdicts.forEach(({ counts }, level) => stacked.push(counts.map((n, i) => n + (stacked[level - 1]?.[i] ?? 0))));
  // The highest first: each lower one is drawn over it.
  const order = verdicts.map((_, index) => index).reverse();
  const paths = uPlot.paths.bars({ size: [0.8, 60] });
  const series = () => order.map((index) => ({ fill: color(FILLS[verdicts[index].key]), width: 0, paths, points: { show: false } }));
  const readOut = document.getElementById("read-out");
  const tell = ({ cursor: { idx } }) => {
    const told = verdicts.filter(({ counts }) => counts[idx]).map(({ label, counts }) => `${label} ${counts[idx]}`);
    readOut.textContent = idx == null ? "" : [labels[idx], ...told].join(" · ");
  };
  chart(root, [places, ...order.map((index) => stacked[index])], () => ({
    scales: { x: { time: false, range: [-0.6, labels.length - 0.4] }, y: { range: upTo } },
    axes: [
      axis({ size: 30, incrs: [1, 2, 5, 7, 14, 30, 60], space: 90, grid: { show: false }, values: (_, ticks) => ticks.map((at) => labels[at] ?? "") }),
      axis(wholeNumbers),
    ],
    series: [{}, ...series()],
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    hooks: { setCursor: [tell] },
  }));
}

function scores(root, counts) {
  const width = 1 / counts.length;
  const middles = counts.map((_, index) => (index + 0.5) * width);
  const paths = uPlot.paths.bars({ size: [0.9, 60] });
  chart(root, [middles, counts], () => ({
    scales: { x: { time: false, range: [0, 1] }, y: { range: upTo } },
    axes: [
      axis({ size: 30, incrs: [0.25, 0.5], grid: { show: false }, values: (_, ticks) => ticks.map((tick) => `${Math.round(100 * tick)}\u00a0%`) }),
      axis(wholeNumbers),
    ],
    series: [{}, { fill: color("--accent"), width: 0, paths, points: { show: false } }],
    cursor: { show: false },
  }));
}

if (data) {
  const days = document.getElementById("days");
  const groups = document.getElementById("scores");
  days.hidden = groups.hidden = false;
  overTime(days);
  groups.querySelectorAll(".chart").forEach((root, index) => scores(root, data.scores[index]));
}
