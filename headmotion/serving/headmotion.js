// Client of `headmotion serve` for browsers and Node.js: an ES module without dependencies; see docs/serve.md.
//     const session = await connect("ws://127.0.0.1:8765", { rate: 48000, picture: file });
//     await session.push(samples);                       // Float32Array or Int16Array
//     for await (const motion of session) draw(motion);  // in another task; ends after session.end()

const [VERSION, HEADER_BYTES, RETRY_MS] = [1, 40, 250];

/** An error that the server reports, or a server that cannot be reached. */
export class ServingError extends Error {
  constructor({ component, expected, got, remedy = "" }) {
    super(`${component}: expected ${expected}, got ${got}${remedy && `; ${remedy}`}`);
    Object.assign(this, { name: "ServingError", component, expected, got, remedy });
  }
}

/** Consecutive frames. `values` has frames * points * dims numbers; frame k is at `time(k)` seconds. */
export class Motion {
  constructor(buffer) {
    const view = new DataView(buffer);
    if (buffer.byteLength < HEADER_BYTES || view.getUint32(0) !== 0x686d0101) {
      throw new ServingError({ component: "client", expected: "a message of motion", got: "another one" });
    }
    this.frames = view.getUint32(4, true);
    this.first = Number(view.getBigUint64(8, true));
    this.fps = [view.getUint32(16, true), view.getUint32(20, true)]; // numerator and denominator, exact
    this.samples = Number(view.getBigUint64(24, true));
    [this.points, this.dims] = [view.getUint32(32, true), view.getUint32(36, true)];
    this.values = new Float32Array(buffer, HEADER_BYTES, this.frames * this.points * this.dims);
  }

  /** Time of frame k of this message (seconds). */
  time(k) {
    return ((this.first + k) * this.fps[1]) / this.fps[0];
  }

  /** Forget the frames before number `first`, which are known already. */
  dropBefore(first) {
    const count = Math.max(0, Math.min(first - this.first, this.frames));
    this.values = this.values.subarray(count * this.points * this.dims);
    [this.first, this.frames] = [this.first + count, this.frames - count];
  }
}

/**
 * Open a session. Options: those of the hello message (model, rate, channels, controls, seed, fps, style, mouth, token,
 * representation), samples ("float32" or "int16"), points (rows of x and y), or picture (Blob, ArrayBuffer or bytes).
 */
export async function connect(url, options = {}) {
  const { picture, points, ...hello } = { samples: "float32", ...options };
  const bytes = picture ? new Uint8Array(picture instanceof Blob ? await picture.arrayBuffer() : picture) : null;
  if (bytes) hello.reference = { picture_bytes: bytes.length };
  else if (points) hello.reference = { points };
  const session = new Session(`${url.replace(/\/+$/, "").replace(/\/v1\/stream$/, "")}/v1/stream`, hello, bytes);
  await session._open();
  return session;
}

class Session {
  constructor(url, hello, picture) {
    Object.assign(this, { _url: url, _hello: hello, _picture: picture, _arrived: [], welcome: null, _error: null });
    this._waiting = []; // functions that continue whoever waits for a change
    this._sampleBytes = (hello.samples === "int16" ? 2 : 4) * (hello.channels ?? 1);
    this._sent = []; // messages that the server has not processed: [number of the first sample, bytes]
    this._pushed = this._processed = this._frames = 0;
    this._reading = this._finished = false;
    this._over = null; // or how it ended for the caller
  }

  /** Whether the server is there; if not, the session comes back by itself, for as long as the server keeps it. */
  get isConnected() {
    return this._socket.readyState === 1;
  }

  /** Send any number of samples (Float32Array or Int16Array, channels interleaved); waits until the server has room. */
  async push(samples) {
    const bytes = encode(samples, this._hello.samples);
    this._checkOpen();
    const { ahead_samples: ahead, message_bytes: most } = this.welcome;
    const step = Math.min(Math.floor(most / this._sampleBytes), Math.ceil(ahead / 4)) * this._sampleBytes;
    for (let start = 0, part; (part = bytes.subarray(start, start + step)).length; start += step) {
      const count = part.length / this._sampleBytes;
      while (this._pushed + count - this._processed > ahead) {
        if (!this._reading) this._send({ type: "received", frames: this._frames }); // or the server would pause
        await this._change();
        this._checkOpen();
      }
      this._sent.push([this._pushed, part]);
      this._pushed += count;
      this._send(part);
    }
  }

