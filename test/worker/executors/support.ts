import { fileURLToPath } from 'node:url';
import { silentLogger, type Executor, type Logger, type TaskImage } from 'antenna-sdk';
import { afterEach } from 'vitest';
import type { BatchContext, BatchOutcome } from '../../../src/worker/executors/executor.js';

/** A handler module of these tests. */
export function handler(name: string): string {
  return fileURLToPath(new URL(`./handlers/${name}`, import.meta.url));
}

/** The sources are TypeScript, and Node 20 needs help with them. The package's own files need none. */
export const FROM_SOURCES = [
  '--import',
  new URL('./handlers/register-tsx.mjs', import.meta.url).href,
] as const;

/** Options of an executor that starts a handler module somewhere. */
interface Elsewhere {
  readonly module: string | URL;
  readonly execArgv?: readonly string[] | undefined;
  readonly random?: (() => number) | undefined;
}

/** Makes executors for modules of these tests, and closes them after each test. */
export function opener<Options extends object, Made extends Pick<Executor, 'close'>>(
  make: (options: Partial<Options> & Elsewhere) => Made,
): (module: string, options?: Partial<Options>) => Made {
  const open: Made[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((executor) => executor.close()));
  });
  return (module, options = {}) => {
    const executor = make({ module: handler(module), execArgv: FROM_SOURCES, random: () => 0, ...options });
    open.push(executor);
    return executor;
  };
}

/** Images whose bytes are the given words; `img-0`, `img-1` … */
export function imagesOf(...words: readonly string[]): TaskImage[] {
  return words.map((word, index) => ({
    id: `img-${index}`,
    url: `https://images.example/${index}.jpg`,
    bytes: Buffer.from(word),
    contentType: 'image/jpeg',
    jobId: 7,
    detections: [],
    task: {
      id: `t-${index}`,
      image_id: `img-${index}`,
      image_url: `https://images.example/${index}.jpg`,
      reply_subject: 's',
    },
  }));
}

export function contextOf(changes: Partial<BatchContext> = {}): BatchContext {
  return {
    signal: new AbortController().signal,
    config: {},
    logger: silentLogger,
    deadline: { remainingMs: () => 25_000 },
    ...changes,
  };
}

/** Outcomes as a test reads them: the result's own fields, or the error's name and message. */
export function read(outcomes: readonly BatchOutcome[]): readonly unknown[] {
  return outcomes.map((outcome) =>
    outcome.ok ? outcome.result : `${(outcome.error as Error).name}: ${(outcome.error as Error).message}`,
  );
}

/** Only whether each image ended well. */
export function wentWell(outcomes: readonly BatchOutcome[]): readonly boolean[] {
  return outcomes.map(({ ok }) => ok);
}

/** A logger that keeps its lines, and lets a test wait for one. */
export function listeningLogger(): {
  readonly logger: Logger;
  readonly lines: readonly string[];
  readonly said: (text: string) => Promise<void>;
} {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const note =
    (level: string) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
      for (const look of waiting) look();
    };
  const said = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!lines.some((line) => line.includes(text))) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  return { logger, lines, said };
}
