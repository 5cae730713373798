/** What the deployment says. */
export interface Settings {
  /** File with the API key. */
  readonly keyFile: string;
  readonly projects: readonly number[];
  /** Undefined: computed results are in memory only until the server has them. */
  readonly spoolDirectory: string | undefined;
  readonly healthHost: string;
  /** Undefined: no health port. */
  readonly healthPort: number | undefined;
}

/**
 * Reads the environment. The key comes from a file, as Docker and Kubernetes mount secrets: a variable shows up in process lists,
 * crash dumps and `docker inspect`, and cannot be rotated under a running worker. The server's address is read by the client itself,
 * from `ANTENNA_API_URL`.
 * @throws Error that names what is missing.
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const keyFile = env['ANTENNA_API_KEY_FILE'];
  if (!keyFile) throw new Error('ANTENNA_API_KEY_FILE is missing: the path of a file with the API key');
  const projects = (env['ANTENNA_PROJECTS'] ?? '').split(',').filter(Boolean).map(Number);
  if (!projects.every((id) => Number.isInteger(id) && id > 0))
    throw new Error('ANTENNA_PROJECTS must hold ids of projects, such as 3,7');
  const healthPort = env['HEALTH_PORT'] ? Number(env['HEALTH_PORT']) : undefined;
  if (healthPort !== undefined && !(Number.isInteger(healthPort) && healthPort >= 0 && healthPort < 65_536))
    throw new Error('HEALTH_PORT must be a port, such as 8080');
  return {
    keyFile,
    projects,
    spoolDirectory: env['ANTENNA_SPOOL_DIRECTORY'] ?? undefined,
    healthHost: env['HEALTH_HOST'] ?? '127.0.0.1',
    healthPort,
  };
}
