/**
 * A worker as it runs in a container. It ends with 0 after a graceful stop, with 1 when it cannot work (a wrong key, a refused
 * registration), with 130 or 143 when it was told twice to stop.
 */
import { existsSync } from 'node:fs';
import {
  AntennaClient,
  AntennaWorker,
  definePipeline,
  fileToken,
  ProcessExecutor,
  startHealthServer,
} from 'antenna-sdk';
import { readSettings } from './settings.js';

const built = new URL('./handler.js', import.meta.url);

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
  // A process of its own: a native crash or a leak in the model costs one image, not the worker.
  executor: () =>
    new ProcessExecutor({
      module: existsSync(built) ? built : new URL('./handler.ts', import.meta.url),
      maxRssBytes: 4 * 1024 ** 3,
    }),
});

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  // The file is read again when it changes: a new key needs no restart. The scheme tells the kind of server before it is read.
  await using client = new AntennaClient({
    tokenProvider: fileToken(settings.keyFile),
    tokenScheme: 'Api-Key',
  });
  const worker = new AntennaWorker({
    client,
    projects: settings.projects,
    pipelines: [moths],
    spool: settings.spoolDirectory === undefined ? undefined : { directory: settings.spoolDirectory },
  });
  const { healthHost, healthPort } = settings;
  const health =
    healthPort === undefined
      ? undefined
      : await startHealthServer({ source: worker, port: healthPort, host: healthHost });
  if (health) process.stdout.write(`health port ${health.port}\n`);
  try {
    process.stdout.write(`${JSON.stringify(await worker.run())}\n`);
  } finally {
    await health?.close();
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
