// The waveform with curves of mouth, head and eyes, in which one can scrub and choose a range to loop.

import { color, fitted } from "./lines_view.js";

const LANES = [
  { name: "mouth", label: "Mouth", curves: { mouth: "--mouth" }, least: 0.08, from: 0 },
  { name: "head", label: "Head", curves: { pitch: "--head", yaw: "--yaw", roll: "--jaw" }, least: 4 },
  { name: "eyes", label: "Eyes", curves: { eyes: "--eyes" }, least: 0.06, from: 0 },
];
const LABELS = { mouth: "Mouth opening", pitch: "Pitch", yaw: "Yaw", roll: "Roll", eyes: "Eye opening" };
const WAVE_SHARE = 0.28;
const STEP_SECONDS = 0.04;

export class Timeline {
  constructor(canvas, legend, player) {
    Object.assign(this, { canvas, player, wave: null, curves: null, other: null, duration: 0 });
    for (const lane of LANES) {
      for (const [name, variable] of Object.entries(lane.curves)) {
        const item = document.createElement("li");
        item.textContent = LABELS[name];
        item.style.setProperty("--color", `var(${variable})`);
        legend.append(item);
      }
    }
    this._listen();
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** Show speech {samples, rate}. */
  setSpeech({ samples, rate }) {
    [this.wave, this.duration] = [{ samples, rate }, samples.length / rate];
    this.canvas.setAttribute("aria-valuemax", this.duration.toFixed(2));
    this._still = null;
  }

  /** Show curves; those of the version to compare with are faint. */
  setCurves(curves, other = null) {
    Object.assign(this, { curves, other, _still: null });
    this.draw();
  }

  draw() {
    if (!this.canvas.clientWidth) return;
    const brush = fitted(this.canvas);
    const { width, height } = this.canvas;
    const key = `${width} ${height} ${document.documentElement.className}`;
    if (!this._still || this._key !== key) [this._still, this._key] = [this._drawStill(width, height), key];
    brush.clearRect(0, 0, width, height);
    if (this.player.loop && this.player.range) {
      const [start, end] = this.player.range.map((time) => (time / this.duration) * width);
      brush.fillStyle = color("--raised");
      brush.fillRect(start, 0, end - start, height);
    }
    brush.drawImage(this._still, 0, 0);
    const x = this.duration ? (this.player.time / this.duration) * width : 0;
    brush.fillStyle = color("--text");
    brush.fillRect(x - 1, 0, 2, height);
    this.canvas.setAttribute("aria-valuenow", this.player.time.toFixed(2));
    this.canvas.setAttribute("aria-valuetext", `${this.player.time.toFixed(1)} seconds`);
  }

  _drawStill(width, height) {
    const still = Object.assign(document.createElement("canvas"), { width, height });
    const brush = still.getContext("2d");
    const waveHeight = height * WAVE_SHARE;
    if (this.wave) this._drawWave(brush, width, waveHeight);
    const lane = (height - waveHeight) / LANES.length;
    LANES.forEach((shown, k) => this._drawLane(brush, shown, width, waveHeight + k * lane, lane));
    return still;
  }

  _drawWave(brush, width, height) {
    const { samples } = this.wave;
    const loudest = Math.max(0.05, samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0));
    brush.fillStyle = color("--wave");
    const bar = Math.max(2, Math.round(3 * Math.min(devicePixelRatio, 2)));
    for (let x = 0; x < width; x += bar + 1) {
      const [start, end] = [x, x + bar + 1].map((at) => Math.floor((at / width) * samples.length));
      let peak = 0;
      for (let k = start; k < end; k += 1) peak = Math.max(peak, Math.abs(samples[k] ?? 0));
      const tall = Math.max(1, (peak / loudest) * (height - 8));
      brush.fillRect(x, (height - tall) / 2, bar, tall);
    }
  }

  _drawLane(brush, lane, width, top, height) {
    brush.fillStyle = color("--line");
    brush.fillRect(0, top, width, 1);
    if (!this.curves) return;
    const names = Object.keys(lane.curves);
    const all = names.flatMap((name) => [...this.curves[name], ...(this.other?.[name] ?? [])]);
    let [low, high] = [lane.from ?? Math.min(...all), Math.max(...all)];
    const lack = lane.least - (high - low);
    if (lack > 0) [low, high] = lane.from === undefined ? [low - lack / 2, high + lack / 2] : [low, high + lack];
    const y = (value) => top + height - 5 - ((value - low) / (high - low)) * (height - 10);
    for (const [name, variable] of Object.entries(lane.curves)) {
      if (this.other) this._drawCurve(brush, this.other[name], width, y, variable, 0.35);
      this._drawCurve(brush, this.curves[name], width, y, variable, 1);
    }
  }

  _drawCurve(brush, values, width, y, variable, alpha) {
    brush.globalAlpha = alpha;
    brush.strokeStyle = color(variable);
    brush.lineWidth = 1.6 * Math.min(devicePixelRatio, 2);
    brush.lineJoin = "round";
    brush.beginPath();
    values.forEach((value, k) => brush.lineTo(((k + 0.5) / values.length) * width, y(value)));
    brush.stroke();
    brush.globalAlpha = 1;
  }

  _listen() {
    const { canvas, player } = this;
    const timeOf = (event) => {
      const box = canvas.getBoundingClientRect();
      return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * this.duration;
    };
    let start = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.duration) return;
      canvas.setPointerCapture(event.pointerId);
      start = timeOf(event);
      if (!event.shiftKey) player.seek(start);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (start === null) return;
      const range = [start, timeOf(event)].sort((a, b) => a - b);
      if (event.shiftKey && range[1] - range[0] > 0.1) player.setLoop(true, range);
      else if (!event.shiftKey) player.seek(timeOf(event));
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (start = null));
    canvas.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -STEP_SECONDS, ArrowRight: STEP_SECONDS, PageUp: -1, PageDown: 1, Home: -1e9, End: 1e9 };
      if (!(event.key in steps)) return;
      event.preventDefault();
      player.seek(player.time + steps[event.key]);
    });
  }
}
