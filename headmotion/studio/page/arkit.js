// ARKit's blend shapes from landmarks, as in headmotion/representations/blendshape_landmarks.py.

const [JAW_OPENING, PUCKER_NARROWING, STRETCH_WIDENING, LID_CLOSURE] = [0.45, 0.35, 0.25, 0.95];
const [EYE_CORNERS, MOUTH_CORNERS] = [[36, 45], [48, 54]];
const EYES = { Left: [42, 45], Right: [36, 39] }; // corners

/** Weights by name of a pose [68 * 2], relative to the resting one. */
export function blendshapesOf(pose, resting, face) {
  const apart = (points, [a, b]) => Math.hypot(points[2 * a] - points[2 * b], points[2 * a + 1] - points[2 * b + 1]) || 1e-12;
  const opening = (points, name) =>
    face.pairs[name].reduce((sum, pair) => sum + apart(points, pair), 0) / face.pairs[name].length;
  const change = (measure) => measure(pose) - measure(resting);
  const clamp = (x) => Math.max(0, Math.min(1, x));
  const width = (points) => apart(points, MOUTH_CORNERS) / apart(points, EYE_CORNERS);
  const widening = width(pose) / width(resting) - 1;
  const weights = {
    jawOpen: clamp(change((points) => opening(points, "mouth") / apart(points, EYE_CORNERS)) / JAW_OPENING),
    mouthPucker: clamp(-widening / PUCKER_NARROWING),
  };
  for (const [side, corners] of Object.entries(EYES)) {
    const open = (points) => opening(points, `${side.toLowerCase()}_eye`) / apart(points, corners);
    weights[`mouthStretch${side}`] = clamp(widening / STRETCH_WIDENING);
    weights[`eyeBlink${side}`] = clamp((1 - open(pose) / Math.max(open(resting), 1e-6)) / LID_CLOSURE);
  }
  return weights;
}
