// Two results side by side: their videos in step, and every timeline at the moment that is shown.

import { InStep } from "./instep.js";
import { Player } from "./player.js";
import { Timeline } from "./timeline.js";

const root = document.getElementById("compare");
const data = JSON.parse(document.getElementById("comparison-data").textContent);
const figures = [...root.querySelectorAll("[data-playback]")];
const timelines = [...document.querySelectorAll(".timeline[data-module]")].map(timeline);

// The longer video leads, for the shorter one ends before it.
const longestFirst = figures.toSorted((a, b) => Number(b.dataset.duration) - Number(a.dataset.duration));
const [leader, follower = null] = longestFirst.map((figure) => figure.querySelector("video"));
for (const figure of figures) new Player(figure).open(figure.dataset.playback);
const videos = leader ? new InStep(root, leader, follower, showTime) : null;

function timeline(place) {
  const { modules, worst } = data[place.dataset.side];
  const people = [...new Set(Object.values(modules).flatMap((module) => Object.keys(module.people)))];
  return new Timeline(place, { duration: data.duration, worst, people, module: modules[place.dataset.module] }, seek);
}

function seek(seconds) {
  showTime(seconds);
  leader?.pause();
  videos?.seek(seconds);
}

// While they play only the line moves: a screen reader is not told of every frame.
function showTime(seconds) {
  for (const each of timelines) leader && !leader.paused ? each.move(seconds) : each.setTime(seconds);
}
