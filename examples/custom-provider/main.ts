import { AntennaClient, silentLogger } from 'antenna-sdk';
import { example, runIfStarted } from '../local-antenna/example.js';
import { cachedToken } from './token-cache-client.js';
import { startTokenCache } from './token-cache.js';

export const run = example(async ({ antenna, print, atEnd, work }) => {
  const service = antenna.project.service({ name: 'example-worker' });
  let key = service.key();
  const cache = await startTokenCache(() => (key.revoked ? (key = service.key()) : key).value);
  atEnd(() => cache.close());

  const client = new AntennaClient({
    baseUrl: antenna.url,
    tokenProvider: cachedToken(cache.url),
    tokenScheme: 'Api-Key',
    logger: silentLogger,
  });
  atEnd(() => client.close());

  const report = await work(client, {
    midway: () => {
      key.revoke();
      print('image 10: the key is revoked; the token service still has it in its cache');
    },
  });
  const { asked } = cache.counts;
  const requests = antenna.server.requests.length;
  const { mode, expiresAt } = client.credentialHealth ?? {};
  print(
    `${requests} requests, ${report.refused} of them refused; the token service was asked ${asked} times`,
  );
  print(
    `the token in use is ${mode ?? 'unknown'} and ends at ${expiresAt?.toISOString() ?? 'an unknown time'}`,
  );
  return { ...report, asked, requests };
});

await runIfStarted(import.meta.url, run);
