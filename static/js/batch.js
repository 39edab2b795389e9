// The page of a batch: rows that end are drawn anew (progress.js), the totals with them; one run is cancelled or tried
// again without leaving the page.

import { getFragment, post } from "./http.js";
import { follow } from "./progress.js";
import { localTimes } from "./site.js";

const totals = document.getElementById("totals");
const status = document.getElementById("status");

let waiting = 0;

function count() {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const fresh = await getFragment(totals.dataset.part).catch(() => null);
    if (fresh) totals.replaceChildren(fresh);
  }, 100); // once for rows that end together
}

document.addEventListener("row", (event) => {
  localTimes(event.detail);
  count();
});

document.querySelector("[data-batch]").addEventListener("click", async (event) => {
  const button = event.target.closest("[data-post]");
  if (!button) return;
  event.preventDefault();
  button.disabled = true;
  const row = button.closest("tr");
  await post(button.dataset.post).catch((error) => (status.textContent = error.message));
  const fresh = await getFragment(row.dataset.row);
  row.replaceWith(fresh);
  fresh.querySelector("a.name").focus(); // the button that had the focus is gone
  count();
  follow();
});
