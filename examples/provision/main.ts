import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AntennaClient,
  checkCredential,
  fileToken,
  loginToken,
  provision,
  silentLogger,
  writeKeyFile,
} from 'antenna-sdk';
import { example, runIfStarted } from '../local-antenna/example.js';
import { exampleConfig } from '../local-antenna/work.js';

const STAFF = { email: 'platform@example.org', password: 'a password for the example only' };

export const run = example(async ({ antenna, print, atEnd, work }) => {
  const { server, project, url } = antenna;
  server.user({ ...STAFF, staff: true });
  const folder = await mkdtemp(join(tmpdir(), 'antenna-provision-'));
  atEnd(() => rm(folder, { recursive: true }));
  const keyFile = join(folder, 'api-key');

  // What the platform does, once for each service, as a staff user.
  const platform = new AntennaClient({
    baseUrl: url,
    tokenProvider: loginToken({ baseUrl: url, ...STAFF }),
    logger: silentLogger,
  });
  atEnd(() => platform.close());
  const asked = { project: project.id, serviceName: 'moth-worker', pipelines: [exampleConfig] };
  const keys: string[] = [];
  const deliver = async (rotateKey: boolean): Promise<void> => {
    const made = await provision(platform, { ...asked, rotateKey });
    const { service, serviceOutcome, key, keyOutcome } = made;
    if (!key) return;
    await writeKeyFile(keyFile, key);
    keys.push(key.prefix);
    print(`service ${service.id} ${serviceOutcome}, key ${key.prefix}… ${keyOutcome}, in its file`);
  };
  await deliver(false);

  // What the worker does, on its own machine: it has the file and nothing else.
  const client = new AntennaClient({
    baseUrl: url,
    tokenProvider: fileToken(keyFile),
    tokenScheme: 'Api-Key',
    logger: silentLogger,
  });
  atEnd(() => client.close());
  const { summary } = await checkCredential(client);
  print(summary);
  const report = await work(client, {
    midway: async () => {
      print('image 10: the key is rotated, and the one in use ends');
      await deliver(true);
    },
  });
  const services = (await platform.processingServices.list(project.id)).count;
  return { ...report, services, keys, summary };
});

await runIfStarted(import.meta.url, run);
