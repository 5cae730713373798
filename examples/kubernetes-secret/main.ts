import { AntennaClient, fileToken, silentLogger } from 'antenna-sdk';
import * as local from '../local-antenna/antenna.js';
import { mountSecret } from './mounted-secret.js';

const IMAGES = 40;
const ROTATE_AT = 10;

export async function run(print: local.Print): Promise<local.ExampleReport> {
  const antenna = await local.startAntenna(IMAGES);
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
  const pipeline = local.examplePipeline((count) => (count === ROTATE_AT ? rotate() : undefined));
  const report = await local.drain(client, antenna, pipeline, print);
  await client.close();
  await secret.unmount();
  await antenna.close();
  return report;
}

await local.runIfStarted(import.meta.url, run);
