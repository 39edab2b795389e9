// What is still to be uploaded, kept in this browser so that a refresh or a closed laptop loses nothing. A page must not
// open files by itself: after a refresh it shows what is missing, and goes on when it is given the same file again.

const KEY = "uploads";

// Tells the same file from another one without reading it.
export const fingerprint = (file) => [file.name, file.size, file.lastModified].join("|");

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function write(entries) {
  try {
    localStorage.setItem(KEY, JSON.stringify(entries));
  } catch {
    // The storage is full or forbidden: uploads work, but are not remembered.
  }
}

// `change` is merged into what is known: { name, size, url (once the server knows it), sent (bytes) }.
export function remember(file, change = {}) {
  const entries = read();
  const id = fingerprint(file);
  entries[id] = { name: file.name, size: file.size, ...entries[id], ...change };
  write(entries);
}

export const recall = (id) => read()[id];

export function forget(id) {
  const entries = read();
  delete entries[id];
  write(entries);
}

// Those that no window is sending: [fingerprint, entry].
export async function interrupted() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  const busy = new Set(held.map((lock) => lock.name));
  return Object.entries(read()).filter(([id]) => !busy.has(lockName(id)));
}

// Shows other windows that this one sends the file, until the returned function is called or the window is gone.
export function hold(id) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  navigator.locks?.request(lockName(id), () => released);
  return release;
}

const lockName = (id) => `upload ${id}`;
