// The views: one talking picture, or two side by side; lines; and a head.

import * as api from "./api.js";
import { blendshapesOf } from "./arkit.js";
import { HeadView } from "./head_view.js";
import { drawLines, squareAround } from "./lines_view.js";
import { headAngles } from "./motion.js";
import { PortraitCanvas } from "./portrait_canvas.js";
import { page } from "./status.js";

const UNIT_SQUARE = [0, 0, 1];
const [SLOW_MS, SLOW_FRAMES] = [50, 15]; // how long a frame may take, and how many more may take longer than do not
const [SCALE_STEP, MIN_SCALE] = [0.75, 0.5]; // of the picture where they do

export class Stage {
  constructor() {
    Object.assign(this, { face: null, isComparing: false, isEditingPoints: false, _drawn: {} });
    Object.assign(this, { _portraits: [null, null], _scale: 1, _slow: 0, _last: null });
  }

  async openHead() {
    this.head = new HeadView(page.head, await api.head());
    this.redraw();
  }

  /** Show another face; `image` is its picture, decoded. */
  setFace(face, image) {
    Object.assign(this, { face, image, square: squareAround(face.still), edited: null });
    this._portraits = [this._portrait(page.portrait), null];
    if (this.isComparing) this.compare(true);
    this.redraw();
  }

  /** Show two pictures side by side, or one. */
  compare(isComparing) {
    this.isComparing = isComparing;
    page["other-view"].hidden = !isComparing;
    document.body.classList.toggle("comparing", isComparing);
    if (isComparing && this.face && !this._portraits[1]) {
      this._portraits[1] = this._portrait(page["portrait-b"]);
    }
    this.redraw();
  }

  /** Keep up with the sound: where frames take long, as without a graphics card, pictures get fewer pixels. */
  keepPace(isMoving) {
    const now = performance.now();
    if (isMoving && this._last !== null) this._slow = Math.max(0, this._slow + (now - this._last > SLOW_MS ? 1 : -1));
    this._last = isMoving ? now : null;
    if (this._slow < SLOW_FRAMES || this._scale === MIN_SCALE) return;
    this.setScale(Math.max(MIN_SCALE, SCALE_STEP * this._scale));
  }

  /** Draw pictures with fewer pixels; see `PortraitCanvas`. */
  setScale(scale) {
    Object.assign(this, { _slow: 0, _scale: scale });
    this._portraits.forEach((portrait) => portrait?.setScale(scale));
    this.redraw();
  }

  _portrait(canvas) {
    const portrait = new PortraitCanvas(canvas, this.face, this.image);
    portrait.setScale(this._scale);
    return portrait;
  }

  redraw() {
    this._drawn = {};
  }

  redrawLines() {
    this._drawn.views = null;
  }

  /** Draw what is shown: the pictures of `poses`, and lines and head of the one that controls edit. */
  draw(poses, active) {
    if (!this.face) return;
    poses.forEach((shown, k) => {
      if (this._isNew(`portrait${k}`, shown) && this._portraits[k]) this._portraits[k].draw(shown?.pose ?? this.face.still);
    });
    if (this._isNew("views", active)) this._drawViews(active, poses[0]);
  }

  _isNew(view, shown) {
    const key = shown?.key ?? "still";
    if (this._drawn[view] === key) return false;
    this._drawn[view] = key;
    return true;
  }

  /** Lines and head show `shown`; over the first picture are the landmarks of `first`. */
  _drawViews(shown, first) {
    const { face } = this;
    const edited = this.isEditingPoints && this.edited;
    const pose = edited || shown?.pose || face.still;
    const [left, top, right] = face.shown;
    page.overlay.hidden = !(page.mesh.checked || this.isEditingPoints);
    if (!page.overlay.hidden) drawLines(page.overlay, face, edited || first?.pose || face.still, [left, top, right - left], true);
    if (shown?.drawing) drawLines(page.lines, shown.motion.body, shown.drawing, UNIT_SQUARE);
    else drawLines(page.lines, face, pose, this.square);
    this.head?.draw(shown?.weights ?? blendshapesOf(pose, face.still, face), headAngles(face, pose));
  }
}
