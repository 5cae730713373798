import { readFile } from 'node:fs/promises';
import { BRIDGE_DEFAULTS } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = await readFile(new URL('docs/bridge.md', root), 'utf8');

describe('docs/bridge.md', () => {
  it('names the defaults as they are, and is linked from the README', async () => {
    expect(page).toContain(`| \`maxBatchSize\` | ${BRIDGE_DEFAULTS.maxBatchSize} |`);
    expect(page).toContain(
      `| \`restartTimeoutMs\`, \`startTimeoutMs\` | ${BRIDGE_DEFAULTS.restartTimeoutMs.toLocaleString('en')} |`,
    );
    expect(page).toContain(
      `| \`pollIntervalMs\` between two looks | ${BRIDGE_DEFAULTS.pollIntervalMs.toLocaleString('en')} |`,
    );
    expect(await readFile(new URL('README.md', root), 'utf8')).toContain('docs/bridge.md');
  });
});
