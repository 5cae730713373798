import { pathToFileURL } from 'node:url';
import { AntennaClient, AntennaWorker, silentLogger } from 'antenna-sdk';
import {
  examplePipeline,
  localImages,
  reportOf,
  startAntenna,
  type ExampleReport,
  type Print,
} from '../local-antenna/antenna.js';
import { cachedToken } from './token-cache-client.js';
import { startTokenCache } from './token-cache.js';

const IMAGES = 40;
const REVOKE_AT = 10;

/** What the run came to, and how often the token service was asked. */
export interface CustomProviderReport extends ExampleReport {
  readonly asked: number;
  readonly requests: number;
}

export async function run(print: Print): Promise<CustomProviderReport> {
  const antenna = await startAntenna(IMAGES);
  let { key } = antenna;
  const cache = await startTokenCache(() => (key.revoked ? (key = antenna.service.key()) : key).value);
  const client = new AntennaClient({
    baseUrl: antenna.url,
    tokenProvider: cachedToken(cache.url),
    tokenScheme: 'Api-Key',
    logger: silentLogger,
  });
  const onImage = (count: number): void => {
    if (count !== REVOKE_AT) return;
    key.revoke();
    print(`image ${REVOKE_AT}: the key is revoked; the token service still has it in its cache`);
  };
  const worker = new AntennaWorker({
    client,
    projects: [antenna.projectId],
    pipelines: [examplePipeline(onImage)],
    pollIntervalMs: 20,
    maxBatchSize: 4,
    fetch: localImages,
  });

  await worker.run({ until: 'drained' });
  const report = reportOf(antenna);
  const { asked } = cache.counts;
  const requests = antenna.server.requests.length;
  const { mode, expiresAt } = client.credentialHealth ?? {};
  print(`job ${report.jobStatus}: ${report.processed} of ${IMAGES} images, ${report.failed} failed`);
  print(
    `${requests} requests, ${report.refused} of them refused; the token service was asked ${asked} times`,
  );
  print(
    `the token in use is ${mode ?? 'unknown'} and ends at ${expiresAt?.toISOString() ?? 'an unknown time'}`,
  );
  await client.close();
  await cache.close();
  await antenna.close();
  return { ...report, asked, requests };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await run((line) => {
    console.log(line);
  });
}
