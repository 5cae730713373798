import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { BRIDGE_DEFAULTS } from 'antenna-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMPILE_TIMEOUT_MS, complaintsOf } from '../support/compile.js';

const root = new URL('../../', import.meta.url);
const folder = new URL('.cache/docs-bridge/', root);
const page = await readFile(new URL('docs/bridge.md', root), 'utf8');
const files = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ''], index) => ({
  code,
  file: fileURLToPath(new URL(`snippet-${index + 1}.ts`, folder)),
}));

describe('docs/bridge.md', () => {
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    await Promise.all(files.map(({ code, file }) => writeFile(file, code)));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it(
    'has snippets that the compiler accepts under our own strict settings',
    () => {
      expect(files.length).toBeGreaterThan(0);
      expect(complaintsOf(files.map(({ file }) => file))).toEqual([]);
    },
    COMPILE_TIMEOUT_MS,
  );

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
