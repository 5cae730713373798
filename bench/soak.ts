import { compare, figure, type Bench } from './harness.js';
import { LOOP, runWorker, withQueue } from './queue.js';

/** Where memory is first looked at. */
const FIRST = 10_000;
const tasks = Number(process.env['SOAK_TASKS'] ?? 100_000);
const MARKS = [FIRST, tasks / 2, tasks];

/** Megabytes at each of the marks. */
async function memoryOf(program: string, options: object): Promise<number[]> {
  const { rss } = await withQueue({ tasks }, (queue) =>
    runWorker(program, queue, tasks, { ...options, warmUp: FIRST, marks: MARKS }),
  );
  return MARKS.map((mark) => rss[String(mark)] ?? Number.NaN);
}

/**
 * Memory over many tasks: `SOAK_TASKS=1000000 npm run bench -- soak`. The loop that remembers nothing is measured too: the first 10,000
 * tasks take a second, in which V8 has not grown its heap to the size it works with, whatever the program.
 */
export const soak: Bench = {
  name: 'soak',
  title: `Memory of a worker over ${tasks} tasks, against a loop written by hand`,
  async run() {
    const [first = Number.NaN, half = Number.NaN, end = Number.NaN] = await memoryOf('worker-sdk.mjs', {});
    const [rawFirst = Number.NaN, rawHalf = Number.NaN, rawEnd = Number.NaN] = await memoryOf(
      'worker-raw.mjs',
      LOOP,
    );
    return [
      compare({ what: `after ${FIRST} tasks`, ours: [first], raw: [rawFirst], unit: 'MB' }),
      compare({ what: 'half-way', ours: [half], raw: [rawHalf], unit: 'MB' }),
      compare({ what: 'at the end', ours: [end], raw: [rawEnd], unit: 'MB' }),
      compare({
        what: `end against the first ${FIRST}`,
        ours: [end / first],
        raw: [rawEnd / rawFirst],
        unit: 'x',
        atMost: 1.1,
      }),
      figure('end against half-way', end / half, 'x', 1.1),
    ];
  },
};
