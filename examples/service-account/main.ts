import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { AntennaClient, AntennaWorker, clientCredentials, silentLogger } from 'antenna-sdk';
import {
  examplePipeline,
  localImages,
  reportOf,
  startAntenna,
  type ExampleReport,
  type Print,
} from '../local-antenna/antenna.js';
import { startGateway } from './gateway.js';
import { startIssuer } from './issuer.js';

const IMAGES = 40;
const IMAGE_MS = 150;
const TOKEN_LIFETIME_SECONDS = 1;
const ACCOUNT = { id: 'example-worker', secret: 'a secret for the example only' };

/** What the run came to, and how many tokens it took. */
export interface ServiceAccountReport extends ExampleReport {
  readonly issued: number;
  readonly passed: number;
}

export async function run(print: Print): Promise<ServiceAccountReport> {
  const antenna = await startAntenna(IMAGES);
  const issuer = await startIssuer(ACCOUNT, TOKEN_LIFETIME_SECONDS);
  const gateway = await startGateway(antenna.server, antenna.key.value, (token) => issuer.knows(token));

  // The token does not tell which kind of server is behind the gateway, so the dialect is said.
  const client = new AntennaClient({
    baseUrl: gateway.url,
    dialect: 'api-key',
    tokenProvider: clientCredentials({
      issuer: issuer.url,
      clientId: ACCOUNT.id,
      clientSecret: ACCOUNT.secret,
    }),
    logger: silentLogger,
  });
  const worker = new AntennaWorker({
    client,
    projects: [antenna.projectId],
    pipelines: [examplePipeline(() => delay(IMAGE_MS))],
    pollIntervalMs: 20,
    maxBatchSize: 4,
    fetch: localImages,
  });

  await worker.run({ until: 'drained' });
  const report = { ...reportOf(antenna), refused: gateway.counts.refused };
  const { passed } = gateway.counts;
  const { issued } = issuer.counts;
  print(`job ${report.jobStatus}: ${report.processed} of ${IMAGES} images, ${report.failed} failed`);
  print(`${passed} requests passed the gateway with ${issued} tokens; ${report.refused} refused`);
  await client.close();
  await gateway.close();
  await issuer.close();
  await antenna.close();
  return { ...report, issued, passed };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await run((line) => {
    console.log(line);
  });
}
