// Sound in and out: the microphone, files, and a player whose clock is that of the sound card.

const DECODED_RATE = 48_000;
let shared;

/** The page's audio context; browsers start it only after a click or a key. */
export function context() {
  shared ??= new AudioContext({ latencyHint: "interactive" });
  if (shared.state === "suspended") shared.resume();
  return shared;
}

/** Decode any sound file that the browser knows, and mix it to one channel. */
export async function decode(bytes, rate = DECODED_RATE) {
  // Without the page's own context, because that may not start before the first click.
  const decoded = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes).catch(() => {
    throw new Error("This browser cannot read that sound file.");
  });
  const samples = new Float32Array(decoded.length);
  for (let channel = 0; channel < decoded.numberOfChannels; channel += 1) {
    decoded.getChannelData(channel).forEach((x, k) => (samples[k] += x / decoded.numberOfChannels));
  }
  return { samples, rate: decoded.sampleRate };
}

/** The microphone. `onBlock(samples)` gets about 20 ms at a time; `stop()` ends it. */
export async function openMicrophone(onBlock) {
  if (!navigator.mediaDevices) throw new Error("This page has no access to a microphone.");
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: true };
  const stream = await navigator.mediaDevices.getUserMedia({ audio }).catch(() => {
    throw new Error("The browser did not allow the microphone.");
  });
  const player = context();
  await player.audioWorklet.addModule("capture_worklet.js");
  const source = player.createMediaStreamSource(stream);
  const capture = new AudioWorkletNode(player, "capture", { numberOfOutputs: 1 });
  capture.port.onmessage = ({ data }) => onBlock(data);
  source.connect(capture);
  return {
    rate: player.sampleRate,
    source,
    stop() {
      source.disconnect();
      capture.port.onmessage = null;
      stream.getTracks().forEach((track) => track.stop());
    },
  };
}

/** Plays a recording. `time` is the position that is audible now (seconds), so pictures drawn for it are in step. */
export class Player {
  constructor(onChange) {
    Object.assign(this, { onChange, buffer: null, loop: false, range: null, _node: null, _at: 0, _started: 0, _shown: null });
  }

  load({ samples, rate }) {
    this.pause();
    this.buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
    this.buffer.copyToChannel(samples, 0);
    [this._at, this.range] = [0, null];
    this.onChange();
  }

  get duration() {
    return this.buffer?.duration ?? 0;
  }

  get playing() {
    return this._node !== null;
  }

  /** Whether time passes without sound. */
  get isPreviewing() {
    return this._shown !== null;
  }

  /** Let time pass without sound, again and again, until something is played or chosen: before the first click there is none. */
  preview() {
    if (this.playing) return;
    this._shown = performance.now();
    this.onChange();
  }

  get time() {
    if (this.isPreviewing) return ((performance.now() - this._shown) / 1000) % this.duration;
    if (!this.playing) return this._at;
    const player = context();
    const position = player.currentTime - (player.outputLatency || player.baseLatency || 0);
    const elapsed = this._at + Math.max(0, position - this._started);
    const [start, end] = this._bounds();
    return this.loop && elapsed >= end ? start + ((elapsed - start) % (end - start)) : Math.min(elapsed, this.duration);
  }

  play() {
    if (!this.buffer || this.playing) return;
    this._shown = null;
    const player = context();
    const [start, end] = this._bounds();
    if (this._at >= end - 0.01 || (this.loop && this._at < start)) this._at = start;
    const node = new AudioBufferSourceNode(player, { buffer: this.buffer, loop: this.loop, loopStart: start, loopEnd: end });
    node.connect(player.destination);
    node.onended = () => {
      if (this._node === node) [this._node, this._at] = [null, this.duration];
      this.onChange();
    };
    this._started = player.currentTime;
    node.start(0, this._at);
    this._node = node;
    this.onChange();
  }

  pause() {
    const time = this.time;
    const node = this._node;
    [this._node, this._at, this._shown] = [null, time, null];
    node?.stop();
    this.onChange();
  }

  seek(time) {
    const again = this.playing;
    if (again || this.isPreviewing) this.pause();
    this._at = Math.max(0, Math.min(time, this.duration));
    if (again) this.play();
    this.onChange();
  }

  setLoop(loop, range = this.range) {
    const again = this.playing;
    if (again) this.pause();
    Object.assign(this, { loop, range });
    if (again) this.play();
    this.onChange();
  }

  _bounds() {
    return this.loop && this.range ? this.range : [0, this.duration];
  }
}
