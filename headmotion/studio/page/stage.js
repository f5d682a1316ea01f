// The views: one talking picture, or two side by side; lines; and a head.

import * as api from "./api.js";
import { blendshapesOf } from "./arkit.js";
import { HeadView } from "./head_view.js";
import { drawLines, squareAround } from "./lines_view.js";
import { headAngles } from "./motion.js";
import { PortraitCanvas } from "./portrait_canvas.js";
import { page } from "./status.js";

const UNIT_SQUARE = [0, 0, 1];

export class Stage {
  constructor() {
    Object.assign(this, { face: null, isComparing: false, isEditingPoints: false, _drawn: {} });
    this._portraits = [null, null];
  }

  async openHead() {
    this.head = new HeadView(page.head, await api.head());
    this.redraw();
  }

  /** Show another face; `image` is its picture, decoded. */
  setFace(face, image) {
    Object.assign(this, { face, image, square: squareAround(face.still), edited: null });
    this._portraits = [new PortraitCanvas(page.portrait, face, image), null];
    if (this.isComparing) this.compare(true);
    this.redraw();
  }

  /** Show two pictures side by side, or one. */
  compare(isComparing) {
    this.isComparing = isComparing;
    page["other-view"].hidden = !isComparing;
    document.body.classList.toggle("comparing", isComparing);
    if (isComparing && this.face && !this._portraits[1]) {
      this._portraits[1] = new PortraitCanvas(page["portrait-b"], this.face, this.image);
    }
    this.redraw();
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
    if (this._isNew("views", active)) this._drawViews(active);
  }

  _isNew(view, shown) {
    const key = shown?.key ?? "still";
    if (this._drawn[view] === key) return false;
    this._drawn[view] = key;
    return true;
  }

  _drawViews(shown) {
    const { face } = this;
    const pose = (this.isEditingPoints && this.edited) || shown?.pose || face.still;
    const [left, top, right] = face.shown;
    page.overlay.hidden = !(page.mesh.checked || this.isEditingPoints);
    if (!page.overlay.hidden) drawLines(page.overlay, face, pose, [left, top, right - left], true);
    if (shown?.drawing) drawLines(page.lines, shown.motion.body, shown.drawing, UNIT_SQUARE);
    else drawLines(page.lines, face, pose, this.square);
    this.head?.draw(shown?.weights ?? blendshapesOf(pose, face.still, face), headAngles(face, pose));
  }
}
