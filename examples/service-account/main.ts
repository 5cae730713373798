import { setTimeout as delay } from 'node:timers/promises';
import { AntennaClient, clientCredentials, silentLogger } from 'antenna-sdk';
import * as local from '../local-antenna/antenna.js';
import { startGateway } from './gateway.js';
import { startIssuer } from './issuer.js';

const IMAGES = 40;
const IMAGE_MS = 150;
const TOKEN_LIFETIME_SECONDS = 1;
const ACCOUNT = { id: 'example-worker', secret: 'a secret for the example only' };

/** What the run came to, and how many tokens it took. */
export interface ServiceAccountReport extends local.ExampleReport {
  readonly issued: number;
  readonly passed: number;
}

export async function run(print: local.Print): Promise<ServiceAccountReport> {
  const antenna = await local.startAntenna(IMAGES);
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
  const pipeline = local.examplePipeline(() => delay(IMAGE_MS));
  const report = await local.drain(client, antenna, pipeline, print);
  const { passed, refused } = gateway.counts;
  const { issued } = issuer.counts;
  print(`${passed} requests passed the gateway with ${issued} tokens; ${refused} refused`);
  await client.close();
  await gateway.close();
  await issuer.close();
  await antenna.close();
  return { ...report, refused, issued, passed };
}

await local.runIfStarted(import.meta.url, run);
