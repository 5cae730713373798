/** A box in pixels; `x2`/`y2` are exclusive, so the width is `x2 - x1`. */
export interface Box {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** Three 8-bit channels, interleaved (`r g b r g b …`), row by row from the top left. */
export interface RgbRaster {
  width: number;
  height: number;
  data: Uint8Array;
}

/** One 8-bit value per pixel; as a mask, 0 is "outside" and anything else "inside". */
export interface GrayRaster {
  width: number;
  height: number;
  data: Uint8Array;
}

/** A connected group of pixels that differ from the sheet, in the pixels of the raster it was measured on. */
export interface Component {
  box: Box;
  /** Pixels in the group. */
  area: number;
  /** How many of them differ so clearly that noise cannot explain them. */
  strongArea: number;
  /** Sum of the difference from the sheet (0–255 per pixel) over the group. */
  contrastSum: number;
  /** Largest difference from the sheet in the group, 0–255. */
  peakContrast: number;
  /** First and second moments of the pixel positions: enough to merge groups and to measure the axes later. */
  moments: Moments;
}

/** Sums over the pixels of a group: x, y, x², y², xy. */
export interface Moments {
  x: number;
  y: number;
  xx: number;
  yy: number;
  xy: number;
}

/** One insect candidate, in pixels of the source image. */
export interface Blob {
  /** In source pixels, not rounded; always inside the image. */
  bbox: Box;
  /** Area of the silhouette in source pixels (holes filled). */
  areaPixels: number;
  /** Mean difference from the sheet, 0–255. */
  contrast: number;
  /** Largest difference from the sheet, 0–255. */
  peakContrast: number;
  /** Length of the long axis of the ellipse with the same second moments, in source pixels. */
  lengthPixels: number;
  /** Length of its short axis, in source pixels. */
  widthPixels: number;
  /** `lengthPixels / widthPixels`; 1 is round. */
  elongation: number;
  /** Area over the area of that ellipse: near 1 for a compact body, lower for spread legs or notched wings. */
  solidity: number;
  /** `lengthPixels` as a share of the long side of the image: size that does not depend on the resolution. */
  relativeLength: number;
  /** The silhouette is cut by the border of the image, so its true size is not known. */
  touchesBorder: boolean;
}
