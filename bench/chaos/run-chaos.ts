import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobHandle } from 'antenna-sdk/testing';
import { buildWorker } from './build-worker.js';
import { Crew } from './crew.js';
import type { MemorySample } from './memory.js';
import { ordersOf } from './orders.js';
import { account, type ChaosOutcome } from './outcome.js';
import { seeded } from './random.js';
import type { ChaosSettings } from './settings.js';
import { lookIntoSpools } from './spool-look.js';
import { setStage } from './stage.js';
import { Trouble, writeKey } from './trouble.js';
import type { Sabotage } from './worker-log.js';

/** How often the runner looks. */
const TICK_MS = 50;
const PROGRESS_MS = 10_000;
/** How long the results of the job whose posts hung may take once they no longer do: a few backoffs. */
const POSTED_MS = 60_000;

/** Options of {@link runChaos}. */
export interface RunChaosOptions {
  readonly print?: (line: string) => void;
  readonly sabotage?: Sabotage | undefined;
  /** Keep the folder even if all went well. */
  readonly keep?: boolean;
}

/** Runs workers in processes of their own against a contract server in this one, with everything going wrong, and adds up what came of it. */
export async function runChaos(
  settings: ChaosSettings,
  options: RunChaosOptions = {},
): Promise<ChaosOutcome> {
  const { print = () => undefined, sabotage, keep = false } = options;
  const program = await buildWorker();
  const folder = mkdtempSync(join(tmpdir(), 'antenna-chaos-'));
  const stage = await setStage(settings);
  const keyFile = join(folder, 'api-key');
  writeKey(keyFile, stage.key);
  const names = Array.from({ length: settings.workers }, (_, index) => `worker-${index + 1}`);
  const orders = Object.fromEntries(
    names.map((name, index) => [name, ordersOf(settings, { folder, keyFile, stage, name, index, sabotage })]),
  );
  const crew = new Crew(program, orders);
  const samples: MemorySample[] = [];
  const sampler = setInterval(() => {
    samples.push({ at: Date.now(), rss: process.memoryUsage.rss() });
  }, settings.sampleEveryMs);
  const startedAt = performance.now();
  try {
    crew.start();
    const parts = { settings, ...stage, keyFile, crew, random: seeded(settings.seed), print };
    const trouble = new Trouble(parts, performance.now());
    const timedOut = await untilDone(stage.job, trouble, settings, print);
    const durationMs = performance.now() - startedAt;
    // What was computed for the job whose posts hang is in the spools, and can be posted now.
    stage.sides.hang.remove();
    await untilPosted(Object.values(orders).map(({ spoolDirectory }) => spoolDirectory));
    print('stopping the workers');
    await crew.stop();
    stage.server.settle();
    const outcome = account({
      settings,
      stage,
      crew,
      trouble,
      orders,
      samples,
      durationMs,
      timedOut,
      folder,
    });
    if (outcome.ledger.findings.length === 0 && !keep) rmSync(folder, { recursive: true });
    return outcome;
  } finally {
    clearInterval(sampler);
    crew.dispose();
    rmSync(program, { force: true });
    await stage.sides.close();
    await stage.images.close();
    await stage.server.close();
  }
}

/** @returns true if the run did not end in time. */
async function untilDone(
  job: JobHandle,
  trouble: Trouble,
  settings: ChaosSettings,
  print: (line: string) => void,
): Promise<boolean> {
  const startedAt = performance.now();
  let printedAt = startedAt;
  for (;;) {
    await delay(TICK_MS);
    const nowMs = performance.now();
    const counted = job.ledger.total('counted');
    trouble.tick(counted / settings.tasks, nowMs);
    if (isDone(job)) return false;
    if (nowMs - startedAt > settings.deadlineMs) return true;
    if (nowMs - printedAt < PROGRESS_MS) continue;
    printedAt = nowMs;
    print(`${Math.round((nowMs - startedAt) / 1_000)} s: ${counted} of ${settings.tasks} counted`);
  }
}

/** Waits until the spools are empty; the ledger tells if they are not in the end. */
async function untilPosted(directories: readonly string[]): Promise<void> {
  const endsAt = performance.now() + POSTED_MS;
  while (performance.now() < endsAt) {
    if (lookIntoSpools(directories, () => true).waiting === 0) return;
    await delay(TICK_MS);
  }
}

/** Over, or nothing is left that the server would still hand out. */
function isDone({ status, queue }: JobHandle): boolean {
  if (status !== 'STARTED') return true;
  return queue !== null && queue.waiting === 0 && queue.outstanding === 0;
}
