// The result page: player, timeline, and every button that names a moment.

import { Player } from "./player.js";
import { Timeline, lineOf } from "./timeline.js";

const playerRoot = document.getElementById("player");
const timelineRoot = document.getElementById("timeline");
const data = JSON.parse(document.getElementById("timeline-data")?.textContent ?? "null");
const video = playerRoot?.querySelector("video");
let timeline = null;

if (playerRoot) new Player(playerRoot).open(playerRoot.dataset.playback);

function seek(seconds) {
  timeline?.setTime(seconds);
  if (!video) return;
  const go = () => {
    video.pause();
    video.currentTime = seconds;
  };
  if (video.readyState >= HTMLMediaElement.HAVE_METADATA) go();
  else video.addEventListener("loadedmetadata", go, { once: true });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-seek]");
  if (!button) return;
  if (button.dataset.module && timeline && timeline.key !== button.dataset.module) show(button.dataset.module);
  seek(Number(button.dataset.seek));
  playerRoot?.scrollIntoView({ block: "nearest" });
});

function show(key) {
  timeline.show(key);
  for (const button of document.querySelectorAll("#timeline-modules button")) {
    button.setAttribute("aria-pressed", String(button.value === key));
  }
  showLegend(key);
}

function showLegend(key) {
  const people = Object.keys(data.modules[key].people);
  document.getElementById("legend").replaceChildren(
    ...people.map((id, index) => {
      const item = document.createElement("li");
      const { stroke, dash } = lineOf(index);
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      const shape = { x1: 0, x2: "100%", y1: "50%", y2: "50%", stroke, "stroke-width": 2.5, "stroke-dasharray": dash.join(" ") };
      for (const [name, value] of Object.entries(shape)) line.setAttribute(name, value);
      svg.append(line);
      item.append(svg, ` ${timelineRoot.dataset.person.replace("%s", id)}`);
      return item;
    }),
  );
}

function addModuleButtons(names) {
  if (names.length < 2) return;
  document.getElementById("timeline-modules").replaceChildren(
    ...names.map((key) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", value: key, className: "moment small", textContent: data.names[key] });
      button.addEventListener("click", () => show(key));
      return button;
    }),
  );
}

if (timelineRoot && data) {
  timeline = new Timeline(timelineRoot, data, seek);
  const names = Object.keys(data.modules);
  addModuleButtons(names);
  show(names[0]);
  document.addEventListener("theme", () => showLegend(timeline.key));
  video?.addEventListener("timeupdate", () => timeline.setTime(video.currentTime));
  // timeupdate comes four times a second; while it plays, every frame moves the line.
  const tick = () => {
    if (video.paused) return;
    timeline.move(video.currentTime);
    requestAnimationFrame(tick);
  };
  video?.addEventListener("play", tick);
}
