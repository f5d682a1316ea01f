// Completes the face of the head: a skull and a neck behind its outline, eyeballs, and the inside of the mouth.

const RINGS = 9;
const EYE_RADIUS = 0.088;
const [NECK_RADIUS, JAW_HALF_WIDTH, NECK_END] = [0.29, 0.3, -1.05];
const [SKIN, LIP, WHITE, IRIS, PUPIL, DARK, TEETH] = [
  [0.80, 0.60, 0.50, 0.12], [0.72, 0.40, 0.38, 0.3], [0.93, 0.92, 0.90, 0.9], [0.25, 0.38, 0.45, 1],
  [0.03, 0.03, 0.04, 1], [0.16, 0.05, 0.05, 0], [0.92, 0.89, 0.84, 0.6],
];

/** The mesh, and `complete(face)`, which returns all vertices for those of the face. */
export function completeHead(neutral, { triangles, outlines, irises }) {
  const count = neutral.length / 3;
  const corners = [...triangles].filter((_, k) => triangles[3 * Math.floor(k / 3)] < 468); // irises are drawn below
  const colors = Array.from({ length: count }, () => SKIN);
  for (const point of outlines.outer_lips ?? []) colors[point] = LIP;
  for (const point of outlines.inner_lips ?? []) colors[point] = LIP;
  const parts = [skull(outlines.face), mouth(outlines.inner_lips), ...Object.values(irises).map(eye)];
  let first = count;
  for (const part of parts) {
    part.first = first;
    corners.push(...part.corners(first));
    colors.push(...part.colors);
    first += part.colors.length;
  }
  return {
    triangles: Uint16Array.from(corners),
    colors: Float32Array.from(colors.flat()),
    complete(face) {
      const all = new Float32Array(3 * first);
      all.set(face);
      for (const part of parts) all.set(part.vertices(face).flat(), 3 * part.first);
      return all;
    },
  };
}

const pointOf = (vertices, k) => [vertices[3 * k], vertices[3 * k + 1], vertices[3 * k + 2]];
const mix = (a, b, t) => a.map((value, n) => value + (b[n] - value) * t);

/** Corners of the strip between two rings of `size` vertices. */
function strip(first, second, size) {
  const corners = [];
  for (let k = 0; k < size; k += 1) {
    const next = (k + 1) % size;
    corners.push(first(k), second(k), first(next), first(next), second(k), second(next));
  }
  return corners;
}

/** Rings that lead from the outline of the face backward over the skull, and below into the neck. */
function skull(outline) {
  const size = outline.length;
  return {
    colors: Array(RINGS * size + 1).fill(SKIN),
    corners(start) {
      const ring = (number) => (k) => (number ? start + (number - 1) * size + k : outline[k]);
      const strips = Array.from({ length: RINGS }, (_, number) => strip(ring(number + 1), ring(number), size)).flat();
      const pole = start + RINGS * size;
      for (let k = 0; k < size; k += 1) strips.push(pole, ring(RINGS)(k), ring(RINGS)((k + 1) % size));
      return strips;
    },
    vertices(face) {
      const edge = outline.map((point) => pointOf(face, point));
      const middle = mix(edge.reduce((sum, at) => sum.map((x, n) => x + at[n])), [0, 0, 0], 0).map((x) => x / size);
      const center = [middle[0], middle[1] + 0.16, middle[2] - 0.42];
      const rings = Array.from({ length: RINGS }, (_, number) => {
        const angle = ((number + 1) / (RINGS + 0.6)) * (Math.PI / 2);
        return edge.map((at) => onSkull(at, center, angle));
      });
      return [...rings.flat(), [center[0], center[1] + 0.02, center[2] - 0.62]];
    },
  };
}

