import type * as fsPromises from 'node:fs/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileToken } from 'antenna-sdk';
import { createTestClock } from 'antenna-sdk/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { onPlatform } from '../support/platform.js';

/** How often the file is still held by somebody who shares it with nobody. */
let refusals = 0;

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fsPromises>();
  return {
    ...real,
    open: (path: string, flags: string) => {
      if (refusals-- > 0) throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' });
      return real.open(path, flags);
    },
  };
});

function tokenFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'antenna-token-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'token');
  writeFileSync(path, 'one');
  return path;
}

describe('fileToken on Windows', () => {
  it('waits for whoever writes or scans the file', async () => {
    onPlatform('win32');
    refusals = 2;
    const clock = createTestClock();
    const provider = fileToken(tokenFile(), { clock });
    const read = Promise.resolve(provider({ reason: 'initial', signal: new AbortController().signal }));
    let done = false;
    void read.then(() => {
      done = true;
    });
    await vi.waitFor(async () => {
      await clock.advance(10);
      expect(done).toBe(true);
    });
    expect(refusals).toBe(-1);
  });

  it('says that somebody else holds it, when that does not end', async () => {
    onPlatform('linux');
    refusals = 1;
    const read = fileToken(tokenFile())({ reason: 'initial', signal: new AbortController().signal });
    await expect(read).rejects.toThrow(/is held by another program/);
  });
});
