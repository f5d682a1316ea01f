// The page: what is spoken, which face speaks, and two versions of its motion that can be compared.

import * as api from "./api.js";
import { blendshapesOf } from "./arkit.js";
import { encodeWav } from "./bytes.js";
import { START, controlsOf, makeControls } from "./controls.js";
import { HeadView } from "./head_view.js";
import { drawLines, squareAround } from "./lines_view.js";
import { Live } from "./live.js";
import { Motion, Retarget, curves, headAngles, measure } from "./motion.js";
import { PortraitCanvas } from "./portrait_canvas.js";
import { makeRendererForms } from "./renderer_forms.js";
import { makeSaveButtons } from "./save.js";
import { Player, decode, openMicrophone } from "./sound.js";
import { Timeline } from "./timeline.js";

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));
const SLOT_NAMES = ["A", "B"];
const [ROLLING_SECONDS, ROLLING_STEP] = [6, 3]; // of the waveform in live mode, and frames from one drawing to the next

/** Show what happens; a promise's failure is shown as an error. */
function say(text, isError = false) {
  page.status.textContent = text;
  page.status.classList.toggle("error", isError);
}

async function attempt(text, work) {
  say(text);
  try {
    const result = await work();
    say("");
    return result;
  } catch (error) {
    say(error.message, true);
    console.warn(error);
    return null;
  }
}

class Studio {
  async start() {
    this.info = await api.info();
    this.models = Object.fromEntries(this.info.models.map((model) => [model.name, model]));
    const [first] = this.info.models;
    const settings = this.info.static ? { ...START, blink: 0 } : START;
    document.body.classList.toggle("static", Boolean(this.info.static));
    this.slots = SLOT_NAMES.map((name) => ({ name, model: first.name, settings: { ...settings }, take: null, motion: null }));
    this.active = 0;
    this.player = new Player(() => this.showTransport());
    this.timeline = new Timeline(page.curves, page.legend, this.player);
    this.controls = makeControls(page.controls, (settings) => this.changeSettings(settings));
    const save = (format) => this.file(format);
    makeSaveButtons(page.save, this.info.formats, save);
    makeRendererForms(page.renderers.querySelector("div"), this.info.renderers, (renderer) => this.file("mp4", renderer));
    this.listModels();
    this.listen();
    page.say.querySelector("button").disabled = !this.info.speaks;
    page.text.title = this.info.speaks ? "" : "Needs espeak-ng: pip install 'headmotion[espeak]'";
    await this.chooseFace(this.info.faces[0], this.info.faces[0]);
    requestAnimationFrame(() => this.tick());
    attempt("Getting the head …", async () => {
      this.head = new HeadView(page.head, await api.head());
      this.drawn = null;
    });
    const sample = await api.sample();
    await this.setSpeech(await decode(sample, this.info.rate));
    document.body.dataset.ready = "yes"; // for tests
  }

  get slot() {
    return this.slots[this.active];
  }

  get other() {
    return this.slots[1 - this.active];
  }

  // Faces

