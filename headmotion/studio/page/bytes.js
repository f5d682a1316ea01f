// Arrays of the server as text, and sound as WAV.

/** Numbers of the server, or those that are there already. */
export function floats(text) {
  if (typeof text !== "string") return text;
  return new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/** Samples in -1..1 of one channel as a WAV of 16 bits. */
export function encodeWav(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const word = (at, text) => [...text].forEach((letter, k) => view.setUint8(at + k, letter.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  // The same factor as in decoding, so that samples of 16 bits stay as they are.
  const toInteger = (x) => Math.max(-32768, Math.min(32767, Math.round(x * 32768)));
  samples.forEach((x, k) => view.setInt16(44 + 2 * k, toInteger(x), true));
  return new Blob([view], { type: "audio/wav" });
}
