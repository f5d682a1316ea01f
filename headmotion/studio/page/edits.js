// Controls without a server: amount of head motion, gain of the lips, smoothing. The same as headmotion/controls/head.py,
// mouth.py and smoothing.py, for landmarks of two dimensions.

const EDGE_ON = 0.3;

export class Edits {
  /** `constants`: those of headmotion.studio.onnx_page.edit_constants. */
  constructor(constants) {
    Object.assign(this, constants);
    this.inverse = pseudoInverse(this.skull.map((k) => this.shape[k]));
  }

  /** Frames [T * P * 2] in pixels, edited. */
  apply(frames, { lips = 1, head = 1, smooth = 0 } = {}, fps = 25) {
    const size = 2 * this.rest.length;
    const result = smooth ? smoothed(frames, size, (smooth / 1000) * fps) : Float32Array.from(frames);
    for (let first = 0; first < result.length; first += size) {
      const frame = result.subarray(first, first + size);
      if (lips !== 1) this._scaleLips(frame, lips);
      if (head !== 1) this._scaleHead(frame, head);
    }
    return result;
  }

  /** Pose of the head in a frame: rotation [3][3], scale, center. */
  _fit(frame) {
    const points = this.skull.map((k) => [frame[2 * k], frame[2 * k + 1]]);
    const center = [0, 1].map((c) => points.reduce((sum, point) => sum + point[c], 0) / points.length);
    const linear = [0, 1].map((c) => [0, 1, 2].map((axis) => points.reduce((sum, point, k) => sum + (point[c] - center[c]) * this.inverse[k][axis], 0)));
    // The nearest orthonormal rows are (A A^T)^(-1/2) A; the root of a 2 x 2 matrix is known in closed form.
    const [p, q, r] = [dot(linear[0], linear[0]), dot(linear[0], linear[1]), dot(linear[1], linear[1])];
    const determinant = Math.sqrt(Math.max(p * r - q * q, 1e-24));
    const norm = Math.sqrt(p + r + 2 * determinant);
    const [s, t, u] = [(p + determinant) / norm, q / norm, (r + determinant) / norm];
    const combine = (a, b) => [0, 1, 2].map((axis) => (a * linear[0][axis] + b * linear[1][axis]) / (s * u - t * t));
    const rows = [combine(u, -t), combine(-t, s)];
    return { rotation: [...rows, cross(...rows)], scale: (s + u) / 2, center };
  }

  _project({ rotation, scale, center }, k) {
    return [0, 1].map((c) => scale * dot(rotation[c], this.shape[k]) + center[c]);
  }

  /** Displacements [P][2] from the resting face, in the axes of the resting head. */
  _expression(frame, pose) {
    const back = limitedInverse(linearOf(pose));
    return this.rest.map((_, k) => {
      const [x, y] = this._project(pose, k);
      return times(back, [frame[2 * k] - x, frame[2 * k + 1] - y]);
    });
  }

  _scaleHead(frame, amount) {
    const pose = this._fit(frame);
    const expression = this._expression(frame, pose);
    const turned = {
      rotation: rotationOf(vectorOf(pose.rotation).map((angle) => amount * angle)),
      scale: pose.scale ** amount,
      center: this.home.map((value, c) => value + amount * (pose.center[c] - value)),
    };
    const forward = linearOf(turned);
    this.rest.forEach((_, k) => {
      const [place, change] = [this._project(turned, k), times(forward, expression[k])];
      frame.set([place[0] + change[0], place[1] + change[1]], 2 * k);
    });
  }

