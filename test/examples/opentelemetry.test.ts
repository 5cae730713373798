import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { WORKER_CHANNELS } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { run } from '../../examples/opentelemetry/main.js';
import { traceAntenna } from '../../examples/opentelemetry/tracing.js';
import { createWorld } from '../support/worlds.js';
import { expectShown } from './shown.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Runs a worker on a job with these images. @returns its spans. */
async function spansOf(images: string[]): Promise<readonly ReadableSpan[]> {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  cleanups.push(() => provider.shutdown());
  const stop = traceAntenna(provider.getTracer('antenna'));
  const world = await createWorld('api-key', 'msw', { images });
  cleanups.push(() => world.close());
  try {
    await world.worker().run({ until: 'drained' });
  } finally {
    stop();
  }
  return exporter.getFinishedSpans();
}

const durationMs = ({ duration: [seconds, nanoseconds] }: ReadableSpan): number =>
  seconds * 1_000 + nanoseconds / 1e6;

describe('the OpenTelemetry example', () => {
  it('traces a job, and prints what its README shows', async () => {
    const lines: string[] = [];
    const report = await run((line) => void lines.push(line));
    expect(report).toMatchObject({ jobStatus: 'SUCCESS', processed: 40, failed: 0 });
    expectShown('opentelemetry', lines.join('\n'));
  });

  it('makes spans of every stage, those of one delivery of an image in one trace', async () => {
    const spans = await spansOf(['https://images.invalid/1.jpg', 'https://images.invalid/2.jpg']);
    const names = new Set(spans.map(({ name }) => name));
    for (const stage of Object.keys(WORKER_CHANNELS)) expect(names).toContain(`antenna ${stage}`);
    const traces = (name: string): string[] =>
      spans
        .filter((span) => span.name === name)
        .map((span) => span.spanContext().traceId)
        .sort();
    const downloads = traces('antenna download');
    expect(new Set(downloads).size).toBe(2);
    expect(traces('antenna encode')).toEqual(downloads);
    for (const span of spans) expect(durationMs(span)).toBeGreaterThanOrEqual(0);
  });

  it('makes client spans of the calls, with status and without addresses or secrets', async () => {
    const spans = await spansOf(['https://images.invalid/1.jpg?signature=hush']);
    const calls = spans.filter(({ kind }) => kind === SpanKind.CLIENT);
    expect(calls.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['tasks.reserve', 'results.submit']) as unknown,
    );
    const reserve = calls.find(({ name }) => name === 'tasks.reserve');
    expect(reserve?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'http.request.resend_count': 0,
    });
    const texts = JSON.stringify(spans.map(({ name, attributes, status }) => [name, attributes, status]));
    expect(texts).not.toMatch(/https?:|hush|Api-Key/);
  });

  it('marks what failed, by its code alone', async () => {
    const spans = await spansOf(['https://images.invalid/404.jpg']);
    const failed = spans.filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failed.map(({ name }) => name)).toContain('antenna download');
    for (const span of failed) expect(span.attributes['error.type']).toMatch(/^\w+$/);
  });

  it('listens to nothing any more when it was ended', async () => {
    const heard: unknown[] = [];
    const listener = (message: unknown): unknown => heard.push(message);
    subscribe(WORKER_CHANNELS.post, listener);
    cleanups.push(() => unsubscribe(WORKER_CHANNELS.post, listener));
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    traceAntenna(provider.getTracer('antenna'))();
    const world = await createWorld('api-key', 'msw', { images: ['https://images.invalid/1.jpg'] });
    cleanups.push(() => world.close());
    await world.worker().run({ until: 'drained' });
    expect(heard.length).toBeGreaterThan(0);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
