import { ignoreStopSignals } from '../../system/stop-signals.js';
import { exitCodeOf } from '../exit-codes.js';
import type { Frame } from '../frame.js';
import { Output } from '../output.js';
import { jsonLogger } from './logging.js';
import type { FromWorker, ToWorker } from './messages.js';
import { nameOf, seatWorker, type SeatedWorker } from './worker.js';

/** How often the parent hears how it goes. */
const STATUS_MS = 500;

const send = (message: FromWorker): void => {
  // The parent may be gone; then nobody is left to tell, and `disconnect` has ended the run.
  if (process.connected) process.send?.(message);
};

/**
 * One worker of several, in a process of its own. A signal to the group reaches parent and children alike, so the children leave the
 * decision to the parent, and stop by themselves only if it is gone.
 */
export async function runChild(): Promise<void> {
  ignoreStopSignals();
  let seated: SeatedWorker | undefined;
  let stopped: { readonly graceMs?: number } | undefined;
  const stop = (how: { readonly graceMs?: number }): void => {
    stopped = how;
    void seated?.worker.stop(how);
  };
  process.once('disconnect', () => {
    stop({});
  });
  const start = await new Promise<Extract<ToWorker, { kind: 'start' }>>((resolve) => {
    process.on('message', (message: ToWorker) => {
      if (message.kind === 'start') resolve(message);
      else stop({ graceMs: message.graceMs });
    });
  });
  try {
    seated = await seatWorker(
      frameOf(start.frame),
      start.seat,
      jsonLogger(start.logLevel, nameOf(start.seat.index)),
    );
    await work(seated, () => stopped);
  } catch (error) {
    const { redact } = await import('../../index.js');
    send({ kind: 'failed', message: redact(error instanceof Error ? error.message : String(error), []) });
    process.exitCode = exitCodeOf(error);
  }
  if (process.connected) process.disconnect();
  // As in main.ts: nothing that a handler left may keep the process alive.
  setTimeout(() => process.exit(), 1_000).unref();
}

async function work(
  { worker, client, board, run }: SeatedWorker,
  stopped: () => { readonly graceMs?: number } | undefined,
): Promise<void> {
  const tell = (): void => {
    send({ kind: 'status', overview: board.status(), health: worker.health(), metrics: worker.metrics() });
  };
  const timer = setInterval(tell, STATUS_MS);
  try {
    const running = run({ handleSignals: false });
    // Told before it had begun.
    const early = stopped();
    if (early) void worker.stop(early);
    const report = await running;
    tell();
    send({ kind: 'done', report });
  } finally {
    clearInterval(timer);
    await client.close();
  }
}

function frameOf(given: Pick<Frame, 'settings' | 'origins' | 'cwd'>): Frame {
  const { stdout, stderr, env } = process;
  const out = new Output({ stdout, stderr, env, json: true });
  return { ...given, out, env, warnings: [], interactive: false, args: [], options: {} };
}
