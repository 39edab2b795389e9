// Source and relit video in step, side by side or one over the other with a wipe. The relit one leads.

import { Player } from "./player.js";
import { clock } from "./clock.js";
import { follow } from "./work.js";

const SOON = 0.08; // seconds that the two may be apart before the source is moved
const root = document.getElementById("compare");

if (root) compare();
follow();

function compare() {
  const stage = root.querySelector(".compare");
  const sourceRoot = root.querySelector(".compare-source");
  const source = sourceRoot.querySelector("video");
  const relit = root.querySelector(".compare-relit video");
  const line = root.querySelector(".compare-line");
  const wipe = document.getElementById("wipe");
  const seek = document.getElementById("seek");
  const play = document.getElementById("play");

  if (source) new Player(sourceRoot).open(sourceRoot.dataset.playback);
  relit.controls = false;
  relit.loop = true;
  relit.muted = true;
  root.querySelector(".compare-controls").hidden = false;
  for (const button of root.querySelectorAll("button[data-view]")) {
    button.hidden = !source;
    button.addEventListener("click", () => view(button.dataset.view));
  }

  function view(name) {
    stage.dataset.view = name;
    for (const button of root.querySelectorAll("button[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === name));
    }
    for (const part of root.querySelectorAll("[data-only]")) part.hidden = part.dataset.only !== name;
    line.hidden = name !== "wipe";
    cut();
  }

  function cut() {
    const share = Number(wipe.value);
    wipe.nextElementSibling.value = `${Math.round(share)} %`;
    relit.parentElement.style.setProperty("--wipe", `${share}%`);
    line.style.setProperty("--wipe", `${share}%`);
  }

  // The source goes where the relit one is: at once when it stands, when it is too far off while it plays.
  function keepInStep() {
    if (!source || source.readyState < HTMLMediaElement.HAVE_METADATA) return;
    const apart = Math.abs(source.currentTime - relit.currentTime);
    if (apart > (relit.paused ? 0.001 : SOON) && !source.seeking) source.currentTime = relit.currentTime;
    if (source.paused !== relit.paused && source.currentTime < source.duration) {
      if (relit.paused) source.pause();
      else source.play().catch(() => {});
    }
  }

  function show() {
    seek.value = relit.currentTime;
    document.getElementById("clock").value = clock(relit.currentTime);
    keepInStep();
  }

  function tick() {
    show();
    if (!relit.paused) requestAnimationFrame(tick);
  }

  function tellState() {
    play.setAttribute("aria-label", relit.paused ? play.dataset.play : play.dataset.pause);
    const [start, stop] = play.querySelectorAll("svg");
    start.toggleAttribute("hidden", !relit.paused);
    stop.toggleAttribute("hidden", relit.paused);
    tick();
  }

  const ready = () => {
    seek.max = relit.duration;
    show();
  };
  if (relit.readyState >= HTMLMediaElement.HAVE_METADATA) ready();
  relit.addEventListener("loadedmetadata", ready);
  for (const name of ["play", "pause"]) relit.addEventListener(name, tellState);
  for (const name of ["seeked", "timeupdate"]) relit.addEventListener(name, show);
  source?.addEventListener("loadedmetadata", show);
  play.addEventListener("click", () => (relit.paused ? relit.play() : relit.pause()));
  seek.addEventListener("input", () => (relit.currentTime = Number(seek.value)));
  wipe.addEventListener("input", cut);
  stage.addEventListener("pointermove", (event) => event.buttons && stage.dataset.view === "wipe" && wipeTo(event));
  stage.addEventListener("pointerdown", (event) => stage.dataset.view === "wipe" && wipeTo(event));
  document.getElementById("loop").addEventListener("change", (event) => (relit.loop = event.target.checked));
  document.getElementById("sound").addEventListener("change", (event) => (relit.muted = !event.target.checked));

  function wipeTo(event) {
    const box = stage.getBoundingClientRect();
    wipe.value = (100 * (event.clientX - box.left)) / box.width;
    cut();
  }

  tellState();
  view(source ? "wipe" : "side");
}
