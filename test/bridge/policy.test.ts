import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstLine, judgeAnswer } from '../../src/bridge/answers.js';
import { BatchPolicy } from '../../src/bridge/batch-policy.js';
import { batchFor, fitCost, postingMs } from '../../src/bridge/cost.js';
import { normaliseInfo } from '../../src/bridge/info.js';
import { isThisMachine, resolvePushOptions } from '../../src/bridge/options.js';
import { splitAnswer } from '../../src/bridge/split.js';
import { leaksOf } from '../support/leaks.js';
import { FAKE_INFO } from '../support/push-service.js';

const price = fc.record({
  fixedMs: fc.double({ min: 0, max: 20_000, noNaN: true }),
  imageMs: fc.double({ min: 1, max: 5_000, noNaN: true }),
});

describe('the price of a call', () => {
  it('is found from any calls of two sizes', () => {
    fc.assert(
      fc.property(
        price,
        fc.array(fc.integer({ min: 1, max: 32 }), { minLength: 2, maxLength: 32 }),
        ({ fixedMs, imageMs }, sizes) => {
          fc.pre(new Set(sizes).size > 1);
          const cost = fitCost(sizes.map((images) => ({ images, durationMs: fixedMs + imageMs * images })));
          expect(cost?.fixedMs).toBeCloseTo(fixedMs, 2);
          expect(cost?.imageMs).toBeCloseTo(imageMs, 2);
        },
      ),
    );
  });

  it('is never negative, however much the times vary', () => {
    const sample = fc.record({
      images: fc.integer({ min: 1, max: 32 }),
      durationMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 32 }), (samples) => {
        const cost = fitCost(samples);
        expect(cost?.fixedMs).toBeGreaterThanOrEqual(0);
        expect(cost?.imageMs).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('makes batches that end within the lease less posting, unless one image does not', () => {
    fc.assert(
      fc.property(price, fc.integer({ min: 20_000, max: 300_000 }), ({ fixedMs, imageMs }, leaseMs) => {
        const cost = { fixedMs, imageMs, sdMs: 0, separable: true, largest: 8 };
        const roomMs = leaseMs - postingMs(leaseMs);
        const images = batchFor(cost, { roomMs, fullRoomMs: roomMs, cap: 32 });
        expect(images).toBeGreaterThanOrEqual(1);
        expect(images).toBeLessThanOrEqual(32);
        if (images > 1) expect(fixedMs + imageMs * images).toBeLessThanOrEqual(roomMs + 1);
      }),
    );
  });

  it('of a cheap call keeps batches small: results are posted sooner, and nothing is lost', () => {
    const cost = { fixedMs: 5, imageMs: 100, sdMs: 0, separable: true, largest: 8 };
    expect(batchFor(cost, { roomMs: 200_000, fullRoomMs: 200_000, cap: 32 })).toBe(4);
  });

  it('does not shrink batches whose images are late already', () => {
    const cost = { fixedMs: 8_000, imageMs: 500, sdMs: 0, separable: true, largest: 8 };
    expect(batchFor(cost, { roomMs: 1_000, fullRoomMs: 15_000, cap: 32 })).toBe(14);
  });

  it('is tried at twice the size while one size alone was seen, also where that looks too slow', () => {
    const policy = new BatchPolicy(32);
    expect(policy.next(30_000)).toBe(1);
    policy.measured({ images: 1, durationMs: 20_000 });
    expect(policy.next(30_000)).toBe(2);
    policy.measured({ images: 2, durationMs: 20_100 });
    expect(policy.next(30_000)).toBeGreaterThan(2);
  });

  it('takes a learned cap back one image at a time', () => {
    const policy = new BatchPolicy(32);
    for (const images of [1, 2, 8]) policy.measured({ images, durationMs: 10_000 + images });
    policy.tooLarge(8);
    expect(policy.next(300_000)).toBe(4);
    for (let call = 0; call < 20; call++) policy.measured({ images: 4, durationMs: 10_004 });
    expect(policy.next(300_000)).toBe(5);
  });
});

describe('an /info', () => {
  const withAlgorithms = (algorithms: unknown): unknown => ({
    ...FAKE_INFO,
    pipelines: [{ ...FAKE_INFO.pipelines[0], algorithms }],
  });
  const box = { name: 'Box', key: 'box', task_type: 'detection', category_map: null };
  const species = { name: 'Species', key: 'species', task_type: 'classification' };

  it.each([
    ['an empty map', { data: [], labels: [], version: null }],
    ['the slip of a dict', { data: {} }],
    ['none', null],
  ])('with %s for a detector has none', (_, category_map) => {
    const info = normaliseInfo(withAlgorithms([{ ...box, category_map }]));
    expect(info?.refused).toEqual([]);
    expect(info?.pipelines.get('fake_moths')?.algorithms[0]?.category_map).toBeNull();
  });

  it('keeps the map of a detector that has labels, as zero-shot ones do', () => {
    const category_map = { data: [{ index: 0, label: 'insect' }], labels: ['insect'] };
    const info = normaliseInfo(withAlgorithms([{ ...box, category_map }]));
    expect(info?.pipelines.get('fake_moths')?.algorithms[0]?.category_map).toEqual(category_map);
  });

  it('with labels alone gets its data from them, with a note', () => {
    const info = normaliseInfo(
      withAlgorithms([box, { ...species, category_map: { data: [], labels: ['a', 'b'] } }]),
    );
    expect(info?.pipelines.get('fake_moths')?.algorithms[1]?.category_map?.data).toEqual([
      { index: 0, label: 'a' },
      { index: 1, label: 'b' },
    ]);
    expect(info?.notes).toEqual([expect.stringContaining('has labels and no data') as string]);
  });

  it.each([
    ['no detector', [{ ...species, category_map: { data: [{ label: 'a' }] } }]],
    ['two detectors', [box, { ...box, key: 'box2', name: 'Box 2' }]],
    ['a classifier without labels', [box, { ...species, category_map: { data: [], labels: [] } }]],
    ['a classifier without a map', [box, { ...species, category_map: null }]],
    ['algorithms that are none', [box, 7]],
  ])('with %s costs that pipeline only, with a reason', (_, algorithms) => {
    const bad = { ...FAKE_INFO.pipelines[0], slug: 'bad', name: 'Bad', algorithms };
    const info = normaliseInfo({ ...FAKE_INFO, pipelines: [bad, ...FAKE_INFO.pipelines] });
    expect([...(info?.pipelines.keys() ?? [])]).toEqual(['fake_moths']);
    expect(info?.refused.map(({ slug }) => slug)).toEqual(['bad']);
    expect(info?.refused[0]?.reason).not.toBe('');
  });

  it.each([undefined, null, 'text', [], {}, { name: 1 }, { name: 'x', pipelines: {} }])(
    'is none: %j',
    (answer) => {
      expect(normaliseInfo(answer)).toBeUndefined();
    },
  );

  it('of any form is judged without an exception', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        normaliseInfo(value);
        normaliseInfo({ name: 'x', pipelines: [value, { slug: 's', algorithms: [value], stages: value }] });
      }),
    );
  });
});

