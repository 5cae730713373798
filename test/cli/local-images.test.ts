import { describe, expect, it } from 'vitest';
import { withSlashes } from '../../src/cli/local-images.js';

describe('the name of an image below a folder', () => {
  it('has slashes in results and addresses, whatever the system writes', () => {
    expect(withSlashes(String.raw`night 2\trap\a.jpg`, '\\')).toBe('night 2/trap/a.jpg');
  });

  it('is left as it is where a backslash is a letter like any other', () => {
    expect(withSlashes(String.raw`night/a\b.jpg`, '/')).toBe(String.raw`night/a\b.jpg`);
  });
});
