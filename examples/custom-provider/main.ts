import { AntennaClient, silentLogger } from 'antenna-sdk';
import * as local from '../local-antenna/antenna.js';
import { cachedToken } from './token-cache-client.js';
import { startTokenCache } from './token-cache.js';

const IMAGES = 40;
const REVOKE_AT = 10;

/** What the run came to, and how often the token service was asked. */
export interface CustomProviderReport extends local.ExampleReport {
  readonly asked: number;
  readonly requests: number;
}

export async function run(print: local.Print): Promise<CustomProviderReport> {
  const antenna = await local.startAntenna(IMAGES);
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
  const pipeline = local.examplePipeline(onImage);
  const report = await local.drain(client, antenna, pipeline, print);
  const { asked } = cache.counts;
  const requests = antenna.server.requests.length;
  const { mode, expiresAt } = client.credentialHealth ?? {};
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

await local.runIfStarted(import.meta.url, run);
