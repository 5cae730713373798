import { describe, expect, it } from 'vitest';
import { close, dilate, erode, fillHoles, open } from '../../../examples/insect-detector/morphology.js';
import type { GrayRaster } from '../../../examples/insect-detector/types.js';

/** Reads a mask from a drawing: `#` is inside. */
function mask(...lines: string[]): GrayRaster {
  return {
    width: lines[0]?.length ?? 0,
    height: lines.length,
    data: Uint8Array.from(lines.join(''), (character) => (character === '#' ? 1 : 0)),
  };
}

function drawing({ width, height, data }: GrayRaster): string[] {
  return Array.from({ length: height }, (_, y) =>
    Array.from(data.subarray(y * width, (y + 1) * width), (value) => (value === 0 ? '.' : '#')).join(''),
  );
}

describe('morphology', () => {
  it('grows and shrinks by the radius on every side', () => {
    expect(drawing(dilate(mask('.....', '..#..', '.....', '.....'), 1))).toEqual([
      '.###.',
      '.###.',
      '.###.',
      '.....',
    ]);
    expect(drawing(erode(mask('.....', '.###.', '.###.', '.###.', '.....'), 1))).toEqual([
      '.....',
      '.....',
      '..#..',
      '.....',
      '.....',
    ]);
  });

  it('does not shrink an insect away from the border that cuts it', () => {
    expect(drawing(erode(mask('##..', '##..', '##..'), 1))).toEqual(['#...', '#...', '#...']);
  });

  it('opening removes a line and keeps a body; closing bridges a gap', () => {
    expect(drawing(open(mask('......#', '.###..#', '.###..#', '.###..#', '.......'), 1))).toEqual([
      '.......',
      '.###...',
      '.###...',
      '.###...',
      '.......',
    ]);
    expect(drawing(close(mask('#..#', '#..#'), 1))).toEqual(['####', '####']);
  });

  it('fills the holes of a wing, but neither a bay nor a hole above the limit', () => {
    const ring = mask('.....', '.###.', '.#.#.', '.###.', '.....');
    expect(drawing(fillHoles(ring, 1))).toEqual(['.....', '.###.', '.###.', '.###.', '.....']);
    expect(drawing(fillHoles(ring, 0))).toEqual(drawing(ring));
    const bay = mask('###', '#..', '###');
    expect(drawing(fillHoles(bay, 9))).toEqual(drawing(bay));
  });
});
