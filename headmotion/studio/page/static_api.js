// The requests of api.js without a server: the model runs in the browser, by ONNX Runtime Web.
// `headmotion export MODEL -o page --web` writes this file as api.js.

import * as ort from "./ort.wasm.bundle.min.mjs";
import { Edits } from "./edits.js";
import { Resampler } from "./resampler.js";
import { decode } from "./sound.js";

const TYPES = { float32: Float32Array, int64: BigInt64Array, int32: Int32Array, bool: Uint8Array, float64: Float64Array };
const read = async (name) => (await fetch(name)).json();
let last = null; // the take

export const info = () => read("info.json");
export const face = async () => ({ name: "face", ...(await read("face.json")) });
export const head = () => read("head.json");
export const sample = async () => (await fetch("speech.flac")).arrayBuffer();
/** The take after those controls that the browser can apply. */
export async function motion(name, settings) {
  const { edits } = await opened();
  return { ...last, landmarks: new Edits(edits).apply(last.landmarks, settings) };
}

export const confidence = async () => ({ levels: [] }); // the syncers stay with the server

/** Motion for speech (Blob of a WAV). */
export async function take(speech) {
  const start = await opened();
  const { samples } = await decode(await speech.arrayBuffer(), start.rate);
  const [numerator, denominator] = start.fps;
  const total = Math.max(1, Math.floor((samples.length / start.rate) * (numerator / denominator) + 0.5));
  const landmarks = await run(start, samples, total);
  last = { name: "take", fps: start.fps, frames: total, landmarks, reference: start.reference, formats: [] };
  return last;
}

let model;

/** The session and the state from which each take starts. */
async function opened() {
  if (!model) {
    ort.env.wasm.proxy = true; // computes in a worker, so that the page moves on meanwhile
    ort.env.wasm.numThreads = 1; // more need a page that is isolated from others
    ort.env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.wasm", import.meta.url).href };
    const [session, start] = await Promise.all([ort.InferenceSession.create("model.onnx"), read("state.json")]);
    model = { ...start, session };
  }
  return model;
}

/** A stream of the model: the same loop as headmotion.export.onnx_run.run_onnx. */
class Stream {
  constructor(start) {
    this.start = start;
    this.state = Object.fromEntries(Object.entries(start.state).map(([name, value]) => [name, tensor(value)]));
  }

  /** Take `samples` of one step; returns the frames [t * P * 2] in pixels. `total` ends the speech, if not -1. */
  async step(samples, total = -1) {
    const { session, scale, offset, samples: length } = this.start;
    const wave = new Float32Array(length);
    wave.set(samples);
    const inputs = { wave: new ort.Tensor("float32", wave, [length]), end: new ort.Tensor("int64", BigInt64Array.of(BigInt(total)), [1]) };
    const outputs = await session.run({ ...inputs, ...this.state });
    this.state = Object.fromEntries(Object.keys(this.state).map((name) => [name, outputs[`${name}_after`]]));
    const values = outputs.frames.data.subarray(0, Number(outputs.count.data[0]) * scale.length);
    return Float32Array.from(values, (value, k) => value * scale[k % scale.length] + offset[k % scale.length]);
  }
}

/** Frames [T * P * 2] in pixels. */
async function run(start, samples, total) {
  const [stream, size] = [new Stream(start), start.scale.length];
  const frames = new Float32Array(total * size);
  for (let first = 0, done = 0; done < total; first += start.samples) {
    const isLast = first + start.samples >= samples.length;
    const part = await stream.step(samples.subarray(first, first + start.samples), isLast ? total : -1);
    frames.set(part, done * size);
    done += part.length / size;
  }
  return frames;
}

/** A live session with the methods of the server's client; the model runs in the page. */
export async function connect({ rate, controls }) {
  const start = await opened();
  return new LiveSession(start, rate, controls);
}

class LiveSession {
  constructor(start, rate, controls) {
    Object.assign(this, { start, controls, stream: new Stream(start), edits: new Edits(start.edits) });
    this.resampler = new Resampler(rate, start.rate);
    Object.assign(this, { waiting: [], ready: [], done: 0, isClosed: false, wake: () => {} });
    this.welcome = { lookahead_ms: start.lookahead_ms, meta: { reference: start.reference } };
    this.running = Promise.resolve();
  }

  /** Take samples; steps are made one after the other. */
  push(block) {
    this.waiting.push(...this.resampler.push(block));
    this.running = this.running.then(() => this._steps());
    return this.running;
  }

  async _steps() {
    const { samples, scale, fps } = this.start;
    while (this.waiting.length >= samples && !this.isClosed) {
      const frames = await this.stream.step(Float32Array.from(this.waiting.splice(0, samples)));
      const first = this.done;
      const count = frames.length / scale.length;
      this.done += count;
      if (!count) continue;
      const values = this.edits.apply(frames, { ...this.controls, smooth: undefined });
      this.ready.push({ frames: count, points: scale.length / 2, dims: 2, values, time: (k) => ((first + k) * fps[1]) / fps[0] });
      this.wake();
    }
  }

  close() {
    this.isClosed = true;
    this.wake();
  }

  async *[Symbol.asyncIterator]() {
    while (!this.isClosed) {
      while (this.ready.length) yield this.ready.shift();
      await new Promise((done) => (this.wake = done));
    }
  }
}

function tensor({ type, dims, data }) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return new ort.Tensor(type, new TYPES[type](bytes.buffer), dims);
}
