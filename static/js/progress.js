// Follows every run on the page ([data-run]) until it has ended. Leaving and coming back changes nothing: the server knows.

import { getFragment, getJSON } from "./http.js";

const EVERY_MS = 1000;
const WAITING_MS = 3000; // while nothing that is followed has begun
const title = document.title;
let hidden = 0; // finished while nobody looked

function show(element, run) {
  const words = element.querySelector(".words");
  if (words && words.textContent !== run.words) words.textContent = run.words;
  const bar = element.querySelector("progress");
  if (!bar) return;
  if (run.percent === null) bar.removeAttribute("value");
  else bar.value = run.percent;
}

async function finish(element) {
  if (element.dataset.reload !== undefined) {
    location.reload();
    return;
  }
  const fresh = await getFragment(element.dataset.row).catch(() => null);
  if (!fresh) {
    element.remove(); // the file was removed in another tab
    return;
  }
  element.replaceWith(fresh);
  fresh.classList.add("flash");
  document.dispatchEvent(new CustomEvent("row", { detail: fresh }));
}

function tell() {
  if (document.visibilityState === "visible") return;
  hidden += 1;
  document.title = `(${hidden} ✓) ${title}`;
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  hidden = 0;
  document.title = title;
  follow();
});

let waiting = 0;

export async function follow() {
  clearTimeout(waiting);
  const followed = new Map([...document.querySelectorAll("[data-run]")].map((each) => [each.dataset.run, each]));
  if (!followed.size) return;
  let next = WAITING_MS;
  try {
    // Of a batch the unfinished runs are asked for by its name, which is shorter than theirs.
    const batch = document.querySelector("[data-batch]")?.dataset.batch;
    const names = batch ? [`batch=${batch}`] : [...followed.keys()].map((id) => `run=${encodeURIComponent(id)}`);
    const query = names.join("&");
    const { runs } = await getJSON(`/api/v1/progress?${query}`);
    const known = new Set(runs.map((run) => run.id));
    for (const [id, element] of followed) {
      if (known.has(id)) continue;
      if (batch) tell(); // it has ended; else it was deleted in another tab
      await finish(element);
    }
    for (const run of runs) {
      const element = followed.get(run.id);
      if (run.state !== "queued") next = EVERY_MS;
      if (!element) continue; // on another page of the batch
      if (!run.is_final) show(element, run);
      else {
        tell();
        await finish(element);
      }
    }
  } catch {
    // The server may be starting again: the next question will tell.
  }
  waiting = setTimeout(follow, next);
}

follow();
