import type { Task } from '../../contract/tasks.js';
import { PermanentTaskError } from './task-errors.js';

/** What a schema of zod is to us; any library's will do that answers in this way. */
export interface ConfigSchema<Config> {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: Config }
    | {
        readonly success: false;
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
        };
      };
}

/** A task's configuration, as its handler gets it and as the result tells it. */
export interface TaskConfig {
  readonly used: Readonly<Record<string, unknown>>;
  /** Undefined if there is nothing to tell: the server sent none, and the pipeline has no schema whose defaults would be news. */
  readonly echo: Readonly<Record<string, unknown>> | undefined;
}

/** By convention these keys are for the server (contract §6.6); it sends them all the same, and a strict schema would refuse them. */
const SERVER_PREFIX = 'request_';

/**
 * Reads the configuration that a server sent with a task; today's servers send none, which counts as empty.
 * @throws PermanentTaskError naming the keys that the pipeline's schema refuses: it would refuse them with the next delivery, too.
 */
export function readConfig(
  pipeline: { readonly configSchema?: ConfigSchema<object> | undefined },
  { config }: Pick<Task, 'config'>,
): TaskConfig {
  const sent = config !== null && config !== undefined;
  // Every task of today's servers.
  if (!sent && !pipeline.configSchema) return { used: {}, echo: undefined };
  const entries = Object.entries(config ?? {});
  const isForServer = ([key]: readonly [string, unknown]): boolean => key.startsWith(SERVER_PREFIX);
  const given = Object.fromEntries(entries.filter((entry) => !isForServer(entry)));
  const used = pipeline.configSchema ? parsed(pipeline.configSchema, given) : given;
  const echo = { ...Object.fromEntries(entries.filter(isForServer)), ...used };
  return { used, echo: sent || pipeline.configSchema ? echo : undefined };
}

function parsed(schema: ConfigSchema<object>, given: object): Readonly<Record<string, unknown>> {
  const answer = schema.safeParse(given);
  if (answer.success) return answer.data as Readonly<Record<string, unknown>>;
  const issues = answer.error.issues.map(
    ({ path, message }) => `${['config', ...path.map(String)].join('.')}: ${message}`,
  );
  throw new PermanentTaskError(`the task's configuration does not fit the pipeline: ${issues.join('; ')}`);
}
