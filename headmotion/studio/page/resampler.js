// Sound at another rate, piece by piece: interpolation by a windowed sinc.

const ZEROS = 16; // zero crossings of the sinc on either side

export class Resampler {
  constructor(from, to) {
    this.step = from / to;
    this.cutoff = Math.min(1, to / from);
    this.reach = Math.ceil(ZEROS / this.cutoff);
    this.kept = new Float32Array(this.reach); // silence before the first sample
    this.at = this.reach; // of the next sample that is made, in `kept`
  }

  /** Take samples; returns those that are determined by now. */
  push(samples) {
    const all = new Float32Array(this.kept.length + samples.length);
    all.set(this.kept);
    all.set(samples, this.kept.length);
    const made = [];
    for (; this.at + this.reach < all.length; this.at += this.step) made.push(this._sample(all, this.at));
    const first = Math.max(0, Math.floor(this.at) - this.reach);
    this.kept = all.slice(first);
    this.at -= first;
    return Float32Array.from(made);
  }

  _sample(all, at) {
    let sum = 0;
    for (let k = Math.ceil(at - this.reach); k <= at + this.reach; k += 1) {
      const x = (k - at) * this.cutoff;
      const window = 0.5 * (1 + Math.cos((Math.PI * x) / (ZEROS + 1)));
      sum += (all[k] ?? 0) * window * (Math.abs(x) < 1e-9 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
    }
    return sum * this.cutoff;
  }
}
