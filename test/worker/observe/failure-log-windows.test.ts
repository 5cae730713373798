import type * as fsPromises from 'node:fs/promises';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PermanentTaskError, systemClock, type Clock } from 'antenna-sdk';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FailureLog } from '../../../src/worker/observe/failure-log.js';
import { WorkItem } from '../../../src/worker/task/work-item.js';
import { pipeline } from '../../support/pipelines.js';
import { onPlatform } from '../../support/platform.js';

/** How often the log is still open in somebody's editor. */
let refusals = 0;

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fsPromises>();
  return {
    ...real,
    rename: (from: string, to: string) => {
      if (refusals-- > 0) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
      return real.rename(from, to);
    },
  };
});

/** Time passes by as much as is waited for, and at once. */
function hurriedClock(): Clock {
  let nowMs = 0;
  return {
    ...systemClock,
    now: () => nowMs,
    schedule: (delayMs, run) =>
      systemClock.schedule(0, () => {
        nowMs += delayMs;
        run();
      }),
  };
}

function item(): WorkItem {
  const task = {
    id: '7',
    image_id: '7',
    image_url: 'https://images.example/7.jpg',
    reply_subject: '$JS.ACK.s.c.2.5.6.7.8',
  };
  return new WorkItem(task, { id: 3, pipeline: pipeline() }, { monotonicMs: 0, wallMs: 0 });
}

/** Writes a line that fills the file. @returns the files then, and what went wrong. */
async function fill(): Promise<{ readonly files: string[]; readonly troubles: unknown[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'failures-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const troubles: unknown[] = [];
  const log = new FailureLog(
    { file: join(folder, 'failures.jsonl'), maxBytes: 1 },
    { clock: hurriedClock(), secrets: [], onTrouble: (error) => troubles.push(error) },
  );
  log.add(item(), 'error', 'process', new PermanentTaskError('blurred'));
  await log.close();
  return { files: readdirSync(folder), troubles };
}

describe('a full failure log on Windows', () => {
  it('is put aside when its reader has closed it', async () => {
    onPlatform('win32');
    refusals = 3;
    expect(await fill()).toEqual({ files: ['failures.jsonl.1'], troubles: [] });
  });

  it('keeps its lines and its name while a reader does not, which is told', async () => {
    onPlatform('win32');
    refusals = Infinity;
    const { files, troubles } = await fill();
    expect(files).toEqual(['failures.jsonl']);
    expect(troubles).toEqual([expect.objectContaining({ code: 'EPERM' })]);
  });
});
