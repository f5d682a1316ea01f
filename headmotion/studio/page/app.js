// The page: what is spoken, which face speaks, and two versions of its motion that can be compared.

import * as api from "./api.js";
import { encodeWav } from "./bytes.js";
import { START, controlsOf, makeControls } from "./controls.js";
import { FacesPanel } from "./faces_panel.js";
import { listenToDrops, listenToKeys } from "./keys.js";
import { LivePanel } from "./live_panel.js";
import { ControlForms, makeModelForm, makeRendererForm } from "./part_forms.js";
import { RecordPanel } from "./record_panel.js";
import { makeSaveButtons, showFormats } from "./save.js";
import { Player, decode } from "./sound.js";
import { Stage } from "./stage.js";
import { attempt, page, say } from "./status.js";
import { Timeline } from "./timeline.js";
import { Version } from "./version.js";

const NAMES = ["A", "B"];
const STATIC_CONTROLS = ["lips", "head", "smooth"]; // those of edits.js

class Studio {
  async start() {
    this.info = await api.info();
    this.models = {};
    document.body.classList.toggle("static", Boolean(this.info.static));
    this.info.models.forEach((model) => this.addModel(model));
    this.startSettings = this.info.static ? { ...START, blink: 0 } : START;
    const [first] = this.info.models;
    this.slots = NAMES.map((name) => new Version(name, first.name, this.startSettings, () => this.showCurves()));
    this.active = 0;
    this.player = new Player(() => this.showTransport());
    this.timeline = new Timeline(page.curves, page.legend, this.player, (time, change) => this.correct(time, change), !this.info.static);
    this.stage = new Stage();
    this.faces = new FacesPanel(this.stage, (face) => this.useFace(face));
    this.livePanel = new LivePanel(this.timeline, () => this.liveOptions(), () => this.player.pause(), (speech) => this.endLive(speech));
    this.recordPanel = new RecordPanel(() => this.player.pause(), (speech) => this.answer(speech));
    this.controls = makeControls(page.controls, (settings) => this.changeSettings(settings), this.info.static && STATIC_CONTROLS);
    this.makeForms();
    this.listen();
    page.say.querySelector("button").disabled = !this.info.speaks;
    if (this.info.static) page.hint.textContent = "Drop a sound file anywhere";
    page.text.title = this.info.speaks ? "" : "Needs espeak-ng: pip install 'headmotion[espeak]'";
    await this.faces.choose(this.info.faces[0], this.info.faces[0]);
    requestAnimationFrame(() => this.tick());
    attempt("Getting the head …", () => this.stage.openHead());
    await this.showSample();
    document.body.dataset.ready = "yes"; // for tests
  }

  /** The bundled speech; browsers allow its sound after a click only, so the face moves silently until then. */
  async showSample() {
    const sample = await decode(await api.sample(), this.info.rate);
    await this.setSpeech(sample);
    const isIdle = this.speech === sample && this.slot.take && !this.live && !this.recordPanel.recorder && !this.player.playing;
    if (!isIdle) return;
    page["hear-first"].hidden = false;
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.player.preview();
  }

  get slot() {
    return this.slots[this.active];
  }

  get other() {
    return this.slots[1 - this.active];
  }

  get face() {
    return this.stage.face;
  }

  get live() {
    return this.livePanel.live;
  }

  get isComparing() {
    return this.stage.isComparing;
  }

  // Face and speech

  useFace(face) {
    for (const slot of this.slots) slot.measure(face);
    this.livePanel.change({ face });
    this.showCurves();
  }

  async setSpeech(speech) {
    this.speech = speech;
    this.player.load(speech);
    this.timeline.setSpeech(speech);
    this.wav = encodeWav(speech.samples, speech.rate);
    for (const slot of this.slots) slot.forget();
    await this.generate(this.slot);
    if (this.isComparing) await this.generate(this.other);
  }

  /** Take speech that somebody has just given, and say it. */
  async answer(speech) {
    await this.setSpeech(speech);
    if (this.speech === speech && this.slot.take && !this.live && !this.recordPanel.recorder) this.player.play();
  }

  async generate(slot) {
    if (this.wav && this.face) await slot.generate(this.wav, this.face);
  }

