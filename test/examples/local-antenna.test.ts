import { AntennaClient, silentLogger } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { example } from '../../examples/local-antenna/example.js';
import { expectShown } from './shown.js';

describe('examples/local-antenna', () => {
  it('works through a job, prints what became of it, and closes what was opened, the last first', async () => {
    const closed: string[] = [];
    const lines: string[] = [];
    let url = '';
    const run = example(async ({ antenna, atEnd, work }) => {
      url = antenna.url;
      atEnd(() => closed.push('first'));
      const apiKey = antenna.project.service().key().value;
      const client = new AntennaClient({ baseUrl: url, apiKey, logger: silentLogger });
      atEnd(() => client.close());
      atEnd(() => closed.push('last'));
      return work(client);
    });
    const report = await run((line) => void lines.push(line));
    expect(report).toEqual({ jobStatus: 'SUCCESS', processed: 40, failed: 0, refused: 0 });
    expectShown('local-antenna', lines.join('\n'));
    expect(closed).toEqual(['last', 'first']);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('closes everything of an example that fails, and says what failed', async () => {
    const closed: string[] = [];
    let url = '';
    const run = example(({ antenna, atEnd }) => {
      url = antenna.url;
      atEnd(() => closed.push('it'));
      return Promise.reject(new Error('no token'));
    });
    await expect(run(() => undefined)).rejects.toThrow('no token');
    expect(closed).toEqual(['it']);
    await expect(fetch(url)).rejects.toThrow();
  });
});
