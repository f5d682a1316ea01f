// Draws the frames of a PortraitWarp by WebGL 2.

import { at, subtract, turn } from "./complex.js";
import { SAMPLES } from "./openings.js";
import { LIDS, MOUTH, PATCH, STROKE, VERTEX, WARP } from "./portrait_shaders.js";
import { PortraitWarp } from "./portrait_warp.js";

const PARTING_TONE = 0.68;

export class PortraitCanvas {
  /** `face`: what the server's /studio/face answers; `image`: its picture, decoded. */
  constructor(canvas, face, image) {
    this.warp = new PortraitWarp(face);
    [this.canvas, this.shown] = [canvas, face.shown];
    this.gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    if (!this.gl) throw new Error("This browser has no WebGL 2, which the talking picture needs.");
    const gl = this.gl;
    const corners = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, corners);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
    this.setScale(1);
    this.programs = Object.fromEntries(
      Object.entries({ WARP, MOUTH, STROKE, PATCH, LIDS }).map(([name, text]) => [name, new Program(gl, text)]),
    );
    this._makeTextures(face, image);
  }

  _makeTextures(face, image) {
    const { gl } = this;
    this.picture = texture(gl);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, image);
    [this.flow, this.near, this.needs] = [texture(gl), texture(gl), texture(gl)];
    this.layers = face.openings.map(({ mouth, eye }) => {
      if (!mouth) return { skin: bytesTexture(gl, eye.skin) };
      return { depth: floatTexture(gl, mouth.depth), teeth: floatTexture(gl, mouth.teeth) };
    });
  }

  /** Draw fewer pixels: `scale` is the edge of what is drawn over that of the picture. */
  setScale(scale) {
    const { canvas, shown } = this;
    [canvas.width, canvas.height] = [2, 3].map((k) => Math.round(scale * (shown[k] - shown[k - 2])));
    this.gl.viewport(0, 0, canvas.width, canvas.height);
  }

  /** Draw the picture in a pose [P * 2] in its pixels. */
  draw(pose) {
    const { gl, warp } = this;
    const frame = warp.frame(pose);
    const { grid, field } = frame.near;
    fill(gl, this.flow, gl.RG32F, gl.RG, warp.grid.columns, warp.grid.rows, frame.flow);
    fill(gl, this.near, gl.RGBA32F, gl.RGBA, grid.columns, grid.rows, field);
    fill(gl, this.needs, gl.RGBA32F, gl.RGBA, frame.needs.length / 4, 1, frame.needs);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    this._warped([0, 0, warp.width, warp.height], grid);
    frame.layers.forEach((layer, number) => {
      this._warped(layer.lowerBox, grid, layer.shape);
      if (layer.opening.mouth) this._mouth(layer, this.layers[number]);
      else this._eye(layer, this.layers[number]);
    });
  }

  _warped(box, near, shape) {
    const { flow, near: nearTexture, needs, picture, warp } = this;
    const { grid } = warp;
    this._draw("WARP", box, { flow, near: nearTexture, needs, picture }, {
      flowGrid: [grid.x, grid.y, grid.step, 0],
      nearGrid: [near.x, near.y, near.step, 0],
      nearSize: [near.columns * near.step, near.rows * near.step],
      rooms: warp.border.rooms,
      isBelow: [shape ? 1 : 0],
      ...(shape && local(shape, { middle: shape.middle })),
    });
  }

  _mouth(layer, textures) {
    const { shape, opening } = layer;
    const mouth = opening.mouth;
    const [lips, skin] = [mouth.lips, mouth.skin].map((color) => color.map((value) => value / 255));
    if (shape.gap > 0) {
      this._draw("MOUTH", layer.box, { picture: this.picture, ...textures }, {
        ...local(shape, { upper: shape.upper, lower: shape.lower }),
        ...{ source: layer.source, still: mouth.still_box, lips, skin },
        ...{ gap: [shape.gap], wider: [layer.wider], parted: [layer.parted], thick: [layer.thick], thin: [layer.thin] },
        ...{ edge: [mouth.edge_px], teethShown: [mouth.teeth_shown] },
      });
    }
    // The line where lips meet that are apart in the picture.
    if (layer.closed > 0) this._stroke(layer, layer.line, lips.map((value) => PARTING_TONE * value), 0, 0.6 * layer.closed);
  }

  _eye(layer, { skin }) {
    const { shape, lids, closing } = layer;
    if (closing > 0) {
      const [[upper, lower], [upper2, lower2]] = lids;
      const soft = Math.max(0.4, 0.02 * shape.width);
      const strips = local(shape, { upper, lower, upper2, lower2 });
      this._draw("LIDS", layer.box, { picture: skin }, { ...strips, source: layer.skin, sigma: [soft] });
    }
    const edges = local(shape, { upper: shape.upper, lower: shape.lower });
    const opacity = [Math.min(1, Math.max(0, shape.gap))];
    this._draw("PATCH", layer.box, { picture: this.picture }, { ...edges, source: layer.source, opacity });
    const color = layer.opening.eye.lash_color.map((value) => value / 255);
    if (closing > 0) this._stroke(layer, layer.lash, color, Math.max(0.4, 0.025 * shape.width), 0.9 * closing);
  }

  _stroke(layer, [upper, lower], tone, sigma, opacity) {
    const strip = local(layer.shape, { upper, lower });
    this._draw("STROKE", layer.box, { picture: this.picture }, { ...strip, tone, sigma: [sigma], opacity: [opacity] });
  }

  _draw(name, box, textures, values) {
    const program = this.programs[name];
    const { width, height } = this.warp;
    const clipped = [Math.max(box[0], 0), Math.max(box[1], 0), Math.min(box[2], width), Math.min(box[3], height)];
    if (clipped[0] < clipped[2] && clipped[1] < clipped[3]) {
      program.draw(textures, { ...values, box: clipped, shown: this.shown, size: [width, height] });
    }
  }
}

