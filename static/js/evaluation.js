// Labelled clips in: two lists that files are dropped into, and the words that are said of each clip.

import { keepPage, looksLikeVideo, takeFiles } from "./drop.js";
import { getFragment, post } from "./http.js";
import { newRow, refusalOf, say, showFailed, showInterrupted, showSent, showWaiting, words } from "./incoming.js";
import { Sender } from "./sender.js";
import { fingerprint, forget, interrupted, remember } from "./unfinished.js";
import { follow } from "./work.js";

const zones = [...document.querySelectorAll(".dropzone")];
const sender = new Sender(zones[0].dataset.tus);
const waiting = new Map(); // by fingerprint: the row of a file that this page does not have any more

for (const zone of zones) {
  takeFiles(zone, (files) => add(zone, files), (files) => add(zone, files.filter(looksLikeVideo)));
}
keepPage(sender);

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

function put(upload) {
  const { file, row } = upload;
  const refusal = refusalOf(file);
  if (refusal) return showFailed(row, refusal, 400);
  showWaiting(row);
  const task = sender.add(file, {
    progress: (sent, total) => showSent(row, sent, total),
    broken: () => say(row, words.goesOn),
    done: (sha256) => arrived(upload, sha256),
    failed: (message, code) => showFailed(row, message || words.broken, code),
  });
  row.querySelector(".retry").onclick = () => put(upload);
  row.querySelector(".cancel").onclick = () => {
    sender.cancel(task);
    row.remove();
  };
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
    showFailed(row, error.message, 0);
  }
  count();
}

// What a closed page was sending is asked for again, in the list that it was meant for.
async function restore() {
  for (const [id, entry] of await interrupted()) {
    if (!entry.label) continue;
    const row = newRow(entry.name);
    showInterrupted(row, entry, () => document.querySelector(`[data-label=${entry.label}] input[name=files]`).click());
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
