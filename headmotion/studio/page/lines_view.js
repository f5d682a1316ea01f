// Lines of the landmarks, in the colors of the renderer `skeleton`.

const GROUPS = { lips: "--mouth", eyes: "--eyes", brows: "--yaw", nose: "--head", jaw: "--jaw" };

/** Fit a canvas to its place, in the screen's own pixels; returns its context. */
export function fitted(canvas) {
  const ratio = Math.min(devicePixelRatio, 2);
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  return canvas.getContext("2d");
}

export const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Draw a pose [P * 2] so that the square [x, y, side] fills the canvas; `plain` draws over a picture. */
export function drawLines(canvas, face, pose, square, plain = false) {
  const brush = fitted(canvas);
  const side = Math.min(canvas.width, canvas.height);
  const scale = side / square[2];
  const [left, top] = [(canvas.width - side) / 2, (canvas.height - side) / 2];
  const place = (k) => [left + (pose[2 * k] - square[0]) * scale, top + (pose[2 * k + 1] - square[1]) * scale];
  brush.clearRect(0, 0, canvas.width, canvas.height);
  brush.lineWidth = Math.max(1.25, side / (plain ? 420 : 190));
  brush.lineCap = "round";
  for (const [start, end] of face.edges) {
    brush.strokeStyle = color(groupOf(face, start, end));
    brush.beginPath();
    brush.moveTo(...place(start));
    brush.lineTo(...place(end));
    brush.stroke();
  }
  brush.fillStyle = plain ? "#fff" : color("--text");
  for (let k = 0; k < pose.length / 2; k += 1) {
    const [x, y] = place(k);
    brush.beginPath();
    brush.arc(x, y, Math.max(1, side / (plain ? 360 : 200)), 0, 7);
    brush.fill();
  }
}

function groupOf(face, ...points) {
  const name = Object.keys(GROUPS).find((group) => points.every((point) => face.groups[group]?.includes(point)));
  return GROUPS[name] ?? "--dim";
}

/** The square [x, y, side] around a pose, with room to move. */
export function squareAround(pose, margin = 0.22) {
  const xs = pose.filter((_, k) => k % 2 === 0);
  const ys = pose.filter((_, k) => k % 2 === 1);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const side = Math.max(right - left, bottom - top) * (1 + 2 * margin);
  return [(left + right - side) / 2, (top + bottom - side) / 2, side];
}
