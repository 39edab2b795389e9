// The first page: files go up as soon as they are chosen or dropped; each becomes a row that the server draws.

import { keepPage, looksLikeVideo, takeFiles } from "./drop.js";
import { follow } from "./progress.js";
import { getFragment, post } from "./http.js";
import { newRow, refusalOf, say, showFailed, showInterrupted, showSent, showWaiting, words } from "./incoming.js";
import { Player } from "./player.js";
import { Sender } from "./sender.js";
import { localTimes } from "./site.js";
import { fingerprint, interrupted } from "./unfinished.js";

const zone = document.getElementById("add");
const rows = document.getElementById("rows");
const status = document.getElementById("status");
const told = document.getElementById("told");
const sender = new Sender(zone.dataset.tus);
const pending = new Map(); // by fingerprint: { id, row, file (null: it must be chosen again), task, broken }

// Files in

takeFiles(zone, add, addFolder);
keepPage(sender);

function addFolder(files) {
  const videos = files.filter(looksLikeVideo);
  const others = files.length - videos.length;
  told.hidden = !others;
  told.querySelector("p").textContent = words.leftOut.replace("%s", others);
  add(videos);
}

function add(files) {
  const fresh = [];
  for (const file of files) {
    const id = fingerprint(file);
    const known = pending.get(id);
    if (known?.file) continue; // it is being sent
    const upload = known ?? { id, row: rowOf(file) };
    if (!known) fresh.push(upload.row);
    upload.file = file;
    pending.set(id, upload);
    bind(upload);
    put(upload);
  }
  rows.prepend(...fresh);
  refresh();
}

function rowOf({ name, size: bytes }) {
  const row = newRow(name);
  row.querySelector(".facts").textContent = size(bytes);
  return row;
}

function bind(upload) {
  upload.row.querySelector(".cancel").onclick = () => drop(upload);
  upload.row.querySelector(".retry").onclick = () => put(upload);
}

function put(upload) {
  const { file, row } = upload;
  const refusal = refusalOf(file);
  if (refusal) return failed(upload, refusal, 400);
  showWaiting(row);
  upload.broken = false;
  upload.task = sender.add(file, {
    progress: (sent, total) => showSent(row, sent, total),
    broken: () => say(row, words.goesOn),
    done: (sha256) => arrived(upload, sha256),
    failed: (message, code) => failed(upload, message || words.broken, code),
  });
}

function drop(upload) {
  if (upload.task) sender.cancel(upload.task);
  else sender.abandon(upload.id);
  pending.delete(upload.id);
  upload.row.remove();
  refresh();
}

async function arrived(upload, sha256) {
  pending.delete(upload.id);
  const fresh = await getFragment(zone.dataset.row.replace("SHA256", sha256));
  const old = document.getElementById(fresh.id);
  if (old !== upload.row) old?.remove();
  upload.row.replaceWith(fresh);
  fresh.classList.add("flash");
  const known = fresh.dataset.latest ? words.analysed : old ? words.known : "";
  if (known) note(fresh, known);
  status.textContent = `${known || words.uploaded} ${upload.file.name}`;
  localTimes(fresh);
  refresh();
}

function note(row, text) {
  const line = document.createElement("p");
  line.className = "small mb-1";
  line.textContent = text;
  row.querySelector(".status").prepend(line);
}

function failed(upload, message, code) {
  showFailed(upload.row, message, code);
  upload.broken = code === 0;
  status.textContent = `${upload.file.name}: ${message}`;
}

function size(bytes) {
  const unit = bytes < 1e6 ? ["kilobyte", 1024] : bytes < 1e9 ? ["megabyte", 1024 ** 2] : ["gigabyte", 1024 ** 3];
  const options = { style: "unit", unit: unit[0], minimumFractionDigits: 1, maximumFractionDigits: 1 };
  const text = new Intl.NumberFormat(document.documentElement.lang, options).format(bytes / unit[1]);
  return text.replace("kB", "KB"); // as the server's rows have it
}

// Back after a pause: what broke off goes on, and what a closed page was sending is asked for again.

function goOn() {
  for (const upload of pending.values()) if (upload.broken) put(upload);
}
addEventListener("online", goOn);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && goOn());

async function restore() {
  const fresh = [];
  for (const [id, entry] of await interrupted()) {
    if (pending.has(id) || entry.label) continue; // a labelled clip is asked for on its own page
    const upload = { id, row: rowOf(entry), file: null };
    showInterrupted(upload.row, entry, () => document.getElementById("files").click());
    pending.set(id, upload);
    bind(upload);
    fresh.push(upload.row);
  }
  rows.prepend(...fresh);
  refresh();
}

// The list

function refresh() {
  const all = rows.children.length;
  document.getElementById("empty").hidden = all > 0;
  document.getElementById("start-bar").hidden = all === 0;
  const chosen = rows.querySelectorAll("input[name=uploads]:checked:enabled").length;
  const modules = document.querySelectorAll("input[name=modules]:is(:checked, [type=hidden])").length;
  const button = document.getElementById("start-button");
  const label = button.querySelector("[data-many]");
  button.disabled = !chosen || !modules;
  const { none, noModule, one, many } = label.dataset;
  label.textContent = chosen && !modules ? noModule : ([none, one][chosen] ?? many.replace("%s", chosen));
}

document.addEventListener("change", refresh);
document.addEventListener("row", (event) => {
  localTimes(event.detail);
  refresh();
});

rows.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-post]");
  if (!button) return;
  button.disabled = true;
  const row = button.closest("li");
  await post(button.dataset.post).catch((error) => (status.textContent = error.message));
  const fresh = await getFragment(row.dataset.row);
  row.replaceWith(fresh);
  localTimes(fresh);
  refresh();
  follow();
});

// The preview

const dialog = document.getElementById("player");
const player = new Player(dialog);
rows.addEventListener("click", (event) => {
  const button = event.target.closest("[data-play]");
  if (!button) return;
  dialog.querySelector(".name").textContent = button.dataset.name;
  dialog.showModal();
  player.open(button.dataset.play);
});
dialog.addEventListener("close", () => player.close());

refresh();
restore();