  /** End the speech; the remaining motion follows. */
  end() {
    this._checkOpen();
    this._over = "ended";
    this._send({ type: "end" });
  }

  /** Leave; a session that has not ended is dropped by the server. */
  close() {
    this._finished = true;
    this._over = "closed";
    this._socket.close(1000);
    this._changed();
  }

  /** The motion as it arrives, until all of it has. */
  async *[Symbol.asyncIterator]() {
    this._reading = true;
    for (;;) {
      for (let motion; (motion = this._arrived.shift()); ) {
        this._send({ type: "received", frames: motion.first + motion.frames });
        yield motion;
      }
      if (this._error) throw this._error;
      if (this._finished) return;
      await this._change();
    }
  }

  /** Refuse what would be sent after the end, which no answer of the server would follow. */
  _checkOpen() {
    if (this._error) throw this._error;
    const fields = { component: "session", expected: "an open session", remedy: "connect again" };
    if (this._over) throw new ServingError({ ...fields, got: `one that was ${this._over}` });
  }

  _send(message) {
    if (this._socket.readyState !== 1) return; // it is sent again when the connection is back
    this._socket.send(ArrayBuffer.isView(message) ? message : JSON.stringify(message));
  }

  _change = () => new Promise((resolve) => this._waiting.push(resolve));
  _changed = () => this._waiting.splice(0).forEach((resolve) => resolve());

  _open() {
    if (typeof WebSocket === "undefined") throw new Error("headmotion.js needs a browser, or Node.js 22 or newer");
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this._url);
      socket.binaryType = "arraybuffer";
      let isOpen = false;
      socket.onopen = () => {
        this._socket = socket;
        const known = { frames: this._frames, resume_token: this.welcome?.resume_token, token: this._hello.token };
        const opening = this.welcome ? { type: "resume", ...known } : { type: "hello", ...this._hello };
        this._send({ version: VERSION, ...opening });
        if (!this.welcome && this._picture) this._send(this._picture);
      };
      socket.onmessage = ({ data }) => {
        try {
          if (this._read(data)) resolve((isOpen = true));
        } catch (error) {
          this._error = error;
          this._changed();
        }
      };
      const none = { component: "client", expected: `a server at ${this._url}`, got: "none" };
      socket.onerror = () => reject(this._error ?? new ServingError(none));
      socket.onclose = () => {
        socket.onerror();
        if (isOpen && !this._finished && !this._error) this._comeBack();
      };
    });
  }

  async _comeBack() {
    const until = Date.now() + 1000 * this.welcome.resume_s;
    for (let isBack = false; !isBack && !this._error; ) {
      try {
        isBack = Boolean(await this._open());
      } catch (error) {
        if (Date.now() > until) this._error = error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this._changed();
  }

  /** Take a message of the server; returns whether it is the welcome. */
  _read(data) {
    if (typeof data !== "string") {
      const motion = new Motion(data);
      this._processed = Math.max(this._processed, motion.samples);
      this._sent = this._sent.filter(([first, part]) => first + part.length / this._sampleBytes > this._processed);
      motion.dropBefore(this._frames);
      this._frames = motion.first + motion.frames;
      if (motion.frames) this._arrived.push(motion);
    } else {
      const fields = JSON.parse(data);
      if (fields.type === "error") throw new ServingError(fields);
      if (fields.type === "end") this._finished = true;
      if (fields.type === "welcome") {
        this.welcome = fields;
        for (const [first, part] of this._sent) {
          const known = Math.max(0, fields.samples_received - first) * this._sampleBytes;
          if (known < part.length) this._send(part.subarray(known));
        }
        if (this._over && !fields.has_ended) this._send({ type: "end" });
        return true;
      }
    }
    this._changed();
    return false;
  }
}

/** Return samples as bytes of the session's type. */
function encode(samples, type) {
  const isFloat = samples instanceof Float32Array;
  const clip = (x) => Math.max(-32768, Math.min(32767, Math.round(x * 32768)));
  const toInt = () => (isFloat ? Int16Array.from(samples, clip) : samples);
  const toFloat = () => (isFloat ? samples : Float32Array.from(samples, (x) => x / 32768));
  const { buffer, byteOffset, byteLength } = type === "int16" ? toInt() : toFloat();
  return new Uint8Array(buffer, byteOffset, byteLength).slice(); // the caller may reuse its buffer
}
