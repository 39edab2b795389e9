// Plays an upload: the file itself, or the copy that the server makes where this browser cannot play it.

import { getJSON, post } from "./http.js";

const ASK_AGAIN_MS = 1500;

export class Player {
  // `root` holds a <video>, and elements marked data-preparing and data-failed.
  constructor(root) {
    this.root = root;
    this.video = root.querySelector("video");
    this.video.addEventListener("error", () => this.#askForCopy());
  }

  async open(address) {
    this.address = address;
    this.isCopy = false;
    await this.#load(() => getJSON(address));
  }

  close() {
    this.address = null;
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }

  async #load(ask) {
    const { address } = this;
    this.#say(null);
    for (;;) {
      const answer = await ask().catch(() => ({ state: "failed" }));
      if (address !== this.address) return; // closed, or another one opened
      if (answer.url) {
        this.isCopy = answer.state === "copy";
        this.#say(null);
        this.video.src = answer.url;
        return;
      }
      this.#say(answer.state);
      if (answer.state !== "preparing") return;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      ask = () => getJSON(address);
    }
  }

  #askForCopy() {
    if (!this.address || !this.video.getAttribute("src")) return;
    if (this.isCopy) this.#say("failed");
    else this.#load(() => post(this.address));
  }

  #say(state) {
    for (const name of ["preparing", "failed"]) this.root.querySelector(`[data-${name}]`).hidden = state !== name;
    this.video.hidden = state !== null;
  }
}
