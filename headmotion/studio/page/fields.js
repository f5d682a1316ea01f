// Smooth fields of displacements on coarse grids, as in headmotion/renderers/portrait/warp.py.

/** Grid nodes in the middle of cells of `step` pixels over a box [x0, y0, x1, y1]; nodes do not depend on the box. */
export class Grid {
  constructor(box, step) {
    const [x0, y0] = [Math.floor(box[0] / step), Math.floor(box[1] / step)];
    const [x1, y1] = [Math.max(x0 + 1, Math.ceil(box[2] / step)), Math.max(y0 + 1, Math.ceil(box[3] / step))];
    Object.assign(this, { step, x: x0 * step, y: y0 * step, columns: x1 - x0, rows: y1 - y0 });
    this.nodes = new Float64Array(2 * this.columns * this.rows);
    const half = (step - 1) / 2;
    for (let k = 0; k < this.columns * this.rows; k += 1) {
      this.nodes[2 * k] = this.x + (k % this.columns) * step + half;
      this.nodes[2 * k + 1] = this.y + Math.floor(k / this.columns) * step + half;
    }
  }

  /** The field [rows * columns * 2] at a pixel, by cubic convolution as OpenCV's. */
  sample(field, x, y) {
    const [u, v] = [(x - this.x + 0.5) / this.step - 0.5, (y - this.y + 0.5) / this.step - 0.5];
    const [column, row] = [Math.floor(u), Math.floor(v)];
    const [across, down] = [cubic(u - column), cubic(v - row)];
    let [sx, sy] = [0, 0];
    for (let j = 0; j < 4; j += 1) {
      const line = Math.min(Math.max(row + j - 1, 0), this.rows - 1) * this.columns;
      for (let i = 0; i < 4; i += 1) {
        const k = 2 * (line + Math.min(Math.max(column + i - 1, 0), this.columns - 1));
        sx += field[k] * across[i] * down[j];
        sy += field[k + 1] * across[i] * down[j];
      }
    }
    return [sx, sy];
  }
}

function cubic(t) {
  const a = -0.75;
  const near = (x) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

/** Displacements that are known at nodes and fade out within `radius` of them (Wendland 1995). */
export class Interpolation {
  constructor(nodes, radius) {
    Object.assign(this, { nodes, radius, count: nodes.length / 2 });
    this._gram = new Float64Array(this.count ** 2);
    for (let i = 0; i < this.count; i += 1) {
      for (let j = 0; j <= i; j += 1) {
        const value = wendland(nodes[2 * i] - nodes[2 * j], nodes[2 * i + 1] - nodes[2 * j + 1], radius);
        this._gram[i * this.count + j] = this._gram[j * this.count + i] = value;
      }
    }
  }

  /** Coefficients [count * 2] from values [count * 2], of the nodes in `subset` only. */
  solve(values, subset, ridge) {
    const size = subset.length;
    const system = new Float64Array(size * size);
    for (let i = 0; i < size; i += 1) {
      for (let j = 0; j < size; j += 1) system[i * size + j] = this._gram[subset[i] * this.count + subset[j]];
      system[i * size + i] += ridge;
    }
    const rows = new Float64Array(2 * size);
    subset.forEach((node, k) => rows.set([values[2 * node], values[2 * node + 1]], 2 * k));
    solveCholesky(system, rows, size);
    const coefficients = new Float64Array(2 * this.count);
    subset.forEach((node, k) => coefficients.set([rows[2 * k], rows[2 * k + 1]], 2 * node));
    return coefficients;
  }

  /** One field [points * 2] for each set of coefficients. */
  evaluate(points, ...sets) {
    const fields = sets.map(() => new Float64Array(points.length));
    const { nodes, radius } = this;
    for (let k = 0; k < points.length; k += 2) {
      for (let n = 0; n < nodes.length; n += 2) {
        const [dx, dy] = [points[k] - nodes[n], points[k + 1] - nodes[n + 1]];
        if (dx * dx + dy * dy >= radius * radius) continue;
        const value = wendland(dx, dy, radius);
        for (let s = 0; s < sets.length; s += 1) {
          fields[s][k] += value * sets[s][n];
          fields[s][k + 1] += value * sets[s][n + 1];
        }
      }
    }
    return fields;
  }
}

function wendland(dx, dy, radius) {
  const rest = 1 - Math.min(Math.sqrt(dx * dx + dy * dy) / radius, 1);
  return rest ** 4 * (4 * (1 - rest) + 1);
}

/** Solve a symmetric positive definite system in place for two right-hand sides [size * 2]. */
function solveCholesky(a, b, size) {
  for (let j = 0; j < size; j += 1) {
    for (let i = j; i < size; i += 1) {
      let sum = a[i * size + j];
      for (let k = 0; k < j; k += 1) sum -= a[i * size + k] * a[j * size + k];
      a[i * size + j] = i === j ? Math.sqrt(sum) : sum / a[j * size + j];
    }
  }
  for (let i = 0; i < size; i += 1) {
    for (let k = 0; k < i; k += 1) for (const c of [0, 1]) b[2 * i + c] -= a[i * size + k] * b[2 * k + c];
    for (const c of [0, 1]) b[2 * i + c] /= a[i * size + i];
  }
  for (let i = size - 1; i >= 0; i -= 1) {
    for (let k = i + 1; k < size; k += 1) for (const c of [0, 1]) b[2 * i + c] -= a[k * size + i] * b[2 * k + c];
    for (const c of [0, 1]) b[2 * i + c] /= a[i * size + i];
  }
}
