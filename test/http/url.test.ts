import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { fillPath, parseBaseUrl, readNextLink } from '../../src/http/url.js';
import { clientOver, closeAll, failure, PROJECT } from '../support/calls.js';

afterEach(closeAll);

describe('parseBaseUrl', () => {
  it.each([
    ['https://antenna.example//api/v2', '/api/v2'],
    ['https://antenna.example//', '/api/v2'],
    ['https://antenna.example//evil.example/', '/evil.example/api/v2'],
    ['https://antenna.example/mount//api/v2//', '/mount/api/v2'],
  ])('reads the doubled slashes of %s as one', (text, pathname) => {
    const result = parseBaseUrl(text);
    expect(result.ok && result.url.pathname).toBe(pathname);
  });

  it('never sends a request, and so the key, to another host than the one that was named', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('/', '//', 'a', 'api', 'v2', '.', '..', '@', '\\', ':', '%2f'), {
          maxLength: 8,
        }),
        async (parts) => {
          const sent: URL[] = [];
          const baseUrl = `https://antenna.example/${parts.join('')}`;
          const carrier = (input: string): Promise<Response> => {
            sent.push(new URL(input));
            return Promise.resolve(Response.json(PROJECT));
          };
          // One that is refused sends nothing at all.
          if (!parseBaseUrl(baseUrl).ok) return true;
          const client = clientOver(carrier, { baseUrl });
          await client.projects.get(1);
          return sent.every((url) => url.host === 'antenna.example' && url.pathname.endsWith('/projects/1/'));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('fillPath', () => {
  it('keeps any id inside its own part of the path, or refuses it by name', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.integer()), (id) => {
        let path: string;
        try {
          path = fillPath('/jobs/{id}/tasks/', { id });
        } catch (error) {
          return (error as { code?: string }).code === 'config';
        }
        const url = new URL(path, 'https://antenna.example');
        return url.pathname === path && path.split('/').length === 5 && url.search === '' && url.hash === '';
      }),
    );
  });

  it('refuses half a surrogate pair with a clear error', () => {
    expect(() => fillPath('/jobs/{id}/', { id: '\ud83d' })).toThrow('id: must be an id');
  });
});

describe('readNextLink', () => {
  it('says when a link is none, instead of failing', () => {
    expect(readNextLink('https://', new URL('https://antenna.example'))).toBeUndefined();
  });

  it.each(['//evil.example/?offset=1', 'https://evil.example/?offset=1', 'http://antenna.example/?offset=1'])(
    'notices that %s leads elsewhere',
    (next) => {
      expect(readNextLink(next, new URL('https://antenna.example'))?.foreignOrigin).toBe(true);
    },
  );
});

describe('baseUrl without its API behind it', () => {
  it('is named as the likely cause of a 404 page', async () => {
    const client = clientOver(() => Promise.resolve(new Response('<html>', { status: 404 })));
    expect((await failure(client.projects.get(1))).message).toContain(
      'check that baseUrl points at an Antenna server',
    );
  });
});
