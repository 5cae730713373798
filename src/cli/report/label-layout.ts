import type { Box } from './detection.js';

/** A box that wants a label, with the texts it may carry: the first that finds room is taken, the last one always. */
export interface LabelRequest {
  box: Box;
  texts: readonly string[];
}

/** Where a label goes, and what it says. */
export interface PlacedLabel {
  box: Box;
  text: string;
}

/** Size of the picture and of the letters, in pixels. */
export interface LabelMetrics {
  width: number;
  height: number;
  fontSize: number;
  /** Distance between a box and its label. */
  gap: number;
}

/** Mean width of a letter of a sans-serif font, in font sizes; a little wide, so that the ground never ends too early. */
const LETTER_WIDTH = 0.58;

/**
 * Places every label beside its box (above, below, right, left) so that it covers no box and no earlier label.
 *
 * Greedy, in the given order: put the important ones first.
 */
export function placeLabels(requests: readonly LabelRequest[], metrics: LabelMetrics): PlacedLabel[] {
  const taken = requests.map(({ box }) => box);
  return requests.map((request) => {
    const placed = findRoom(request, taken, metrics);
    taken.push(placed.box);
    return placed;
  });
}

function findRoom({ box, texts }: LabelRequest, taken: readonly Box[], metrics: LabelMetrics): PlacedLabel {
  for (const text of texts) {
    const room = placesFor(box, text, metrics).find((place) => isFree(place, taken, metrics));
    if (room) return { box: room, text };
  }
  const text = texts.at(-1) ?? '';
  return { box: moveInside(placesFor(box, text, metrics)[0] ?? box, metrics), text };
}

function placesFor(box: Box, text: string, { fontSize, gap }: LabelMetrics): Box[] {
  const width = fontSize * (0.7 + LETTER_WIDTH * text.length);
  const height = fontSize * 1.35;
  const at = (x1: number, y1: number): Box => ({ x1, y1, x2: x1 + width, y2: y1 + height });
  return [
    at(box.x1 - gap, box.y1 - gap - height),
    at(box.x1 - gap, box.y2 + gap),
    at(box.x2 + gap, box.y1),
    at(box.x1 - gap - width, box.y1),
    at(box.x2 + gap - width, box.y1 - gap - height),
    at(box.x2 + gap - width, box.y2 + gap),
  ];
}

function isFree(place: Box, taken: readonly Box[], { width, height }: LabelMetrics): boolean {
  if (place.x1 < 0 || place.y1 < 0 || place.x2 > width || place.y2 > height) return false;
  return taken.every(
    (other) => place.x2 <= other.x1 || place.x1 >= other.x2 || place.y2 <= other.y1 || place.y1 >= other.y2,
  );
}

function moveInside(place: Box, { width, height }: LabelMetrics): Box {
  const dx = Math.max(0, -place.x1) - Math.max(0, place.x2 - width);
  const dy = Math.max(0, -place.y1) - Math.max(0, place.y2 - height);
  return { x1: place.x1 + dx, y1: place.y1 + dy, x2: place.x2 + dx, y2: place.y2 + dy };
}
