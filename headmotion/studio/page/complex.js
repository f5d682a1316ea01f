// Points of the image plane as complex numbers, as in headmotion/geometry/complex_points.py. One number is [x, y]; several
// are a Float64Array of x and y in turn.

export const add = (a, b) => [a[0] + b[0], a[1] + b[1]];
export const subtract = (a, b) => [a[0] - b[0], a[1] - b[1]];
export const multiply = (a, b) => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
export const scale = (a, s) => [a[0] * s, a[1] * s];
export const conjugate = (a) => [a[0], -a[1]];
export const length = (a) => Math.hypot(a[0], a[1]);
export const divide = (a, b) => scale(multiply(a, conjugate(b)), 1 / (b[0] * b[0] + b[1] * b[1]));
export const turn = (a) => [-a[1], a[0]]; // times i
export const at = (points, k) => [points[2 * k], points[2 * k + 1]];

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** 0 up to 0, 1 from 1 on, smooth between. */
export function smoothstep(value) {
  const t = clamp(value, 0, 1);
  return t * t * (3 - 2 * t);
}

/** The points with the given numbers. */
export function take(points, indices) {
  const taken = new Float64Array(2 * indices.length);
  indices.forEach((index, k) => taken.set([points[2 * index], points[2 * index + 1]], 2 * k));
  return taken;
}

export function mean(points) {
  let [x, y] = [0, 0];
  for (let k = 0; k < points.length; k += 2) [x, y] = [x + points[k], y + points[k + 1]];
  return [(2 * x) / points.length, (2 * y) / points.length];
}

/** Rotation, scale and shift of the plane: z -> factor * z + shift. */
export class Similarity {
  constructor(factor, shift) {
    Object.assign(this, { factor, shift });
  }

  apply(z) {
    return add(multiply(z, this.factor), this.shift);
  }

  map(points) {
    const mapped = new Float64Array(points.length);
    for (let k = 0; k < points.length; k += 2) mapped.set(this.apply([points[k], points[k + 1]]), k);
    return mapped;
  }

  /** The same motion done t times; -1 inverts it. */
  power(t) {
    const angle = Math.atan2(this.factor[1], this.factor[0]) * t;
    const size = length(this.factor) ** t;
    const factor = [size * Math.cos(angle), size * Math.sin(angle)];
    const beyond = subtract(this.factor, [1, 0]);
    // The formula of a geometric series divides by zero for pure shifts.
    const share = length(beyond) < 1e-7 ? [t, 0] : divide(subtract(factor, [1, 0]), beyond);
    return new Similarity(factor, multiply(this.shift, share));
  }

  /** Fit by least squares over pairs of points, without reflection; the scale is at least 1e-3. */
  static fit(source, target) {
    const [from, to] = [mean(source), mean(target)];
    let [covariance, variance] = [[0, 0], 0];
    for (let k = 0; k < source.length; k += 2) {
      const centered = [source[k] - from[0], source[k + 1] - from[1]];
      const moved = [target[k] - to[0], target[k + 1] - to[1]];
      covariance = add(covariance, multiply(conjugate(centered), moved));
      variance += centered[0] ** 2 + centered[1] ** 2;
    }
    let factor = variance ? scale(covariance, 1 / variance) : [1, 0];
    if (length(factor) <= 1e-3) factor = [1e-3, 0];
    return new Similarity(factor, subtract(to, multiply(factor, from)));
  }
}
