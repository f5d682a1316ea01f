// The motion of a turning head and of its surroundings, as in headmotion/renderers/portrait/parallax.py, head_ellipse.py
// and warp.py. Maps run backward: from a position in the frame to the one in the picture from which its color comes.

import {
  Similarity, add, at, clamp, conjugate, divide, length, mean, multiply, scale, smoothstep, subtract, take,
} from "./complex.js";

const [HALF_HEIGHT, HALF_WIDTH] = [0.98, 0.85];
const [FADE, FADE_BELOW] = [[1.0, 2.0], [0.88, 1.4]];
const [DOME_HEIGHT, MAX_LEAN, MIN_FORESHORTENING, MIN_JAW_DISTANCE] = [0.6, 0.5, 0.55, 0.5];
const [NOISE_ANGLE, NOISE_SCALE, FREE_SHARE] = [0.02, 0.04, 2 / 3];
const [STEP, MAX_STEPS, ITERATIONS, TOLERANCE_PX] = [0.15, 4, 6, 0.02];
const REACH = FADE[1] * HALF_HEIGHT + 1 / 64; // from the center of the head on nothing moves

/** The head with its hair as an ellipse. */
export class HeadEllipse {
  constructor({ center, up, face }) {
    Object.assign(this, { center, up, face });
  }

  /** 1 inside the ellipse, falling to 0 around it; sooner below, where the shoulders are. */
  weight(x, y) {
    const [height, radius] = this._polar(x, y);
    const down = smoothstep(-height / Math.max(radius, 1e-6));
    const begin = FADE[0] + (FADE_BELOW[0] - FADE[0]) * down;
    const end = FADE[1] + (FADE_BELOW[1] - FADE[1]) * down;
    return smoothstep((end - radius) / (end - begin));
  }

  /** How far the head stands out from its outline: 1 in the middle, 0 from the ellipse on. */
  bulge(x, y) {
    return clamp(1 - this._polar(x, y)[1] ** 2, 0, 1);
  }

  _polar(x, y) {
    const [dx, dy] = [(x - this.center[0]) / this.face, (y - this.center[1]) / this.face];
    const height = (dx * this.up[0] + dy * this.up[1]) / HALF_HEIGHT;
    const width = (dy * this.up[0] - dx * this.up[1]) / HALF_WIDTH;
    return [height, Math.hypot(height, width)];
  }
}

class HeadMotion {
  constructor(head, outline, foreshortening = [0, 0], lean = [0, 0]) {
    Object.assign(this, { head, outline, foreshortening, lean });
    const shift = length(subtract(outline.apply(head.center), head.center));
    const moved = shift + length(subtract(outline.factor, [1, 0])) * REACH * head.face;
    this._steps = Math.min(MAX_STEPS, 1 + Math.floor(moved / (STEP * head.face)));
    const [back, forth] = [outline.power(-0.5 / this._steps), outline.power(0.5 / this._steps)];
    // Displacements: to the middle of a step, and by a whole step about its middle.
    this._halfStep = new Similarity(subtract(back.factor, [1, 0]), back.shift);
    this._step = new Similarity(subtract(back.factor, forth.factor), subtract(back.shift, forth.shift));
    this._sources = Array.from({ length: 2 * this._steps }, (_, k) => outline.power(0.5 * k / this._steps - 1));
  }

  /** Where points of the frame came from; surroundings follow less and less, and neither fold nor tear. */
  traceBack(points) {
    const traced = new Float64Array(points.length);
    for (let k = 0; k < points.length; k += 2) traced.set(this._trace(points[k], points[k + 1]), k);
    return traced;
  }