  _scaleLips(frame, gain) {
    const pose = this._fit(frame);
    const expression = this._expression(frame, pose);
    const change = this.rest.map(() => [0, 0]);
    for (const k of this.mouth) change[k] = expression[k].map((value) => (gain - 1) * value);
    const gap = ([upper, lower], moved) => [0, 1].reduce((sum, c) => sum + this.down[c] * (this.rest[lower][c] + expression[lower][c] + moved * change[lower][c] - this.rest[upper][c] - expression[upper][c] - moved * change[upper][c]), 0);
    // Lips that would pass through one another meet half way.
    const overlaps = this.pairs.map((pair) => Math.max(Math.min(gap(pair, 0), 0) - gap(pair, 1), 0));
    this.pairs.forEach(([upper, lower], number) => {
      for (const c of [0, 1]) {
        change[upper][c] -= (overlaps[number] * this.down[c]) / 2;
        change[lower][c] += (overlaps[number] * this.down[c]) / 2;
      }
    });
    const forward = linearOf(pose);
    for (const k of new Set([...this.mouth, ...this.pairs.flat()])) {
      const [x, y] = times(forward, change[k]);
      frame[2 * k] += x;
      frame[2 * k + 1] += y;
    }
  }
}

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const times = ([[a, b], [c, d]], [x, y]) => [a * x + b * y, c * x + d * y];
const linearOf = ({ rotation, scale }) => [0, 1].map((c) => [scale * rotation[c][0], scale * rotation[c][1]]);

/** The inverse of a 2 x 2 matrix, whose smaller singular value is limited, so that noise of a side view does not grow. */
function limitedInverse([[a, b], [c, d]]) {
  const [e, f, g, h] = [(a + d) / 2, (a - d) / 2, (c + b) / 2, (c - b) / 2];
  const [sum, difference] = [Math.hypot(e, h), Math.hypot(f, g)];
  const [left, right] = [Math.atan2(g, f), Math.atan2(h, e)];
  const [big, small] = [sum + difference, sum - difference];
  const limited = Math.max(Math.abs(small), EDGE_ON * big, 1e-12);
  const [phi, theta] = [(right + left) / 2, (right - left) / 2]; // A = R(phi) diag(big, small) R(theta)
  const [x, y] = [1 / big, (small < 0 ? -1 : 1) / limited];
  const [cp, sp, ct, st] = [Math.cos(phi), Math.sin(phi), Math.cos(theta), Math.sin(theta)];
  return [[ct * x * cp - st * y * sp, ct * x * sp + st * y * cp], [-st * x * cp - ct * y * sp, -st * x * sp + ct * y * cp]];
}

/** Rotation vector of a matrix (radians). */
function vectorOf(m) {
  const axis = [m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]];
  const sine = Math.hypot(...axis) / 2;
  const angle = Math.atan2(sine, (m[0][0] + m[1][1] + m[2][2] - 1) / 2);
  return sine < 1e-9 ? [0, 0, 0] : axis.map((value) => (value / (2 * sine)) * angle);
}

function rotationOf(vector) {
  const angle = Math.hypot(...vector);
  if (angle < 1e-12) return [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  const [x, y, z] = vector.map((value) => value / angle);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const t = 1 - c;
  return [[t * x * x + c, t * x * y - s * z, t * x * z + s * y], [t * x * y + s * z, t * y * y + c, t * y * z - s * x], [t * x * z - s * y, t * y * z + s * x, t * z * z + c]];
}

/** Rows [n][3] that give the least squares fit of a linear map from centered points [n][3]. */
function pseudoInverse(points) {
  const mean = [0, 1, 2].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  const centered = points.map((point) => point.map((value, axis) => value - mean[axis]));
  const gram = [0, 1, 2].map((i) => [0, 1, 2].map((j) => centered.reduce((sum, point) => sum + point[i] * point[j], 0)));
  const columns = [cross(gram[1], gram[2]), cross(gram[2], gram[0]), cross(gram[0], gram[1])];
  const determinant = dot(gram[0], columns[0]);
  return centered.map((point) => [0, 1, 2].map((axis) => dot(point, columns[axis]) / determinant));
}

/** A moving average over a raised cosine that reaches `width` frames to either side; cut off at the ends. */
function smoothed(frames, size, width) {
  const result = new Float32Array(frames.length);
  const count = frames.length / size;
  const reach = Math.max(0, Math.ceil(width) - 1);
  const sum = new Float64Array(size);
  for (let k = 0; k < count; k += 1) {
    let total = 0;
    sum.fill(0);
    for (let n = Math.max(0, k - reach); n <= Math.min(count - 1, k + reach); n += 1) {
      const weight = 0.5 + 0.5 * Math.cos((Math.PI * (n - k)) / width);
      total += weight;
      for (let c = 0; c < size; c += 1) sum[c] += weight * frames[n * size + c];
    }
    for (let c = 0; c < size; c += 1) result[k * size + c] = sum[c] / total;
  }
  return result;
}
