import { describe, expect, it } from 'vitest';
import { EXCEPTIONS } from './replay/exceptions.js';
import { play } from './replay/play.js';
import { loadRecordings, recordingsPresent } from './replay/recording.js';
import { overFetch, overSockets } from './replay/transports.js';

const reason = recordingsPresent ? '' : ' (skipped: the recordings are not beside this repository)';

describe.skipIf(!recordingsPresent)(`recorded exchanges with the two real servers${reason}`, () => {
  for (const dialect of ['api-key', 'token'] as const) {
    for (const recording of loadRecordings(dialect)) {
      const name = `${dialect}/${recording.scenario}`;
      const listed = Object.keys(EXCEPTIONS).filter((exchange) => exchange.startsWith(`${name}#`));

      for (const [label, connect] of [
        ['fetch', overFetch],
        ['sockets', overSockets],
      ] as const) {
        it(`${name}: answers all ${recording.exchanges.length} requests over ${label} as the real server did`, async () => {
          const differences = await play(recording, connect);
          const unexpected = differences.filter(({ exchange }) => !(exchange in EXCEPTIONS));
          expect(
            unexpected.map(({ exchange, lines }) => `${exchange}\n  ${lines.join('\n  ')}`).join('\n'),
          ).toBe('');
          expect(
            differences.map(({ exchange }) => exchange).filter((exchange) => exchange in EXCEPTIONS),
          ).toEqual(listed);
        });
      }
    }
  }
});
