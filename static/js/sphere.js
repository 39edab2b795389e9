// A ball that shows where a light comes from: drag the light over it, or use the arrow keys. Directions are as the viewer
// sees them: azimuth + is right, elevation + is up, both in degrees. On the ball the light comes from in front; in the
// ring around it, from behind, down to the back of the head at the ring's outer edge.

const RADIUS = 0.36; // of the canvas' side
const RING = 0.12; // width of the ring behind, likewise
const KNOB = 0.035;
const STEP = 5;
const BIG_STEP = 15;

const radians = (degrees) => (degrees * Math.PI) / 180;
const degrees = (angle) => (angle * 180) / Math.PI;

export function toVector(azimuth, elevation) {
  const flat = Math.cos(radians(elevation));
  return [Math.sin(radians(azimuth)) * flat, Math.sin(radians(elevation)), Math.cos(radians(azimuth)) * flat];
}

export function toAngles([x, y, z]) {
  return [degrees(Math.atan2(x, z)), degrees(Math.asin(Math.max(-1, Math.min(1, y))))];
}

// From a direction to the place of its knob, in units of the ball's radius, and back.
function toPlace([x, y, z]) {
  if (z >= 0) return [x, y];
  const flat = Math.hypot(x, y) || 1e-6;
  const reach = 1 + ((RING / RADIUS) * degrees(Math.acos(Math.min(1, flat)))) / 90;
  return flat < 1e-5 ? [reach, 0] : [(x / flat) * reach, (y / flat) * reach];
}

function fromPlace(x, y) {
  const reach = Math.hypot(x, y);
  if (reach <= 1) return [x, y, Math.sqrt(1 - reach * reach)];
  const behind = radians(Math.min(90, (90 * (reach - 1)) / (RING / RADIUS)));
  const flat = Math.cos(behind);
  return [(x / reach) * flat, (y / reach) * flat, -Math.sin(behind)];
}

export class Sphere {
  // `onMove(azimuth, elevation)` is called when a person moves the light.
  constructor(canvas, onMove) {
    this.canvas = canvas;
    this.onMove = onMove;
    this.light = { azimuth: 0, elevation: 0, intensity: 1, ambient: 0.15, colour: "#ffffff" };
    canvas.addEventListener("pointerdown", (event) => this.#grab(event));
    canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && this.#drag(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("theme", () => this.#draw());
  }

  show(light) {
    this.light = light;
    const words = this.canvas.dataset.words.replace("%1", Math.round(light.azimuth)).replace("%2", Math.round(light.elevation));
    this.canvas.setAttribute("aria-valuenow", Math.round(light.azimuth));
    this.canvas.setAttribute("aria-valuetext", words);
    this.#draw();
  }

  #grab(event) {
    event.preventDefault();
    this.canvas.focus();
    this.canvas.setPointerCapture(event.pointerId);
    this.#drag(event);
  }

  #drag(event) {
    const box = this.canvas.getBoundingClientRect();
    const unit = RADIUS * box.width;
    const x = (event.clientX - box.left - box.width / 2) / unit;
    const y = (box.top + box.height / 2 - event.clientY) / unit;
    const [azimuth, elevation] = toAngles(fromPlace(x, y));
    this.onMove(Math.round(azimuth), Math.round(elevation));
  }

  #key(event) {
    const { azimuth, elevation } = this.light;
    const step = event.shiftKey ? BIG_STEP : STEP;
    const around = (angle) => ((((angle + 180) % 360) + 360) % 360) - 180;
    const moved = {
      ArrowRight: [around(azimuth + step), elevation],
      ArrowLeft: [around(azimuth - step), elevation],
      ArrowUp: [azimuth, Math.min(90, elevation + step)],
      ArrowDown: [azimuth, Math.max(-90, elevation - step)],
      Home: [0, 0],
    }[event.key];
    if (!moved) return;
    event.preventDefault();
    this.onMove(...moved.map(Math.round));
  }

  #draw() {
    const { canvas } = this;
    const side = canvas.width;
    const context = canvas.getContext("2d");
    const css = getComputedStyle(document.documentElement);
    context.clearRect(0, 0, side, side);
    context.beginPath();
    context.arc(side / 2, side / 2, (RADIUS + RING) * side, 0, 2 * Math.PI);
    context.fillStyle = css.getPropertyValue("--surface-2");
    context.fill();
    this.#drawBall(context, side);
    this.#drawKnob(context, side, css.getPropertyValue("--accent"), css.getPropertyValue("--surface"));
  }

  // A matt ball under this very light, pixel by pixel.
  #drawBall(context, side) {
    const radius = Math.round(RADIUS * side);
    const size = 2 * radius + 1;
    const picture = context.createImageData(size, size);
    const { intensity, ambient, colour } = this.light;
    const [lx, ly, lz] = toVector(this.light.azimuth, this.light.elevation);
    const tint = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
    const strongest = Math.max(...tint, 1e-3);
    for (let row = 0; row < size; row += 1) {
      for (let column = 0; column < size; column += 1) {
        const x = (column - radius) / radius;
        const y = (radius - row) / radius;
        const beside = x * x + y * y;
        if (beside > 1) continue;
        const key = intensity * Math.max(0, x * lx + y * ly + Math.sqrt(1 - beside) * lz);
        const at = 4 * (row * size + column);
        for (let channel = 0; channel < 3; channel += 1) {
          const value = 0.72 * (ambient + (key * tint[channel]) / strongest);
          picture.data[at + channel] = 255 * Math.min(1, value) ** (1 / 2.2);
        }
        picture.data[at + 3] = 255 * Math.min(1, (1 - Math.sqrt(beside)) * radius);
      }
    }
    const ball = new OffscreenCanvas(size, size);
    ball.getContext("2d").putImageData(picture, 0, 0);
    context.drawImage(ball, side / 2 - radius, side / 2 - radius);
  }

  #drawKnob(context, side, fill, border) {
    const vector = toVector(this.light.azimuth, this.light.elevation);
    const [x, y] = toPlace(vector);
    context.beginPath();
    context.arc(side / 2 + x * RADIUS * side, side / 2 - y * RADIUS * side, KNOB * side, 0, 2 * Math.PI);
    context.lineWidth = side / 110;
    context.fillStyle = vector[2] >= 0 ? fill : border; // hollow: behind the head
    context.strokeStyle = vector[2] >= 0 ? border : fill;
    context.fill();
    context.stroke();
  }
}
