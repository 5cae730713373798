// The contract server under jest, as a worker's author would use it.
const { AntennaClient, AntennaWorker, definePipeline } = require('antenna-sdk');
const { createContractServer } = require('antenna-sdk/testing');

const moths = definePipeline({
  name: 'Moths',
  slug: 'moths',
  version: 1,
  algorithms: [{ key: 'moth-box', name: 'Moth box', task_type: 'detection' }],
  process: () => ({ detections: [{ bbox: { x1: 1, y1: 1, x2: 9, y2: 9 } }] }),
});

test('a job is worked to its end', async () => {
  const server = createContractServer({ dialect: 'api-key' });
  const project = server.project({ name: 'Meadow' });
  const key = project.service({ name: 'worker' }).key();
  const job = project.job({
    pipeline: project.pipeline(moths.config),
    images: ['https://images.example/1.jpg'],
  });
  const client = new AntennaClient({ baseUrl: server.baseUrl, apiKey: key.value, fetch: server.fetch });
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    pipelines: [moths],
    fetch: async () => new Response(Buffer.from('pixels')),
  });
  await worker.run({ until: 'drained' });
  server.settle();
  expect(job.status).toBe('SUCCESS');
  await client.close();
  await server.close();
});