function onSkull(at, center, angle) {
  const [dx, dy] = [at[0] - center[0], at[1] - center[1]];
  const isAbove = Math.max(0, Math.min(1, dy / 0.35));
  const isBelow = Math.max(0, Math.min(1, (-dy - 0.12) / 0.34));
  const narrowing = Math.cos(angle) ** 0.75 * (1 + (0.14 + 0.28 * isAbove) * Math.sin(2 * angle));
  const depth = at[2] + (center[2] - 0.62 - at[2]) * Math.sin(angle) ** 1.15;
  const back = [center[0] + dx * narrowing, center[1] + dy * narrowing, depth];
  // The jaw leads into a neck, which goes down.
  const down = Math.max(0, Math.min(1, (angle - 0.3) / 0.9));
  const width = NECK_RADIUS * Math.sin(Math.max(-1, Math.min(1, dx / JAW_HALF_WIDTH)) * (Math.PI / 2));
  const x = dx + (width - dx) * Math.min(1, angle / 0.5);
  const neck = [center[0] + x, at[1] + (NECK_END - at[1]) * down, at[2] - 0.42 * Math.min(1, angle / 0.7)];
  return mix(back, neck, smooth(isBelow));
}

const smooth = (t) => t * t * (3 - 2 * t);

/** A dark funnel behind the lips, with upper teeth. */
function mouth(lips) {
  const size = lips.length;
  const TOOTH = 9;
  return {
    colors: [...Array(size + 1).fill(DARK), ...Array(2 * TOOTH).fill(TEETH)],
    corners(start) {
      const corners = strip((k) => lips[k], (k) => start + k, size);
      for (let k = 0; k < size; k += 1) corners.push(start + k, start + size, start + ((k + 1) % size));
      const tooth = start + size + 1;
      for (let k = 0; k < TOOTH - 1; k += 1) {
        const [a, b] = [tooth + 2 * k, tooth + 2 * k + 2];
        corners.push(a, a + 1, b, b, a + 1, b + 1);
      }
      return corners;
    },
    vertices(face) {
      const edge = lips.map((point) => pointOf(face, point));
      const middle = edge.reduce((sum, at) => sum.map((x, n) => x + at[n])).map((x) => x / size);
      const back = edge.map((at) => [middle[0] + (at[0] - middle[0]) * 0.9, middle[1] + (at[1] - middle[1]) * 1.3, at[2] - 0.12]);
      const [left, right] = [Math.min(...edge.map((at) => at[0])), Math.max(...edge.map((at) => at[0]))];
      const top = Math.max(...edge.map((at) => at[1]));
      const teeth = Array.from({ length: TOOTH }, (_, k) => {
        const t = (2 * k) / (TOOTH - 1) - 1;
        const [x, z] = [middle[0] + (t * (right - left)) / 2.4, middle[2] - 0.03 - 0.09 * t * t];
        return [[x, top + 0.035, z], [x, top - 0.02 + 0.012 * t * t, z + 0.004]];
      });
      return [...back, [middle[0], middle[1], middle[2] - 0.28], ...teeth.flat()];
    },
  };
}

/** An eyeball that looks where the iris is. */
function eye([center, ...ring]) {
  const [BANDS, SIDES] = [10, 20];
  const bounds = BANDS * SIDES;
  const bandColor = (band) => (band < 2 ? PUPIL : band < 4 ? IRIS : WHITE);
  return {
    colors: Array.from({ length: bounds }, (_, k) => bandColor(Math.floor(k / SIDES))),
    corners(start) {
      const at = (band) => (k) => start + band * SIDES + k;
      return Array.from({ length: BANDS - 1 }, (_, band) => strip(at(band), at(band + 1), SIDES)).flat();
    },
    vertices(face) {
      const iris = pointOf(face, center);
      const size = Math.hypot(...pointOf(face, ring[0]).map((x, n) => x - iris[n]));
      const opening = Math.asin(Math.min(0.9, (1.05 * size) / EYE_RADIUS));
      const middle = [iris[0], iris[1], iris[2] - EYE_RADIUS * 0.93];
      // Rings of pupil, iris and white, the colors of which meet without a ramp.
      const angles = [0.001, 0.42, 0.421, 0.97, 1.0, 1.25, 1.6, 2.1, 2.6, 3.2].map((share) => share * opening);
      return angles.flatMap((angle) =>
        Array.from({ length: SIDES }, (_, k) => {
          const turn = (2 * Math.PI * k) / SIDES;
          const [r, z] = [EYE_RADIUS * Math.sin(Math.min(angle, 2.2)), EYE_RADIUS * Math.cos(Math.min(angle, 2.2))];
          return [middle[0] + r * Math.cos(turn), middle[1] + r * Math.sin(turn), middle[2] + z];
        }),
      );
    },
  };
}
