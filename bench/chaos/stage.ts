import { createContractServer, createImageHost } from 'antenna-sdk/testing';
import { installFaults } from './faults.js';
import { PIPELINE } from './pipeline.js';
import { seeded } from './random.js';
import type { ChaosSettings } from './settings.js';

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
  const job = project.job({
    pipeline: project.pipeline({ slug: PIPELINE.slug, algorithms: PIPELINE.algorithms }),
    images: Array.from({ length: tasks }, (_, index) => `${picture}?n=${index}`),
  });
  const key = service.key();
  return { server, images, url, project, service, key, job, lostDeliveries, api, imageCounts };
}

function taskIdsOf(body: string): string[] {
  try {
    const { tasks = [] } = JSON.parse(body) as { tasks?: { image_id: string }[] };
    return tasks.map(({ image_id }) => image_id);
  } catch {
    return [];
  }
}
