// Sends files by tus, two at a time, in pieces: what has arrived need not be sent again, whatever breaks in between.

import { token } from "./http.js";
import { fingerprint, forget, hold, recall, remember } from "./unfinished.js";

const AT_ONCE = 2;
const PIECE_BYTES = 2 * 1024 * 1024;
const PAUSES_MS = [0, 500, 1000, 2000, 4000, 8000, 15000, 30000, 30000, 30000, 60000, 60000, 60000];

const PASSING = [0, 409, 423, 500, 502, 503, 504]; // what may be over at the next try; 0 is no answer at all

export class Sender {
  #queue = [];
  #running = new Set();

  constructor(endpoint) {
    this.endpoint = endpoint;
  }

  get busy() {
    return this.#running.size + this.#queue.length;
  }

  // `listener` has progress(sent, total), broken() (another try follows by itself), done(sha256) and
  // failed(message, status), where a status of 0 is a connection that broke for good.
  add(file, listener) {
    const task = { file, listener, id: fingerprint(file) };
    remember(file);
    task.release = hold(task.id);
    this.#queue.push(task);
    this.#next();
    return task;
  }

  // Give a file up, also what has arrived of it.
  cancel(task) {
    this.#queue = this.#queue.filter((other) => other !== task);
    task.upload?.abort(true).catch(() => {}); // what the server keeps of it will expire
    this.#leave(task);
    forget(task.id);
  }

  // Give up an upload whose file this page does not have.
  abandon(id) {
    const url = recall(id)?.url;
    forget(id);
    if (url) window.tus.Upload.terminate(url, { onBeforeRequest: sign }).catch(() => {});
  }

  #next() {
    while (this.#running.size < AT_ONCE && this.#queue.length) this.#send(this.#queue.shift());
  }

  #leave(task) {
    task.release();
    if (this.#running.delete(task)) this.#next();
  }

  #send(task) {
    const { file, listener } = task;
    this.#running.add(task);
    task.upload = new window.tus.Upload(file, {
      endpoint: this.endpoint,
      uploadUrl: recall(task.id)?.url ?? null,
      metadata: { filename: file.name },
      chunkSize: PIECE_BYTES,
      retryDelays: PAUSES_MS,
      storeFingerprintForResuming: false, // unfinished.js does it, for files that have not begun too
      onBeforeRequest: sign,
      // Not the library's own rule: it gives up without a network, which a site on this machine does not need.
      onShouldRetry: (error) => {
        const goesOn = PASSING.includes(statusOf(error));
        if (goesOn) listener.broken();
        return goesOn;
      },
      onUploadUrlAvailable: () => remember(file, { url: task.upload.url }),
      onChunkComplete: (_size, sent) => remember(file, { sent }),
      onProgress: (sent, total) => listener.progress(sent, total),
      onSuccess: ({ lastResponse }) => {
        forget(task.id);
        this.#leave(task);
        listener.done(lastResponse.getHeader("Upload-Sha256"));
      },
      onError: (error) => {
        this.#leave(task);
        listener.failed(messageOf(error), statusOf(error));
      },
    });
    task.upload.start();
  }
}

const sign = (request) => request.setHeader("X-CSRFToken", token());

const statusOf = (error) => error.originalResponse?.getStatus() ?? 0;

function messageOf(error) {
  try {
    return JSON.parse(error.originalResponse.getBody()).error ?? "";
  } catch {
    return "";
  }
}
