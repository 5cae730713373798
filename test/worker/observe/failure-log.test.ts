import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PermanentTaskError, RetryableTaskError, type FailureRecord } from 'antenna-sdk';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FailureLog, failureRecord } from '../../../src/worker/observe/failure-log.js';
import { WorkItem } from '../../../src/worker/task/work-item.js';
import { leaksOf } from '../../support/leaks.js';
import { ManualClock } from '../../support/manual-clock.js';
import { pipeline } from '../../support/pipelines.js';
import { createRig, drive, driveUntil } from '../reliability/rig.js';

const SIGNATURE = 'X-Amz-Signature=0123456789abcdef0123456789abcdef';
const KEY = 'abcdefgh.0123456789abcdef0123456789abcdef';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'failures-'));
  onTestFinished(() => {
    rmSync(made, { recursive: true });
  });
  return made;
}

function item(id = '7'): WorkItem {
  const task = {
    id,
    image_id: id,
    image_url: `https://user:word@images.example/night/${id}.jpg?${SIGNATURE}#part`,
    reply_subject: '$JS.ACK.stream.consumer.2.5.6.7.8',
  };
  return new WorkItem(task, { id: 3, pipeline: pipeline() }, { monotonicMs: 0, wallMs: 0 });
}

const linesOf = (file: string): FailureRecord[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FailureRecord);

const logOf = (file: string, maxBytes?: number, troubles: unknown[] = []): FailureLog =>
  new FailureLog(
    { file, maxBytes },
    { clock: new ManualClock(), secrets: [], onTrouble: (error) => troubles.push(error) },
  );

describe('the failure log', () => {
  it('says which image, of which job and pipeline, at which delivery, where and why', async () => {
    const file = join(folder(), 'failures.jsonl');
    const log = logOf(file);
    log.add(item(), 'error', 'download', new PermanentTaskError('image download failed: 404'));
    await log.close();
    expect(linesOf(file)).toEqual([
      {
        time: '1970-01-01T00:00:00.000Z',
        image_id: '7',
        url: 'https://images.example/night/7.jpg',
        job: 3,
        pipeline: 'test-moths',
        attempt: 2,
        outcome: 'error',
        kind: 'task_permanent',
        message: 'image download failed: 404',
        where: 'download',
      },
    ]);
  });

  it('keeps the end and the beginning of a stack, since each language has the place at its own', () => {
    const error = new TypeError('no such class');
    error.stack = `TypeError: no such class\nfirst line\n${'x\n'.repeat(5_000)}last line`;
    const record = failureRecord(item(), 'error', 'process', error, { time: '', secrets: [] });
    expect(record.kind).toBe('TypeError');
    expect(record.message).toBe('no such class');
    expect(record.trace).toMatch(/^first line/);
    expect(record.trace).toMatch(/last line$/);
    expect(record.trace?.length).toBeLessThan(4_100);
  });

  it('gives no secret away, whatever an error says', () => {
    const error = new Error(
      `GET https://images.example/a.jpg?${SIGNATURE} with Api-Key ${KEY} and sesame-open-up`,
    );
    for (const where of ['process', 'download'] as const) {
      const record = failureRecord(item(), 'lapsed', where, error, { time: '', secrets: ['sesame-open-up'] });
      expect(leaksOf(record, [SIGNATURE, KEY, 'sesame-open-up', 'user:word@images'])).toEqual([]);
    }
  });

  it('can be read by its owner only, also when it was there before', async () => {
    const file = join(folder(), 'deep', 'failures.jsonl');
    const log = logOf(file);
    log.add(item(), 'error', 'process', new Error('no'));
    await log.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const older = join(folder(), 'older.jsonl');
    writeFileSync(older, '', { mode: 0o644 });
    const second = logOf(older);
    second.add(item(), 'error', 'process', new Error('no'));
    await second.close();
    expect(statSync(older).mode & 0o777).toBe(0o600);
  });

  it('stays within two files of the size it may have, and keeps the newest lines', async () => {
    const file = join(folder(), 'failures.jsonl');
    const log = logOf(file, 2_000);
    for (let n = 0; n < 100; n++) {
      log.add(item(String(n)), 'lapsed', 'process', new RetryableTaskError('busy'));
      await log.close();
    }
    expect(statSync(`${file}.1`).size).toBeLessThan(4_000);
    const kept = [...linesOf(`${file}.1`), ...(existsSync(file) ? linesOf(file) : [])];
    expect(kept.at(-1)?.image_id).toBe('99');
    expect(statSync(`${file}.1`).mode & 0o777).toBe(0o600);
  });

  it('follows no link into a file of somebody else, and troubles nobody but once', async () => {
    const place = folder();
    const file = join(place, 'failures.jsonl');
    writeFileSync(join(place, 'precious'), 'mine');
    symlinkSync(join(place, 'precious'), file);
    const troubles: unknown[] = [];
    const log = logOf(file, undefined, troubles);
    for (let n = 0; n < 3; n++) {
      log.add(item(), 'error', 'process', new Error('no'));
      await log.close();
    }
    expect(troubles).toHaveLength(1);
    expect(readFileSync(join(place, 'precious'), 'utf8')).toBe('mine');
  });
});

describe('a worker with failures', () => {
  it('writes a line for every image that ended in an error or lapsed, and for no other', async () => {
    const file = join(folder(), 'failures.jsonl');
    const rig = createRig();
    const job = rig.job(6);
    const [bad, flaky] = job.imageIds;
    const seen = new Map<string, number>();
    const worker = rig.worker({
      failures: file,
      definition: {
        process: ({ id }) => {
          const calls = (seen.get(id) ?? 0) + 1;
          seen.set(id, calls);
          if (id === bad) throw new PermanentTaskError('not an insect trap');
          if (id === flaky && calls === 1) throw new RetryableTaskError('the card is busy');
          return { detections: [] };
        },
      },
    });
    const run = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => job.counts.processed === 6, 3_600_000, true);
    await drive(rig.clock, Promise.all([worker.stop(), run]), { disk: true });
    const lines = linesOf(file).map(({ image_id, outcome, kind, where, attempt }) => [
      image_id,
      outcome,
      kind,
      where,
      attempt,
    ]);
    expect(lines.sort()).toEqual(
      [
        [bad, 'error', 'task_permanent', 'process', 1],
        [flaky, 'lapsed', 'task_retryable', 'process', 1],
      ].sort(),
    );
  });

  it('refuses a name that is none', () => {
    const rig = createRig();
    expect(() => rig.worker({ failures: '' })).toThrow(/failures: /);
  });
});
