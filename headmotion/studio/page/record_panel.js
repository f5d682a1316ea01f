// Records the microphone until the button is pressed again.

import { openMicrophone } from "./sound.js";
import { attempt, page, say } from "./status.js";

const SHORTEST_S = 0.25;

export class RecordPanel {
  /** `onStart()` is called before, `onSpeech({ samples, rate })` after a recording. */
  constructor(onStart, onSpeech) {
    Object.assign(this, { onStart, onSpeech, recorder: null });
    page.record.addEventListener("click", () => this.toggle());
  }

  async toggle() {
    if (this.recorder) return this._finish();
    this.onStart();
    const blocks = [];
    const listen = (block) => {
      blocks.push(block);
      const level = Math.sqrt(block.reduce((sum, x) => sum + x * x, 0) / block.length);
      page.record.style.setProperty("--level", Math.min(1, 5 * level));
    };
    const microphone = await attempt("Opening the microphone …", () => openMicrophone(listen));
    if (microphone) this.recorder = { microphone, blocks };
    return this._show();
  }

  _finish() {
    const { microphone, blocks } = this.recorder;
    this.recorder = null;
    microphone.stop();
    this._show();
    const length = blocks.reduce((sum, block) => sum + block.length, 0);
    if (length < SHORTEST_S * microphone.rate) return say("That was too short.", true);
    const samples = new Float32Array(length);
    blocks.reduce((at, block) => (samples.set(block, at), at + block.length), 0);
    return this.onSpeech({ samples, rate: microphone.rate });
  }

  _show() {
    const isOn = Boolean(this.recorder);
    page.record.classList.toggle("on", isOn);
    page.record.querySelector(".label").textContent = isOn ? "Stop" : "Record";
    page.record.style.setProperty("--level", 0);
    page.live.disabled = isOn;
  }
}
