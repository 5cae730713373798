import { describe, expect, it } from 'vitest';
import { attachAddress } from '../../src/cli/attach-address.js';

const env = { ANTENNA_ATTACH_TOKEN: 'a-token-of-this-test' };

describe('--attach', () => {
  it('is a path below the current folder', () => {
    expect(attachAddress('cell.sock', '/home/me', env, 'linux')).toBe('/home/me/cell.sock');
  });

  it.each(['linux', 'win32'] as const)(
    'is a port of this machine with the token of the environment, on %s',
    (platform) => {
      for (const host of ['127.0.0.1', 'localhost'])
        expect(attachAddress(`tcp://${host}:8765`, '/home/me', env, platform)).toEqual({
          port: 8765,
          token: env.ANTENNA_ATTACH_TOKEN,
        });
    },
  );

  it.each([
    ['antenna-handler.sock', env, 'no socket has a path on Windows; give tcp://127.0.0.1:8765'],
    ['tcp://example.org:8765', env, 'on this machine alone'],
    ['tcp://127.0.0.1', env, 'must be tcp://127.0.0.1:PORT'],
    ['tcp://127.0.0.1:99999', env, 'must be tcp://127.0.0.1:PORT'],
    ['tcp://127.0.0.1:8765', {}, 'set ANTENNA_ATTACH_TOKEN'],
  ])('%s with %j is refused with what to give', (given, variables, words) => {
    expect(() => attachAddress(given, '/home/me', variables, 'win32')).toThrow(words);
  });
});
