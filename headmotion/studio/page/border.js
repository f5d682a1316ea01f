// The border of the picture, as in headmotion/renderers/portrait/border.py: a head that it cuts moves without showing
// what is not in the picture.

const [SAMPLES, MAX_NEED] = [33, 0.8];

/** Sides in the order top, bottom, left, right. */
export class Border {
  constructor(width, height, openings) {
    const [right, bottom] = [width - 1, height - 1];
    const xs = openings.filter((_, k) => k % 2 === 0);
    const ys = openings.filter((_, k) => k % 2 === 1);
    const room = (distance) => Math.max(distance, 2);
    const along = (point) => Float64Array.from({ length: 2 * SAMPLES }, (_, k) => point((k >> 1) / (SAMPLES - 1))[k % 2]);
    Object.assign(this, { width, height });
    this.sides = [
      { axis: 1, start: 0, sign: 1, room: room(Math.min(...ys)), points: along((t) => [t * right, 0]) },
      { axis: 1, start: bottom, sign: -1, room: room(bottom - Math.max(...ys)), points: along((t) => [t * right, bottom]) },
      { axis: 0, start: 0, sign: 1, room: room(Math.min(...xs)), points: along((t) => [0, t * bottom]) },
      { axis: 0, start: right, sign: -1, room: room(right - Math.max(...xs)), points: along((t) => [right, t * bottom]) },
    ];
  }

  get rooms() {
    return this.sides.map((side) => side.room);
  }

  /** By how much a head must be shifted so that its motion does not stretch the picture too much. */
  retreat(motion) {
    const shift = [0, 0];
    for (const { axis, start, sign, room, points } of this.sides) {
      const sources = motion.traceBack(points);
      let need = 0;
      for (let k = axis; k < sources.length; k += 2) need = Math.max(need, -(sources[k] - start) * sign);
      const limit = MAX_NEED * room;
      shift[axis] -= sign * (need - limit * Math.tanh(need / limit));
    }
    return shift;
  }

  /** How far the map reaches beyond each side, at every pixel along it: [max(width, height) * 4]. */
  needs(flow, near) {
    const needs = new Float32Array(4 * Math.max(this.width, this.height));
    this.sides.forEach(({ axis, start, sign }, number) => {
      const count = axis ? this.width : this.height;
      for (let k = 0; k < count; k += 1) {
        const [x, y] = axis ? [k, start] : [start, k];
        const shift = flow.grid.sample(flow.field, x, y)[axis] + near.at(x, y)[axis];
        needs[4 * k + number] = Math.max(-shift * sign, 0);
      }
    });
    return needs;
  }
}
