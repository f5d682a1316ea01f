// The openings of a face, mouth and eyes, as in headmotion/renderers/portrait/openings.py, mouth.py and eye.py: their
// outlines in a pose, and what has to be drawn inside.

import {
  Similarity, add, at, divide, length, mean, multiply, scale, smoothstep, subtract, take, turn,
} from "./complex.js";

export const SAMPLES = 25;
const [ABOVE, BELOW, LASH_THICKNESS] = [0.14, 0.06, 0.07];
const [FIRST_GAP, LAST_GAP] = [0.06, 0.15];
const ARCH = Array.from({ length: SAMPLES }, (_, k) => Math.sqrt(Math.max(Math.sin((Math.PI * k) / (SAMPLES - 1)), 0)));

const component = (a, direction) => a[0] * direction[0] + a[1] * direction[1];
/** A curve whose points are moved by `amount(k)` along a direction. */
const shifted = (curve, direction, amount) =>
  Float64Array.from(curve, (value, k) => value + direction[k % 2] * amount(k >> 1));

/** An opening in one pose: its upper and lower edge as curves from corner to corner. */
export class Shape {
  constructor(upper, lower, across) {
    Object.assign(this, { upper, lower, across, down: turn(across) });
    this.middle = upper.map((value, k) => (value + lower[k]) / 2);
    this.width = length(subtract(at(upper, SAMPLES - 1), at(upper, 0)));
    let gap = 0;
    for (let k = 0; k < SAMPLES; k += 1) gap += component(subtract(at(lower, k), at(upper, k)), this.down);
    this.gap = gap / SAMPLES;
  }

  static of({ upper, lower, upper_curve: upperCurve, lower_curve: lowerCurve }, pose) {
    const axis = subtract(at(pose, upper.at(-1)), at(pose, upper[0]));
    const across = length(axis) ? scale(axis, 1 / length(axis)) : [1, 0];
    const down = turn(across);
    const [above, below] = [curve(upperCurve, take(pose, upper)), curve(lowerCurve, take(pose, lower))];
    // Detected lips and lids may cross by a pixel or two; an outline that crosses itself has no inside.
    const overlap = ARCH.map((_, k) => Math.min(component(subtract(at(below, k), at(above, k)), down), 0) / 2);
    return new Shape(shifted(above, down, (k) => overlap[k]), shifted(below, down, (k) => -overlap[k]), across);
  }

  get outline() {
    return Float64Array.from([...this.upper, ...this.lower]);
  }
}

function curve(matrix, points) {
  const result = new Float64Array(2 * matrix.length);
  matrix.forEach((row, k) =>
    row.forEach((weight, n) => {
      result[2 * k] += weight * points[2 * n];
      result[2 * k + 1] += weight * points[2 * n + 1];
    }),
  );
  return result;
}

/** The box [x0, y0, x1, y1] around points, with a margin. */
export function boxAround(points, margin) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  points.forEach((value, k) => {
    box[k % 2] = Math.min(box[k % 2], value - margin);
    box[2 + (k % 2)] = Math.max(box[2 + (k % 2)], value + margin);
  });
  return [Math.floor(box[0]), Math.floor(box[1]), Math.ceil(box[2]) + 1, Math.ceil(box[3]) + 1];
}

/** Six numbers of an affine map of the plane, from the images of 0, 1 and i. */
function affine(source) {
  const origin = source([0, 0]);
  const [x, y] = [subtract(source([1, 0]), origin), subtract(source([0, 1]), origin)];
  return [x[0], y[0], origin[0], x[1], y[1], origin[1]];
}

/** The motion of the skull from the still picture to a frame. */
export class SkullMotion {
  constructor(similarity, still, pose) {
    Object.assign(this, { similarity, inverse: similarity.power(-1) });
    const back = this.inverse.map(pose);
    this.residuals = back.map((value, k) => value - still[k]);
  }

  toStill(shape) {
    const { factor } = this.similarity;
    const across = scale(divide(shape.across, factor), length(factor));
    return new Shape(this.inverse.map(shape.upper), this.inverse.map(shape.lower), across);
  }

  /** How far the skull near an opening departs from its similarity. */
  residualNear(nearness) {
    return nearness.reduce((sum, weight, k) => add(sum, scale(at(this.residuals, k), weight)), [0, 0]);
  }
}

