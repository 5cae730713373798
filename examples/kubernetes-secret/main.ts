import { AntennaClient, fileToken, silentLogger } from 'antenna-sdk';
import { example, runIfStarted } from '../local-antenna/example.js';
import { mountSecret } from './mounted-secret.js';

export const run = example(async ({ antenna, print, atEnd, work }) => {
  const service = antenna.project.service({ name: 'example-worker' });
  const key = service.key();
  const secret = await mountSecret('api-key', key.value);
  atEnd(() => secret.unmount());

  // This is all that a worker needs. The scheme is named, so that the dialect of the server is known before the file is read.
  const client = new AntennaClient({
    baseUrl: antenna.url,
    tokenProvider: fileToken(secret.path),
    tokenScheme: 'Api-Key',
    logger: silentLogger,
  });
  atEnd(() => client.close());

  return work(client, {
    midway: async () => {
      key.revoke();
      await secret.update(service.key().value);
      print('image 10: the old key is revoked, the secret holds a new one');
    },
  });
});

await runIfStarted(import.meta.url, run);
