/**
 * A worker as it runs in a container. It ends with 0 after a graceful stop, with 1 when it cannot work (a wrong key, a refused
 * registration), with 130 or 143 when it was told twice to stop.
 */
import { existsSync } from 'node:fs';
import {
  AntennaClient,
  AntennaWorker,
  definePipeline,
  health,
  ProcessExecutor,
  startHealthServer,
  type HealthServer,
} from 'antenna-sdk';
import { Contact } from './contact.js';
import { readSettings } from './settings.js';

const settings = readSettings(process.env);
const client = new AntennaClient({ apiKey: settings.apiKey });
const built = new URL('./handler.js', import.meta.url);
// A process of its own: a native crash or a leak in the model costs one image, not the worker.
const executor = new ProcessExecutor({
  module: existsSync(built) ? built : new URL('./handler.ts', import.meta.url),
  maxRssBytes: 4 * 1024 ** 3,
});

const moths = definePipeline({
  name: 'Moths',
  slug: 'moths',
  version: 1,
  algorithms: [
    { key: 'moth-boxes', name: 'Moth boxes', task_type: 'detection' },
    {
      key: 'moth-species',
      name: 'Moth species',
      task_type: 'classification',
      category_map: { data: [{ label: 'Actias luna' }, { label: 'Arctia caja' }] },
    },
  ],
  async process(image, context) {
    const [outcome] = await executor.run([image], context);
    if (outcome?.ok) return outcome.result;
    throw outcome?.error;
  },
});

const worker = new AntennaWorker({ client, projects: settings.projects, pipelines: [moths] });

/** What a probe asks for, from facts: the worker's state, and when the server last answered. */
function openHealthPort(port: number, contact: Contact): Promise<HealthServer> {
  const startedAtMs = performance.now();
  const report = (): ReturnType<typeof health> =>
    health(
      {
        state: worker.state,
        startedAtMs,
        // That the port answers shows that this thread turns; a server that is away is no reason for a restart.
        lastTurnAtMs: performance.now(),
        lastContactAtMs: contact.lastAtMs,
        oldestHeldAtMs: undefined,
        oldestOutboxAtMs: undefined,
        loopDelayMs: 0,
        outboxFull: false,
        spoolFailing: false,
        consecutiveCrashes: executor.stats().consecutiveCrashes,
      },
      performance.now(),
    );
  return startHealthServer({ source: { health: report }, port, host: settings.healthHost });
}

const contact = new Contact();
const { healthPort } = settings;
const healthServer = healthPort === undefined ? undefined : await openHealthPort(healthPort, contact);
if (healthServer) process.stdout.write(`health port ${healthServer.port}\n`);
try {
  await executor.warmUp();
  const report = await worker.run();
  process.stdout.write(`${JSON.stringify(report)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  contact.close();
  await executor.close();
  await healthServer?.close();
  await client.close();
}
