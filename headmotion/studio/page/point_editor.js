// Landmarks that are dragged over the picture, or moved by keys.

const REACH = 0.05; // of the shorter side: how near to a point one has to press

export class PointEditor {
  /** `onCorrect(landmarks)` is called with all landmarks [68, 2] of the whole picture when a point was moved. */
  constructor(overlay, stage, onCorrect) {
    Object.assign(this, { overlay, stage, onCorrect, _point: null, _isOn: false });
    overlay.addEventListener("pointerdown", (event) => this._begin(event));
    overlay.addEventListener("pointermove", (event) => this._point !== null && event.buttons && this._moveTo(this._position(event)));
    overlay.addEventListener("pointerup", () => this._end());
    overlay.addEventListener("keydown", (event) => this._key(event));
  }

  setOn(isOn) {
    this._isOn = isOn;
    this._point = null;
    this.stage.edited = isOn ? this.stage.face.still.slice() : null;
    this.overlay.tabIndex = isOn ? 0 : -1;
    if (isOn) this.overlay.removeAttribute("aria-hidden");
    else this.overlay.setAttribute("aria-hidden", "true");
  }

  /** Position of an event in pixels of what is drawn. */
  _position({ clientX, clientY }) {
    const box = this.overlay.getBoundingClientRect();
    const side = Math.min(box.width, box.height);
    const [x0, y0, x1] = this.stage.face.shown;
    const scale = (x1 - x0) / side;
    return [x0 + (clientX - box.left - (box.width - side) / 2) * scale, y0 + (clientY - box.top - (box.height - side) / 2) * scale];
  }

  _begin(event) {
    if (!this._isOn) return;
    this.stage.edited ??= this.stage.face.still.slice();
    const { edited, face } = this.stage;
    const [x, y] = this._position(event);
    const distances = Array.from({ length: edited.length / 2 }, (_, k) => Math.hypot(edited[2 * k] - x, edited[2 * k + 1] - y));
    const nearest = distances.indexOf(Math.min(...distances));
    if (distances[nearest] > REACH * (face.shown[2] - face.shown[0])) return;
    this.overlay.setPointerCapture(event.pointerId);
    this._point = nearest;
  }

  _moveTo([x, y]) {
    this.stage.edited.set([x, y], 2 * this._point);
    this._hasMoved = true;
    this.stage.redrawLines();
  }

  _end() {
    if (this._point === null || !this._hasMoved) return;
    this._hasMoved = false;
    const { edited, face } = this.stage;
    const { scale, shift } = face.to_view;
    this.onCorrect(Array.from(face.landmarks, (_, k) => [0, 1].map((c) => (edited[2 * k + c] - shift[c]) / scale)));
  }

  /** N and P choose a point, arrows move it by a pixel. */
  _key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const count = this.stage.face.still.length / 2;
    if (event.key === "n" || event.key === "p") {
      this._point = ((this._point ?? -1) + (event.key === "n" ? 1 : count - 1)) % count;
      this.overlay.setAttribute("aria-label", `Landmark ${this._point + 1} of ${count}`);
    } else if (event.key in steps && this._point !== null) {
      event.preventDefault();
      this.stage.edited ??= this.stage.face.still.slice();
      this._moveTo(steps[event.key].map((step, c) => this.stage.edited[2 * this._point + c] + step));
      this._end();
    }
  }
}
