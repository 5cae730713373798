import { between, type Random } from './random.js';
import type { Box } from './types.js';

/** The kinds of insect that can be drawn. */
export const INSECT_KINDS = ['moth', 'fly', 'beetle', 'caddisfly'] as const;

/** One of {@link INSECT_KINDS}. */
export type InsectKind = (typeof INSECT_KINDS)[number];

/** A drawn insect: SVG elements in image coordinates, and the box around all of them. */
export interface DrawnInsect {
  svg: string;
  bbox: Box;
}

type Point = readonly [x: number, y: number];

interface Part {
  points: Point[];
  fill: string;
  opacity: number;
}

/** Length of each kind as a share of the image's long side: shortest and longest. */
export const KIND_LENGTHS: Readonly<Record<InsectKind, readonly [number, number]>> = {
  moth: [0.04, 0.11],
  fly: [0.01, 0.022],
  beetle: [0.01, 0.022],
  caddisfly: [0.02, 0.04],
};

/** Draws one insect of the given length, head up before it is turned by `angle` (radians). */
export function drawInsect(
  kind: InsectKind,
  place: { x: number; y: number; length: number; angle: number },
  random: Random,
): DrawnInsect {
  const parts = partsOf(kind, random);
  const turn = ([x, y]: Point): Point => [
    place.x + place.length * (x * Math.cos(place.angle) - y * Math.sin(place.angle)),
    place.y + place.length * (x * Math.sin(place.angle) + y * Math.cos(place.angle)),
  ];
  const turned = parts.map((part) => ({ ...part, points: part.points.map(turn) }));
  const limbs = limbsOf(kind).map((line) => line.map(turn));
  const outline = [...turned.map((part) => part.points), ...limbs].flat();
  const polygons = turned.map(
    ({ points, fill, opacity }) =>
      `<polygon points="${toPath(points)}" fill="${fill}" fill-opacity="${opacity}"/>`,
  );
  const strokes = limbs.map(
    (line) =>
      `<polyline points="${toPath(line)}" fill="none" stroke="#2a2420" stroke-width="${(place.length * 0.018).toFixed(2)}"/>`,
  );
  return {
    svg: [...strokes, ...polygons].join(''),
    bbox: {
      x1: Math.min(...outline.map(([x]) => x)),
      y1: Math.min(...outline.map(([, y]) => y)),
      x2: Math.max(...outline.map(([x]) => x)),
      y2: Math.max(...outline.map(([, y]) => y)),
    },
  };
}

function toPath(points: readonly Point[]): string {
  return points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join(' ');
}

/** Shapes in units of the insect's length, around its middle. */
function partsOf(kind: InsectKind, random: Random): Part[] {
  const dark = brown(random, 25, 60);
  const pattern = brown(random, 60, 120);
  switch (kind) {
    case 'moth': {
      const wing = brown(random, 90, 150);
      return [-1, 1]
        .flatMap((side) => [
          { points: ellipse(side * 0.2, 0.12, 0.24, 0.17, side * 0.6), fill: pattern, opacity: 1 },
          { points: ellipse(side * 0.27, -0.06, 0.28, 0.13, side * -0.35), fill: wing, opacity: 1 },
          { points: ellipse(side * 0.33, -0.07, 0.05, 0.05, 0), fill: dark, opacity: 1 },
        ])
        .concat([{ points: ellipse(0, 0.02, 0.06, 0.3, 0), fill: dark, opacity: 1 }]);
    }
    case 'fly':
      return [
        { points: ellipse(-0.16, 0.16, 0.1, 0.32, 0.35), fill: '#8a8580', opacity: 0.7 },
        { points: ellipse(0.16, 0.16, 0.1, 0.32, -0.35), fill: '#8a8580', opacity: 0.7 },
        { points: ellipse(0, 0, 0.17, 0.42, 0), fill: dark, opacity: 1 },
      ];
    case 'beetle':
      return [
        { points: ellipse(0, -0.38, 0.14, 0.12, 0), fill: dark, opacity: 1 },
        { points: ellipse(0, 0.06, 0.27, 0.42, 0), fill: brown(random, 20, 45), opacity: 1 },
      ];
    case 'caddisfly':
      return [
        { points: ellipse(0, 0.04, 0.12, 0.46, 0), fill: pattern, opacity: 1 },
        { points: ellipse(0, -0.36, 0.08, 0.12, 0), fill: dark, opacity: 1 },
      ];
  }
}

/** Antennae (all kinds) and legs (all but moths, whose wings hide them). */
function limbsOf(kind: InsectKind): Point[][] {
  return [-1, 1].flatMap((side): Point[][] => {
    const antenna: Point[] = [
      [0, -0.3],
      [side * 0.08, -0.5],
      [side * 0.16, -0.58],
    ];
    const legs = [-0.15, 0.05, 0.25].map((y): Point[] => [
      [0, y],
      [side * 0.24, y - 0.05],
      [side * 0.3, y + 0.08],
    ]);
    return kind === 'moth' ? [antenna] : [antenna, ...legs];
  });
}

function ellipse(cx: number, cy: number, rx: number, ry: number, angle: number): Point[] {
  const sides = 32;
  return Array.from({ length: sides }, (_, i): Point => {
    const turn = (2 * Math.PI * i) / sides;
    const x = rx * Math.cos(turn);
    const y = ry * Math.sin(turn);
    return [cx + x * Math.cos(angle) - y * Math.sin(angle), cy + x * Math.sin(angle) + y * Math.cos(angle)];
  });
}

function brown(random: Random, low: number, high: number): string {
  const red = between(random, low, high);
  return `rgb(${Math.round(red)},${Math.round(red * 0.82)},${Math.round(red * 0.64)})`;
}
