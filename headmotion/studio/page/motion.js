// Motion of a take, carried over to the face that is drawn, and its curves.

import { Similarity, mean } from "./complex.js";
import { floats } from "./bytes.js";
import { orthographicPose } from "./head_motion.js";

const POINTS = 68;

/** Frames as the server sends them: of a face, landmarks and blend shapes; of anything else, a drawing of lines. */
export class Motion {
  constructor({ fps, frames, landmarks, reference, weights, mouth_shapes: shapes = [], drawing = null, formats = [] }) {
    Object.assign(this, { fps: fps[0] / fps[1], frames, formats, reference: reference && Float64Array.from(reference.flat()) });
    this.landmarks = landmarks ? floats(landmarks) : null;
    this.weights = weights ? floats(weights) : null;
    this.shapes = shapes.map(([letter, first, count]) => ({ letter, first, frames: count }));
    this.points = drawing && floats(drawing.points);
    this.body = drawing && { edges: drawing.edges, groups: {} };
  }

  /** Number of the frame that belongs to a time (seconds). */
  frameAt(time) {
    return Math.max(0, Math.min(this.frames - 1, Math.floor(time * this.fps + 1e-6)));
  }

  /** The shape of the mouth in a frame: its letter, first frame and number of frames. */
  shapeAt(frame) {
    return this.shapes.find(({ first, frames }) => frame >= first && frame < first + frames);
  }

  /** Positions [P * 2] of a motion that is no face, in a square of side 1. */
  drawingAt(frame) {
    if (!this.points) return undefined;
    const count = this.points.length / this.frames;
    return this.points.subarray(count * frame, count * (frame + 1));
  }

  pose(frame) {
    return this.landmarks.subarray(2 * POINTS * frame, 2 * POINTS * (frame + 1));
  }

  /** Weights of ARKit's blend shapes, if they are known. */
  weightsAt(frame) {
    if (!this.weights) return undefined;
    const count = this.weights.length / this.frames;
    return this.weights.subarray(count * frame, count * (frame + 1));
  }
}

/** Carries displacements of a motion's own face over to another one, as the renderer `portrait` does. */
export class Retarget {
  constructor(reference, face) {
    this.base = reference;
    this.pose = Float64Array.from(face.landmarks.flat());
    const isSame = this.base.every((value, k) => Math.abs(value - this.pose[k]) < 1e-3);
    this.factor = isSame ? [1, 0] : Similarity.fit(this.base, this.pose).factor;
    this.view = face.to_view;
  }

  /** The pose [P * 2] of the face, in pixels of what is drawn. */
  apply(frame) {
    const [a, b] = this.factor;
    const result = new Float64Array(frame.length);
    for (let k = 0; k < frame.length; k += 2) {
      const [dx, dy] = [frame[k] - this.base[k], frame[k + 1] - this.base[k + 1]];
      result[k] = this.view.scale * (this.pose[k] + a * dx - b * dy) + this.view.shift[0];
      result[k + 1] = this.view.scale * (this.pose[k + 1] + a * dy + b * dx) + this.view.shift[1];
    }
    return result;
  }
}

/** Opening of the mouth and of the eyes (in distances of the eyes' corners), and angles of the head (degrees). */
export function measure(face, pose) {
  const apart = ([a, b]) => Math.hypot(pose[2 * a] - pose[2 * b], pose[2 * a + 1] - pose[2 * b + 1]);
  const opening = (name) => face.pairs[name].reduce((sum, pair) => sum + apart(pair), 0) / face.pairs[name].length;
  const size = apart(face.scale_pair);
  const eyes = Object.keys(face.pairs).filter((name) => name.endsWith("_eye"));
  return {
    mouth: opening("mouth") / size,
    eyes: eyes.reduce((sum, name) => sum + opening(name), 0) / (eyes.length * size),
    ...headAngles(face, pose),
  };
}

/** Pitch, yaw and roll against the picture (degrees). */
export function headAngles(face, pose) {
  const rigid = Float64Array.from(face.rigid.flatMap((point) => [pose[2 * point], pose[2 * point + 1]]));
  const { rows } = orthographicPose(face.solid.inverse, rigid);
  const degrees = 180 / Math.PI;
  return {
    pitch: Math.asin(Math.max(-1, Math.min(1, rows[1][2]))) * degrees,
    yaw: -Math.asin(Math.max(-1, Math.min(1, rows[0][2]))) * degrees,
    roll: Math.atan2(rows[1][0] - rows[0][1], rows[0][0] + rows[1][1]) * degrees,
    center: mean(rigid),
  };
}

/** The curves of a motion: {mouth, eyes, pitch, yaw, roll}, each with a number per frame. */
export function curves(motion, face) {
  const retarget = new Retarget(motion.reference, face);
  const all = Array.from({ length: motion.frames }, (_, k) => measure(face, retarget.apply(motion.pose(k))));
  return Object.fromEntries(["mouth", "eyes", "pitch", "yaw", "roll"].map((name) => [name, all.map((at) => at[name])]));
}
