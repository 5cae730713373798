import { AntennaClient, AntennaConfigError, AntennaWorker, silentLogger } from 'antenna-sdk';
import { onnxPipeline } from 'antenna-sdk/onnx';
import { createContractServer } from 'antenna-sdk/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { blobDetector } from '../../examples/onnx/blob-model.js';
import { imageUrls } from '../support/worlds.js';
import { FROM_SOURCES } from '../worker/executors/support.js';
import { describing, modelFolder } from './support.js';

// Threads with a model take seconds to start on a busy machine.
const PATIENCE = 120_000;

describe('a worker with a model that does not fit its description', () => {
  it(
    'ends with what was found and expected, and has taken no task',
    async () => {
      const models = modelFolder({ 'blobs.onnx': blobDetector() });
      onTestFinished(models.dispose);
      const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 1 });
      onTestFinished(() => server.close());
      const project = server.project({ name: 'Meadow' });
      const { url } = await server.listen();
      const client = new AntennaClient({
        baseUrl: url,
        apiKey: project.service({ name: 'onnx' }).key().value,
        serviceName: 'onnx',
        logger: silentLogger,
      });
      onTestFinished(() => client.close());
      const pipeline = onnxPipeline(describing({ labels: ['moth', 'beetle', 'fly'] }), {
        folder: models.folder,
        execArgv: FROM_SOURCES,
      });
      const report = await client.pipelines.register(project.id, [pipeline.config]);
      const [registered] = report.pipelines;
      if (!registered) throw new Error('the pipeline was not registered');
      const job = project.job({ pipeline: registered, images: imageUrls(3) });
      const worker = new AntennaWorker({ client, projects: [project.id], pipelines: [pipeline] });
      const ended = worker.run({ handleSignals: false });
      await expect(ended).rejects.toThrow(AntennaConfigError);
      await expect(ended).rejects.toThrow(/3 labels/);
      expect(job.queue).toMatchObject({ waiting: 3, outstanding: 0 });
    },
    PATIENCE,
  );
});
