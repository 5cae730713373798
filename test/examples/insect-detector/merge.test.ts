import { describe, expect, it } from 'vitest';
import { mergeFragments } from '../../../examples/insect-detector/merge.js';
import type { Candidate } from '../../../examples/insect-detector/filter.js';
import type { Box } from '../../../examples/insect-detector/types.js';

const candidate = (box: Box, area: number): Candidate => ({
  component: {
    box,
    area,
    strongArea: area,
    contrastSum: 100 * area,
    peakContrast: 150,
    moments: { x: area, y: area, xx: area, yy: area, xy: area },
  },
  coreArea: area,
});

const moth = candidate({ x1: 100, y1: 100, x2: 300, y2: 200 }, 9000);

describe('mergeFragments', () => {
  it('joins a wing tip with the insect whose box holds it, pixels and box together', () => {
    const tip = candidate({ x1: 280, y1: 180, x2: 302, y2: 198 }, 200);
    const [joined, ...rest] = mergeFragments([tip, moth]);
    expect(rest).toEqual([]);
    expect(joined?.component.box).toEqual({ x1: 100, y1: 100, x2: 302, y2: 200 });
    expect(joined?.component.area).toBe(9200);
    expect(joined?.component.moments.xx).toBe(9200);
    expect(joined?.coreArea).toBe(9200);
  });

  it('leaves a neighbour that only reaches into the box, and one of similar size inside it', () => {
    const neighbour = candidate({ x1: 290, y1: 150, x2: 330, y2: 180 }, 400);
    const similar = candidate({ x1: 110, y1: 110, x2: 200, y2: 190 }, 4000);
    expect(mergeFragments([moth, neighbour, similar])).toHaveLength(3);
  });
});
