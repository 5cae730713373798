/** Values on a coarse grid of square tiles that covers an image; the last row and column may be cut by the border. */
export interface Grid {
  columns: number;
  rows: number;
  /** Side of a tile in pixels. */
  tileSize: number;
  values: Float64Array;
}

/** A grid of zeros that covers `width` × `height` pixels. */
export function createGrid(width: number, height: number, tileSize: number): Grid {
  const columns = Math.max(1, Math.ceil(width / tileSize));
  const rows = Math.max(1, Math.ceil(height / tileSize));
  return { columns, rows, tileSize, values: new Float64Array(columns * rows) };
}

/**
 * Histogram (256 bins) of one channel of one tile.
 *
 * @param stride - Distance between two pixels in `data`: 3 for interleaved RGB, 1 for one channel.
 * @param offset - Which channel of the pixel.
 */
export function tileHistogram(
  image: { width: number; height: number; data: Uint8Array },
  tile: { column: number; row: number; size: number },
  stride: number,
  offset: number,
): Uint32Array {
  const bins = new Uint32Array(256);
  const fromX = tile.column * tile.size;
  const toX = Math.min(image.width, fromX + tile.size);
  const toY = Math.min(image.height, (tile.row + 1) * tile.size);
  for (let y = tile.row * tile.size; y < toY; y += 1) {
    const end = (y * image.width + toX) * stride + offset;
    for (let i = (y * image.width + fromX) * stride + offset; i < end; i += stride) {
      const value = image.data[i] ?? 0;
      bins[value] = (bins[value] ?? 0) + 1;
    }
  }
  return bins;
}

/** Smallest value that at least `share` (0–1) of the histogram does not exceed. */
export function quantile(bins: Uint32Array, share: number): number {
  let total = 0;
  for (const count of bins) total += count;
  const wanted = total * share;
  let seen = 0;
  for (let value = 0; value < bins.length; value += 1) {
    seen += bins[value] ?? 0;
    if (seen >= wanted && seen > 0) return value;
  }
  return bins.length - 1;
}

/** Median of a list of numbers; 0 for an empty list. */
export function median(values: Float64Array): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/**
 * Smooths a grid with a Gaussian, taking only the tiles with a positive weight; tiles without one are filled from their
 * neighbours, and fade to 0 where no neighbour is near.
 */
export function smoothWeighted(grid: Grid, weights: Float64Array, sigmaTiles: number): Grid {
  const reach = Math.ceil(sigmaTiles * 3);
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigmaTiles ** 2)),
  );
  const weighted = grid.values.map((value, i) => value * (weights[i] ?? 0));
  const sums = convolve(convolve(weighted, grid, kernel, true), grid, kernel, false);
  const norms = convolve(convolve(weights, grid, kernel, true), grid, kernel, false);
  // The constant keeps a lonely far-away tile from deciding for a region it does not know.
  return { ...grid, values: sums.map((sum, i) => sum / ((norms[i] ?? 0) + 1e-3)) };
}

function convolve(
  values: Float64Array,
  { columns, rows }: Grid,
  kernel: readonly number[],
  horizontal: boolean,
): Float64Array {
  const reach = kernel.length >> 1;
  const out = new Float64Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      for (let k = -reach; k <= reach; k += 1) {
        const x = horizontal ? column + k : column;
        const y = horizontal ? row : row + k;
        if (x < 0 || y < 0 || x >= columns || y >= rows) continue;
        sum += (kernel[k + reach] ?? 0) * (values[y * columns + x] ?? 0);
      }
      out[row * columns + column] = sum;
    }
  }
  return out;
}

/**
 * Writes one pixel row of the grid, bilinearly interpolated between tile centres, into `out`.
 *
 * A row at a time, so that no full-size floating point image is ever held.
 */
export function sampleRow(grid: Grid, y: number, out: Float32Array): void {
  const { columns, rows, tileSize, values } = grid;
  const gy = clamp((y + 0.5) / tileSize - 0.5, 0, rows - 1);
  const row = Math.min(rows - 1, Math.floor(gy));
  const above = row * columns;
  const below = Math.min(rows - 1, row + 1) * columns;
  const fy = gy - row;
  for (let x = 0; x < out.length; x += 1) {
    const gx = clamp((x + 0.5) / tileSize - 0.5, 0, columns - 1);
    const left = Math.floor(gx);
    const right = Math.min(columns - 1, left + 1);
    const fx = gx - left;
    const top = (values[above + left] ?? 0) * (1 - fx) + (values[above + right] ?? 0) * fx;
    const bottom = (values[below + left] ?? 0) * (1 - fx) + (values[below + right] ?? 0) * fx;
    out[x] = top * (1 - fy) + bottom * fy;
  }
}

function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}
