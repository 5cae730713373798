import { AntennaClient, AntennaWorker, silentLogger } from 'antenna-sdk';
import { createContractServer, createImageHost, createTestClock } from 'antenna-sdk/testing';
import { darkSpots } from './my-pipeline.js';

/** An Antenna with one job of generated images, and a way to make workers for it. Nothing touches the network. */
export function createWorld(imageCount = 4) {
  const clock = createTestClock();
  const server = createContractServer({ dialect: 'api-key', clock });
  const images = createImageHost({ clock });
  const drawn = Array.from({ length: imageCount }, () => images.generate({ insects: 1 }));

  const project = server.project({ name: 'Meadow' });
  const service = project.service({ name: 'my-worker' });
  const key = service.key();
  const pipeline = project.pipeline(darkSpots.config);
  const job = project.job({ pipeline, images: drawn.map((image) => image.url) });

  const newWorker = () => {
    const client = new AntennaClient({
      baseUrl: server.baseUrl,
      apiKey: key.value,
      fetch: server.fetch,
      clock,
      logger: silentLogger,
    });
    return new AntennaWorker({ client, projects: [project.id], pipelines: [darkSpots], fetch: images.fetch });
  };
  return { clock, server, images, drawn, project, service, key, job, newWorker };
}
