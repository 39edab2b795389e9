// The result page: one moment of the video, shared by the player, the timelines, and everything that names a moment.

import { Player } from "./player.js";
import { Timeline, lineOf } from "./timeline.js";

const playerRoot = document.getElementById("player");
const data = JSON.parse(document.getElementById("timeline-data")?.textContent ?? "null");
const video = playerRoot?.querySelector("video");
const people = [...new Set(Object.values(data?.modules ?? {}).flatMap((module) => Object.keys(module.people)))];
const timelines = [...document.querySelectorAll(".timeline[data-module]")].map((root) => {
  const { duration, worst, modules } = data;
  return new Timeline(root, { duration, worst, people, module: modules[root.dataset.module] }, seek);
});
const charts = [...document.querySelectorAll(".series[data-from]")];

if (playerRoot) new Player(playerRoot).open(playerRoot.dataset.playback);

function seek(seconds) {
  showTime(seconds);
  if (!video) return;
  const go = () => {
    video.pause();
    video.currentTime = seconds;
  };
  if (video.readyState >= HTMLMediaElement.HAVE_METADATA) go();
  else video.addEventListener("loadedmetadata", go, { once: true });
}

// An address that ends in #t=6.8 opens at that moment.
function seekFromAddress() {
  const seconds = Number.parseFloat(new URLSearchParams(location.hash.slice(1)).get("t"));
  if (Number.isFinite(seconds)) seek(seconds);
}

function showTime(seconds) {
  for (const timeline of timelines) timeline.setTime(seconds);
  for (const chart of charts) {
    const [from, to] = [Number(chart.dataset.from), Number(chart.dataset.to)];
    const x = (100 * (seconds - from)) / (to - from);
    const head = chart.querySelector(".head");
    head.setAttribute("x1", x);
    head.setAttribute("x2", x);
    head.toggleAttribute("hidden", x < 0 || x > 100);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-seek]");
  if (!button) return;
  seek(Number(button.dataset.seek));
  playerRoot?.scrollIntoView({ block: "nearest" });
});

for (const chart of charts) {
  chart.addEventListener("click", (event) => {
    const box = chart.getBoundingClientRect();
    const [from, to] = [Number(chart.dataset.from), Number(chart.dataset.to)];
    seek(from + ((to - from) * (event.clientX - box.left)) / box.width);
  });
}

function sample(index) {
  const { stroke, dash } = lineOf(index);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const shape = { x1: 0, x2: "100%", y1: "50%", y2: "50%", stroke, "stroke-width": 2.5, "stroke-dasharray": dash.join(" ") };
  for (const [name, value] of Object.entries(shape)) line.setAttribute(name, value);
  svg.setAttribute("aria-hidden", "true");
  svg.append(line);
  return svg;
}

// A button per person: what its line looks like, and whether it is shown.
function showLegend() {
  const legend = document.getElementById("legend");
  const wording = legend.dataset.person;
  legend.replaceChildren(
    ...people.map((id, index) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const shown = !timelines[0].hidden.has(id);
      Object.assign(button, { type: "button", className: "line" });
      button.setAttribute("aria-pressed", String(shown));
      button.append(sample(index), ` ${wording.replace("%s", id)}`);
      button.addEventListener("click", () => {
        const show = button.getAttribute("aria-pressed") !== "true";
        for (const timeline of timelines) timeline.show(id, show);
        button.setAttribute("aria-pressed", String(show));
      });
      item.append(button);
      return item;
    }),
  );
}

if (timelines.length) {
  showLegend();
  document.addEventListener("theme", showLegend);
}
video?.addEventListener("timeupdate", () => showTime(video.currentTime));
// timeupdate comes four times a second; while it plays, every frame moves the line.
const tick = () => {
  if (video.paused) return;
  for (const timeline of timelines) timeline.move(video.currentTime);
  requestAnimationFrame(tick);
};
video?.addEventListener("play", tick);
seekFromAddress();
addEventListener("hashchange", seekFromAddress);
