import { MessageChannel, type Worker } from 'node:worker_threads';
import { AntennaConfigError } from '../errors/config.js';
import type { Logger } from '../log/logger.js';
import { deferred } from '../worker/executors/joined-signal.js';
import { HandlerStartError } from '../worker/executors/execution-errors.js';
import type { LoadedModel, Plan } from './plan.js';
import type { ResolvedDescription } from './resolve.js';
import type { FromPrepare, FromSession, ToPrepare, ToSession } from './thread-messages.js';

/** How long threads have to end by themselves: a model in the middle of a run cannot be interrupted without harm. */
export const END_MS = 2_000;

export function post(thread: Worker, message: ToPrepare): void {
  thread.postMessage(message);
}

/** Waits until a session thread has its models. */
export function loadedIn(
  thread: Worker,
  { config }: ResolvedDescription,
  logger: Logger,
): Promise<readonly LoadedModel[]> {
  return new Promise((resolve, reject) => {
    thread.on('message', (message: FromSession) => {
      if (message.type === 'loaded') resolve(message.models);
      else if (message.type === 'log') logger[message.level]({ pipeline: config.slug }, message.message);
      else if (message.type === 'failed')
        reject(new HandlerStartError(`the models cannot be loaded: ${message.error.message}`));
      else
        reject(
          new AntennaConfigError(
            `The models of ${JSON.stringify(config.slug)} cannot be used`,
            message.issues,
          ),
        );
    });
  });
}

/** Gives a preparing thread its plan, and a line to every session. */
export function connect(
  thread: Worker,
  sessions: readonly Worker[],
  { plan, memoryBytes }: { readonly plan: Plan; readonly memoryBytes: number },
): Promise<void> {
  const ports = sessions.map((session) => {
    const { port1, port2 } = new MessageChannel();
    session.postMessage({ type: 'serve', port: port1 } satisfies ToSession, [port1]);
    return port2;
  });
  return new Promise((resolve, reject) => {
    thread.on('message', (message: FromPrepare) => {
      if (message.type === 'ready') resolve();
      else if (message.type === 'failed')
        reject(new HandlerStartError(`images cannot be prepared: ${message.error.message}`));
    });
    thread.postMessage({ type: 'plan', plan, memoryBytes, ports } satisfies ToPrepare, ports);
  });
}

export function rejectOnDeath(thread: Worker, reject: (error: Error) => void): void {
  thread.once('error', (error) => {
    reject(
      new HandlerStartError(`a thread of the models died at its start: ${error.message}`, { cause: error }),
    );
  });
  thread.once('exit', (code) => {
    reject(new HandlerStartError(`a thread of the models exited at its start with code ${code}`));
  });
}

/**
 * Waits until a thread has ended, and ends it after a grace. JavaScript ends at once; a model that hangs inside a native library does not, and
 * is left behind, so that whoever closes is not held as well.
 */
export async function endOf(thread: Worker, graceMs: number): Promise<void> {
  if (thread.threadId === -1) return;
  const exit = deferred<undefined>();
  thread.once('exit', () => {
    exit.resolve(undefined);
  });
  const terminate = setTimeout(() => void thread.terminate(), graceMs);
  const leave = setTimeout(() => {
    thread.unref();
    exit.resolve(undefined);
  }, graceMs + END_MS);
  await exit.promise;
  clearTimeout(terminate);
  clearTimeout(leave);
}
