// The waveform with curves of mouth, head, eyes and AV-Conf, in which one can scrub, choose a range to loop, and correct
// the mouth.

import { color, fitted } from "./lines_view.js";

const LANES = [
  { curves: { mouth: "--mouth" }, least: 0.08, from: 0 },
  { curves: { pitch: "--head", yaw: "--yaw", roll: "--jaw" }, least: 4 },
  { curves: { eyes: "--eyes" }, least: 0.06, from: 0 },
  { curves: { sync0: "--sync0", sync1: "--sync1", sync2: "--sync2", sync3: "--sync3" }, least: 2 },
];
const LABELS = { mouth: "Mouth", pitch: "Pitch", yaw: "Yaw", roll: "Roll", eyes: "Eyes" };
const WAVE_SHARE = 0.22;
const STEP_SECONDS = 0.04;
const KEY_CHANGE = 0.02; // of the mouth's opening, in distances of the eyes' corners
const INSET = 5; // px of a lane above and below its curves

export class Timeline {
  /** `onCorrect(time, change)`: open the mouth further around a time. `hasConfidence`: whether there are curves of AV-Conf. */
  constructor(canvas, legend, player, onCorrect, hasConfidence) {
    this.lanes = hasConfidence ? LANES : LANES.filter((lane) => !lane.curves.sync0);
    Object.assign(this, { canvas, legend, player, onCorrect, wave: null, curves: null, other: null, duration: 0 });
    Object.assign(this, { isCorrecting: false, shapes: [], fps: 25, scale: null });
    this._listen();
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** Show speech {samples, rate}. */
  setSpeech({ samples, rate }) {
    [this.wave, this.duration] = [{ samples, rate }, samples.length / rate];
    this.canvas.setAttribute("aria-valuemax", this.duration.toFixed(2));
    this._still = null;
  }

  /** Show curves; those of the version to compare with are faint. `notes` are texts of the legend by curve; the name of a quantity is seen once. */
  setCurves(curves, other = null, notes = {}) {
    Object.assign(this, { curves, other, _still: null });
    this._showLegend(notes);
    this.draw();
  }

  /** The shapes of the mouth between which one can drag, and the frames per second that they count. */
  setShapes(shapes, fps) {
    Object.assign(this, { shapes, fps, _still: null });
  }

  setCorrecting(isOn) {
    Object.assign(this, { isCorrecting: isOn, _still: null });
    this.draw();
  }

  /** Show the last seconds of a live session, which have no place that is played. */
  setRolling(isOn) {
    this.isRolling = isOn;
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
    if (this.isRolling) return;
    const x = this.duration ? (this.player.time / this.duration) * width : 0;
    brush.fillStyle = color("--text");
    brush.fillRect(x - 1, 0, 2, height);
    this.canvas.setAttribute("aria-valuenow", this.player.time.toFixed(2));
    this.canvas.setAttribute("aria-valuetext", `${this.player.time.toFixed(1)} seconds`);
  }

  _showLegend(notes) {
    const known = LANES.flatMap((lane) => Object.entries(lane.curves)).filter(([name]) => this.curves?.[name]);
    this.legend.replaceChildren(...known.map(([name, variable]) => {
      const item = document.createElement("li");
      const { name: quantity, text, isRepeated } = notes[name] ?? { text: LABELS[name] ?? name };
      if (quantity) item.append(Object.assign(document.createElement("span"), { textContent: `${quantity} `, className: isRepeated ? "hidden" : "" }));
      item.append(text);
      item.style.setProperty("--color", `var(${variable})`);
      return item;
    }));
  }

  _drawStill(width, height) {
    const still = Object.assign(document.createElement("canvas"), { width, height });
    const brush = still.getContext("2d");
    const waveHeight = height * WAVE_SHARE;
    if (this.wave) this._drawWave(brush, width, waveHeight);
    const lane = (height - waveHeight) / this.lanes.length;
    this.lanes.forEach((shown, k) => this._drawLane(brush, shown, width, waveHeight + k * lane, lane));
    if (this.isCorrecting) this._drawShapes(brush, width, waveHeight, lane);
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
    const all = names.flatMap((name) => [...(this.curves[name] ?? []), ...(this.other?.[name] ?? [])]);
    if (!all.length) return;
    let [low, high] = [lane.from ?? Math.min(...all), Math.max(...all)];
    const lack = lane.least - (high - low);
    if (lack > 0) [low, high] = lane.from === undefined ? [low - lack / 2, high + lack / 2] : [low, high + lack];
    const y = (value) => top + height - INSET - ((value - low) / (high - low)) * (height - 2 * INSET);
    // How far the opening changes over a pixel of the screen, for those who drag.
    if (lane === LANES[0]) this.scale = ((high - low) / (height - 2 * INSET)) * (this.canvas.height / this.canvas.clientHeight);
    for (const [name, variable] of Object.entries(lane.curves)) {
      if (this.other?.[name]) this._drawCurve(brush, this.other[name], width, y, variable, 0.35);
      if (this.curves[name]) this._drawCurve(brush, this.curves[name], width, y, variable, 1);
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

  /** Letters of the shapes in the lane of the mouth, and where one ends. */
  _drawShapes(brush, width, top, height) {
    const ratio = Math.min(devicePixelRatio, 2);
    const x = (frame) => (frame / this.fps / this.duration) * width;
    brush.font = `${10 * ratio}px system-ui, sans-serif`;
    brush.textAlign = "center";
    for (const { letter, first, frames } of this.shapes) {
      brush.fillStyle = color("--line");
      brush.fillRect(x(first), top, ratio, height);
      brush.fillStyle = color("--dim");
      if (x(frames) > 9 * ratio) brush.fillText(letter, x(first + frames / 2), top + 12 * ratio);
    }
  }

  _timeOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * this.duration;
  }

  /** Whether an event is in the lane of the mouth while it may be corrected. */
  _isCorrection(event) {
    const box = this.canvas.getBoundingClientRect();
    const at = (event.clientY - box.top) / box.height;
    return this.isCorrecting && at > WAVE_SHARE && at < WAVE_SHARE + (1 - WAVE_SHARE) / this.lanes.length;
  }

  _listen() {
    const { canvas, player } = this;
    let drag = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.duration) return;
      canvas.setPointerCapture(event.pointerId);
      drag = { start: this._timeOf(event), y: event.clientY, corrects: this._isCorrection(event) };
      if (drag.corrects || !event.shiftKey) player.seek(drag.start);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (drag === null) return;
      if (drag.corrects) {
        this.onCorrect(drag.start, (drag.y - event.clientY) * this.scale);
        drag.y = event.clientY;
        return;
      }
      const range = [drag.start, this._timeOf(event)].sort((a, b) => a - b);
      if (event.shiftKey && range[1] - range[0] > 0.1) player.setLoop(true, range);
      else if (!event.shiftKey) player.seek(this._timeOf(event));
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (drag = null));
    canvas.addEventListener("keydown", (event) => this._press(event));
  }

  _press(event) {
    const { player } = this;
    const steps = { ArrowLeft: -STEP_SECONDS, ArrowRight: STEP_SECONDS, PageUp: -1, PageDown: 1, Home: -1e9, End: 1e9 };
    const changes = { ArrowUp: KEY_CHANGE, ArrowDown: -KEY_CHANGE };
    if (event.key in steps) player.seek(player.time + steps[event.key]);
    else if (this.isCorrecting && event.key in changes) this.onCorrect(player.time, changes[event.key]);
    else return;
    event.preventDefault();
  }
}
