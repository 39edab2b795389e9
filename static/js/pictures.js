// Pictures of the evidence, enlarged in a dialog; arrow keys go on to the next one. Without a script they open as files.

const dialog = document.getElementById("picture");
const links = () => [...document.querySelectorAll("[data-enlarge]")].filter((link) => link.checkVisibility());
let shown = null;

function show(link) {
  shown = link;
  const small = link.querySelector("img");
  const large = dialog.querySelector("img");
  large.src = link.href;
  large.alt = small.alt;
  dialog.querySelector("[data-title]").textContent = small.alt;
  if (!dialog.open) dialog.showModal();
}

function step(by) {
  const all = links();
  show(all[(all.indexOf(shown) + by + all.length) % all.length]);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-enlarge]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(link);
});

for (const button of dialog.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => step(Number(button.dataset.step)));
}
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowRight") step(1);
  if (event.key === "ArrowLeft") step(-1);
});
dialog.addEventListener("close", () => shown?.focus());
