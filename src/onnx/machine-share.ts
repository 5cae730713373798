import { ONNX_DEFAULTS, type PROVIDERS, type RuntimeDescription } from './description.js';

export type Provider = (typeof PROVIDERS)[number];

/** How the models run, with defaults filled in. */
export interface ResolvedRuntime {
  /** In order of wish; ends with `cpu`. */
  readonly providers: readonly Provider[];
  readonly sessions: number;
  readonly threadsPerSession: number;
  readonly prepareThreads: number;
  readonly modelBatch: number;
  readonly memoryBytes: number;
}

/** What decides about threads. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly cores: number;
  /** Workers that share it; not a number if nobody said. */
  readonly workers: number;
}

/** Threads that decode, at most: one keeps up with a model of 30 ms a 4K image, four with any. */
const MAX_PREPARE_THREADS = 4;

/**
 * Shares the cores out, so that neither the models of one worker nor several workers fight over them: a pool as large as the machine in each
 * of N sessions makes N times as many threads as there are cores, and each waits for one that is not running.
 */
export function resolveRuntime(runtime: RuntimeDescription, machine: Machine): ResolvedRuntime {
  const told = Number.isInteger(machine.workers) && machine.workers > 0 ? machine.workers : 1;
  const share = Math.max(1, Math.floor(machine.cores / (runtime.workersPerMachine ?? told)));
  const sessions = runtime.sessions ?? 1;
  const prepareThreads =
    runtime.prepareThreads ?? Math.min(MAX_PREPARE_THREADS, Math.max(1, Math.floor(share / 2)));
  const wishes = runtime.providers ?? usualProviders(machine.platform);
  return {
    providers: [...new Set<Provider>([...wishes.filter((wish) => wish !== 'cpu'), 'cpu'])],
    sessions,
    threadsPerSession:
      runtime.threadsPerSession ?? Math.max(1, Math.floor((share - prepareThreads) / sessions)),
    prepareThreads,
    modelBatch: runtime.modelBatch ?? ONNX_DEFAULTS.modelBatch,
    memoryBytes: runtime.memoryBytes ?? ONNX_DEFAULTS.memoryBytes,
  };
}

function usualProviders(platform: NodeJS.Platform): readonly Provider[] {
  if (platform === 'win32') return ['dml'];
  return platform === 'darwin' ? ['coreml'] : ['cuda'];
}
