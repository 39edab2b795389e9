// Labelled clips in: two lists that files are dropped into, and the words that are said of each clip.

import { filesOf, looksLikeVideo } from "./drop.js";
import { getFragment, post } from "./http.js";
import { Sender } from "./sender.js";
import { fingerprint, forget, interrupted, remember } from "./unfinished.js";
import { follow } from "./work.js";

const words = document.getElementById("words").dataset;
const zones = [...document.querySelectorAll(".dropzone")];
const sender = new Sender(zones[0].dataset.tus);
const waiting = new Map(); // by fingerprint: the row of a file that this page does not have any more

for (const zone of zones) {
  for (const input of zone.querySelectorAll("input[type=file]")) {
    input.closest("label").hidden = false;
    input.addEventListener("change", () => {
      const files = [...input.files];
      add(zone, input.webkitdirectory ? files.filter(looksLikeVideo) : files);
      input.value = "";
    });
  }
  zone.addEventListener("dragover", () => zone.classList.add("over"));
  zone.addEventListener("dragleave", (event) => {
    if (!zone.contains(event.relatedTarget)) zone.classList.remove("over");
  });
  zone.addEventListener("drop", async (event) => {
    zone.classList.remove("over");
    const { chosen, found } = await filesOf(event.dataTransfer);
    add(zone, [...chosen, ...found.filter(looksLikeVideo)]);
  });
}
// A file dropped beside a field must not make the browser leave the page.
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
addEventListener("beforeunload", (event) => {
  if (sender.busy) event.preventDefault();
});

const listOf = (label) => document.querySelector(`[data-list=${label}]`);

function add(zone, files) {
  for (const file of files) {
    const { label } = zone.dataset;
    const method = label === "fake" ? folderOf(file) : "";
    waiting.get(fingerprint(file))?.remove();
    remember(file, { label, method });
    const row = newRow(file.name);
    listOf(label).prepend(row);
    put({ zone, file, row, label, method });
  }
  count();
}

// The folder that a file came out of: most collections of fakes are sorted by method.
function folderOf(file) {
  const name = file.folder ?? file.webkitRelativePath?.split("/").at(-2) ?? "";
  return name.toLowerCase() === "fake" ? "" : name;
}

function newRow(name) {
  const row = document.getElementById("pending").content.firstElementChild.cloneNode(true);
  row.querySelector(".name").textContent = name;
  row.querySelector("progress").setAttribute("aria-label", name);
  return row;
}

function put(upload) {
  const { file, row } = upload;
  const refusal = !file.size ? words.empty : file.size > words.limitMb * 1024 * 1024 ? words.tooLarge : "";
  if (refusal) return failed(upload, refusal, 400);
  row.classList.remove("failed");
  row.querySelector(".retry").hidden = true;
  row.querySelector("progress").hidden = false;
  say(row, words.waiting);
  const task = sender.add(file, {
    progress: (sent, total) => show(row, sent, total),
    broken: () => say(row, words.goesOn),
    done: (sha256) => arrived(upload, sha256),
    failed: (message, code) => failed(upload, message || words.broken, code),
  });
  row.querySelector(".retry").onclick = () => put(upload);
  row.querySelector(".cancel").onclick = () => {
    sender.cancel(task);
    row.remove();
  };
}

function show(row, sent, total) {
  const bar = row.querySelector("progress");
  const percent = Math.floor((100 * sent) / total);
  if (sent < total) bar.value = percent;
  else bar.removeAttribute("value");
  say(row, sent < total ? `${words.uploading} · ${percent} %` : words.checking);
}

async function arrived(upload, sha256) {
  const { row, label, method, zone } = upload;
  try {
    const { row: address } = await post(zone.dataset.add, { sha256, label, method });
    const fresh = await getFragment(address);
    document.getElementById(fresh.id)?.remove(); // it was in a list already, perhaps in the other one
    row.replaceWith(fresh);
    fresh.classList.add("flash");
  } catch (error) {
    failed(upload, error.message, 0);
  }
  count();
}

function failed({ row }, message, code) {
  say(row, message);
  row.classList.add("failed");
  row.querySelector("progress").hidden = true;
  row.querySelector(".retry").hidden = code >= 400 && code < 500;
}

function say(row, text) {
  row.querySelector(".words").textContent = text;
}

// What a closed page was sending is asked for again, in the list that it was meant for.
async function restore() {
  for (const [id, entry] of await interrupted()) {
    if (!entry.label) continue;
    const row = newRow(entry.name);
    const percent = Math.floor((100 * (entry.sent ?? 0)) / entry.size);
    say(row, words.interrupted.replace("%s", percent));
    row.querySelector("progress").value = percent;
    const again = row.querySelector(".again");
    again.hidden = false;
    again.onclick = () => document.querySelector(`[data-label=${entry.label}] input[name=files]`).click();
    row.querySelector(".cancel").onclick = () => {
      sender.abandon(id);
      forget(id);
      row.remove();
    };
    waiting.set(id, row);
    listOf(entry.label).prepend(row);
  }
}

// Words that are said of a clip are kept at once.
document.addEventListener("change", (event) => {
  const said = event.target.closest("[data-said]");
  if (said) post(said.dataset.said, { [event.target.dataset.name]: event.target.value }).catch(() => {}); // sent again at the start
});

function count() {
  const counts = ["real", "fake"].map((label) => {
    const clips = listOf(label).querySelectorAll("li:not(.pending)").length;
    document.querySelector(`[data-count=${label}]`).textContent = clips;
    return clips;
  });
  const why = document.getElementById("why");
  const isReady = Math.min(...counts) > 0;
  document.getElementById("go").disabled = !isReady;
  document.getElementById("clear").hidden = Math.max(...counts) === 0;
  why.textContent = isReady ? why.dataset.ready : why.dataset.none;
}

count();
restore();
follow();