describe('an answer', () => {
  const options = { algorithms: new Set(['box']), detector: 'box', hadBoxes: false };

  it('of any form is taken apart without an exception, and gives an outcome for each image', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.jsonValue()), (source_images, detections) => {
        const split = splitAnswer({ source_images, detections }, ['1', '2'], options);
        if (split.kind === 'split') expect(split.outcomes.size).toBe(2);
      }),
    );
  });

  it('fails an image whose boxes have another form, and does not call it empty', () => {
    const body = {
      source_images: [{ id: '1' }, { id: '2' }],
      detections: [{ source_image_id: '1', bbox: [1, 2, 3, 4], algorithm: { key: 'box' } }],
    };
    const split = splitAnswer(body, ['1', '2'], options);
    expect(split.kind === 'split' && [...split.outcomes.values()].map(({ ok }) => ok)).toEqual([false, true]);
  });

  it('of a service that says what is wrong with an image fails that image', () => {
    const body = { source_images: [{ id: '1', error: 'cannot read it' }], detections: [] };
    const split = splitAnswer(body, ['1'], options);
    const outcome = split.kind === 'split' ? split.outcomes.get('1') : undefined;
    expect(outcome?.ok === false && (outcome.error as Error).message).toBe(
      'the service reports: cannot read it',
    );
  });

  it('to a request with boxes may name their algorithm, which becomes the detector of the pipeline', () => {
    const body = {
      source_images: [{ id: '1' }],
      detections: [
        { source_image_id: '1', bbox: { x1: 0, y1: 0, x2: 1, y2: 1 }, algorithm: { key: 'another' } },
      ],
    };
    expect(splitAnswer(body, ['1'], options).kind).toBe('unknown-algorithm');
    const split = splitAnswer(body, ['1'], { ...options, hadBoxes: true });
    const outcome = split.kind === 'split' ? split.outcomes.get('1') : undefined;
    expect(outcome?.ok === true && outcome.result.detections[0]?.algorithm).toBe('box');
  });

  it('that repeats what it was sent gives nothing of a signed URL away', () => {
    const secret = 'X-Amz-Signature=0123456789abcdef0123456789abcdef';
    const url = `https://images.example/1.jpg?${secret}`;
    const answers = [
      [422, JSON.stringify({ detail: [{ loc: ['body', 'id'], msg: `bad ${url}`, input: { url } }] })],
      [422, JSON.stringify({ detail: `cannot open ${url}` })],
      [500, `could not fetch ${url}\nTraceback`],
      [404, `<html><title>${url}</title>`],
    ] as const;
    for (const [status, text] of answers) {
      const verdict = judgeAnswer({ status, headers: {}, body: Buffer.from(text) });
      expect(leaksOf(verdict, [secret])).toEqual([]);
    }
  });

  it('is quoted by its first line', () => {
    expect(firstLine('\n  first \nsecond')).toBe('first');
    expect(firstLine('{"detail":"one\\ntwo"}')).toBe('one');
    expect(firstLine('')).toBe('nothing');
    expect(firstLine('x'.repeat(1_000))).toHaveLength(300);
  });
});

describe('the options', () => {
  it.each([
    ['http://localhost:2000', 'loopback'],
    ['http://127.0.0.5:2000', 'loopback'],
    ['http://[::1]:2000', 'loopback'],
    ['https://models.example', 'url'],
  ])('serve the images of %s by %s', (url, images) => {
    expect(resolvePushOptions({ url }).images).toBe(images);
  });

  it('keep the path of a service behind a gateway', () => {
    expect(resolvePushOptions({ url: 'https://models.example/moths' }).url.href).toBe(
      'https://models.example/moths/',
    );
  });

  it('know the addresses of this machine', () => {
    expect(isThisMachine('models.example')).toBe(false);
  });
});
