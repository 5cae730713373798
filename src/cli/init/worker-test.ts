import type { Kind, Project, StarterFile } from './project.js';

interface Loading {
  readonly imports: string;
  readonly load: string;
}

const LOADING: Readonly<Record<Kind, Loading>> = {
  typescript: {
    imports: `import { worker as pipeline } from '../worker.ts';`,
    load: 'const pipelines = [pipeline];',
  },
  python: {
    imports: `import { pipelinesFromCommand } from 'antenna-sdk';`,
    load: `const pipelines = await pipelinesFromCommand({ command: 'python3', args: ['detect.py'], cwd: folder });`,
  },
  service: {
    imports: `import { createServer } from 'node:net';\nimport { pushService } from 'antenna-sdk';`,
    load: `// A port that is free: the one of antenna.config.json may be in use by a worker.
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const service = await pushService({
    url: \`http://127.0.0.1:\${port}\`,
    start: { command: 'python3', args: ['service.py', '--port', String(port)], cwd: folder },
  });
  t.after(() => service.close());
  const { pipelines } = service;`,
  },
  onnx: {
    imports: `import { onnxPipeline } from 'antenna-sdk/onnx';`,
    load: `const pipelines = [onnxPipeline.fromFolder(\`\${folder}models\`)];`,
  },
};

/** A test of the worker against the contract server. */
export function testFiles({ kind }: Project): readonly StarterFile[] {
  const { imports, load } = LOADING[kind];
  const content = `// npm test: the worker does a job of an Antenna in memory, in this process. Nothing leaves this machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AntennaClient, AntennaWorker, silentLogger } from 'antenna-sdk';
import { createContractServer, createImageHost } from 'antenna-sdk/testing';
${imports}

const folder = fileURLToPath(new URL('..', import.meta.url));

test('the worker finds insects in every image and finishes the job', async (t) => {
  ${load}
  const server = createContractServer({ dialect: 'api-key' });
  const images = createImageHost();
  t.after(() => Promise.all([server.close(), images.close()]));
  await server.listen();
  await images.listen();
  const urls = Array.from({ length: 4 }, () => images.generate({ width: 640, height: 480, insects: 2 }).url);
  const project = server.project({ name: 'Meadow' });
  const key = project.service().key();
  const job = project.job({ pipeline: project.pipeline(pipelines[0].config), images: urls });

  const client = new AntennaClient({ baseUrl: server.baseUrl, apiKey: key.value, logger: silentLogger });
  t.after(() => client.close());
  await new AntennaWorker({ client, pipelines, projects: [project.id] }).run({ until: 'drained' });

  server.settle();
  assert.equal(job.status, 'SUCCESS');
  assert.equal(job.counts.processed, 4);
  assert.equal(job.counts.failed, 0);
  for (const imageId of job.imageIds) assert.ok(job.detections(imageId).length > 0, \`nothing on image \${imageId}\`);
});
`;
  return [{ path: 'test/worker.test.mjs', content }];
}
