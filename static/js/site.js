// On every page: colours, times in the reader's zone, questions before something is deleted, pictures that may be missing.

const themeButton = document.getElementById("theme");

function showTheme() {
  const dark = document.documentElement.dataset.bsTheme === "dark";
  const label = dark ? themeButton.dataset.light : themeButton.dataset.dark;
  themeButton.setAttribute("aria-label", label);
  themeButton.title = label;
  const [moon, sun] = themeButton.querySelectorAll("svg");
  moon.toggleAttribute("hidden", dark);
  sun.toggleAttribute("hidden", !dark);
  themeButton.hidden = false;
}

themeButton.addEventListener("click", () => {
  window.setTheme(document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark");
});
document.addEventListener("theme", showTheme);
showTheme();

export function localTimes(root = document) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[datetime]")) time.textContent = format.format(new Date(time.dateTime));
}
localTimes();

// <a data-ask="question" href="page that asks"> opens a dialog instead of the page; the dialog's form posts to the same address.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-ask]");
  if (!link) return;
  event.preventDefault();
  const dialog = document.getElementById("ask");
  dialog.querySelector("p").textContent = link.dataset.ask;
  dialog.querySelector("form[method=post]").action = link.href;
  dialog.showModal();
});

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
}

function hideMissing(image) {
  if (image.dataset.optional !== undefined) image.hidden = true;
}
document.addEventListener("error", (event) => event.target instanceof HTMLImageElement && hideMissing(event.target), true);
for (const image of document.images) if (image.complete && !image.naturalWidth) hideMissing(image);
