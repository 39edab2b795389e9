// The first page: files go up as soon as they are chosen or dropped, two at a time; each becomes a row that the server draws.

import { follow } from "./progress.js";
import { getFragment, post, sendFile } from "./http.js";
import { Player } from "./player.js";
import { localTimes } from "./site.js";

const AT_ONCE = 2;
const words = document.getElementById("words").dataset;
const zone = document.getElementById("add");
const input = document.getElementById("files");
const rows = document.getElementById("rows");
const status = document.getElementById("status");
const queue = [];
let running = 0;

// Files in

input.addEventListener("change", () => {
  add(input.files);
  input.value = "";
});
zone.addEventListener("dragover", (event) => {
  event.preventDefault();
  zone.classList.add("over");
});
zone.addEventListener("dragleave", (event) => {
  if (!zone.contains(event.relatedTarget)) zone.classList.remove("over");
});
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  zone.classList.remove("over");
  add(event.dataTransfer.files);
});
// A file dropped beside the field must not make the browser leave the page.
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
addEventListener("beforeunload", (event) => {
  if (running || queue.length) event.preventDefault();
});

function add(files) {
  for (const file of files) {
    const row = document.getElementById("pending").content.firstElementChild.cloneNode(true);
    row.querySelector(".name").textContent = file.name;
    row.querySelector(".facts").textContent = size(file.size);
    row.querySelector("progress").setAttribute("aria-label", file.name);
    rows.prepend(row);
    const upload = { file, row };
    row.querySelector(".cancel").addEventListener("click", () => drop(upload));
    row.querySelector(".retry").addEventListener("click", () => put(upload));
    put(upload);
  }
  refresh();
}

function put(upload) {
  upload.row.querySelector(".retry").hidden = true;
  upload.row.querySelector("progress").hidden = false;
  say(upload, words.waiting);
  queue.push(upload);
  next();
}

function drop(upload) {
  const index = queue.indexOf(upload);
  if (index >= 0) queue.splice(index, 1);
  upload.sending?.cancel();
  upload.row.remove();
  refresh();
}

async function next() {
  if (running >= AT_ONCE || !queue.length) return;
  const upload = queue.shift();
  running += 1;
  try {
    await send(upload);
  } catch (error) {
    if (error.status !== -1) failed(upload, error.message || words.broken);
  }
  running -= 1;
  next();
}

async function send(upload) {
  const { file, row } = upload;
  if (!file.size) throw new Error(words.empty);
  if (file.size > words.limitMb * 1024 * 1024) throw new Error(words.tooLarge);
  const bar = row.querySelector("progress");
  upload.sending = sendFile(`${zone.dataset.url}?name=${encodeURIComponent(file.name)}`, file, (sent, total) => {
    bar.value = (100 * sent) / total;
    say(upload, sent < total ? `${words.uploading} · ${Math.floor((100 * sent) / total)} %` : words.checking);
    if (sent >= total) bar.removeAttribute("value");
  });
  const kept = await upload.sending.done;
  const fresh = await getFragment(kept.row_url);
  const old = document.getElementById(fresh.id);
  old?.remove();
  row.replaceWith(fresh);
  fresh.classList.add("flash");
  if (old || kept.latest_run) note(fresh, words.known);
  status.textContent = `${old ? words.known : words.uploaded} ${file.name}`;
  localTimes(fresh);
  refresh();
}

function note(row, text) {
  const line = document.createElement("p");
  line.className = "small mb-1";
  line.textContent = text;
  row.querySelector(".status").prepend(line);
}

function failed(upload, message) {
  say(upload, message);
  upload.row.querySelector("progress").hidden = true;
  upload.row.querySelector(".retry").hidden = false;
  status.textContent = `${upload.file.name}: ${message}`;
}

function say(upload, text) {
  upload.row.querySelector(".words").textContent = text;
}

function size(bytes) {
  const unit = bytes < 1e6 ? ["kilobyte", 1024] : bytes < 1e9 ? ["megabyte", 1024 ** 2] : ["gigabyte", 1024 ** 3];
  const options = { style: "unit", unit: unit[0], maximumFractionDigits: 1 };
  return new Intl.NumberFormat(document.documentElement.lang, options).format(bytes / unit[1]);
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
  const { none, one, many } = label.dataset;
  label.textContent = [none, one][chosen] ?? many.replace("%s", chosen);
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
