// The row of a file on its way here, the same on every page that takes files (templates/parts/upload_words.html).

export const words = document.getElementById("words").dataset;

export function newRow(name) {
  const row = document.getElementById("pending").content.firstElementChild.cloneNode(true);
  row.querySelector(".name").textContent = name;
  row.querySelector("progress").setAttribute("aria-label", name);
  return row;
}

// Why a file need not be sent at all; empty if it is sent.
export const refusalOf = (file) => (!file.size ? words.empty : file.size > words.limitMb * 1024 * 1024 ? words.tooLarge : "");

export function showWaiting(row) {
  row.classList.remove("failed");
  for (const name of ["retry", "again"]) row.querySelector(`.${name}`).hidden = true;
  row.querySelector("progress").hidden = false;
  say(row, words.waiting);
}

export function showSent(row, sent, total) {
  const bar = row.querySelector("progress");
  const percent = Math.floor((100 * sent) / total);
  if (sent < total) bar.value = percent;
  else bar.removeAttribute("value");
  say(row, sent < total ? `${words.uploading} · ${percent}\u00a0%` : words.checking);
}

export function showFailed(row, message, code) {
  say(row, message);
  row.classList.add("failed");
  row.querySelector("progress").hidden = true;
  row.querySelector(".retry").hidden = code >= 400 && code < 500;
}

// What a closed page was sending: `choose` leads to where the same file can be chosen again.
export function showInterrupted(row, entry, choose) {
  const percent = Math.floor((100 * (entry.sent ?? 0)) / entry.size);
  say(row, words.interrupted.replace("%s", percent));
  row.querySelector("progress").value = percent;
  const button = row.querySelector(".again");
  button.hidden = false;
  button.onclick = choose;
}

export function say(row, text) {
  row.querySelector(".words").textContent = text;
}
