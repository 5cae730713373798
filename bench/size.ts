import { clientBundle, DEPENDENCIES, oneFileKilobytes } from './bundle.js';
import { figure, type Bench } from './harness.js';

const CLIENT = `export { AntennaClient } from 'antenna-sdk'`;
const ALL = `export * from 'antenna-sdk'`;

/** Kilobytes of the client that a program loads at once, when its bundler splits at `import()`. */
const CLIENT_KB = 25;

/**
 * Kilobytes of the client when a bundler puts all into one file: no target but what is reached, which is not to grow. To lower it, what
 * the client loads later has to become less, too.
 */
const ONE_FILE_KB = 35;

/** The two figures of the client, without any dependency. */
export async function clientRows() {
  const { firstKb, apartKb, laterKb } = await clientBundle();
  return [
    figure('client: what is loaded at once', firstKb, 'kB', CLIENT_KB),
    figure('client: the same, each of its files by itself', apartKb, 'kB'),
    figure('client: what is loaded when it is needed', laterKb, 'kB'),
    figure('client: all in one file', await oneFileKilobytes(CLIENT, DEPENDENCIES), 'kB', ONE_FILE_KB),
  ];
}

/** What the package adds to a bundle. */
export const size: Bench = {
  name: 'size',
  title: 'Size in a bundle, minified and gzipped, without dependencies unless named',
  async run() {
    const few = ['undici', 'zod'];
    return [
      ...(await clientRows()),
      figure('client with p-retry and pino, one file', await oneFileKilobytes(CLIENT, few), 'kB'),
      figure('whole entry, one file', await oneFileKilobytes(ALL, DEPENDENCIES), 'kB'),
    ];
  },
};
