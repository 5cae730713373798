import { AntennaApiError } from '../../errors/api.js';
import { AntennaConfigError } from '../../errors/config.js';
import { sleep } from '../../time/clock.js';
import type { RunContext } from '../run/context.js';

/** Answers that say nothing about the registration itself. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

/**
 * Registers the pipelines for every project. A server that cannot be reached is waited for; one that refuses is not.
 * @throws AntennaApiError, AntennaConfigError, AntennaContractError when the server refuses: nothing would ever come of going on.
 */
export async function registerPipelines(
  context: RunContext,
  onContact: () => void = () => undefined,
): Promise<void> {
  const { options, client, bus, phases, server, clock } = context;
  if (!options.register) return;
  const configs = [...options.pipelines.values()].map(({ config }) => config);
  for (const projectId of options.projects) {
    const report = await untilReachable(
      context,
      'registering',
      () => client.pipelines.register(projectId, configs, { signal: phases.drain }),
      (error) => {
        server.failed('registering', projectId, error, clock.now());
      },
    );
    if (report === undefined) return;
    server.well('registering', projectId, clock.now());
    onContact();
    bus.emit('registered', { projectId, report });
    for (const { message, pipeline, kind } of report.deviations) {
      client.logger.warn(
        { project: projectId, pipeline, reason: kind, error: message },
        'registered with a deviation',
      );
    }
  }
}

/**
 * Registers again whenever a pipeline says that its `config` has changed.
 * @returns a function that ends it.
 */
export function onConfigChange(context: RunContext): () => void {
  // One function for all: a service with ten pipelines calls it once.
  const register = (): Promise<void> => registerPipelines(context);
  const leave = [...context.options.pipelines.values()].map((pipeline) =>
    pipeline.onConfigChange?.(register),
  );
  return () => {
    for (const off of leave) off?.();
  };
}

/**
 * Repeats something until the server answers.
 * @returns undefined when the run ended first.
 */
async function untilReachable<Value>(
  context: RunContext,
  doing: string,
  attempt: () => Promise<Value>,
  failed: (error: unknown) => void,
): Promise<Value | undefined> {
  const { phases, options, clock, note } = context;
  while (!phases.drain.aborted) {
    try {
      return await attempt();
    } catch (error) {
      // The compiler takes the signal for unchanged; it may have aborted while waiting.
      if ((phases.drain as { readonly aborted: boolean }).aborted) return undefined;
      const passing = error instanceof AntennaApiError ? PASSING.has(error.status) : !isFinal(error);
      if (!passing) throw error;
      note(error, doing);
      failed(error);
      const jitter = 0.75 + options.random() * 0.5;
      await sleep(clock, options.pollIntervalMs * jitter, phases.drain).catch(() => undefined);
    }
  }
  return undefined;
}

function isFinal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return error instanceof AntennaConfigError || code.startsWith('contract_') || code === '';
}
