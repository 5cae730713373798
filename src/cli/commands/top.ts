import { setTimeout as delay } from 'node:timers/promises';
import { onTermination, readStatus, type MachineOverview } from '../../index.js';
import { formatDuration, parseDuration } from '../durations.js';
import { EXIT, UsageError } from '../exit-codes.js';
import type { Frame, Run } from '../frame.js';
import { viewLines } from '../run/view.js';
import { startScreen } from '../screen.js';

/** `antenna top http://10.0.0.7:8080`: the live view of workers that run elsewhere. */
export const run: Run = async (frame) => {
  const { out, options } = frame;
  const url = addressOf(frame.args[0]);
  const everyMs = intervalOf(frame);
  const over = new AbortController();
  const end = (): void => {
    over.abort();
  };
  const unlisten = onTermination({ graceful: end, immediate: () => process.exit() });
  // Such as `head`, which has seen enough.
  out.stdout.once('error', end);
  try {
    const first = await readStatus(url, { signal: over.signal });
    if (out.isTerminal && options['once'] !== true)
      await live(frame, { url, everyMs, first, over: over.signal });
    else if (out.json && options['once'] !== true)
      for (let machine = first; ; machine = await readStatus(url, { signal: over.signal })) {
        out.raw(JSON.stringify(machine));
        await delay(everyMs, undefined, { signal: over.signal });
      }
    else if (out.json) out.raw(JSON.stringify(first));
    else
      for (const line of viewLines(first, { paint: out.paint, columns: snapshotColumns(frame) }))
        out.line(line);
    return EXIT.ok;
  } catch (error) {
    if (over.signal.aborted) return EXIT.ok;
    throw error;
  } finally {
    unlisten();
  }
};

interface Live {
  readonly url: string;
  readonly everyMs: number;
  readonly first: MachineOverview;
  readonly over: AbortSignal;
}

/** Until told to stop; a worker that does not answer for a while, or is started again, is waited for. */
async function live({ out }: Frame, { url, everyMs, first, over }: Live): Promise<void> {
  const screen = await startScreen(out);
  let machine = first;
  let answeredAt = performance.now();
  let warnings: readonly string[] = [];
  try {
    for (;;) {
      const footer = `${url} · Ctrl-C ends this view, not the worker`;
      screen.show(viewLines(machine, { paint: out.paint, columns: out.columns, warnings, footer }));
      await delay(everyMs, undefined, { signal: over });
      try {
        machine = await readStatus(url, { signal: over });
        answeredAt = performance.now();
        warnings = [];
      } catch (error) {
        over.throwIfAborted();
        const silent = formatDuration(performance.now() - answeredAt);
        warnings = [
          `what is above is ${silent} old. ${error instanceof Error ? error.message : String(error)}`,
        ];
      }
    }
  } finally {
    screen.close();
  }
}

/** Into a file whole lines are wanted. */
function snapshotColumns({ out }: Frame): number {
  return out.isTerminal ? out.columns : 1_000;
}

/** What people type: without a scheme it is http, and nothing at all is this machine. */
function addressOf(given = '127.0.0.1:8080'): string {
  const url = /^https?:\/\//i.test(given) ? given : `http://${given}`;
  if (URL.canParse(url) && !given.includes('@')) return url;
  throw new UsageError(
    'The address of a health port is such as http://10.0.0.7:8080, without user and password',
  );
}

function intervalOf({ options }: Frame): number {
  const everyMs = parseDuration(typeof options['every'] === 'string' ? options['every'] : '2s');
  if (everyMs !== undefined && everyMs >= 100) return everyMs;
  throw new UsageError('--every must be a time from 100ms, such as 2s');
}
