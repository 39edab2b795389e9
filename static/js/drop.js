// The files of a drop, and of the folders in it, however deep.

const VIDEO_NAMES = /\.(mp4|m4v|mov|qt|webm|mkv|avi|wmv|asf|flv|f4v|ts|mts|m2ts|mpg|mpeg|vob|3gp|3g2|ogv|gif|mxf|dv|y4m)$/i;

// Whether a file found in a folder is worth uploading. One that was chosen by itself is always tried: the server looks inside.
export const looksLikeVideo = (file) => file.type.startsWith("video/") || VIDEO_NAMES.test(file.name);

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

export async function* filesIn(folder) {
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
