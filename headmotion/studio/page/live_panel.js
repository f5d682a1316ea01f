// Live mode on the page: its button, the measured delay, and the last seconds of voice and curves.

import { Live } from "./live.js";
import { Retarget, measure } from "./motion.js";
import { attempt, page, say } from "./status.js";

const [ROLLING_SECONDS, ROLLING_STEP] = [6, 3]; // of the waveform, and frames from one drawing to the next
const CURVES = ["mouth", "eyes", "pitch", "yaw", "roll"];

export class LivePanel {
  /** `options()` returns model, face and controls; `onStart()` and `onEnd(recording)` frame a session. */
  constructor(timeline, options, onStart, onEnd) {
    Object.assign(this, { timeline, options, onStart, onEnd, live: null });
    page.live.addEventListener("click", () => this.toggle());
    page.hear.addEventListener("change", () => this.live && (this.live.isMonitoring = page.hear.checked));
  }

  async toggle() {
    if (this.live) {
      const recording = this.live.stop();
      this.live = null;
      this._show();
      await this.onEnd(recording);
      return;
    }
    this.onStart();
    const live = new Live(this.options(), (error) => {
      say(error.message, true);
      if (this.live === live) this.toggle();
    });
    if (await attempt("Opening the microphone …", () => live.start().then(() => true))) this.live = live;
    else live.stop();
    Object.assign(this, { rolling: [], count: 0, rolled: null });
    this._show();
  }

  /** Use other options from now on. */
  change(options) {
    this.live?.change(options);
  }

  /** The pose of the session, carried over to the face; null before the first one. */
  pose(face) {
    const { live } = this;
    if (!live.reference) return null;
    if (live.reference !== this.reference || this.face !== face) {
      [this.reference, this.face] = [live.reference, face];
      this.retarget = new Retarget(live.reference, face);
    }
    const { frame } = live;
    const ahead = Math.round(live.lookahead ?? 0);
    const delays = frame ? `look-ahead ${ahead} ms · delay ${Math.round(1000 * live.delay)} ms` : "listening …";
    page.delay.textContent = live.isConnected ? delays : "The server does not answer; trying again …";
    if (!frame) return null;
    const shown = { key: `live ${live.count}`, pose: this.retarget.apply(frame) };
    this._roll(shown);
    return shown;
  }

  /** Show the last seconds of the voice, up to what the picture shows, and the curves of the face. */
  _roll({ key, pose }) {
    if (key === this.rolled) return;
    this.rolled = key;
    const { live, face, timeline } = this;
    this.rolling = [...this.rolling, measure(face, pose)].slice(-ROLLING_SECONDS * live.options.model.fps);
    this.count += 1;
    if (this.count % ROLLING_STEP) return;
    const samples = live.recent(ROLLING_SECONDS + live.delay);
    const voice = samples.subarray(0, Math.max(1, samples.length - Math.round(live.delay * live.rate)));
    timeline.setSpeech({ samples: voice.slice(-ROLLING_SECONDS * live.rate), rate: live.rate });
    timeline.setCurves(Object.fromEntries(CURVES.map((name) => [name, this.rolling.map((at) => at[name])])));
  }

  _show() {
    const isLive = Boolean(this.live);
    page.live.classList.toggle("on", isLive);
    page.live.setAttribute("aria-pressed", isLive);
    page.live.querySelector(".label").textContent = isLive ? "Stop" : "Go live";
    page.hear.parentElement.hidden = !isLive;
    this.timeline.setRolling(isLive);
    page.hear.checked = false;
    page.play.disabled = page.record.disabled = isLive;
    if (!isLive) page.delay.textContent = "";
    document.body.classList.toggle("talked", isLive || document.body.classList.contains("talked"));
  }
}