  _trace(x, y) {
    for (let k = 0; k < 2 * this._steps; k += 2) {
      const [half, whole] = [this._sources[k], this._sources[k + 1]];
      const middle = this._moved(x, y, x, y, half, this._halfStep);
      [x, y] = this._moved(x, y, ...middle, whole, this._step);
    }
    const [byX, byY] = [x, y];
    for (let k = 0; k < ITERATIONS; k += 1) {
      const weight = this.head.weight(x, y);
      if (!weight) break;
      const [dx, dy] = this._beyondOutline(x, y);
      const [lastX, lastY] = [x, y];
      [x, y] = [byX - weight * dx, byY - weight * dy];
      if (Math.hypot(x - lastX, y - lastY) < TOLERANCE_PX) break;
    }
    return [x, y];
  }

  /** (x, y), displaced as the flow is at (u, v): as `step` says, as far as the weight there lets it. */
  _moved(x, y, u, v, { factor: g, shift: t }, { factor: f, shift: s }) {
    const weight = this.head.weight(u * g[0] - v * g[1] + t[0], u * g[1] + v * g[0] + t[1]);
    return [x + weight * (u * f[0] - v * f[1] + s[0]), y + weight * (u * f[1] + v * f[0] + s[1])];
  }

  _beyondOutline(x, y) {
    const offset = [x - this.head.center[0], this.head.center[1] - y]; // conjugated
    const bulge = this.head.bulge(x, y);
    const shift = multiply(this.foreshortening, offset);
    return divide([shift[0] + this.lean[0] * bulge, shift[1] + this.lean[1] * bulge], this.outline.factor);
  }
}

/** The head in the still picture, to which the head's motion to a frame is fitted. */
export class ParallaxModel {
  constructor(face, pose) {
    Object.assign(this, { pose, head: new HeadEllipse(face.head), rigid: face.rigid, jaw: face.jaw, solid: face.solid });
    this._rigidPose = take(pose, this.rigid);
    const jaw = new Set(this.jaw);
    const middle = mean(this._rigidPose);
    this._flat = pose.map((value, k) => value - middle[k % 2]);
    this._others = Array.from({ length: pose.length / 2 }, (_, k) => k).filter((k) => !jaw.has(k));
  }

  outline(pose) {
    return Similarity.fit(this._rigidPose, take(pose, this.rigid));
  }

  fit(pose) {
    const flat = () => new HeadMotion(this.head, this.outline(pose));
    if (!this.solid) return flat();
    const { rows, size } = orthographicPose(this.solid.inverse, take(pose, this.rigid));
    const [[a, b, x], [c, d, y]] = rows.map((row) => row.map((value) => value * size));
    let factor = [(a + d) / 2, (c - b) / 2];
    const foreshortening = [(a - d) / 2, (c + b) / 2];
    // Then the head moves in the plane only, as it does without depth.
    if (size < 1e-3 || length(factor) < MIN_FORESHORTENING * size) return flat();
    // Divided by the size, the column of depth is the sine of the turn.
    const sine = Math.max(Math.hypot(x, y) / size, 1e-12);
    const nearer = scale([-x, -y], Math.min(shrinkNoise(sine, NOISE_ANGLE), MAX_LEAN) / sine);
    const radius = Math.exp(shrinkNoise(Math.log(length(factor)), NOISE_SCALE));
    const angle = shrinkNoise(Math.atan2(factor[1], factor[0]), NOISE_ANGLE);
    factor = [radius * Math.cos(angle), radius * Math.sin(angle)];
    const lean = scale(nearer, DOME_HEIGHT * this.head.face);
    // The head's center moves with the rigid points' center, less what the dome's top adds.
    const offset = subtract(this.head.center, mean(this._rigidPose));
    let center = add(mean(take(pose, this.rigid)), multiply(factor, offset));
    center = subtract(add(center, multiply(foreshortening, conjugate(offset))), lean);
    const shift = subtract(center, multiply(factor, this.head.center));
    return new HeadMotion(this.head, new Similarity(factor, shift), foreshortening, lean);
  }

