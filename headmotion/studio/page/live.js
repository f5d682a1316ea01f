// Live mode: the microphone's samples go to the server over a WebSocket, and frames come back.

import { connect } from "./api.js";
import { context, openMicrophone } from "./sound.js";

const KEPT_SECONDS = 60; // of the recording
const DELAYS = 50; // messages over which the delay is measured
const REOPEN_MS = 250;

export class Live {
  /** Options: model (as /studio/info describes it), face, controls. `onProblem(error)` is called at most once. */
  constructor(options, onProblem) {
    Object.assign(this, { options, onProblem, reference: null, lookahead: null, count: 0, _frames: [], _delays: [], _samples: [] });
  }

  async start() {
    this._microphone = await openMicrophone((block) => this._hear(block));
    this._player = context();
    this.rate = this._microphone.rate;
    this._monitor = new DelayNode(this._player, { maxDelayTime: 2 });
    this._volume = new GainNode(this._player, { gain: 0 });
    this._microphone.source.connect(this._monitor).connect(this._volume).connect(this._player.destination);
    await this._open();
  }

  /** Play the voice in step with the picture. */
  set isMonitoring(value) {
    this._volume.gain.value = value ? 1 : 0;
  }

  /** Use other options from now on, in a new session. */
  change(options) {
    this.options = { ...this.options, ...options };
    clearTimeout(this._reopening);
    this._reopening = setTimeout(() => this._open().catch((error) => this._fail(error)), REOPEN_MS);
  }

  /** End; returns what was recorded. */
  stop() {
    clearTimeout(this._reopening);
    this._microphone?.stop();
    this._volume?.disconnect();
    this._session?.close();
    this._session = null;
    return { samples: this.recent(KEPT_SECONDS), rate: this.rate };
  }

  /** The last seconds of the recording. */
  recent(seconds) {
    const size = this._samples[0]?.length ?? 1;
    const blocks = this._samples.slice(-Math.ceil((seconds * this.rate) / size));
    const all = new Float32Array(size * blocks.length);
    blocks.forEach((block, k) => all.set(block, size * k));
    return all;
  }

  /** Delay of the picture behind the voice (seconds). */
  get delay() {
    return Math.max(0, ...this._delays);
  }

  /** Whether the server is there; if not, the session tries to come back. */
  get isConnected() {
    return this._session?.isConnected ?? true;
  }

  /** The frame that belongs to what was said `delay` ago; null before the first one. */
  get frame() {
    const now = this._elapsed() - this.delay;
    while (this._frames.length > 1 && this._frames[1].time <= now) {
      this._frames.shift();
      this.count += 1;
    }
    this._monitor.delayTime.setTargetAtTime(Math.min(this.delay, 2), this._player.currentTime, 0.2);
    return this._frames[0]?.pose ?? null;
  }

  _elapsed = () => this._player.currentTime - this._begin;

  async _open() {
    const { model, face, controls } = this.options;
    const pose = model.representation === "landmarks68" ? { points: face.landmarks } : {};
    const session = await connect({
      ...{ model: model.name, rate: this.rate, representation: "landmarks68", controls }, ...pose,
    });
    this._session?.close();
    Object.assign(this, { _session: session, _frames: this._frames.slice(0, 1), _delays: [], _begin: null });
    this.lookahead = session.welcome.lookahead_ms;
    this.reference = Float64Array.from((session.welcome.meta.reference ?? face.landmarks).flat());
    this._receive(session).catch((error) => this._fail(error));
  }

  async _receive(session) {
    for await (const motion of session) {
      if (session !== this._session) return;
      const size = motion.points * motion.dims;
      for (let k = 0; k < motion.frames; k += 1) {
        this._frames.push({ time: motion.time(k), pose: motion.values.slice(k * size, (k + 1) * size) });
      }
      this._delays.push(this._elapsed() - motion.time(motion.frames - 1));
      if (this._delays.length > DELAYS) this._delays.shift();
    }
  }

  _hear(block) {
    this._samples.push(block);
    if (this._samples.length > (KEPT_SECONDS * this.rate) / block.length) this._samples.shift();
    const session = this._session;
    if (!session) return;
    // The session's time begins with its first sample.
    this._begin ??= this._player.currentTime - block.length / this.rate;
    session.push(block).catch((error) => session === this._session && this._fail(error));
  }

  _fail(error) {
    const { onProblem } = this;
    this.onProblem = () => {};
    onProblem(error);
  }
}
