import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChaosSettings } from './settings.js';
import type { Stage } from './stage.js';
import type { Sabotage, WorkerOrders } from './worker-log.js';

const local = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What one worker is told. */
export function ordersOf(
  settings: ChaosSettings,
  own: {
    readonly folder: string;
    readonly keyFile: string;
    readonly stage: Stage;
    readonly name: string;
    readonly index: number;
    readonly sabotage: Sabotage | undefined;
  },
): WorkerOrders {
  const { leaseMs, attemptTimeoutMs, downloadTimeoutMs, modelMs, concurrency, lingerMs, sampleEveryMs } =
    settings;
  const at = (ending: string): string => join(own.folder, `${own.name}${ending}`);
  mkdirSync(at('.spool'));
  return {
    ...{ leaseMs, attemptTimeoutMs, downloadTimeoutMs, modelMs, concurrency, lingerMs, sampleEveryMs },
    seed: settings.seed + own.index,
    url: own.stage.url,
    keyFile: own.keyFile,
    projectId: own.stage.project.id,
    spoolDirectory: at('.spool'),
    journalFile: at('.journal'),
    logFile: at('.log'),
    python: settings.python
      ? { script: local('./chaos_handler.py'), helper: local('../../python') }
      : undefined,
    sabotage: own.sabotage,
  };
}
