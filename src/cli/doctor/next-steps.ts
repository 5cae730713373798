import type { Frame } from '../frame.js';
import { selfCommand, shellWord } from '../invocation.js';
import { SETTINGS, type SettingName } from '../settings.js';

/** Flags of `run` that were given to `doctor` and are needed again; what came from elsewhere is there by itself. */
const REPEATED = ['module', 'exec', 'attach', 'service', 'start', 'onnx', 'project', 'spool'] as const;
const SOURCES = ['module', 'exec', 'attach', 'service', 'start', 'onnx'] as const;
/** A longer line would be read by nobody. */
const MAX_PROJECTS = 5;

/**
 * What to type when nothing would stop a worker.
 * @param served - projects of which the credential gets tasks.
 */
export function nextSteps({ settings, origins, env }: Frame, served: readonly number[] = []): string[] {
  const self = selfCommand(env);
  const given = REPEATED.flatMap((name) => (origins[name]?.rank === 0 ? flagsOf(name, settings[name]) : []));
  // Without a project a worker registers its pipelines nowhere, and a new one would find no job.
  const projects = settings.project === undefined ? flagsOf('project', served.slice(0, MAX_PROJECTS)) : [];
  const run = [self, 'run', ...given, ...projects].join(' ');
  if (SOURCES.some((name) => settings[name] !== undefined)) return [`Next: ${run}`];
  return [
    `Next: ${self} init my-worker    writes a worker to start from, if you have none`,
    `      ${run} --module FILE    works; or --exec, --service, --onnx: ${self} run --help`,
  ];
}

function flagsOf(name: SettingName, value: unknown): string[] {
  const [flag = ''] = SETTINGS[name].flag.split(' ');
  return [value].flat().map((item) => `${flag} ${shellWord(String(item))}`);
}
