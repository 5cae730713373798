/**
 * Holds what a user pays for the client: the size in a bundle, and the time of the import. `npm run build` comes first. The limits are
 * `bench/size.ts` and `bench/import.ts`.
 */
import { importRows } from '../bench/import.js';
import type { Row } from '../bench/harness.js';
import { clientRows } from '../bench/size.js';

/** Each starts six processes; an odd number, so that the median is one of them. */
const ROUNDS = 9;

function print(rows: readonly Row[]): void {
  for (const { what, ours, raw, ratio, target, met } of rows) {
    const measured = [ours, raw === '' ? '' : `against ${raw}`, ratio]
      .filter((text) => text !== '')
      .join(', ');
    const verdict = met === undefined ? '' : ` (${target}: ${met ? 'met' : 'MISSED'})`;
    process.stdout.write(`${what}: ${measured}${verdict}\n`);
  }
}

const isMissed = ({ met }: Row): boolean => met === false;

const sizes = await clientRows();
print(sizes);

let times = importRows(ROUNDS);
print(times);
if (times.some(isMissed)) {
  process.stdout.write('Once more: the machine may have had something else to do.\n');
  times = importRows(ROUNDS);
  print(times);
}

if (sizes.some(isMissed))
  process.stderr.write(
    'The client has grown. See what is new in it: `npx esbuild --bundle --analyze` on the built package lists its modules. What only some ' +
      'calls need can be loaded by them with `import()`; what is meant to be there raises the limit in bench/size.ts.\n',
  );
if (times.some(isMissed))
  process.stderr.write(
    'The import takes longer. `npm run bench -- import` shows which dependency takes how much of it.\n',
  );
process.exitCode = [...sizes, ...times].some(isMissed) ? 1 : 0;