  async chooseFace(source, name) {
    const crop = page.whole.checked ? "none" : "head";
    const face = await attempt("Looking for the face …", () => api.face(source, crop));
    if (!face) return;
    face.still = Float64Array.from(face.pose.flat());
    const picture = await (await fetch(face.picture)).blob();
    const image = await createImageBitmap(picture, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    this.face = face;
    this.portrait = new PortraitCanvas(page.portrait, face, image);
    this.square = squareAround(face.still);
    if (name !== undefined) this.addFace(name, face);
    for (const slot of this.slots) this.measure(slot);
    this.live?.change({ face });
    this.showCurves();
  }

  addFace(name, face) {
    const button = document.createElement("button");
    button.title = `Face: ${name}`;
    button.setAttribute("aria-label", `Face ${name}`);
    button.innerHTML = `<img alt="">`;
    button.firstChild.src = face.picture;
    button.addEventListener("click", () => {
      this.markFace(button);
      this.chooseFace(face.name);
    });
    page.faces.append(button);
    this.markFace(button);
  }

  markFace(chosen) {
    for (const button of page.faces.children) button.setAttribute("aria-pressed", button === chosen);
  }

  // Speech

  async setSpeech(speech) {
    this.speech = speech;
    this.player.load(speech);
    this.timeline.setSpeech(speech);
    this.wav = encodeWav(speech.samples, speech.rate);
    for (const slot of this.slots) Object.assign(slot, { take: null, raw: null, motion: null, curves: null });
    await this.generate(this.slot);
  }

  async generate(slot) {
    if (!this.wav || !this.face) return;
    const { wav } = this;
    const begin = performance.now();
    const packet = await attempt("Moving the face …", () => api.take(wav, { face: this.face.name, model: slot.model }));
    if (!packet || wav !== this.wav) return;
    Object.assign(slot, { take: packet.name, raw: new Motion(packet), applied: null });
    say(`${packet.frames} frames in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    await this.applyControls(slot);
  }

  /** Ask for the take after the controls; while an answer is awaited, only the last settings wait. */
  async applyControls(slot) {
    if (!slot.take || slot.isAsking) return;
    const controls = controlsOf(slot.settings);
    const wanted = JSON.stringify(controls);
    const { take } = slot;
    slot.isAsking = true;
    try {
      const isPlain = wanted === "{}";
      const motion = isPlain ? slot.raw : new Motion(await api.motion(take, controls));
      if (take === slot.take) Object.assign(slot, { motion, applied: wanted });
    } catch (error) {
      say(error.message, true);
    }
    slot.isAsking = false;
    this.measure(slot);
    this.showCurves();
    if (take !== slot.take || JSON.stringify(controlsOf(slot.settings)) !== wanted) await this.applyControls(slot);
  }

  measure(slot) {
    if (!slot.motion) return;
    slot.retarget = new Retarget(slot.motion.reference, this.face);
    slot.curves = curves(slot.motion, this.face);
  }

  // Versions

  changeSettings(settings) {
    this.slot.settings = settings;
    this.applyControls(this.slot);
    this.live?.change({ controls: controlsOf(settings) });
  }

  choose(number) {
    this.active = number;
    const { slot } = this;
    [page["slot-a"], page["slot-b"]].forEach((button, k) => button.setAttribute("aria-pressed", k === number));
    this.controls.set(slot.settings);
    page.model.value = slot.model;
    this.live?.change({ model: this.models[slot.model], controls: controlsOf(slot.settings) });
    if (!slot.take) this.generate(slot);
    this.showCurves();
  }

  copyToOther() {
    const { slot, other } = this;
    Object.assign(other, { ...slot, name: other.name, isAsking: false });
    this.choose(1 - this.active);
    say(`Version ${this.slot.name} is a copy of ${this.other.name} now.`);
  }

  listModels() {
    for (const { name, lookahead_ms: lookahead } of this.info.models) {
      const note = lookahead === null ? "whole clip" : `${Math.round(lookahead)} ms`;
      page.model.append(new Option(`${name} · ${note}`, name));
    }
    page.model.addEventListener("change", () => {
      this.slot.model = page.model.value;
      this.live?.change({ model: this.models[page.model.value] });
      this.generate(this.slot);
    });
  }

  // Saving

  async file(format, renderer = null) {
    const { take, settings } = this.slot;
    if (!take) return null;
    const crop = page.whole.checked ? "none" : "head";
    const options = { format, controls: controlsOf(settings), face: this.face.name, crop, renderer };
    return attempt(`Writing ${format} …`, () => api.file(take, options));
  }

  // Live mode

  async toggleLive() {
    if (this.live) {
      const recording = this.live.stop();
      this.live = this.rolling = null;
      this.showLive();
      const isLong = recording.samples.length > recording.rate / 2;
      await (isLong ? this.setSpeech(recording) : this.timeline.setSpeech(this.speech));
      this.showCurves();
      return;
    }
    this.player.pause();
    const { slot } = this;
    const options = { model: this.models[slot.model], face: this.face, controls: controlsOf(slot.settings) };
    const live = new Live(options, (error) => {
      say(error.message, true);
      if (this.live === live) this.toggleLive();
    });
    if (await attempt("Opening the microphone …", () => live.start().then(() => true))) this.live = live;
    else live.stop();
    this.showLive();
  }

  showLive() {
    const isLive = Boolean(this.live);
    page.live.classList.toggle("on", isLive);
    page.live.setAttribute("aria-pressed", isLive);
    page.live.querySelector(".label").textContent = isLive ? "Stop" : "Go live";
    page.hear.parentElement.hidden = !isLive;
    page.hear.checked = false;
    page.play.disabled = page.record.disabled = isLive;
    if (!isLive) page.delay.textContent = "";
    document.body.classList.toggle("talked", isLive || document.body.classList.contains("talked"));
  }

  /** The pose of the live session, carried over to the face. */
  livePose() {
    const { live } = this;
    if (!live.reference) return null;
    if (live.reference !== this.liveReference || this.liveFace !== this.face) {
      [this.liveReference, this.liveFace] = [live.reference, this.face];
      this.liveRetarget = new Retarget(live.reference, this.face);
    }
    const frame = live.frame;
    this.rollTimeline(frame);
    const ahead = Math.round(live.lookahead ?? 0);
    page.delay.textContent = frame ? `look-ahead ${ahead} ms · delay ${Math.round(1000 * live.delay)} ms` : "listening …";
    return frame && { key: frame, pose: this.liveRetarget.apply(frame) };
  }

  /** Show the last seconds of the voice, up to what the picture shows, and the curves of the face. */
  rollTimeline(frame) {
    if (!frame || frame === this.rolled) return;
    this.rolled = frame;
    const { live, face, timeline } = this;
    const window = ROLLING_SECONDS * this.models[this.slot.model].fps;
    this.rolling = [...(this.rolling ?? []), measure(face, this.liveRetarget.apply(frame))].slice(-window);
    this.frames = (this.frames ?? 0) + 1;
    if (this.frames % ROLLING_STEP) return;
    const samples = live.recent(ROLLING_SECONDS + live.delay);
    const heard = samples.subarray(0, Math.max(1, samples.length - Math.round(live.delay * live.rate)));
    timeline.setSpeech({ samples: heard.slice(-ROLLING_SECONDS * live.rate), rate: live.rate });
    const names = ["mouth", "eyes", "pitch", "yaw", "roll"];
    timeline.setCurves(Object.fromEntries(names.map((name) => [name, this.rolling.map((at) => at[name])])));
  }

  // Recording

  async toggleRecord() {
    if (this.recorder) {
      const { recorder } = this;
      this.recorder = null;
      recorder.microphone.stop();
      this.showRecord();
      const length = recorder.blocks.reduce((sum, block) => sum + block.length, 0);
      if (length < recorder.microphone.rate / 4) return say("That was too short.", true);
      const samples = new Float32Array(length);
      recorder.blocks.reduce((at, block) => (samples.set(block, at), at + block.length), 0);
      return this.setSpeech({ samples, rate: recorder.microphone.rate });
    }
    this.player.pause();
    const blocks = [];
    const listen = (block) => {
      blocks.push(block);
      const level = Math.sqrt(block.reduce((sum, x) => sum + x * x, 0) / block.length);
      page.record.style.setProperty("--level", Math.min(1, 5 * level));
    };
    const microphone = await attempt("Opening the microphone …", () => openMicrophone(listen));
    if (microphone) this.recorder = { microphone, blocks };
    return this.showRecord();
  }

  showRecord() {
    const isOn = Boolean(this.recorder);
    page.record.classList.toggle("on", isOn);
    page.record.querySelector(".label").textContent = isOn ? "Stop" : "Record";
    page.record.style.setProperty("--level", 0);
    page.live.disabled = isOn;
  }

  // Drawing

  showTransport() {
    const { player } = this;
    document.body.classList.toggle("playing", player.playing);
    if (player.playing) document.body.classList.add("talked");
    page.play.setAttribute("aria-label", player.playing ? "Pause" : "Play");
    page.loop.setAttribute("aria-pressed", player.loop);
    this.drawnTime = null;
  }

  showCurves() {
    this.drawn = this.drawnTime = null;
    this.timeline.setCurves(this.slot.curves, this.other.curves);
    for (const button of page.save.children) button.disabled = !this.slot.take;
    page["view-name"].textContent = `${this.slot.name} · ${this.slot.model}`;
  }

  tick() {
    requestAnimationFrame(() => this.tick());
    const shown = this.live ? this.livePose() : this.takePose();
    const key = shown?.key ?? "still";
    this.drawTime();
    if (!this.face || (key === this.drawn?.key && this.face === this.drawn.face && page.mesh.checked === this.drawn.mesh)) return;
    this.drawn = { key, face: this.face, mesh: page.mesh.checked };
    this.drawPose(shown);
  }

  drawTime() {
    const { time } = this.player;
    if (time === this.drawnTime) return;
    this.drawnTime = time;
    this.timeline.draw();
    page.time.textContent = `${clock(time)} / ${clock(this.player.duration)}`;
  }

  takePose() {
    const { motion, retarget } = this.slot;
    if (!motion) return null;
    const frame = motion.frameAt(this.player.time);
    return { key: `${this.slot.name} ${frame}`, pose: retarget.apply(motion.pose(frame)), weights: motion.weightsAt(frame) };
  }

  drawPose(shown) {
    const { face } = this;
    const pose = shown?.pose ?? face.still;
    this.portrait.draw(pose);
    const [left, top, right] = face.shown;
    page.overlay.hidden = !page.mesh.checked;
    if (page.mesh.checked) drawLines(page.overlay, face, pose, [left, top, right - left], true);
    drawLines(page.lines, face, pose, this.square);
    this.head?.draw(shown?.weights ?? blendshapesOf(pose, face.still, face), headAngles(face, pose));
  }

  // Events

  listen() {
    page.play.addEventListener("click", () => (this.player.playing ? this.player.pause() : this.player.play()));
    page.loop.addEventListener("click", () => this.player.setLoop(!this.player.loop));
    page.record.addEventListener("click", () => this.toggleRecord());
    page.live.addEventListener("click", () => this.toggleLive());
    page.hear.addEventListener("change", () => this.live && (this.live.isHeard = page.hear.checked));
    page.sound.addEventListener("change", () => this.take(page.sound.files[0]));
    page.picture.addEventListener("change", () => this.take(page.picture.files[0]));
    page.whole.addEventListener("change", () => this.chooseFace(this.face.name));
    page["slot-a"].addEventListener("click", () => this.choose(0));
    page["slot-b"].addEventListener("click", () => this.choose(1));
    page["slot-copy"].addEventListener("click", () => this.copyToOther());
    page.reset.addEventListener("click", () => {
      this.controls.set(START);
      this.changeSettings({ ...START });
    });
    page.theme.addEventListener("click", () => {
      document.documentElement.classList.toggle("light");
      this.drawn = this.drawnTime = null;
    });
    page.say.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt("Speaking …", async () => this.setSpeech(await decode(await api.speak(page.text.value, page.voice.value))));
    });
    this.listenToKeys();
    this.listenToDrops();
  }

  listenToKeys() {
    const keys = {
      " ": () => page.play.click(), l: () => page.live.click(), r: () => page.record.click(),
      1: () => this.choose(0), 2: () => this.choose(1), o: () => page.loop.click(),
    };
    document.addEventListener("keydown", (event) => {
      const isTyping = event.target.closest("input, textarea, select, button, summary");
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  listenToDrops() {
    const highlight = (isOver) => document.body.classList.toggle("dropping", isOver);
    document.addEventListener("dragover", (event) => (event.preventDefault(), highlight(true)));
    document.addEventListener("dragleave", () => highlight(false));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      highlight(false);
      this.take(event.dataTransfer.files[0]);
    });
  }

  /** Take a file: a picture becomes the face, anything else the speech. */
  async take(file) {
    if (!file) return;
    if (file.type.startsWith("image/")) await this.chooseFace(file, file.name);
    else await attempt("Reading the sound …", async () => this.setSpeech(await decode(await file.arrayBuffer(), this.info.rate)));
  }
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
}

if (matchMedia("(prefers-color-scheme: light)").matches) document.documentElement.classList.add("light");
const studio = new Studio();
window.studio = studio; // for tests, and for people who like to look inside
studio.start().catch((error) => say(error.message, true));
