import { describe, expect, it } from 'vitest';
import { accessNote } from '../../src/cli/access-note.js';

describe('what is said of a key file that was written', () => {
  it('is nothing where its mode keeps others out', () => {
    expect([accessNote('linux'), accessNote('darwin')]).toEqual([undefined, undefined]);
  });

  it('is that the folder decides on Windows, where a mode means nothing', () => {
    expect(accessNote('win32')).toMatch(/access list of its folder says who may read the key file/);
  });
});
