// Follows what is being done with a run ([data-work]) until it has ended, then draws that part of the page anew.

import { getJSON } from "./http.js";
import { localTimes } from "./site.js";

const EVERY_MS = 1000;
let waiting = 0;

export async function refresh() {
  const old = document.getElementById("work");
  const response = await fetch(old.dataset.part);
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById("work");
  if (!fresh) {
    location.reload(); // it is finished, and its page is another one
    return;
  }
  old.replaceWith(document.adoptNode(fresh));
  localTimes(fresh);
  follow();
}

export async function follow() {
  clearTimeout(waiting);
  const rows = [...document.querySelectorAll("[data-work]")];
  if (!rows.length) return;
  try {
    for (const row of rows) {
      const now = await getJSON(row.dataset.work);
      if (now.is_final) return await refresh();
      show(row, now);
    }
  } catch (error) {
    if (error.status === 404) return await refresh(); // removed in another tab
    // else the server may be starting again: the next question will tell
  }
  waiting = setTimeout(follow, EVERY_MS);
}

function show(row, now) {
  const words = row.querySelector(".words");
  if (words.textContent !== now.words) words.textContent = now.words;
  const bar = row.querySelector("progress");
  if (now.percent === null) bar.removeAttribute("value");
  else bar.value = now.percent;
}
