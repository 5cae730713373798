import type { lookup, LookupAddress } from 'node:dns';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  isPublicAddress,
  PRIVATE_ADDRESS,
  privateLiteral,
  publicLookup,
} from '../../src/http/address-guard.js';

/** A resolver that answers with one list after the other, as a name does that is bound anew. */
function resolver(...answers: string[][]): typeof lookup {
  const left = [...answers];
  const answer = (
    _name: string,
    _options: unknown,
    done: (error: Error | null, found: LookupAddress[]) => void,
  ): void => {
    const found = left.shift() ?? [];
    const addresses = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    setImmediate(() => {
      done(null, addresses);
    });
  };
  return answer as typeof lookup;
}

function ask(guarded: ReturnType<typeof publicLookup>, all: boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    guarded('images.example.org', { all }, (error, found, family) => {
      if (error) reject(error);
      else resolve(family === undefined ? found : [found, family]);
    });
  });
}

describe('isPublicAddress', () => {
  it.each(['8.8.8.8', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
    'lets %s pass',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    ...['127.0.0.1', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'],
    ...[
      '255.255.255.255',
      '224.0.0.1',
      '192.0.2.1',
      '::',
      '::1',
      'fe80::1',
      'fe80::1%eth0',
      'fd00::1',
      'ff02::1',
    ],
    ...[
      '::ffff:127.0.0.1',
      '::ffff:a9fe:a9fe',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
      '64:ff9b:1::1',
      '2002:7f00:1::',
    ],
    ...['2001:db8::1', 'fec0::1', 'localhost', ''],
  ])('refuses %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('privateLiteral', () => {
  it.each([
    'http://2130706433/',
    'http://0x7f.1/',
    'http://127.1/',
    'http://[::ffff:10.0.0.1]/',
    'http://[::1]/',
  ])('sees through the notation of %s', (url) => {
    expect(privateLiteral(new URL(url).hostname)).toMatchObject({ code: PRIVATE_ADDRESS });
  });

  it('says nothing of names, which are looked up', () => {
    expect(privateLiteral('localhost')).toBeUndefined();
    expect(privateLiteral('8.8.8.8')).toBeUndefined();
  });
});

describe('publicLookup', () => {
  it('leaves the public addresses of a name that has others too', async () => {
    const guarded = publicLookup(resolver(['10.0.0.1', '8.8.8.8'], ['10.0.0.1', '8.8.8.8']));
    await expect(ask(guarded, true)).resolves.toEqual([{ address: '8.8.8.8', family: 4 }]);
    await expect(ask(guarded, false)).resolves.toEqual(['8.8.8.8', 4]);
  });

  it('refuses a name that was public when it was looked up before, and names no address', async () => {
    const guarded = publicLookup(resolver(['8.8.8.8'], ['10.0.0.7']));
    await ask(guarded, true);
    const refused = ask(guarded, true);
    await expect(refused).rejects.toMatchObject({ code: PRIVATE_ADDRESS });
    await expect(refused).rejects.not.toThrow(/10\.0\.0\.7/);
  });

  it('is what a socket goes by', async () => {
    const error = await new Promise((resolve) => {
      const socket = connect({
        host: 'images.example.org',
        port: 9,
        lookup: publicLookup(resolver(['127.0.0.1'])),
      });
      socket.on('error', resolve);
    });
    expect(error).toMatchObject({ code: PRIVATE_ADDRESS });
  });

  it('passes on that a name does not exist', async () => {
    const gone = Object.assign(new Error('gone'), { code: 'ENOTFOUND' });
    const none = ((_name: string, _options: unknown, done: (error: Error) => void) => {
      done(gone);
    }) as unknown as typeof lookup;
    await expect(ask(publicLookup(none), true)).rejects.toBe(gone);
  });
});
