// One module's scores over time, a line per person, tied to the player: click or keys move the video, the video moves the line.

import uPlot from "../vendor/uplot/dist/uPlot.esm.js";

// Told apart by their dashes too, after Okabe and Ito.
const LINES = [
  { light: "#3a47b8", dark: "#a9b4ff", dash: [] },
  { light: "#a3346b", dark: "#f29ac0", dash: [6, 3] },
  { light: "#1b6f8a", dark: "#6cc6e2", dash: [2, 3] },
  { light: "#6b5200", dark: "#e3c567", dash: [10, 3, 2, 3] },
];

export function lineOf(index) {
  const dark = document.documentElement.dataset.bsTheme === "dark";
  const line = LINES[index % LINES.length];
  return { stroke: dark ? line.dark : line.light, dash: line.dash };
}

export function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  const rest = (seconds - 60 * minutes).toFixed(seconds % 1 ? 1 : 0);
  return `${minutes}:${rest.padStart(rest.includes(".") ? 4 : 2, "0")}`;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Timeline {
  // `data`: {duration, worst: [seconds…], people: every id of the run, module: {realBelow, fakeFrom, people: {id: {times, scores}}}}
  constructor(root, data, onSeek) {
    this.root = root;
    this.data = data;
    this.onSeek = onSeek;
    this.time = 0;
    this.hidden = new Set();
    this.ids = Object.keys(data.module.people);
    // One row of times for all people; where a person has no face, there is no score.
    this.rows = uPlot.join(this.ids.map((id) => [data.module.people[id].times, data.module.people[id].scores]));
    this.times = this.rows[0];
    root.addEventListener("click", (event) => this.#click(event));
    root.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.plot?.setSize(this.#size())).observe(root);
    document.addEventListener("theme", () => this.draw());
    this.draw();
  }

  draw() {
    this.plot?.destroy();
    this.plot = new uPlot(this.#options(), this.rows, this.root);
    this.move(this.time);
  }

  show(id, shown) {
    if (shown) this.hidden.delete(id);
    else this.hidden.add(id);
    const index = this.ids.indexOf(id);
    if (index >= 0) this.plot.setSeries(index + 1, { show: shown });
  }

  setTime(seconds) {
    this.move(seconds);
    this.root.setAttribute("aria-valuenow", seconds.toFixed(1));
    this.root.setAttribute("aria-valuetext", clock(seconds));
  }

  // Only the line: a screen reader is not told of every frame that is played.
  move(seconds) {
    this.time = seconds;
    if (this.head) this.head.style.transform = `translateX(${this.plot.valToPos(seconds, "x")}px)`;
  }

  #size() {
    return { width: this.root.clientWidth, height: this.root.clientHeight };
  }

  #options() {
    const grid = { stroke: color("--line"), width: 1 };
    const axis = { stroke: color("--ink-2"), grid, ticks: grid, font: "12px system-ui" };
    const series = this.ids.map((id) => ({
      label: id,
      width: 2,
      spanGaps: true,
      show: !this.hidden.has(id),
      points: { show: this.times.length < 40 },
      ...lineOf(this.data.people.indexOf(id)),
    }));
    return {
      ...this.#size(),
      padding: [10, 20, 0, 0], // room for half of the last moment's label
      scales: { x: { time: false, range: [0, Math.max(this.data.duration, this.times.at(-1))] }, y: { range: [0, 1] } },
      axes: [
        { ...axis, values: (_, ticks) => ticks.map(clock), size: 30 },
        { ...axis, values: (_, ticks) => ticks.map((tick) => `${Math.round(100 * tick)}\u00a0%`), size: 52 },
      ],
      series: [{}, ...series],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false },
      hooks: { drawAxes: [(plot) => this.#zones(plot)], ready: [(plot) => this.#playhead(plot)] },
    };
  }

  // The parts of the scale above and below the thresholds, in the colours of their verdicts.
  #zones(plot) {
    const { realBelow, fakeFrom } = this.data.module;
    if (realBelow === null) return;
    const { ctx, bbox } = plot;
    const zone = (from, to, fill) => {
      const top = plot.valToPos(to, "y", true);
      ctx.fillStyle = fill;
      ctx.fillRect(bbox.left, top, bbox.width, plot.valToPos(from, "y", true) - top);
    };
    ctx.save();
    ctx.globalAlpha = 0.14;
    zone(fakeFrom, 1, color("--fake-fill"));
    zone(realBelow, fakeFrom, color("--uncertain-fill"));
    zone(0, realBelow, color("--real-fill"));
    ctx.restore();
  }

  #playhead(plot) {
    this.head = document.createElement("div");
    this.head.className = "playhead";
    plot.over.append(this.head);
  }

  #click(event) {
    const box = this.plot.over.getBoundingClientRect();
    if (event.clientX < box.left || event.clientX > box.right) return;
    this.onSeek(Math.max(0, this.plot.posToVal(event.clientX - box.left, "x")));
  }

  // Left and right go from score to score, with Shift ten at once; Home and End to the first and the last; Page Up and
  // Page Down to the moments with the highest scores.
  #key(event) {
    const last = this.times.length - 1;
    const here = this.times.findIndex((time) => time >= this.time - 0.001);
    const at = here < 0 ? last : here;
    const step = event.shiftKey ? 10 : 1;
    const exact = Math.abs(this.times[at] - this.time) < 0.001;
    const score = (index) => this.times[Math.min(Math.max(index, 0), last)];
    const forward = at + (exact ? step : step - 1);
    const targets = {
      ArrowRight: () => score(forward),
      ArrowUp: () => score(forward),
      ArrowLeft: () => score(at - step),
      ArrowDown: () => score(at - step),
      Home: () => score(0),
      End: () => score(last),
      PageDown: () => this.data.worst.find((time) => time > this.time + 0.05) ?? this.data.worst.at(-1),
      PageUp: () => this.data.worst.findLast((time) => time < this.time - 0.05) ?? this.data.worst[0],
    };
    const target = targets[event.key]?.();
    if (target === undefined) return;
    event.preventDefault();
    this.onSeek(target);
  }
}