  /** Take a file: a picture becomes the face, anything else the speech. */
  async take(file) {
    if (!file) return;
    if (file.type.startsWith("image/")) await this.faces.choose(file, file.name);
    else await attempt("Reading the sound …", async () => this.answer(await decode(await file.arrayBuffer(), this.info.rate)));
  }

  // Versions

  changeSettings(settings) {
    const { opening, more } = this.slot.settings;
    this.slot.settings = { ...settings, opening, more };
    this.applySettings();
  }

  changeMore(more) {
    this.slot.settings = { ...this.slot.settings, more };
    this.applySettings();
  }

  applySettings() {
    this.slot.apply(this.face);
    this.livePanel.change({ controls: this.liveControls() });
  }

  choose(number) {
    this.active = number;
    const { slot } = this;
    [page["slot-a"], page["slot-b"]].forEach((button, k) => button.setAttribute("aria-pressed", k === number));
    this.controls.set(slot.settings);
    this.moreControls?.set(slot.settings.more);
    page.model.value = slot.model;
    this.livePanel.change({ model: this.models[slot.model], controls: this.liveControls() });
    if (!slot.take) this.generate(slot);
    this.showCurves();
  }

  copyToOther() {
    const { slot, other } = this;
    slot.copyTo(other);
    this.choose(1 - this.active);
    say(`Version ${this.slot.name} is a copy of ${this.other.name} now.`);
  }

  /** Show both versions side by side, or only one. */
  compare(isOn) {
    this.stage.compare(isOn);
    page.compare.setAttribute("aria-pressed", isOn);
    if (isOn && !this.other.take) this.generate(this.other);
    this.showCurves();
  }

  addModel(model) {
    this.models[model.name] = model;
    const note = model.lookahead_ms === null ? "whole clip" : `${Math.round(model.lookahead_ms)} ms`;
    page.model.append(new Option(`${model.name} · ${note}`, model.name));
  }

  useModel(name) {
    this.slot.model = name;
    page.model.value = name;
    this.livePanel.change({ model: this.models[name] });
    page.live.disabled = this.models[name].live === false;
    this.generate(this.slot);
  }

  reset() {
    this.controls.set(this.startSettings);
    this.moreControls?.set([]);
    this.slot.settings = { ...this.startSettings, opening: this.slot.settings.opening };
    this.applySettings();
  }

  // Corrections of the mouth

  correct(time, change) {
    const { slot } = this;
    if (slot.motion) slot.correct(slot.motion.frameAt(time), change, this.face);
  }

  setCorrecting(isOn) {
    page.correct.setAttribute("aria-pressed", isOn);
    page.uncorrect.hidden = !isOn;
    this.timeline.setCorrecting(isOn);
    say(isOn ? "Drag the curve of the mouth up or down; letters are its shapes." : "");
  }

  uncorrect() {
    this.slot.settings = { ...this.slot.settings, opening: null };
    this.slot.apply(this.face);
  }

  // Saving, forms, live mode

  makeForms() {
    const { formats, parts } = this.info;
    makeSaveButtons(page.save, formats, (format) => this.file(format));
    if (this.info.static) return;
    this.moreControls = new ControlForms(page.more.querySelector("div"), parts.control, (more) => this.changeMore(more));
    makeRendererForm(page.renderers.querySelector("div"), parts.renderer, (renderer) => this.file("mp4", renderer));
    makeModelForm(page.parts.querySelector("div"), parts, (model) => {
      this.addModel(model);
      this.useModel(model.name);
    });
  }

  async file(format, renderer = null) {
    const { take, controls } = this.slot;
    if (!take) return null;
    const crop = page.whole.checked ? "none" : "head";
    const options = { format, controls, face: this.face.name, crop, renderer };
    return attempt(`Writing ${format} …`, () => api.file(take, options));
  }

  /** Controls of a stream, which has no corrections of a recording's frames. */
  liveControls() {
    return controlsOf({ ...this.slot.settings, opening: null });
  }

  liveOptions() {
    return { model: this.models[this.slot.model], face: this.face, controls: this.liveControls() };
  }

