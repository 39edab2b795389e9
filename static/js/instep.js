// Two videos in step, moved by one set of controls. One leads; the other, if there is one, goes where it is.

import { clock } from "./clock.js";

const SOON = 0.08; // seconds that the two may be apart before the follower is moved

export class InStep {
  // `root` holds the controls: #play, #seek, #clock, #loop and #sound. `onTime` is told of every moment that is shown.
  constructor(root, leader, follower, onTime = () => {}) {
    this.leader = leader;
    this.follower = follower;
    this.onTime = onTime;
    this.controls = Object.fromEntries(["play", "seek", "clock", "loop", "sound"].map((id) => [id, root.querySelector(`#${id}`)]));
    for (const video of [leader, follower]) if (video) Object.assign(video, { controls: false, muted: true });
    leader.loop = true;
    root.querySelector(".compare-controls").hidden = false;
    this.#listen();
    this.#tellState();
  }

  seek(seconds) {
    if (this.leader.readyState >= HTMLMediaElement.HAVE_METADATA) this.leader.currentTime = seconds;
    else this.leader.addEventListener("loadedmetadata", () => (this.leader.currentTime = seconds), { once: true });
  }

  #listen() {
    const { leader, follower, controls } = this;
    const ready = () => {
      controls.seek.max = leader.duration;
      this.#show();
    };
    if (leader.readyState >= HTMLMediaElement.HAVE_METADATA) ready();
    leader.addEventListener("loadedmetadata", ready);
    for (const name of ["play", "pause"]) leader.addEventListener(name, () => this.#tellState());
    for (const name of ["seeked", "timeupdate"]) leader.addEventListener(name, () => this.#show());
    follower?.addEventListener("loadedmetadata", () => this.#show());
    controls.play.addEventListener("click", () => (leader.paused ? leader.play() : leader.pause()));
    controls.seek.addEventListener("input", () => (leader.currentTime = Number(controls.seek.value)));
    controls.loop.addEventListener("change", () => (leader.loop = controls.loop.checked));
    controls.sound.addEventListener("change", () => (leader.muted = !controls.sound.checked));
  }

  // At once when the leader stands, when it is too far off while it plays. A shorter follower waits at its end.
  #keepInStep() {
    const { leader, follower } = this;
    if (!follower || follower.readyState < HTMLMediaElement.HAVE_METADATA) return;
    const wanted = Math.min(leader.currentTime, follower.duration);
    const apart = Math.abs(follower.currentTime - wanted);
    if (apart > (leader.paused ? 0.001 : SOON) && !follower.seeking) follower.currentTime = wanted;
    if (follower.paused === leader.paused) return;
    if (leader.paused) follower.pause();
    else if (wanted < follower.duration) follower.play().catch(() => {});
  }

  #show() {
    const seconds = this.leader.currentTime;
    this.controls.seek.value = seconds;
    this.controls.clock.value = clock(seconds);
    this.#keepInStep();
    this.onTime(seconds);
  }

  #tick() {
    this.#show();
    if (!this.leader.paused) requestAnimationFrame(() => this.#tick());
  }

  #tellState() {
    const { leader, controls } = this;
    controls.play.setAttribute("aria-label", leader.paused ? controls.play.dataset.play : controls.play.dataset.pause);
    const [start, stop] = controls.play.querySelectorAll("svg");
    start.toggleAttribute("hidden", !leader.paused);
    stop.toggleAttribute("hidden", leader.paused);
    this.#tick();
  }
}
