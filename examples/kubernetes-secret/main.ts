import { pathToFileURL } from 'node:url';
import { AntennaClient, AntennaWorker, fileToken, silentLogger } from 'antenna-sdk';
import {
  examplePipeline,
  localImages,
  reportOf,
  startAntenna,
  type ExampleReport,
  type Print,
} from '../local-antenna/antenna.js';
import { mountSecret } from './mounted-secret.js';

const IMAGES = 40;
const ROTATE_AT = 10;

export async function run(print: Print): Promise<ExampleReport> {
  const antenna = await startAntenna(IMAGES);
  const secret = await mountSecret('api-key', antenna.key.value);
  const rotate = async (): Promise<void> => {
    antenna.key.revoke();
    await secret.update(antenna.service.key().value);
    print(`image ${ROTATE_AT}: the old key is revoked, the secret holds a new one`);
  };

  // This is all that a worker needs. The scheme is named, so that the dialect of the server is known before the file is read.
  const client = new AntennaClient({
    baseUrl: antenna.url,
    tokenProvider: fileToken(secret.path),
    tokenScheme: 'Api-Key',
    logger: silentLogger,
  });
  const worker = new AntennaWorker({
    client,
    projects: [antenna.projectId],
    pipelines: [examplePipeline((count) => (count === ROTATE_AT ? rotate() : undefined))],
    pollIntervalMs: 20,
    maxBatchSize: 4,
    fetch: localImages,
  });

  await worker.run({ until: 'drained' });
  const report = reportOf(antenna);
  print(`job ${report.jobStatus}: ${report.processed} of ${IMAGES} images, ${report.failed} failed`);
  await client.close();
  await secret.unmount();
  await antenna.close();
  return report;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await run((line) => {
    console.log(line);
  });
}
