import { readFileSync } from 'node:fs';

/** What the deployment says. */
export interface Settings {
  readonly apiKey: string;
  readonly projects: readonly number[];
  readonly healthHost: string;
  /** Undefined: no health port. */
  readonly healthPort: number | undefined;
}

/**
 * Reads the environment. The key comes from a file, as Docker and Kubernetes mount secrets: a variable shows up in process lists,
 * crash dumps and `docker inspect`. The server's address is read by the client itself, from `ANTENNA_API_URL`.
 * @throws Error that names what is missing.
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const keyFile = env['ANTENNA_API_KEY_FILE'];
  if (!keyFile) throw new Error('ANTENNA_API_KEY_FILE is missing: the path of a file with the API key');
  const projects = (env['ANTENNA_PROJECTS'] ?? '').split(',').filter(Boolean).map(Number);
  if (!projects.every((id) => Number.isInteger(id) && id > 0))
    throw new Error('ANTENNA_PROJECTS must hold ids of projects, such as 3,7');
  return {
    apiKey: readFileSync(keyFile, 'utf8').trim(),
    projects,
    healthHost: env['HEALTH_HOST'] ?? '127.0.0.1',
    healthPort: env['HEALTH_PORT'] ? Number(env['HEALTH_PORT']) : undefined,
  };
}