  async endLive(recording) {
    const isLong = recording.samples.length > recording.rate / 2;
    await (isLong ? this.setSpeech(recording) : this.timeline.setSpeech(this.speech));
    this.showCurves();
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
    if (this.live) return;
    const { slot, other } = this;
    this.stage.redraw();
    this.drawnTime = null;
    this.timeline.setShapes(slot.raw?.shapes ?? [], slot.raw?.fps ?? 25);
    this.timeline.setCurves(slot.curves, other.curves, this.confidenceNotes());
    showFormats(page.save, slot.take ? slot.motion?.formats ?? [] : []);
    const [left, right] = this.isComparing ? this.slots : [slot, other];
    page["view-name"].textContent = `${left.name} · ${left.model}`;
    page["other-name"].textContent = `${right.name} · ${right.model}`;
  }

  /** Texts of the legend: AV-Conf at each level, of one version or of both. */
  confidenceNotes() {
    const [shown, other] = this.isComparing ? this.slots : [this.slot, null];
    const number = (version, level) => version?.confidence?.[level]?.confidence.toFixed(1);
    const notes = {};
    (shown.confidence ?? this.slot.confidence ?? []).forEach(({ frame_ms: ms }, level) => {
      const values = [number(shown, level), number(other, level)].filter((value) => value !== undefined);
      notes[`sync${level}`] = { name: "AV-Conf", text: `${ms} ms: ${values.join(" / ")}`, isRepeated: level > 0 };
    });
    return notes;
  }

  tick() {
    requestAnimationFrame(() => this.tick());
    this.drawTime();
    this.stage.keepPace(this.player.playing || this.player.isPreviewing || Boolean(this.live));
    const at = (slot) => (this.stage.isEditingPoints ? null : slot.at(this.player.time));
    const active = this.live ? this.livePanel.pose(this.face) : at(this.slot);
    if (this.isComparing && !this.live) this.stage.draw(this.slots.map((slot) => (slot === this.slot ? active : at(slot))), active);
    else this.stage.draw([active], active);
    if (active?.pose) this.firstFaceMs ??= performance.now(); // since the page was asked for
  }

  drawTime() {
    if (this.live) {
      page.time.textContent = "live";
      this.drawnTime = null; // so that the time returns afterwards
      return;
    }
    const { time } = this.player;
    if (time === this.drawnTime) return;
    this.drawnTime = time;
    this.timeline.draw();
    page.time.textContent = `${clock(time)} / ${clock(this.player.duration)}`;
  }

  // Events

  listen() {
    const onClick = {
      play: () => (this.player.playing ? this.player.pause() : this.player.play()),
      "hear-first": () => this.player.play(),
      loop: () => this.player.setLoop(!this.player.loop),
      "slot-a": () => this.choose(0),
      "slot-b": () => this.choose(1),
      "slot-copy": () => this.copyToOther(),
      compare: () => this.compare(!this.isComparing),
      correct: () => this.setCorrecting(!this.timeline.isCorrecting),
      uncorrect: () => this.uncorrect(),
      reset: () => this.reset(),
      theme: () => (document.documentElement.classList.toggle("light"), this.stage.redraw(), (this.drawnTime = null)),
    };
    for (const [id, work] of Object.entries(onClick)) page[id].addEventListener("click", work);
    page.model.addEventListener("change", () => this.useModel(page.model.value));
    page.sound.addEventListener("change", () => this.take(page.sound.files[0]));
    page.say.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt("Speaking …", async () => this.answer(await decode(await api.speak(page.text.value, page.voice.value))));
    });
    const press = (id) => () => page[id].click();
    const byKey = { " ": "play", l: "live", r: "record", o: "loop", c: "compare", m: "correct", 1: "slot-a", 2: "slot-b" };
    listenToKeys(Object.fromEntries(Object.entries(byKey).map(([key, id]) => [key, press(id)])));
    listenToDrops((file) => this.take(file));
  }
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
}

if (matchMedia("(prefers-color-scheme: light)").matches) document.documentElement.classList.add("light");
const studio = new Studio();
window.studio = studio; // for tests, and for people who like to look inside
studio.start().catch((error) => say(error.message, true));
