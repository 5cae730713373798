import { figure, measure, withProgram, type Bench, type Row } from './harness.js';
import { withQueue } from './queue.js';

const IMAGES = Number(process.env['SOAK_TASKS'] ?? 100_000);
const HANDLER_BYTES = 100_000;
const BRIDGE_BYTES = 10_000;

/** Bytes of both processes. */
interface Memory {
  readonly ours: number;
  readonly theirs: number;
}

/** Memory at a tenth, at half and at the end, and how much it grew from half to the end. */
function rowsOf(what: string, samples: readonly Memory[]): Row[] {
  const [early, half, end] = samples;
  if (!early || !half || !end)
    throw new Error(`${what}: memory was looked at ${samples.length} times, not 3`);
  const megabytes = ({ ours, theirs }: Memory): string =>
    `${(ours / 1e6).toFixed(0)} + ${(theirs / 1e6).toFixed(0)} MB`;
  return [
    {
      what: `${what}, at a tenth, at half, at the end`,
      ours: [early, half, end].map(megabytes).join(', '),
      raw: '',
      ratio: '',
      target: '',
      met: undefined,
    },
    figure('  the worker, end against half-way', end.ours / half.ours, 'x', 1.1),
    figure('  the handler, end against half-way', end.theirs / half.theirs, 'x', 1.1),
  ];
}

/** Memory of the worker's process and of the handler's over many images: `SOAK_TASKS=1000000` for more. */
export const handlerSoak: Bench = {
  name: 'handler-soak',
  title: `Memory over ${IMAGES} images, of the worker and of its handler`,
  async run() {
    const tenths = measure('command-soak.mjs', String(IMAGES), String(HANDLER_BYTES)) as Memory[];
    const chosen = [tenths[0], tenths[4], tenths[8]].filter((sample) => sample !== undefined);
    const { memory } = await withQueue({ tasks: IMAGES, imageBytes: BRIDGE_BYTES }, ({ url }) =>
      withProgram('push-service.mjs', [], (service) => {
        const marks = [IMAGES / 10, IMAGES / 2, IMAGES];
        const options = { url, service, tasks: IMAGES, warmUp: IMAGES / 10, marks };
        return measure('bridge-pair.mjs', JSON.stringify(options)) as { readonly memory: readonly Memory[] };
      }),
    );
    return [
      ...rowsOf('a handler in Python, 100 kB an image', chosen),
      ...rowsOf('the bridge, 10 kB an image', memory),
    ];
  },
};
