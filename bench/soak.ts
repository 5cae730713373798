import { figure, type Bench } from './harness.js';
import { runWorker, withQueue } from './queue.js';

/** Where memory is first looked at. */
const FIRST = 10_000;
const tasks = Number(process.env['SOAK_TASKS'] ?? 100_000);

/** Memory over many tasks: `SOAK_TASKS=1000000 npm run bench -- soak`. */
export const soak: Bench = {
  name: 'soak',
  title: `Memory of a worker over ${tasks} tasks`,
  async run() {
    const { rss } = await withQueue({ tasks }, (queue) =>
      runWorker('worker-sdk.mjs', queue, tasks, { warmUp: FIRST, marks: [FIRST, tasks / 2, tasks] }),
    );
    const at = (mark: number): number => rss[String(mark)] ?? Number.NaN;
    return [
      figure(`after ${FIRST} tasks`, at(FIRST), 'MB'),
      figure('half-way', at(tasks / 2), 'MB'),
      figure('at the end', at(tasks), 'MB'),
      figure('end against beginning', at(tasks) / at(FIRST), 'x', 1.1),
    ];
  },
};
