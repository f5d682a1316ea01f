// Which face speaks: one of the server, a picture of the user, or one of the webcam; and its landmarks, if they are corrected.

import * as api from "./api.js";
import { PointEditor } from "./point_editor.js";
import { attempt, note, page, say } from "./status.js";

export class FacesPanel {
  /** `onFace(face, image)` is called with each new face. */
  constructor(stage, onFace) {
    Object.assign(this, { stage, onFace });
    this.editor = new PointEditor(page.overlay, stage, (landmarks) => this._correct(landmarks));
    page.picture.addEventListener("change", () => this.choose(page.picture.files[0], page.picture.files[0]?.name));
    page.whole.addEventListener("change", () => this.choose(this.face.name));
    page.mesh.addEventListener("change", () => stage.redraw());
    page.points.addEventListener("click", () => this.editPoints(!stage.isEditingPoints));
    page.webcam.addEventListener("click", () => this._openWebcam());
    page.snap.addEventListener("click", () => this._takePicture());
    page["webcam-dialog"].addEventListener("close", () => this._closeWebcam());
    page["webcam-cancel"].addEventListener("click", () => page["webcam-dialog"].close());
  }

  get face() {
    return this.stage.face;
  }

  get _crop() {
    return page.whole.checked ? "none" : "head";
  }

  /** Choose a face: a picture (Blob), or the name of one that the server has. A new one gets a button by its `name`. */
  async choose(source, name) {
    if (!source) return;
    const face = await attempt("Looking for the face …", () => api.face(source, this._crop));
    if (!face) return;
    await this._show(face);
    if (name !== undefined) this._addButton(name, face);
  }

  editPoints(isOn) {
    this.stage.isEditingPoints = isOn;
    page.points.setAttribute("aria-pressed", isOn);
    document.body.classList.toggle("editing-points", isOn);
    page.overlay.hidden = !isOn; // at once, and then with each drawing
    this.editor.setOn(isOn);
    this.stage.redraw();
    say(isOn ? "Drag points to where they belong in the picture." : "");
  }

  async _show(face) {
    face.still = Float64Array.from(face.pose.flat());
    const picture = await (await fetch(face.picture)).blob();
    const image = await createImageBitmap(picture, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    this.stage.setFace(face, image);
    note(face.warnings ?? []);
    await this.onFace(face);
  }

  async _correct(landmarks) {
    const { name } = this.face;
    const face = await attempt("Correcting the landmarks …", () => api.correctedFace(name, landmarks, this._crop));
    if (!face) return this.stage.redraw();
    await this._show(face);
    const button = [...page.faces.children].find((child) => child.getAttribute("aria-pressed") === "true");
    if (button) button.dataset.face = face.name;
    return undefined;
  }

  _addButton(name, face) {
    const button = document.createElement("button");
    button.title = `Face: ${name}`;
    button.setAttribute("aria-label", `Face ${name}`);
    button.innerHTML = `<img alt="">`;
    button.firstChild.src = face.picture;
    button.dataset.face = face.name;
    button.addEventListener("click", () => {
      this._mark(button);
      this.choose(button.dataset.face);
    });
    page.faces.append(button);
    this._mark(button);
  }

  _mark(chosen) {
    for (const button of page.faces.children) button.setAttribute("aria-pressed", button === chosen);
  }

  async _openWebcam() {
    const stream = await attempt("Opening the webcam …", () => {
      if (!navigator.mediaDevices) throw new Error("This page has no access to a webcam.");
      return navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "user" } }).catch(() => {
        throw new Error("The browser did not allow the webcam.");
      });
    });
    if (!stream) return;
    page["webcam-video"].srcObject = stream;
    page["webcam-dialog"].showModal();
    await page["webcam-video"].play();
  }

  async _takePicture() {
    const video = page["webcam-video"];
    const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    const picture = await new Promise((done) => canvas.toBlob(done, "image/png"));
    page["webcam-dialog"].close();
    await this.choose(picture, "webcam");
  }

  _closeWebcam() {
    page["webcam-video"].srcObject?.getTracks().forEach((track) => track.stop());
    page["webcam-video"].srcObject = null;
  }
}
