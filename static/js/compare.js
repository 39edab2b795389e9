// Source and relit video in step, side by side or one over the other with a wipe. The relit one leads.

import { InStep } from "./instep.js";
import { Player } from "./player.js";
import { follow } from "./work.js";

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

  if (source) new Player(sourceRoot).open(sourceRoot.dataset.playback);
  new InStep(root, relit, source);
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
    wipe.nextElementSibling.value = `${Math.round(share)}\u00a0%`;
    relit.parentElement.style.setProperty("--wipe", `${share}%`);
    line.style.setProperty("--wipe", `${share}%`);
  }

  wipe.addEventListener("input", cut);
  stage.addEventListener("pointermove", (event) => event.buttons && stage.dataset.view === "wipe" && wipeTo(event));
  stage.addEventListener("pointerdown", (event) => stage.dataset.view === "wipe" && wipeTo(event));

  function wipeTo(event) {
    const box = stage.getBoundingClientRect();
    wipe.value = (100 * (event.clientX - box.left)) / box.width;
    cut();
  }

  view(source ? "wipe" : "side");
}