  /** A pose in which the head is turned no further than the picture can show, as in turn_limit.py. */
  limitTurn(pose) {
    if (!this.solid) return pose;
    const { rows, size } = orthographicPose(this.solid.inverse, take(pose, this.rigid));
    const [[a, b, x], [c, d, y]] = rows; // images of x, y and depth, over the size
    const [plane, sine] = [[(a + d) / 2, (c - b) / 2], Math.hypot(x, y)];
    const limited = softLimit(sine, this.solid.max_turn);
    if (limited === sine || length(plane) < 1e-6) return pose;
    const depth = scale([x, y], limited / sine);
    const factor = scale(plane, (1 + Math.sqrt(1 - limited ** 2)) / 2 / length(plane));
    const stretch = divide(multiply(depth, depth), scale(factor, -4));
    const result = pose.slice();
    this.solid.depths.forEach((z, k) => {
      const still = at(this._flat, k);
      const turned = add(multiply(factor, still), multiply(stretch, conjugate(still)));
      const rigid = [a * still[0] + b * still[1] + x * z, c * still[0] + d * still[1] + y * z];
      result[2 * k] += size * (turned[0] + depth[0] * z - rigid[0]);
      result[2 * k + 1] += size * (turned[1] + depth[1] * z - rigid[1]);
    });
    return result;
  }

  /** A pose whose jaw line has not slid over or under the face; moving pixels cannot hide a part of the picture. */
  keepJawOutside(pose) {
    const { factor } = this.outline(pose);
    const moved = pose.slice();
    for (let pass = 0; pass < 4; pass += 1) {
      const before = moved.slice();
      for (const point of this.jaw) this._pushOutside(point, before, moved, factor);
    }
    return moved;
  }

  _pushOutside(point, before, moved, factor) {
    let [worst, push] = [-Infinity, [0, 0]];
    for (const other of this._others) {
      const offset = multiply(factor, subtract(at(this.pose, point), at(this.pose, other)));
      const size = length(offset);
      const outward = scale(offset, 1 / Math.max(size, 1e-9));
      const now = subtract(at(before, point), at(before, other));
      const lack = MIN_JAW_DISTANCE * size - (now[0] * outward[0] + now[1] * outward[1]);
      if (lack > worst) [worst, push] = [lack, scale(outward, Math.max(lack, 0))];
    }
    moved[2 * point] += push[0];
    moved[2 * point + 1] += push[1];
  }
}

/** Two rows of a rotation, and the size, by which a solid shape is seen as the given points (scaled orthography). */
export function orthographicPose(inverse, points) {
  const center = mean(points);
  const linear = [[0, 0, 0], [0, 0, 0]];
  inverse.forEach((row, k) => {
    for (let axis = 0; axis < 3; axis += 1) {
      linear[0][axis] += (points[2 * k] - center[0]) * row[axis];
      linear[1][axis] += (points[2 * k + 1] - center[1]) * row[axis];
    }
  });
  // The nearest orthonormal rows are (A A^T)^(-1/2) A; the root of a 2 x 2 matrix is known in closed form.
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const [p, q, r] = [dot(linear[0], linear[0]), dot(linear[0], linear[1]), dot(linear[1], linear[1])];
  const determinant = Math.sqrt(Math.max(p * r - q * q, 1e-24));
  const norm = Math.sqrt(p + r + 2 * determinant);
  const [s, t, u] = [(p + determinant) / norm, q / norm, (r + determinant) / norm];
  const combine = (a, b) => [0, 1, 2].map((axis) => (a * linear[0][axis] + b * linear[1][axis]) / (s * u - t * t));
  return { rows: [combine(u, -t), combine(-t, s)], size: (s + u) / 2 };
}

/** A value unchanged up to a share of the limit, and then ever closer to it. */
function softLimit(value, limit) {
  const free = FREE_SHARE * limit;
  return value <= free ? value : free + (limit - free) * Math.tanh((value - free) / Math.max(limit - free, 1e-9));
}

/** Shrink values towards 0: to half at `noise`, hardly at all far beyond. */
const shrinkNoise = (value, noise) => value ** 3 / (value ** 2 + noise ** 2);
