import { AntennaConfigError, HandlerTimeoutError, PushContractError, pushService } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { FAKE_INFO, fakePushService } from '../support/push-service.js';
import { until } from '../support/worlds.js';
import { contextOf, imagesOf, listeningLogger } from '../worker/executors/support.js';
import { ManualClock } from '../support/manual-clock.js';
import { boxesOf, bridge, fakeService, HASTE, pngs, warmed } from './support.js';

const lunas = (count: number): string[] => Array.from({ length: count }, (_, n) => 'm'.repeat(n + 1));

describe('what a bridge has to do (PUSH_API §7)', () => {
  it('1: waits for /readyz without a limit on attempts, taking no task, and reads /info after it', async () => {
    const fake = await fakeService({ isReady: false });
    const { logger, lines } = listeningLogger();
    let open = false;
    const opening = pushService({ url: fake.url, logger, ...HASTE }).then((service) => {
      open = true;
      return service;
    });
    await until(() => fake.requests.filter((request) => request === 'GET /readyz').length > 20);
    expect(open).toBe(false);
    expect(fake.requests).not.toContain('GET /info');
    // Once a minute, not thirty times.
    expect(lines.filter((line) => line.includes('waiting for a push service'))).toHaveLength(1);
    fake.behaviour.isReady = true;
    const service = await opening;
    expect(fake.requests.at(-1)).toBe('GET /info');
    await service.close();
  });

  it('1: reads an /info of several megabytes, and drops algorithms at its top', async () => {
    const data = Array.from({ length: 40_000 }, (_, index) => ({
      index,
      label: `species ${'x'.repeat(60)} ${index}`,
    }));
    const info = structuredClone(FAKE_INFO) as typeof FAKE_INFO & { algorithms?: unknown };
    Object.assign(info.pipelines[0]?.algorithms[1] ?? {}, { category_map: { data } });
    info.algorithms = [{ nonsense: true }];
    const { pipeline } = await bridge({ info });
    expect(pipeline.algorithms.get('fake_species')?.category_map?.data).toHaveLength(40_000);
  });

  it('2: normalises pipelines, refuses those that cannot work with the reason, and serves the others', async () => {
    const [good] = FAKE_INFO.pipelines;
    const info = {
      ...FAKE_INFO,
      pipelines: [
        { ...good, extra: 1 },
        { ...good, slug: 'blind', name: 'Blind', algorithms: good?.algorithms.slice(1) },
      ],
    };
    const { service, pipeline } = await bridge({ info });
    expect(service.pipelines.map(({ slug }) => slug)).toEqual(['fake_moths']);
    expect(service.refused).toEqual([
      { slug: 'blind', reason: expect.stringContaining('needs exactly one algorithm') as string },
    ]);
    expect(pipeline.algorithms.get('fake_box')?.category_map).toBeNull();
    expect(pipeline.config).not.toHaveProperty('extra');
  });

  it('2: names the reasons when nothing is left to serve', async () => {
    const fake = await fakeService({
      info: { name: 'Empty', pipelines: [{ slug: 'x', name: 'x', version: 1 }] },
    });
    await expect(pushService({ url: fake.url, ...HASTE })).rejects.toThrow(AntennaConfigError);
    await expect(pushService({ url: fake.url, ...HASTE })).rejects.toThrow(
      /x: algorithms: needs exactly one/,
    );
  });

  it('3: makes one call at a time, asks nothing else meanwhile, and puts together what waits', async () => {
    let release: () => void = () => undefined;
    const made = await warmed();
    const { fake, executor } = made;
    fake.behaviour.onCall = () =>
      fake.calls.length > 1 ? undefined : new Promise<void>((resolve) => (release = resolve));
    const images = imagesOf(...lunas(8));
    const asked = fake.requests.length;
    const runs = images.map((image) => executor.run([image], contextOf()));
    await until(() => fake.calls.length === 1);
    release();
    const outcomes = (await Promise.all(runs)).flat();
    expect(boxesOf(outcomes)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(fake.overlap).toBe(1);
    expect(fake.calls.length).toBeLessThan(8);
    expect(new Set(fake.requests.slice(asked))).toEqual(new Set(['POST /process']));
  });

  it('3: gives a call up at its own deadline, and waits for /livez before the next', async () => {
    const made = await warmed();
    const { fake, run } = made;
    const asked = fake.requests.length;
    const hanging = run(imagesOf('hang'), { timeoutMs: 100 });
    await until(() => fake.hanging === 1 && fake.requests.slice(asked).includes('GET /livez'));
    // Still working on the old request, and answering nobody.
    const next = run(imagesOf('moth'));
    fake.release();
    expect(boxesOf(await hanging)).toEqual([HandlerTimeoutError.className]);
    expect(boxesOf(await next)).toEqual([4]);
    const order = fake.requests.slice(asked);
    expect(order.indexOf('GET /livez')).toBeLessThan(order.lastIndexOf('POST /process'));
  });

  it('4: finds out that calls have a fixed price, and lets batches follow', async () => {
    const clock = new ManualClock();
    // A model that is built anew in every call: 8 s, and half a second an image.
    const { fake, run, service } = await bridge(
      {
        onCall: (images) => {
          clock.block(8_000 + 500 * images);
        },
      },
      { clock },
    );
    const deadline = { remainingMs: () => 120_000 };
    for (let turn = 0; turn < 8; turn++) await run(imagesOf(...lunas(40)), { deadline });
    const sizes = fake.calls.map(({ ids }) => ids.length);
    expect(sizes.slice(0, 3)).toEqual([1, 1, 2]);
    expect(Math.max(...sizes)).toBe(32);
    const cost = service.costs()['fake_moths'];
    expect(cost?.fixedMs).toBeCloseTo(8_000, 0);
    expect(cost?.imageMs).toBeCloseTo(500, 0);
  });

  it('4: keeps a batch within the lease, less the time for posting', async () => {
    const clock = new ManualClock();
    const { fake, run } = await bridge(
      {
        onCall: (images) => {
          clock.block(2_000 + 1_000 * images);
        },
      },
      { clock },
    );
    const deadline = { remainingMs: () => 15_000 };
    for (let turn = 0; turn < 6; turn++) await run(imagesOf(...lunas(12)), { deadline });
    // 15 s less 5 for posting: 2 s and eight images.
    expect(Math.max(...fake.calls.map(({ ids }) => ids.length))).toBe(8);
  });

  it('4: groups by picture size once a service has failed on mixed sizes', async () => {
    const { fake, run } = await warmed({ failsOnMixedSizes: true });
    const images = pngs([4, 3], [8, 6], [4, 3], [8, 6]);
    expect(boxesOf(await run(images))).toEqual([40, 40, 40, 40]);
    // The batch that failed, and one call a size: no halves, no singles.
    expect(fake.calls.map(({ ids }) => ids.length)).toEqual([4, 2, 2]);
    expect(boxesOf(await run(images))).toEqual([40, 40, 40, 40]);
    expect(fake.calls.slice(3).map(({ ids }) => ids)).toEqual([
      ['img-0', 'img-2'],
      ['img-1', 'img-3'],
    ]);
  });

  it('5: serves the images on loopback under names that cannot be guessed, for the time of a call', async () => {
    const { fake, run } = await bridge();
    await run(imagesOf('moth'));
    const [url] = fake.calls[0]?.urls ?? [];
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{24}\/img-0\.jpg$/);
    expect((await fetch(url ?? '')).status).toBe(404);
  });

  it('5: passes URLs through when asked to, and then downloads nothing', async () => {
    const host = await fakePushService();
    try {
      const { fake, run, pipeline } = await bridge({}, { images: 'url' });
      const [image] = imagesOf('');
      if (!image) throw new Error('no image');
      const url = `${host.url}/livez?signature=secret`;
      expect(pipeline.images).toBe('url');
      expect(boxesOf(await run([{ ...image, url }]))).toEqual(['{"status":true}'.length]);
      expect(fake.calls[0]?.urls).toEqual([url]);
    } finally {
      await host.close();
    }
  });

  it('6: splits an answer by image, drops what is foreign or double, and fails an image that is not in it', async () => {
    const { run, lines } = await warmed({
      edit: (answer) => {
        if (answer.source_images.length < 4) return answer;
        const [first, second] = answer.detections;
        return {
          ...answer,
          source_images: [
            ...answer.source_images.slice(0, 3),
            answer.source_images[0],
            { id: 'foreign', url: '' },
          ],
          // Not in the order of the images.
          detections: [second, first, first, { ...first, source_image_id: 'foreign' }],
        };
      },
    });
    expect(boxesOf(await run(imagesOf('a', 'bb', 'ccc', 'dddd')))).toEqual([
      1,
      2,
      'nothing',
      'PushFailureError',
    ]);
    expect(lines.filter((line) => line.includes('left out of the answer')).slice(-2)).toEqual([
      expect.stringContaining('"count":2,"reason":"foreign"') as string,
      expect.stringContaining('"count":2,"reason":"duplicates"') as string,
    ]);
  });

  it('7: narrows a 500 down to the image that causes it, with the first line of what the service said', async () => {
    const { run, fake } = await warmed();
    const outcomes = await run(imagesOf('a', 'bb', 'poison', 'dddd'));
    expect(boxesOf(outcomes)).toEqual([1, 2, 'PushFailureError', 4]);
    const bad = outcomes[2];
    expect(bad?.ok === false && (bad.error as Error).message).toBe(
      'the service answered 500: Internal Server Error',
    );
    expect(fake.calls.map(({ ids }) => ids.length)).toEqual([4, 2, 2, 1, 1]);
  });

  it('7: stops the pipeline at a 422 that lists fields, fails no image, and says what does not fit', async () => {
    const { run, executor, fake, lines } = await warmed();
    fake.behaviour.override = (_, response) => {
      const detail = [{ type: 'missing', loc: ['body', 'token'], msg: 'Field required', input: 'secret' }];
      response.writeHead(422, { 'content-type': 'application/json' }).end(JSON.stringify({ detail }));
      return true;
    };
    expect(boxesOf(await run(imagesOf('a', 'bb')))).toEqual([
      PushContractError.className,
      PushContractError.className,
    ]);
    expect(fake.calls).toHaveLength(1);
    expect(executor.unavailable?.()).toContain('body.token: Field required');
    expect(lines.at(-1)).toMatch(/^error a pipeline of a push service is stopped/);
    // Those that come later are not sent.
    expect(boxesOf(await run(imagesOf('a')))).toEqual(['HandlerUnavailableError']);
    expect(fake.calls).toHaveLength(1);
  });

  it('8: leaves out empty scores, logits and boxes, and passes on short scores with their label', async () => {
    const { run } = await warmed({
      edit: (answer) => {
        const [detection] = answer.detections;
        const [species] = (detection?.['classifications'] ?? []) as object[];
        const given = [
          { ...species, scores: [] },
          { ...species, classification: 'Something new', scores: [1], logits: [2] },
        ];
        return {
          ...answer,
          detections: [
            { ...detection, classifications: given },
            { ...detection, bbox: { x1: 5, y1: 5, x2: 5, y2: 9 } },
          ],
        };
      },
    });
    const [outcome] = await run(imagesOf('moth'));
    expect(outcome).toEqual({
      ok: true,
      result: {
        detections: [
          {
            bbox: { x1: 0, y1: 0, x2: 4, y2: 1 },
            algorithm: 'fake_box',
            inference_time: 0.01,
            classifications: [
              {
                algorithm: 'fake_species',
                classification: 'Something new',
                scores: [1],
                logits: [2],
                terminal: true,
              },
            ],
          },
        ],
      },
    });
  });

  it('6: sends boxes to classify again with their image alone, and takes the answer for the detector', async () => {
    const { run, fake } = await warmed();
    const [first, second] = imagesOf('moth', 'moths');
    if (!first || !second) throw new Error('no image');
    const bbox = { x1: 1, y1: 2, x2: 3, y2: 4 };
    const detections = [{ bbox, crop_image_url: '/media/crop.jpg', algorithm: { key: 'older_box' } }];
    fake.behaviour.edit = (answer) => ({
      ...answer,
      detections: answer.detections.map((detection) => ({
        ...detection,
        algorithm: { name: 'older_box', key: 'older_box' },
      })),
    });
    const [boxed] = await run([{ ...first, detections }]);
    expect(boxed?.ok === true && boxed.result.detections[0]?.algorithm).toBe('fake_box');
    expect(fake.calls[0]?.detections).toEqual([
      {
        source_image: { id: 'img-0', url: fake.calls[0]?.urls[0] },
        bbox,
        crop_image_url: null,
        algorithm: { name: 'older_box', key: 'older_box' },
      },
    ]);
    fake.behaviour.edit = (answer) => answer;
    await run([{ ...first, detections }, second]);
    expect(fake.calls.slice(1).map(({ ids }) => ids)).toEqual([['img-0'], ['img-1']]);
  });

  it('9: keeps what services to come will send: features, and the rotation of a box', async () => {
    const { run } = await bridge({
      edit: (answer) => {
        const [detection] = answer.detections;
        const [species] = (detection?.['classifications'] ?? []) as object[];
        const classifications = [{ ...species, features: [1, 2] }];
        return { ...answer, detections: [{ ...detection, rotation: 30, features: [3], classifications }] };
      },
    });
    const [outcome] = await run(imagesOf('moth'));
    expect(outcome?.ok === true && outcome.result.detections[0]).toMatchObject({
      rotation: 30,
      features: [3],
      classifications: [{ features: [1, 2] }],
    });
  });

  it("9: passes the task's configuration over the user's, without the server's own keys", async () => {
    const { run, fake } = await bridge({}, { config: { threshold: 0.5, labels: ['moth'] } });
    await run(imagesOf('moth'), { config: { threshold: 0.7, request_source_image_batch_size: 4 } });
    await run(imagesOf('moth'));
    expect(fake.calls.map(({ config }) => config)).toEqual([
      { threshold: 0.7, labels: ['moth'] },
      { threshold: 0.5, labels: ['moth'] },
    ]);
  });

  it('9: tells in the result what configuration was used', async () => {
    const { run } = await bridge({}, { config: { threshold: 0.5, labels: ['moth'] } });
    const [image] = imagesOf('moth');
    if (!image) throw new Error('no image');
    const task = { ...image.task, config: { threshold: 0.7 } };
    const [outcome] = await run([{ ...image, task }], { config: { threshold: 0.7 } });
    expect(outcome?.ok === true && outcome.result.config).toEqual({ threshold: 0.7, labels: ['moth'] });
  });

  it('10: waits for a service that restarts, reads /info again, and has it registered before it goes on', async () => {
    const { run, fake, pipeline, executor } = await warmed();
    const registered: unknown[] = [];
    pipeline.onConfigChange?.(async () => {
      registered.push([pipeline.config.description, fake.calls.length]);
    });
    await fake.down();
    const waiting = run(imagesOf('moth'));
    await until(() => executor.unavailable?.() !== undefined);
    const info = structuredClone(FAKE_INFO) as { pipelines: { description: string | null }[] };
    Object.assign(info.pipelines[0] ?? {}, { description: 'a newer one' });
    fake.behaviour.info = info;
    await fake.up();
    expect(boxesOf(await waiting)).toEqual([4]);
    expect(registered).toEqual([['a newer one', 0]]);
    expect(executor.unavailable?.()).toBeUndefined();
  });

  it('10: takes no more than one look for a service that came back as it was', async () => {
    const { run, fake, pipeline } = await warmed();
    let registered = 0;
    pipeline.onConfigChange?.(async () => {
      registered += 1;
    });
    await fake.down();
    const waiting = run(imagesOf('moth'));
    await fake.up();
    expect(boxesOf(await waiting)).toEqual([4]);
    expect(registered).toBe(0);
  });
});
