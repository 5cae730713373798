// Takes the lock of the directory in argv[2] when a line comes in, says how that went, holds it until the next line.
import { createInterface } from 'node:readline';
import { SpoolLock } from '../../../src/worker/spool/lock.js';

const lock = new SpoolLock(process.argv[2] ?? '');
const lines = createInterface({ input: process.stdin });
const answer = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

answer('ready');
for await (const line of lines) {
  if (line === 'end') break;
  if (line === 'take') {
    answer(
      await lock.acquire().then(
        () => 'held',
        (error: unknown) => String((error as { code?: unknown }).code),
      ),
    );
  } else {
    await lock.release();
    answer('released');
  }
}
lines.close();
