import type { Grid } from './grid.js';
import { median } from './grid.js';

/** Polynomial terms x^i·y^j with i + j ≤ 4: enough for a lamp's cone and a lens's vignetting, too stiff for an insect. */
const EXPONENTS: readonly (readonly [number, number])[] = [0, 1, 2, 3, 4].flatMap((degree) =>
  Array.from({ length: degree + 1 }, (_, j): readonly [number, number] => [degree - j, j]),
);

const ITERATIONS = 6;

/**
 * Fits a smooth surface to the tiles so that tiles darker than the sheet (insects, frames) hardly count.
 *
 * Iteratively reweighted least squares: a tile far below the surface loses its weight at the next round, a brighter one
 * keeps most of it, because on a lit sheet nothing is brighter than the sheet.
 */
export function fitSurface(grid: Grid): Grid {
  const basis = basisOf(grid);
  const weights = new Float64Array(grid.values.length).fill(1);
  let fitted: Float64Array = new Float64Array(grid.values.length);
  for (let round = 0; round < ITERATIONS; round += 1) {
    const coefficients = solveNormalEquations(basis, grid.values, weights);
    fitted = Float64Array.from(basis, (terms) => dot(terms, coefficients));
    const residuals = grid.values.map((value, i) => value - (fitted[i] ?? 0));
    const scale = Math.max(2, 1.4826 * median(residuals.map(Math.abs)));
    residuals.forEach((residual, i) => {
      const distance = residual < 0 ? -residual / (3 * scale) : residual / (9 * scale);
      weights[i] = distance >= 1 ? 1e-4 : (1 - distance ** 2) ** 2;
    });
  }
  return { ...grid, values: fitted };
}

function basisOf({ columns, rows }: Grid): Float64Array[] {
  const basis: Float64Array[] = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      // Coordinates in −1…1 keep the normal equations well conditioned.
      const x = columns > 1 ? (2 * column) / (columns - 1) - 1 : 0;
      const y = rows > 1 ? (2 * row) / (rows - 1) - 1 : 0;
      basis.push(Float64Array.from(EXPONENTS, ([i, j]) => x ** i * y ** j));
    }
  }
  return basis;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** Weighted least squares with a touch of ridge, so that a picture of one tile still has a solution. */
function solveNormalEquations(
  basis: Float64Array[],
  values: Float64Array,
  weights: Float64Array,
): Float64Array {
  const n = EXPONENTS.length;
  const matrix = Array.from({ length: n }, () => new Float64Array(n + 1));
  basis.forEach((terms, sample) => {
    const weight = weights[sample] ?? 0;
    const target = values[sample] ?? 0;
    matrix.forEach((line, i) => {
      const scaled = weight * (terms[i] ?? 0);
      for (let j = 0; j < n; j += 1) line[j] = (line[j] ?? 0) + scaled * (terms[j] ?? 0);
      line[n] = (line[n] ?? 0) + scaled * target;
    });
  });
  matrix.forEach((line, i) => {
    line[i] = (line[i] ?? 0) + 1e-6;
  });
  return eliminate(matrix);
}

/** Gaussian elimination; the matrix is symmetric and positive definite, so it needs no pivoting. */
function eliminate(matrix: Float64Array[]): Float64Array {
  const n = matrix.length;
  matrix.forEach((pivotLine, pivot) => {
    const head = pivotLine[pivot] ?? 1;
    for (const line of matrix.slice(pivot + 1)) {
      const factor = (line[pivot] ?? 0) / head;
      if (factor === 0) continue;
      for (let j = pivot; j <= n; j += 1) line[j] = (line[j] ?? 0) - factor * (pivotLine[j] ?? 0);
    }
  });
  const solution = new Float64Array(n);
  for (let i = n - 1; i >= 0; i -= 1) {
    const line = matrix[i] ?? new Float64Array(n + 1);
    let sum = line[n] ?? 0;
    for (let j = i + 1; j < n; j += 1) sum -= (line[j] ?? 0) * (solution[j] ?? 0);
    solution[i] = sum / (line[i] ?? 1);
  }
  return solution;
}
