import type { Background } from './background.js';
import { createGrid, quantile, sampleRow, smoothWeighted, tileHistogram, type Grid } from './grid.js';
import type { GrayRaster, RgbRaster } from './types.js';

/** How much a shift of colour counts against a loss of light; a pale green wing differs by colour alone. */
const CHROMA_WEIGHT = 0.7;
/** Brighter than the sheet is rare (glare, white wings), so it counts for less. */
const BRIGHTER_WEIGHT = 0.5;

/** For each pixel, how far it lies from the sheet: 0 (sheet) to 255. */
export function differenceFrom(image: RgbRaster, background: Background): GrayRaster {
  const { width, height, data } = image;
  const out = new Uint8Array(width * height);
  const reds = new Float32Array(width);
  const greens = new Float32Array(width);
  const blues = new Float32Array(width);
  for (let y = 0; y < height; y += 1) {
    sampleRow(background.red, y, reds);
    sampleRow(background.green, y, greens);
    sampleRow(background.blue, y, blues);
    for (let x = 0; x < width; x += 1) {
      const i = y * width + x;
      const red = (reds[x] ?? 0) - (data[3 * i] ?? 0);
      const green = (greens[x] ?? 0) - (data[3 * i + 1] ?? 0);
      const blue = (blues[x] ?? 0) - (data[3 * i + 2] ?? 0);
      out[i] = Math.min(255, Math.sqrt(squaredDifference(red, green, blue)));
    }
  }
  return { width, height, data: out };
}

function squaredDifference(red: number, green: number, blue: number): number {
  const loss = 0.3 * red + 0.59 * green + 0.11 * blue;
  const light = loss < 0 ? BRIGHTER_WEIGHT * loss : loss;
  const redGreen = red - green;
  const blueGreen = blue - green;
  return light * light + CHROMA_WEIGHT * CHROMA_WEIGHT * 0.5 * (redGreen * redGreen + blueGreen * blueGreen);
}

/** What the empty sheet's own texture and sensor noise do to the difference, tile by tile. */
export interface SheetNoise {
  /** Median difference. */
  center: Grid;
  /** Robust standard deviation: 1.4826 × the median absolute deviation. */
  spread: Grid;
}

/** Measures the noise of the sheet on the tiles that show mostly sheet, and carries it over to the covered ones. */
export function measureNoise(difference: GrayRaster, background: Background): SheetNoise {
  const tileSize = background.red.tileSize;
  const center = createGrid(difference.width, difference.height, tileSize);
  const spread = createGrid(difference.width, difference.height, tileSize);
  for (let row = 0; row < center.rows; row += 1) {
    for (let column = 0; column < center.columns; column += 1) {
      const bins = tileHistogram(difference, { column, row, size: tileSize }, 1, 0);
      const middle = quantile(bins, 0.5);
      center.values[row * center.columns + column] = middle;
      spread.values[row * center.columns + column] = 1.4826 * medianDeviation(bins, middle);
    }
  }
  return {
    center: smoothWeighted(center, background.isSheet, 2),
    spread: smoothWeighted(spread, background.isSheet, 2),
  };
}

function medianDeviation(bins: Uint32Array, middle: number): number {
  const deviations = new Uint32Array(256);
  bins.forEach((count, value) => {
    const deviation = Math.abs(value - middle);
    deviations[deviation] = (deviations[deviation] ?? 0) + count;
  });
  return quantile(deviations, 0.5);
}

/** A threshold in units of the local noise, with a floor for sheets so overexposed that they have none. */
export interface ThresholdRule {
  /** Multiples of the local robust standard deviation above the local median. */
  sigmas: number;
  /** Smallest difference that ever counts, 0–255. */
  floor: number;
}

/**
 * Sorts the pixels by hysteresis: 0 is sheet, 1 differs (above `weak`), 2 differs clearly (above `strong`).
 */
export function classifyPixels(
  difference: GrayRaster,
  noise: SheetNoise,
  weak: ThresholdRule,
  strong: ThresholdRule,
): GrayRaster {
  const { width, height, data } = difference;
  const out = new Uint8Array(width * height);
  const centers = new Float32Array(width);
  const spreads = new Float32Array(width);
  for (let y = 0; y < height; y += 1) {
    sampleRow(noise.center, y, centers);
    sampleRow(noise.spread, y, spreads);
    for (let x = 0; x < width; x += 1) {
      const value = data[y * width + x] ?? 0;
      const center = centers[x] ?? 0;
      const spread = spreads[x] ?? 0;
      if (value <= Math.max(weak.floor, center + weak.sigmas * spread)) continue;
      out[y * width + x] = value > Math.max(strong.floor, center + strong.sigmas * spread) ? 2 : 1;
    }
  }
  return { width, height, data: out };
}
