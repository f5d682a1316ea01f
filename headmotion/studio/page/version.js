// One of the two versions that can be compared: a model with settings, and the motion that it gives for the speech.

import * as api from "./api.js";
import { NO_CHANGE, controlsOf } from "./controls.js";
import { Motion, Retarget, curves } from "./motion.js";
import { attempt, note, say } from "./status.js";

const CONFIDENCE_WAIT_MS = 400; // after the last change, because it takes longer than a change
const EDGE_FRAMES = 2; // over which a correction of a mouth shape fades out

export class Version {
  /** `onChange()` is called when there are other frames or curves. */
  constructor(name, model, settings, onChange) {
    Object.assign(this, { name, model, settings, onChange, isAsking: false });
    this.forget();
  }

  /** Forget what was made for an earlier speech. */
  forget() {
    clearTimeout(this._waiting);
    Object.assign(this, { take: null, raw: null, motion: null, curves: null, confidence: null, applied: null });
    this.settings = { ...this.settings, opening: null };
  }

  copyTo(other) {
    const { take, raw, motion, curves, confidence, applied, retarget, model, settings } = this;
    Object.assign(other, { take, raw, motion, curves, confidence, applied, retarget, model, settings: { ...settings } });
  }

  async generate(wav, face) {
    const begin = performance.now();
    const { model } = this;
    this._wav = wav;
    const packet = await attempt("Moving the face …", () => api.take(wav, { face: face.name, model }));
    if (!packet || wav !== this._wav || model !== this.model) return;
    const opening = packet.frames === this.raw?.frames ? this.settings.opening : null;
    const raw = new Motion(packet);
    note(face.warnings ?? [], packet.warnings ?? []);
    // Shown as it is if a control cannot be applied.
    Object.assign(this, { take: packet.name, raw, motion: raw, applied: null, settings: { ...this.settings, opening } });
    this.measure(face);
    say(`${packet.frames} frames in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    await this.apply(face);
  }

  /** The controls of the settings; those of a face are left out for a motion that is none. */
  get controls() {
    const { smooth, more } = this.settings;
    const isFace = !this.raw || this.raw.landmarks;
    return controlsOf(isFace ? this.settings : { ...NO_CHANGE, smooth, more });
  }

  /** Whether the motion is the one of the settings. */
  get isSettled() {
    return !this.isAsking && this.applied === JSON.stringify(this.controls);
  }

  /** Ask for the take after the controls; while an answer is awaited, only the last settings wait. */
  async apply(face) {
    if (!this.take || this.isAsking) return;
    const controls = this.controls;
    const requested = JSON.stringify(controls);
    const { take, raw } = this;
    this.isAsking = true;
    try {
      const motion = requested === "{}" ? raw : new Motion(await api.motion(take, controls));
      if (take === this.take) Object.assign(this, { motion, applied: requested });
    } catch (error) {
      say(error.message, true);
    }
    this.isAsking = false;
    this.measure(face);
    if (take !== this.take || JSON.stringify(this.controls) !== requested) return this.apply(face);
    this._askConfidence(take, controls);
    return undefined;
  }

  measure(face) {
    if (!this.motion) return;
    this.retarget = this.motion.landmarks && new Retarget(this.motion.reference, face);
    this.curves = this.motion.landmarks ? curves(this.motion, face) : null;
    this._addConfidence();
    this.onChange();
  }

  /** What is shown at a time; null before there is a motion. */
  at(time) {
    const { motion } = this;
    if (!motion) return null;
    const frame = motion.frameAt(time);
    const pose = this.retarget?.apply(motion.pose(frame));
    return { key: `${this.name} ${frame}`, motion, pose, weights: motion.weightsAt(frame), drawing: motion.drawingAt(frame) };
  }

  /** Open the mouth further in the mouth shape at a frame, by `change` (distances of the eyes' corners). */
  correct(frame, change, face) {
    const shape = this.raw?.shapeAt(frame); // before controls, so that shapes stay where they are
    if (!shape) return;
    const opening = Array.from(this.settings.opening ?? { length: this.raw.frames }, (value) => value ?? 0);
    opening.forEach((value, k) => {
      const outside = Math.max(shape.first - k, k - (shape.first + shape.frames - 1), 0) / (EDGE_FRAMES + 1);
      if (outside < 1) opening[k] = Math.round(1e4 * (value + change * 0.5 * (1 + Math.cos(Math.PI * outside)))) / 1e4;
    });
    this.settings = { ...this.settings, opening };
    this.apply(face);
  }

  _askConfidence(take, controls) {
    clearTimeout(this._waiting);
    this._waiting = setTimeout(async () => {
      const answer = await api.confidence(take, controls).catch(() => null); // a body has none
      if (take !== this.take || !answer) return;
      this.confidence = answer.levels;
      this._addConfidence();
      this.onChange();
    }, CONFIDENCE_WAIT_MS);
  }

  /** Put a curve per level beside those of the face, with a number per frame of the motion. */
  _addConfidence() {
    const { motion, confidence } = this;
    if (!this.curves || !confidence) return;
    confidence.forEach(({ first_s: first, step_s: step, values }, level) => {
      const at = (k) => Math.max(0, Math.min(values.length - 1, Math.round((k / motion.fps - first) / step)));
      this.curves[`sync${level}`] = Array.from({ length: motion.frames }, (_, k) => values[at(k)]);
    });
  }
}
