// Files that are chosen or dropped, and those of folders, however deep.

const VIDEO_NAMES = /\.(mp4|m4v|mov|qt|webm|mkv|avi|wmv|asf|flv|f4v|ts|mts|m2ts|mpg|mpeg|vob|3gp|3g2|ogv|gif|mxf|dv|y4m)$/i;

// Whether a file found in a folder is worth uploading. One that was chosen by itself is always tried: the server looks inside.
export const looksLikeVideo = (file) => file.type.startsWith("video/") || VIDEO_NAMES.test(file.name);

// Takes files into `zone`: `files` gets those that were named one by one, `folder` those of a chosen or dropped folder.
export function takeFiles(zone, files, folder) {
  for (const input of zone.querySelectorAll("input[type=file]")) {
    input.closest("label").hidden = false;
    input.addEventListener("change", () => {
      (input.webkitdirectory ? folder : files)([...input.files]);
      input.value = "";
    });
  }
  zone.addEventListener("dragover", () => zone.classList.add("over"));
  zone.addEventListener("dragleave", (event) => {
    if (!zone.contains(event.relatedTarget)) zone.classList.remove("over");
  });
  zone.addEventListener("drop", async (event) => {
    zone.classList.remove("over");
    const { chosen, found } = await filesOf(event.dataTransfer);
    files(chosen);
    if (found.length) folder(found);
  });
}

// Nothing that happens by mistake makes the browser leave the page: a file dropped beside a field, or a way out while
// `sender` is busy.
export function keepPage(sender) {
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
  addEventListener("beforeunload", (event) => {
    if (sender.busy) event.preventDefault();
  });
}

// → { chosen: files dropped by themselves, found: files out of folders }
export async function filesOf(transfer) {
  // The entries must be taken before the first wait: the browser empties the transfer after the event.
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => ({ file: item.getAsFile(), entry: item.webkitGetAsEntry?.() }));
  const folders = entries.filter(({ entry }) => entry?.isDirectory);
  const chosen = entries.filter(({ entry, file }) => file && !entry?.isDirectory).map(({ file }) => file);
  const found = [];
  for (const { entry } of folders) for await (const file of filesIn(entry)) found.push(file);
  return { chosen, found };
}

async function* filesIn(folder) {
  const reader = folder.createReader();
  for (;;) {
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (!entries.length) return;
    for (const entry of entries) {
      if (entry.isDirectory) yield* filesIn(entry);
      else yield Object.assign(await new Promise((resolve, reject) => entry.file(resolve, reject)), { folder: folder.name });
    }
  }
}
