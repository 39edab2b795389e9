// Choosing a light: ball, numbers and presets are one; the still follows, the latest choice first.

import { post } from "./http.js";
import { Sphere } from "./sphere.js";
import { clock } from "./clock.js";
import { follow, refresh } from "./work.js";

const form = document.getElementById("light");
const SHOWN_AT_ONCE = 4; // lights of faces
const NAMES = ["azimuth", "elevation", "intensity", "ambient", "softness", "colour", "fixed_to"];

/** What a list is of, and its items; those of a crowd are folded away. */
function named(title, texts) {
  const list = Object.assign(document.createElement("ol"), { className: "mb-0" });
  list.append(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  if (texts.length <= SHOWN_AT_ONCE) return [title, list];
  const folded = document.createElement("details");
  folded.append(Object.assign(document.createElement("summary"), { textContent: title }), list);
  return [folded];
}

if (form) choose();
follow();

function choose() {
  const field = (name) => form.elements.namedItem(name);
  const image = document.getElementById("still");
  const figure = image.closest("figure");
  const waiting = document.getElementById("still-wait");
  const fault = document.getElementById("still-fault");
  const plain = document.getElementById("plain");
  const mark = document.getElementById("still-mark");
  const generated = mark.textContent;
  const canvas = document.getElementById("sphere");
  const sphere = new Sphere(canvas, (azimuth, elevation) => set({ azimuth, elevation }));
  canvas.hidden = plain.hidden = false;

  const light = () => ({
    ...Object.fromEntries(NAMES.map((name) => [name, field(name).value])),
    ...Object.fromEntries(["azimuth", "elevation", "intensity", "ambient", "softness"].map((name) => [name, Number(field(name).value)])),
  });

  function set(values) {
    for (const [name, value] of Object.entries(values)) if (field(name)) field(name).value = value;
    changed();
  }

  function changed() {
    const now = light();
    sphere.show(now);
    for (const range of form.querySelectorAll(".light-controls input[type=range]")) range.nextElementSibling.value = range.value;
    document.getElementById("time-shown").value = clock(Number(field("time").value));
    for (const button of form.querySelectorAll("[data-preset]")) {
      const preset = JSON.parse(button.dataset.preset);
      button.setAttribute("aria-pressed", String(NAMES.every((name) => String(preset[name]) === String(now[name]))));
    }
    ask();
  }

  // One request at a time; what changed meanwhile is asked for when it is answered.
  let asking = false;
  let again = false;
  let shown = "";

  async function ask() {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    do {
      again = false;
      await show();
    } while (again);
    asking = false;
  }

  async function show() {
    const query = new URLSearchParams({ time: field("time").value, ...light() });
    const isPlain = plain.getAttribute("aria-pressed") === "true";
    if (isPlain) query.set("plain", "1");
    const late = setTimeout(() => (waiting.hidden = false), 400);
    figure.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(`${form.dataset.still}?${query}`);
      if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error ?? response.statusText);
      URL.revokeObjectURL(shown);
      shown = URL.createObjectURL(await response.blob());
      image.src = shown;
      image.hidden = false;
      mark.textContent = isPlain ? mark.dataset.plain : generated;
      tellSource(response.headers.get("X-Source-Lights"));
      fault.hidden = true;
    } catch (error) {
      fault.querySelector("span").textContent = error.message;
      fault.hidden = false;
    }
    clearTimeout(late);
    waiting.hidden = true;
    figure.setAttribute("aria-busy", "false");
  }

  function tellSource(header) {
    if (!header) return;
    const found = JSON.parse(header);
    const told = document.getElementById("source-light");
    const direction = (words, light) => words.replace("%1", Math.round(light.azimuth_deg)).replace("%2", Math.round(light.elevation_deg));
    told.classList.toggle("w-100", found.length > 1); // a list stands below the button, not beside it
    if (found.length === 1) told.textContent = direction(form.dataset.source, found[0]);
    else told.replaceChildren(...named(form.dataset.sources, found.map((light) => direction(canvas.dataset.words, light))));
  }

  form.addEventListener("input", changed);
  form.addEventListener("click", (event) => {
    const preset = event.target.closest("[data-preset]");
    if (preset) set(JSON.parse(preset.dataset.preset));
  });
  plain.addEventListener("click", () => {
    plain.setAttribute("aria-pressed", String(plain.getAttribute("aria-pressed") !== "true"));
    ask();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = document.getElementById("made");
    const wanted = { ...light(), frames: field("frames")?.checked ?? false };
    if (field("sweep").value) wanted.sweep = Number(field("sweep").value);
    try {
      const made = await post(form.dataset.make, wanted);
      if (made.state === "done") location.assign(made.url);
      told.textContent = ""; // how far it is stands in its row below
      await refresh();
      document.getElementById("work").scrollIntoView({ block: "start", behavior: "smooth" });
    } catch (error) {
      told.textContent = error.message;
    }
  });
  changed();
}