/** Curves in the axes of an opening: u along it, v down the face. */
function local(shape, curves) {
  const origin = at(shape.middle, 0);
  const down = turn(shape.across);
  const values = { origin, across: shape.across };
  for (const [name, curve] of Object.entries(curves)) {
    values[name] = new Float32Array(2 * SAMPLES);
    for (let k = 0; k < SAMPLES; k += 1) {
      const offset = subtract(at(curve, k), origin);
      values[name][2 * k] = offset[0] * shape.across[0] + offset[1] * shape.across[1];
      values[name][2 * k + 1] = offset[0] * down[0] + offset[1] * down[1];
    }
  }
  return values;
}

/** A fragment shader over a box. */
class Program {
  constructor(gl, text) {
    this.gl = gl;
    this.program = gl.createProgram();
    gl.attachShader(this.program, compiled(gl, gl.VERTEX_SHADER, VERTEX));
    gl.attachShader(this.program, compiled(gl, gl.FRAGMENT_SHADER, text));
    gl.bindAttribLocation(this.program, 0, "corner");
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(this.program));
    this.uniforms = new Map();
    for (let k = 0; k < gl.getProgramParameter(this.program, gl.ACTIVE_UNIFORMS); k += 1) {
      const { name, type } = gl.getActiveUniform(this.program, k);
      this.uniforms.set(name.replace("[0]", ""), [gl.getUniformLocation(this.program, name), type]);
    }
  }

  draw(textures, values) {
    const { gl } = this;
    gl.useProgram(this.program);
    Object.entries(textures).forEach(([name, image], unit) => {
      if (!this.uniforms.has(name)) return;
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, image);
      gl.uniform1i(this.uniforms.get(name)[0], unit);
    });
    for (const [name, value] of Object.entries(values)) {
      const [location, type] = this.uniforms.get(name) ?? [];
      if (location) this._set(location, type, value);
    }
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  _set(location, type, value) {
    const { gl } = this;
    if (type === gl.BOOL) gl.uniform1i(location, value[0]);
    else if (type === gl.FLOAT) gl.uniform1fv(location, value);
    else if (type === gl.FLOAT_VEC2) gl.uniform2fv(location, value);
    else if (type === gl.FLOAT_VEC3) gl.uniform3fv(location, value);
    else if (type === gl.FLOAT_VEC4) gl.uniform4fv(location, value);
    else gl.uniformMatrix2x3fv(location, false, value);
  }
}

function compiled(gl, kind, text) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, text);
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
  return shader;
}

function texture(gl) {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const name of ["TEXTURE_MIN_FILTER", "TEXTURE_MAG_FILTER"]) gl.texParameteri(gl.TEXTURE_2D, gl[name], gl.NEAREST);
  for (const name of ["TEXTURE_WRAP_S", "TEXTURE_WRAP_T"]) gl.texParameteri(gl.TEXTURE_2D, gl[name], gl.CLAMP_TO_EDGE);
  return made;
}

function fill(gl, target, internal, format, width, height, values) {
  gl.bindTexture(gl.TEXTURE_2D, target);
  gl.texImage2D(gl.TEXTURE_2D, 0, internal, width, height, 0, format, gl.FLOAT, values);
}

/** Texture of an array of the server: {size: [width, height], data: base64}. */
function floatTexture(gl, { size, data }) {
  const made = texture(gl);
  fill(gl, made, gl.R32F, gl.RED, ...size, new Float32Array(bytes(data).buffer));
  return made;
}

function bytesTexture(gl, { size, data }) {
  const made = texture(gl);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, ...size, 0, gl.RGB, gl.UNSIGNED_BYTE, bytes(data));
  return made;
}

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
