import { SpanKind } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { AntennaClient, silentLogger } from 'antenna-sdk';
import { example, runIfStarted } from '../local-antenna/example.js';
import { traceAntenna } from './tracing.js';

const traceOf = (span: ReadableSpan): string => span.spanContext().traceId;
const namesOf = (spans: readonly ReadableSpan[]): string =>
  [...new Set(spans.map(({ name }) => name))].sort().join(', ');

export const run = example(async ({ antenna, print, atEnd, work }) => {
  // Keeps the spans in memory, to be counted below; in a deployment an exporter sends them to a collector.
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  atEnd(() => provider.shutdown());

  // This is all that a worker needs: from here on whatever runs in this process is traced.
  const stop = traceAntenna(provider.getTracer('antenna'));
  atEnd(stop);

  const apiKey = antenna.project.service({ name: 'example-worker' }).key().value;
  const client = new AntennaClient({ baseUrl: antenna.url, apiKey, logger: silentLogger });
  atEnd(() => client.close());
  const report = await work(client);

  const spans = exporter.getFinishedSpans();
  print(`${spans.length} spans in ${new Set(spans.map(traceOf)).size} traces`);
  const download = spans.find(({ name }) => name === 'antenna download');
  const ofOneImage = spans.filter((span) => download && traceOf(span) === traceOf(download));
  print(`the trace of one image: ${namesOf(ofOneImage)}`);
  const reserve = spans.find(({ name, kind }) => name === 'tasks.reserve' && kind === SpanKind.CLIENT);
  print(`a call of the server: ${reserve?.name ?? 'none'} ${JSON.stringify(reserve?.attributes)}`);
  return { ...report, spans: spans.length };
});

await runIfStarted(import.meta.url, run);
