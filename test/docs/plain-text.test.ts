import { describe, expect, it } from 'vitest';
import { missingPages } from '../../docs/.vitepress/plain-text.js';

const LIST = '- [The command](/base/cli.md)\n- [antenna-sdk](/base/reference/antenna-sdk.md): the client\n';

describe('llms.txt', () => {
  it('names what it does not list', () => {
    expect(missingPages(LIST, ['cli.md', 'deploy.md'])).toEqual(['deploy.md']);
    expect(
      missingPages(LIST, ['reference/antenna-sdk/index.md', 'reference/antenna-sdk/onnx/index.md']),
    ).toEqual(['reference/antenna-sdk/onnx/index.md']);
  });

  it('needs neither the home page nor the single names of the reference', () => {
    expect(missingPages(LIST, ['index.md', 'cli.md', 'reference/antenna-sdk/classes/Pace.md'])).toEqual([]);
  });
});
