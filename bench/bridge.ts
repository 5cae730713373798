import { compare, figure, measure, median, withProgram, type Bench, type Row } from './harness.js';
import { withQueue } from './queue.js';

const ROUNDS = 3;
const SIZES = [
  { name: '100 kB', imageBytes: 100_000, tasks: 3_000 },
  { name: '2 MB', imageBytes: 2_000_000, tasks: 600 },
] as const;

/** What `bridge-pair.mjs` prints. */
interface PairFigures {
  readonly oursMs: number;
  readonly theirsMs: number;
  readonly taskMs: number;
  readonly oursMb: number;
  readonly theirsMb: number;
}

async function pair(raw: boolean, tasks: number, imageBytes: number): Promise<PairFigures> {
  return withQueue({ tasks, imageBytes }, ({ url }) =>
    withProgram('push-service.mjs', [], (service) => {
      const options = JSON.stringify({ url, service, tasks, warmUp: tasks / 5, raw });
      return measure('bridge-pair.mjs', options) as PairFigures;
    }),
  );
}

async function sizeRows({ name, imageBytes, tasks }: (typeof SIZES)[number]): Promise<Row[]> {
  const ours: PairFigures[] = [];
  const raw: PairFigures[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    for (const isRaw of round % 2 === 0 ? [false, true] : [true, false])
      (isRaw ? raw : ours).push(await pair(isRaw, tasks, imageBytes));
  const cpu = ({ oursMs, theirsMs }: PairFigures): number => oursMs + theirsMs;
  const middle = (of: (figures: PairFigures) => number): number => median(ours.map(of));
  return [
    compare({
      what: `CPU of the pair an image, ${name}`,
      ours: ours.map(cpu),
      raw: raw.map(cpu),
      unit: 'ms',
    }),
    figure(
      `of it the worker's, ${name}`,
      middle(({ oursMs }) => oursMs),
      'ms',
    ),
    compare({
      what: `time an image, ${name}`,
      ours: ours.map(({ taskMs }) => taskMs),
      raw: raw.map(({ taskMs }) => taskMs),
      unit: 'ms',
    }),
    compare({
      what: `memory of the pair at most, ${name}`,
      ours: ours.map(({ oursMb, theirsMb }) => oursMb + theirsMb),
      raw: raw.map(({ oursMb, theirsMb }) => oursMb + theirsMb),
      unit: 'MB',
    }),
    figure(
      `of it the worker's, ${name}`,
      middle(({ oursMb }) => oursMb),
      'MB',
    ),
  ];
}

/** A worker whose service gets its images over loopback, against a loop that hands the images' own URLs on. */
export const bridge: Bench = {
  name: 'bridge',
  title: 'Bridge with loopback, against a loop that passes URLs on',
  async run() {
    const rows: Row[] = [];
    for (const size of SIZES) rows.push(...(await sizeRows(size)));
    return rows;
  },
};
