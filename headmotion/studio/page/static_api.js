// The requests of api.js without a server: the model runs in the browser, by ONNX Runtime Web.
// `headmotion export MODEL -o page --web` writes this file as api.js.

import * as ort from "./ort.wasm.bundle.min.mjs";
import { decode } from "./sound.js";

const TYPES = { float32: Float32Array, int64: BigInt64Array, int32: Int32Array, bool: Uint8Array, float64: Float64Array };
const read = async (name) => (await fetch(name)).json();
let last = null; // the take

export const info = () => read("info.json");
export const face = async () => ({ name: "face", ...(await read("face.json")) });
export const head = () => read("head.json");
export const sample = async () => (await fetch("speech.flac")).arrayBuffer();
export const motion = async () => last;

/** Motion for speech (Blob of a WAV). */
export async function take(speech) {
  const start = await opened();
  const { samples } = await decode(await speech.arrayBuffer(), start.rate);
  const [numerator, denominator] = start.fps;
  const total = Math.max(1, Math.floor((samples.length / start.rate) * (numerator / denominator) + 0.5));
  const landmarks = await run(start, samples, total);
  last = { name: "take", fps: start.fps, frames: total, landmarks, reference: start.reference, weights: null };
  return last;
}

let model;

/** The session and the state from which each take starts. */
async function opened() {
  if (!model) {
    ort.env.wasm.numThreads = 1; // more need a page that is isolated from others
    ort.env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.wasm", import.meta.url).href };
    const [session, start] = await Promise.all([ort.InferenceSession.create("model.onnx"), read("state.json")]);
    model = { ...start, session };
  }
  return model;
}

/** Frames [T * P * 2] in pixels; the same loop as headmotion.export.onnx_model.run_onnx. */
async function run(start, samples, total) {
  const { session, scale, offset } = start;
  const size = scale.length;
  const frames = new Float32Array(total * size);
  let state = Object.fromEntries(Object.entries(start.state).map(([name, value]) => [name, tensor(value)]));
  for (let first = 0, done = 0; done < total; first += start.samples) {
    const wave = new Float32Array(start.samples);
    wave.set(samples.subarray(first, first + start.samples));
    const end = BigInt64Array.of(BigInt(first + start.samples >= samples.length ? total : -1));
    const outputs = await session.run({
      wave: new ort.Tensor("float32", wave, [start.samples]), end: new ort.Tensor("int64", end, [1]), ...state,
    });
    const count = Number(outputs.count.data[0]);
    const values = outputs.frames.data;
    for (let k = 0; k < count * size; k += 1) frames[done * size + k] = values[k] * scale[k % size] + offset[k % size];
    done += count;
    state = Object.fromEntries(Object.keys(state).map((name) => [name, outputs[`${name}_after`]]));
  }
  return frames;
}

function tensor({ type, dims, data }) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return new ort.Tensor(type, new TYPES[type](bytes.buffer), dims);
}
