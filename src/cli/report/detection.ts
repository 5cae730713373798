/** A box in pixels; `x2`/`y2` are exclusive, so the width is `x2 - x1`. */
export interface Box {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** What is drawn and reported of one insect. */
export interface Detection {
  /** In pixels of the source image. */
  bbox: Box;
  label: string;
  /** 0–1. */
  score: number;
}

/** Told apart with a red-green weakness too (after Okabe and Ito, darkened to carry white letters). */
const COLORS = ['#b34e00', '#00609f', '#007a5a', '#a8457f', '#7a5a00', '#5b4fc4'] as const;

/**
 * The colour of the label in pictures and reports: the same label always has the same one.
 * @param labels - those that get colours of their own, in this order.
 */
export function colorOf(label: string, labels: readonly string[] = []): string {
  const known = labels.indexOf(label);
  let hash = 0;
  for (const character of label) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return COLORS[(known === -1 ? hash : known) % COLORS.length] ?? COLORS[0];
}
