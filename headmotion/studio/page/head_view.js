// A head in three dimensions, moved by the weights of ARKit's blend shapes.

import { floats } from "./bytes.js";
import { SHADER_FRAGMENT, SHADER_VERTEX } from "./head_shaders.js";
import { completeHead } from "./head_mesh.js";

const FIELD_OF_VIEW = 0.42; // radians
const DISTANCE = 3.7;

export class HeadView {
  /** `head`: what the server's /studio/head answers. */
  constructor(canvas, head) {
    const gl = canvas.getContext("webgl2", { antialias: true, alpha: true, premultipliedAlpha: true });
    if (!gl) throw new Error("This browser has no WebGL 2, which the head needs.");
    Object.assign(this, { canvas, gl, names: head.names, orbit: [0, 0] });
    this.neutral = floats(head.vertices);
    this.targets = floats(head.targets);
    this.mesh = completeHead(this.neutral, head);
    this.program = link(gl);
    this.places = Object.fromEntries(
      ["turn", "aspect", "lens", "distance", "light"].map((name) => [name, gl.getUniformLocation(this.program, name)]),
    );
    this.buffers = [gl.createBuffer(), gl.createBuffer(), gl.createBuffer()];
    this.triangles = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.triangles);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, this.mesh.triangles, gl.STATIC_DRAW);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[2]);
    gl.bufferData(gl.ARRAY_BUFFER, this.mesh.colors, gl.STATIC_DRAW);
    this._listen();
  }

  /** Draw weights (an array in the order of the names, or an object by name) and angles of the head (degrees). */
  draw(weights, angles = { pitch: 0, yaw: 0, roll: 0 }) {
    this._last = [weights, angles];
    const { gl, canvas } = this;
    const ratio = Math.min(devicePixelRatio, 2);
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const vertices = this.mesh.complete(this._deformed(weights));
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.useProgram(this.program);
    [vertices, normals(vertices, this.mesh.triangles)].forEach((values, k) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[k]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    });
    this.buffers.forEach((buffer, k) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(k);
      gl.vertexAttribPointer(k, k === 2 ? 4 : 3, gl.FLOAT, false, 0, 0);
    });
    const turned = multiply(rotation(this.orbit[1], this.orbit[0], 0), rotation(radians(angles.pitch), radians(angles.yaw), radians(-angles.roll)));
    gl.uniformMatrix3fv(this.places.turn, true, turned);
    gl.uniform1f(this.places.aspect, width / height);
    gl.uniform1f(this.places.lens, 1 / Math.tan(FIELD_OF_VIEW / 2));
    gl.uniform1f(this.places.distance, DISTANCE);
    gl.uniform1f(this.places.light, document.documentElement.classList.contains("light") ? 1.12 : 1);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.triangles);
    gl.drawElements(gl.TRIANGLES, this.mesh.triangles.length, gl.UNSIGNED_SHORT, 0);
  }

  _deformed(weights) {
    const vertices = this.neutral.slice();
    const isList = weights.length !== undefined;
    this.names.forEach((name, k) => {
      const weight = isList ? weights[k] : (weights[name] ?? 0);
      if (!weight) return;
      const first = k * vertices.length;
      for (let n = 0; n < vertices.length; n += 1) vertices[n] += weight * this.targets[first + n];
    });
    return vertices;
  }

  _listen() {
    const { canvas } = this;
    const redraw = () => this._last && this.draw(...this._last);
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      if (!event.buttons) return;
      const limit = (x, most) => Math.max(-most, Math.min(most, x));
      this.orbit = [limit(this.orbit[0] + event.movementX / 120, 1.4), limit(this.orbit[1] + event.movementY / 160, 0.7)];
      redraw();
    });
    canvas.addEventListener("dblclick", () => {
      this.orbit = [0, 0];
      redraw();
    });
    new ResizeObserver(redraw).observe(canvas);
  }
}

const radians = (degrees) => (degrees * Math.PI) / 180;

/** Turn about x (nodding), y (to the side) and z (tilting), in this order; rows. */
function rotation(x, y, z) {
  const [cx, sx, cy, sy, cz, sz] = [x, y, z].flatMap((angle) => [Math.cos(angle), Math.sin(angle)]);
  const aboutX = [1, 0, 0, 0, cx, -sx, 0, sx, cx];
  const aboutY = [cy, 0, sy, 0, 1, 0, -sy, 0, cy];
  const aboutZ = [cz, -sz, 0, sz, cz, 0, 0, 0, 1];
  return multiply(aboutZ, multiply(aboutY, aboutX));
}

function multiply(a, b) {
  return a.map((_, k) => [0, 1, 2].reduce((sum, n) => sum + a[3 * Math.floor(k / 3) + n] * b[3 * n + (k % 3)], 0));
}

/** Normals of vertices, means of those of the triangles around. */
function normals(vertices, triangles) {
  const sums = new Float32Array(vertices.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
    const [ux, uy, uz] = [0, 1, 2].map((n) => vertices[b + n] - vertices[a + n]);
    const [vx, vy, vz] = [0, 1, 2].map((n) => vertices[c + n] - vertices[a + n]);
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const corner of [a, b, c]) for (let n = 0; n < 3; n += 1) sums[corner + n] += normal[n];
  }
  return sums; // the shader makes their length 1
}

function link(gl) {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, SHADER_VERTEX], [gl.FRAGMENT_SHADER, SHADER_FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  ["position", "normal", "tint"].forEach((name, k) => gl.bindAttribLocation(program, k, name));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}
