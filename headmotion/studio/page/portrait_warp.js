// A still picture of a face, warped to other poses: what of it is computed on the processor. The same as
// headmotion/renderers/portrait/warper.py; portrait_canvas.js draws the result.

import { mean, smoothstep, take } from "./complex.js";
import { Border } from "./border.js";
import { Grid, Interpolation } from "./fields.js";
import { ParallaxModel } from "./head_motion.js";
import { Shape, SkullMotion, boxAround, eyeFrame, mouthFrame, openLids } from "./openings.js";

const [SMOOTH_RADIUS, EXACT_RADIUS] = [0.8, 0.25];
const [SMOOTH_NODES, MAX_NODES] = [16, 128]; // of the grid of the surroundings, across the face and the picture
const [SMOOTH_RIDGE, EXACT_RIDGE] = [5.0, 1e-3];

export class PortraitWarp {
  /** `face`: what the server's /studio/face answers. */
  constructor(face) {
    [this.width, this.height] = face.size;
    this.face = face;
    this.pose = Float64Array.from(face.pose.flat());
    this.parallax = new ParallaxModel(face, this.pose);
    this.still = face.openings.map((opening) => Shape.of(opening, this.pose));
    this.border = new Border(this.width, this.height, this.still.flatMap((shape) => [...shape.outline]));
    const step = Math.max(1, Math.round(face.head.face / SMOOTH_NODES), Math.ceil(Math.max(this.width, this.height) / MAX_NODES));
    // Interpolation at the border needs nodes beyond it.
    this.grid = new Grid([-2 * step, -2 * step, this.width + 2 * step, this.height + 2 * step], step);
    const inner = (chain) => new Set(face.openings.flatMap((opening) => opening[chain].slice(1, -1)));
    this.all = face.pose.map((_, k) => k);
    // Above a mouth or an eye the lower edge must not pull, and below it the upper.
    this.above = this.all.filter((k) => !inner("lower").has(k));
    this.below = this.all.filter((k) => !inner("upper").has(k));
  }

  /** All that is needed to draw the picture in another pose, [P * 2] in its pixels. */
  frame(target) {
    const pose = this.parallax.limitTurn(Float64Array.from(target));
    const warpPose = this._warpPose(pose);
    const back = this.border.retreat(this.parallax.fit(warpPose));
    for (const points of [pose, warpPose]) points.forEach((value, k) => (points[k] = value + back[k % 2]));
    const similarity = this.parallax.outline(pose);
    const shapes = this.face.openings.map((opening) => Shape.of(opening, pose));
    const rigid = this.parallax.rigid;
    const skull = new SkullMotion(similarity, take(this.pose, rigid), take(pose, rigid));
    const layers = this.face.openings.map((opening, k) => {
      const inside = opening.mouth ? mouthFrame : eyeFrame;
      const drawn = inside(opening.mouth ?? opening.eye, this.still[k], shapes[k], skull);
      return { ...drawn, opening, shape: shapes[k], lowerBox: boxAround(shapes[k].outline, 0.8 * shapes[k].width) };
    });
    return { ...this._fields(warpPose, shapes), layers };
  }

  /** The pose to which pixels are moved, where nothing slides under other parts; layers draw the lids. */
  _warpPose(pose) {
    const opened = pose.slice();
    this.face.openings.forEach((opening, k) => {
      if (opening.eye) openLids(opening, this.still[k], this.pose, opened);
    });
    return this.parallax.keepJawOutside(opened);
  }

  _fields(pose, shapes) {
    const { face: size } = this.face.head;
    const [flow, residual] = this._smoothFlow(pose, SMOOTH_RADIUS * size);
    const radius = EXACT_RADIUS * size;
    const box = boxAround(pose, radius);
    const clipped = [Math.max(box[0], 0), Math.max(box[1], 0), Math.min(box[2], this.width), Math.min(box[3], this.height)];
    // Landmarks of the lips are closer together than those of the jaw.
    const grid = new Grid(clipped, Math.max(1, Math.round(size / 36)));
    const exact = new Interpolation(pose, radius);
    const sets = [this.above, this.below].map((subset) => exact.solve(residual, subset, EXACT_RIDGE));
    const [above, below] = exact.evaluate(grid.nodes, ...sets);
    const near = new Float32Array(2 * above.length);
    const centers = shapes.map((shape) => [mean(shape.middle), shape.width]);
    for (let k = 0; k < above.length; k += 2) {
      // Away from all openings both views are the same, so that no seam is seen.
      const window = Math.max(...centers.map(([middle, width]) => around(middle, width, grid.nodes[k], grid.nodes[k + 1])));
      for (const c of [0, 1]) {
        near[2 * k + c] = above[k + c];
        near[2 * k + 2 + c] = above[k + c] + window * (below[k + c] - above[k + c]);
      }
    }
    const inside = (x, y) =>
      x >= grid.x && y >= grid.y && x < grid.x + grid.columns * grid.step && y < grid.y + grid.rows * grid.step;
    const nearAt = { at: (x, y) => (inside(x, y) ? grid.sample(above, x, y) : [0, 0]) };
    const needs = this.border.needs({ grid: this.grid, field: flow }, nearAt);
    return { flow: Float32Array.from(flow), near: { grid, field: near }, needs };
  }

  /** Smooth displacements on the grid of the whole picture, and what they lack at the landmarks. */
  _smoothFlow(pose, radius) {
    const motion = this.parallax.fit(pose);
    const [flow, byHead] = [motion.traceBack(this.grid.nodes), motion.traceBack(pose)];
    const residual = this.pose.map((value, k) => value - byHead[k]);
    const smooth = new Interpolation(pose, radius);
    const coefficients = smooth.solve(residual, this.all, SMOOTH_RIDGE);
    const [onGrid] = smooth.evaluate(this.grid.nodes, coefficients);
    const [onPose] = smooth.evaluate(pose, coefficients);
    for (let k = 0; k < flow.length; k += 1) flow[k] += onGrid[k] - this.grid.nodes[k];
    return [flow, residual.map((value, k) => value - onPose[k])];
  }
}

/** 1 around an opening, 0 from three quarters of its width on. */
function around(middle, width, x, y) {
  const half = Math.max(width / 2, 1);
  return smoothstep((1.5 - Math.hypot(x - middle[0], y - middle[1]) / half) / 0.5);
}