/** What to draw between the lips. */
export function mouthFrame(layer, still, shape, skull) {
  const inStill = skull.toStill(shape);
  let shift = scale(skull.residualNear(layer.nearness), -1);
  // Teeth follow the lip upwards, because no gap may show above them; when it comes down it covers them.
  let rise = 0;
  for (let k = 0; k < SAMPLES; k += 1) {
    const apart = subtract(subtract(at(still.upper, k), at(inStill.upper, k)), shift);
    rise += component(apart, still.down) / SAMPLES;
  }
  shift = add(shift, scale(still.down, Math.max(0, rise)));
  // Below teeth that the picture shows, the dark begins at once; a low band of tongue alone would look flat.
  const bare = Math.max(0, shape.gap - (still.gap * shape.gap) / Math.max(inStill.gap, 1e-6));
  const tongue = 0.11 * shape.width;
  const thick = tongue + layer.teeth_shown * (Math.min(tongue, 0.4 * bare) - tongue);
  const openInStill = smoothstep(still.gap / Math.max(still.width, 1) / 0.08);
  const half = ARCH.map((_, k) => 0.02 * shape.width * Math.sin((Math.PI * k) / (SAMPLES - 1)));
  return {
    source: affine((z) => add(skull.inverse.apply(z), shift)),
    wider: smoothstep((inStill.gap - still.gap) / (0.04 * still.width + 1e-6)),
    parted: smoothstep((shape.gap / Math.max(shape.width, 1) - FIRST_GAP) / (LAST_GAP - FIRST_GAP)),
    thick: Math.max(0.5, thick),
    thin: Math.max(0.5, 0.05 * shape.width),
    closed: openInStill * smoothstep(1 - shape.gap / Math.max(0.25 * still.gap, 1e-6)),
    line: [shifted(shape.middle, shape.down, (k) => -half[k]), shifted(shape.middle, shape.down, (k) => half[k])],
    box: boxAround(shape.outline, 2),
  };
}

/** What to draw of an eye: the lids as far as they have closed, the eye between them, and the lashes. */
export function eyeFrame(layer, still, shape, skull) {
  const corners = [0, SAMPLES - 1];
  const fromStill = Similarity.fit(take(still.upper, corners), take(shape.upper, corners));
  const [upper, lower] = [fromStill.map(still.upper), fromStill.map(still.lower)];
  const { down } = shape;
  const drop = ARCH.map((_, k) => Math.max(component(subtract(at(shape.upper, k), at(upper, k)), down), 0));
  const rise = ARCH.map((_, k) => Math.max(component(subtract(at(lower, k), at(shape.lower, k)), down), 0));
  const moved = drop.reduce((sum, value, k) => sum + value + rise[k], 0) / SAMPLES;
  const closing = smoothstep(moved / Math.max(0.4 * still.gap, 0.5));
  const bow = ARCH.map((value) => closing * shape.width * value);
  const inverse = fromStill.power(-1);
  const corner = [layer.skin_box[0] - 0.5, layer.skin_box[1] - 0.5];
  const outline = Float64Array.from([...shape.outline, ...fromStill.map(still.outline)]);
  return {
    closing,
    lids: [
      [shifted(upper, down, (k) => -ABOVE * bow[k]), shifted(upper, down, (k) => drop[k])],
      [shifted(lower, down, (k) => -rise[k]), shifted(lower, down, (k) => BELOW * bow[k])],
    ],
    lash: [
      shifted(shape.upper, down, (k) => (-LASH_THICKNESS / 2) * bow[k]),
      shifted(shape.upper, down, (k) => (LASH_THICKNESS / 2) * bow[k]),
    ],
    skin: affine((z) => subtract(scale(subtract(inverse.apply(z), corner), layer.skin_scale), [0.5, 0.5])),
    source: affine(eyeSource(layer, still, shape, skull)),
    box: boxAround(outline, 2 + 2 * ABOVE * shape.width),
  };
}

/** The map to the eyeball in the picture, stretched if the lids open wider than there. */
function eyeSource(layer, still, shape, skull) {
  const inStill = skull.toStill(shape);
  const squeeze = inStill.gap > 0 ? Math.min(1, still.gap / inStill.gap) : 1;
  const residual = skull.residualNear(layer.nearness);
  const pivot = mean(still.lower);
  return (z) => {
    const position = subtract(skull.inverse.apply(z), residual);
    return add(position, scale(still.down, (squeeze - 1) * component(subtract(position, pivot), still.down)));
  };
}

/** Change a pose so that lids are no further closed than in the still picture; the corners of the eye stay. */
export function openLids(opening, stillShape, still, pose) {
  const corners = [opening.upper[0], opening.upper.at(-1)];
  const fromStill = Similarity.fit(take(still, corners), take(pose, corners));
  const direction = scale(fromStill.factor, 1 / length(fromStill.factor));
  const down = multiply(direction, stillShape.down);
  for (const [chain, outward] of [[opening.upper, scale(down, -1)], [opening.lower, down]]) {
    for (const point of chain.slice(1, -1)) {
      const unclosed = fromStill.apply(at(still, point));
      const beyond = Math.max(component(subtract(at(pose, point), unclosed), outward), 0);
      pose.set(add(unclosed, scale(outward, beyond)), 2 * point);
    }
  }
}
