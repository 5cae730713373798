import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createContractServer, createImageHost } from 'antenna-sdk/testing';
import { installFaults } from './faults.js';
import { PIPELINE } from './pipeline.js';
import { seeded } from './random.js';
import type { ChaosSettings } from './settings.js';

/** Tasks of each job beside the one that is counted. */
const SIDE_TASKS = 200;

/** What the workers meet: server, images, job, and what is done to requests. */
export type Stage = Awaited<ReturnType<typeof setStage>>;

/** Server, images and job, on real sockets. Their logs are kept short: memory is watched. */
export async function setStage(settings: ChaosSettings) {
  const { seed, tasks, leaseMs, maxDeliveries } = settings;
  const limits = { requestLimit: 10, ledgerLimit: 10, resultLimit: 10 };
  const server = createContractServer({
    dialect: 'api-key',
    seed,
    visibilityTimeoutMs: leaseMs,
    maxDeliveries,
    ...limits,
  });
  const images = createImageHost({ seed, requestLimit: 10 });
  const [{ url }] = await Promise.all([server.listen(), images.listen()]);
  const picture = images.generate({ width: 8, height: 8, insects: 0 }).url;
  const project = server.project({ name: 'Chaos' });
  const service = project.service({ name: 'crew' });
  const lostDeliveries = new Map<string, number>();
  const api = installFaults(server.faults, {
    mix: settings.api,
    random: seeded(seed + 1),
    onLostAnswer: (request, reply) => {
      if (!request.path.endsWith('/tasks/') || (reply.kind !== 'answer' && reply.kind !== 'partial')) return;
      for (const id of taskIdsOf(Buffer.from(reply.response.body).toString()))
        lostDeliveries.set(id, (lostDeliveries.get(id) ?? 0) + 1);
    },
  });
  const imageCounts = installFaults(images.faults, { mix: settings.images, random: seeded(seed + 2) });
  const pipeline = project.pipeline({ slug: PIPELINE.slug, algorithms: PIPELINE.algorithms });
  const imagesAt = (address: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${address}?n=${index}`);
  const job = project.job({ pipeline, images: imagesAt(picture, tasks) });
  // Beside it, of the same pipeline, one whose images' host never answers and one whose results nobody answers.
  const deadHost = await listenInSilence();
  const dead = project.job({ pipeline, images: imagesAt(`${deadHost.url}/image.png`, SIDE_TASKS) });
  const hanging = project.job({ pipeline, images: imagesAt(picture, SIDE_TASKS) });
  const hang = server.faults.intervene(() => Promise.resolve({ kind: 'silence' }), {
    route: 'result',
    where: ({ path }) => path.includes(`/jobs/${hanging.id}/`),
  });
  const key = service.key();
  const sides = { dead, hanging, hang, close: deadHost.close };
  return { server, images, url, project, service, key, job, sides, lostDeliveries, api, imageCounts };
}

/** Takes connections and says nothing. */
async function listenInSilence(): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const silent: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      silent.close();
      await once(silent, 'close');
    },
  };
}

function taskIdsOf(body: string): string[] {
  try {
    const { tasks = [] } = JSON.parse(body) as { tasks?: { image_id: string }[] };
    return tasks.map(({ image_id }) => image_id);
  } catch {
    return [];
  }
}
