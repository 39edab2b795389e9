// Tables of runs by keyboard: arrows go from row to row, Enter opens, space chooses, Delete moves into the trash, "/" leads
// to the search. Single keys can be switched off, for those who speak to their browser.

const SWITCH = "single-keys";
const table = document.querySelector("table.rows");
const search = document.querySelector("[role=search] input[type=search]");
const keys = document.getElementById("single-keys");
const bar = document.getElementById("chosen-bar");

const links = () => [...document.querySelectorAll("table.rows a.name")];
const boxes = () => [...document.querySelectorAll("table.rows input[name=run]")];
const isOn = () => localStorage.getItem(SWITCH) !== "off";

if (keys) {
  keys.checked = isOn();
  keys.addEventListener("change", () => localStorage.setItem(SWITCH, keys.checked ? "on" : "off"));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const isTyping = event.target.closest("input:not([type=checkbox]), select, textarea");
  if (event.key === "/" && search && !isTyping && isOn()) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "ArrowDown" && event.target === search) go(event, links()[0]);
  else if (!isTyping && table) onTable(event);
});

function onTable(event) {
  const all = links();
  const row = event.target.closest("table.rows tbody tr");
  const at = row ? all.indexOf(row.querySelector("a.name")) : -1;
  if (!row && event.target !== document.body) return; // a button or link elsewhere
  if (event.key === "ArrowDown") go(event, all[at + 1]);
  else if (event.key === "ArrowUp") go(event, at > 0 ? all[at - 1] : null);
  else if (at < 0) return;
  else if (event.key === "Home") go(event, all[0]);
  else if (event.key === "End") go(event, all.at(-1));
  else if (event.key === " " && event.target.matches("a")) choose(event, row);
  else if (event.key === "Delete" && bar && isOn()) remove(event, row);
}

function go(event, link) {
  if (!link) return;
  event.preventDefault();
  link.focus();
  link.closest("tr").scrollIntoView({ block: "nearest" });
}

function choose(event, row) {
  const box = row.querySelector("input[name=run]");
  if (!box) return;
  event.preventDefault();
  box.checked = !box.checked;
  count();
}

// The chosen rows, or where none is chosen the one that has the focus.
function remove(event, row) {
  event.preventDefault();
  const chosen = boxes().some((box) => box.checked);
  (chosen ? bar.querySelector("button") : row.querySelector("button[name=only]"))?.click();
}

function count() {
  if (!bar) return;
  const all = document.getElementById("choose-all");
  const chosen = boxes().filter((box) => box.checked).length;
  const button = bar.querySelector("button");
  const label = button.querySelector("[data-many]");
  const { none, one, many } = label.dataset;
  label.textContent = [none, one][chosen] ?? many.replace("%s", chosen);
  button.disabled = !chosen;
  all.hidden = false;
  all.checked = chosen > 0 && chosen === boxes().length;
  all.indeterminate = chosen > 0 && !all.checked;
}

document.addEventListener("change", (event) => {
  if (event.target.id === "choose-all") for (const box of boxes()) box.checked = event.target.checked;
  count();
});
addEventListener("pageshow", count); // a browser that goes back restores what was chosen
count();

// Days are the reader's own, wherever the site runs.
const zone = document.querySelector("[role=search] input[name=zone]");
if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
