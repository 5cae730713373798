import { createGrid, median, quantile, smoothWeighted, tileHistogram, type Grid } from './grid.js';
import { fitSurface } from './surface.js';
import type { RgbRaster } from './types.js';

/** The colour of the sheet with nothing on it: one grid per channel, and which tiles show mostly sheet. */
export interface Background {
  red: Grid;
  green: Grid;
  blue: Grid;
  /** 1 where the tile shows mostly sheet, 0 where something covers it. */
  isSheet: Float64Array;
}

/** The sheet is the bright part of a tile; a higher share would follow noise and reflections. */
const SHEET_QUANTILE = 0.6;

/**
 * Estimates the sheet from the bright part of each tile, robust against gradients and against insects larger than a tile.
 *
 * A smooth surface through all tiles tells which tiles are covered (much darker or differently coloured than the surface);
 * what the remaining tiles add to the surface is smoothed and spread over the covered ones.
 */
export function estimateBackground(image: RgbRaster, tileSize: number): Background {
  const red = tileQuantiles(image, tileSize, 0);
  const green = tileQuantiles(image, tileSize, 1);
  const blue = tileQuantiles(image, tileSize, 2);
  const channels = [red, green, blue];
  const surfaces = channels.map(fitSurface);
  let estimate = surfaces;
  let isSheet: Float64Array = new Float64Array(red.values.length).fill(1);
  // Each round knows the sheet better, so it tells covered tiles from merely badly fitted ones better.
  for (let round = 0; round < 3; round += 1) {
    isSheet = sheetTiles(channels, estimate);
    estimate = surfaces.map((surface, i) => addLocalDetail(surface, channels[i] ?? surface, isSheet));
  }
  return {
    red: estimate[0] ?? red,
    green: estimate[1] ?? green,
    blue: estimate[2] ?? blue,
    isSheet,
  };
}

function tileQuantiles(image: RgbRaster, tileSize: number, channel: number): Grid {
  const grid = createGrid(image.width, image.height, tileSize);
  for (let row = 0; row < grid.rows; row += 1) {
    for (let column = 0; column < grid.columns; column += 1) {
      const bins = tileHistogram(image, { column, row, size: tileSize }, 3, channel);
      grid.values[row * grid.columns + column] = quantile(bins, SHEET_QUANTILE);
    }
  }
  return grid;
}

/** Marks the tiles that lie near the estimate in every channel; brighter is always sheet. */
function sheetTiles(tiles: readonly Grid[], estimate: readonly Grid[]): Float64Array {
  const isSheet = new Float64Array(tiles[0]?.values.length ?? 0).fill(1);
  tiles.forEach((tile, channel) => {
    const residuals = tile.values.map((value, i) => value - (estimate[channel]?.values[i] ?? 0));
    const scale = Math.max(1.5, 1.4826 * median(residuals.map(Math.abs)));
    residuals.forEach((residual, i) => {
      if (residual < -4 * scale) isSheet[i] = 0;
    });
  });
  return isSheet;
}

function addLocalDetail(surface: Grid, tiles: Grid, isSheet: Float64Array): Grid {
  const residual = { ...surface, values: tiles.values.map((value, i) => value - (surface.values[i] ?? 0)) };
  const detail = smoothWeighted(residual, isSheet, 1);
  return {
    ...surface,
    values: surface.values.map((value, i) => Math.min(255, value + (detail.values[i] ?? 0))),
  };
}
