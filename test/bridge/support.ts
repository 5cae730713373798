import {
  pushService,
  systemClock,
  type Clock,
  type Executor,
  type PushService,
  type PushServiceOptions,
} from 'antenna-sdk';
import { onTestFinished } from 'vitest';
import type { BatchContext, BatchOutcome } from '../../src/worker/executors/executor.js';
import type { TaskImage, WorkerPipeline } from 'antenna-sdk';
import { fakePushService, type FakeBehaviour, type FakePushService } from '../support/push-service.js';
import { contextOf, imagesOf, listeningLogger } from '../worker/executors/support.js';

/** A fake service, a bridge to it, and the executor of its first pipeline. */
export interface Bridge {
  readonly fake: FakePushService;
  readonly service: PushService;
  readonly pipeline: WorkerPipeline;
  readonly executor: Executor;
  readonly lines: readonly string[];
  run(images: readonly TaskImage[], context?: Partial<BatchContext>): Promise<readonly BatchOutcome[]>;
}

export async function fakeService(changes: Partial<FakeBehaviour> = {}): Promise<FakePushService> {
  const fake = await fakePushService(changes);
  onTestFinished(() => fake.close());
  return fake;
}

/** Waits are short: what a test is about is the order of things. */
export const HASTE = { pollIntervalMs: 2, restartTimeoutMs: 20_000 } as const;

async function bridgeTo(
  fake: FakePushService,
  options: Partial<PushServiceOptions> = {},
  clock: Clock = options.clock ?? systemClock,
): Promise<Bridge> {
  const { logger, lines } = listeningLogger();
  const service = await pushService({ url: fake.url, logger, ...HASTE, ...options });
  onTestFinished(() => service.close());
  const [pipeline] = service.pipelines;
  if (!pipeline) throw new Error('the fake offers no pipeline');
  const executor = pipeline.createExecutor(clock);
  onTestFinished(() => executor.close());
  return {
    fake,
    service,
    pipeline,
    executor,
    lines,
    run: (images, context = {}) => executor.run(images, contextOf(context)),
  };
}

export const bridge = async (
  behaviour: Partial<FakeBehaviour> = {},
  options: Partial<PushServiceOptions> = {},
): Promise<Bridge> => bridgeTo(await fakeService(behaviour), options);

/** By it every call takes no time, so a batch is as large as it may be: on a busy machine two calls of 2 ms can look like any price. */
const timeless: Clock = { ...systemClock, now: () => 0 };

/** After this a batch may hold many images: two sizes are measured, and the price does not stand in the way. */
export async function warmed(
  behaviour: Partial<FakeBehaviour> = {},
  options: Partial<PushServiceOptions> = {},
): Promise<Bridge> {
  const made = await bridgeTo(await fakeService(behaviour), options, options.clock ?? timeless);
  for (const words of [['a'], ['a'], ['a', 'b'], ['a', 'b', 'c', 'd']]) await made.run(imagesOf(...words));
  (made.fake.calls as unknown[]).length = 0;
  return made;
}

/** What became of each image: the width of its box, which is the length of its bytes, or its error. */
export function boxesOf(outcomes: readonly BatchOutcome[]): readonly (number | string)[] {
  return outcomes.map((outcome) => {
    if (!outcome.ok) return (outcome.error as Error).name;
    return outcome.result.detections.map(({ bbox }) => bbox?.x2 ?? -1)[0] ?? 'nothing';
  });
}

/** Images with the given sizes in a PNG's header, for services that mind them. */
export function pngs(...sizes: readonly (readonly [number, number])[]): TaskImage[] {
  return imagesOf(...sizes.map(() => '')).map((image, index) => {
    const bytes = Buffer.alloc(40);
    bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
    bytes.writeUInt32BE(sizes[index]?.[0] ?? 1, 16);
    bytes.writeUInt32BE(sizes[index]?.[1] ?? 1, 20);
    return { ...image, bytes, contentType: 'image/png' };
  });
}
