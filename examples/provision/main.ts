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
import { createContractServer } from 'antenna-sdk/testing';
import * as local from '../local-antenna/antenna.js';

const IMAGES = 40;
const ROTATE_AT = 10;
const STAFF = { email: 'platform@example.org', password: 'a password for the example only' };

/** What the run came to, and what was made on the way. */
export interface ProvisionReport extends local.ExampleReport {
  readonly services: number;
  readonly keys: readonly string[];
  readonly summary: string;
}

export async function run(print: local.Print): Promise<ProvisionReport> {
  // An Antenna with nothing in it but a project and a staff user.
  const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 1 });
  const project = server.project({ name: 'Meadow' });
  server.user({ ...STAFF, staff: true });
  const { url } = await server.listen();
  const folder = await mkdtemp(join(tmpdir(), 'antenna-provision-'));
  const keyFile = join(folder, 'api-key');
  const pipeline = local.examplePipeline((count) => (count === ROTATE_AT ? rotate() : undefined));

  // What the platform does, once for each service, as a staff user.
  const platform = new AntennaClient({
    baseUrl: url,
    tokenProvider: loginToken({ baseUrl: url, ...STAFF }),
    logger: silentLogger,
  });
  const asked = { project: project.id, serviceName: 'moth-worker', pipelines: [pipeline.config] };
  const keys: string[] = [];
  const deliver = async (rotateKey: boolean): Promise<number | undefined> => {
    const { service, serviceOutcome, key, keyOutcome, registration } = await provision(platform, {
      ...asked,
      rotateKey,
    });
    if (key) {
      await writeKeyFile(keyFile, key);
      keys.push(key.prefix);
      print(`service ${service.id} ${serviceOutcome}, key ${key.prefix}… ${keyOutcome}, in its file`);
    }
    return registration?.pipelines[0]?.id;
  };
  const rotate = async (): Promise<void> => {
    print(`image ${ROTATE_AT}: the key is rotated, and the one in use ends`);
    await deliver(true);
  };
  const pipelineId = await deliver(false);

  // What the worker does, on its own machine: it has the file and nothing else.
  const client = new AntennaClient({
    baseUrl: url,
    tokenProvider: fileToken(keyFile),
    tokenScheme: 'Api-Key',
    logger: silentLogger,
  });
  const { summary } = await checkCredential(client);
  print(summary);
  const job = project.job({ pipeline: pipelineId === undefined ? null : { id: pipelineId }, images: IMAGES });
  const target = { server, projectId: project.id, job };
  const report = await local.drain(client, target, pipeline, print);
  const services = (await platform.processingServices.list(project.id)).count;
  await client.close();
  await platform.close();
  await server.close();
  await rm(folder, { recursive: true });
  return { ...report, services, keys, summary };
}

await local.runIfStarted(import.meta.url, run);
