import { pathToFileURL } from 'node:url';
import type { AntennaClient } from 'antenna-sdk';
import { startAntenna, type LocalAntenna } from './antenna.js';
import { work, type Print, type WorkOptions, type WorkReport } from './work.js';

/** What an example is given. */
export interface ExampleRun {
  readonly antenna: LocalAntenna;
  readonly print: Print;
  /** Has something closed when the example has ended, also if it failed; what was opened last goes first. */
  readonly atEnd: (close: () => unknown) => void;
  /** A worker with this client on a job of 40 images, until none is left. */
  readonly work: (client: AntennaClient, options?: WorkOptions) => Promise<WorkReport>;
}

/** An example that needs an Antenna and a worker, as a function that a test can call with its own `print`. */
export function example<Report>(
  show: (run: ExampleRun) => Promise<Report>,
): (print: Print) => Promise<Report> {
  return async (print) => {
    const antenna = await startAntenna();
    const closers: (() => unknown)[] = [() => antenna.close()];
    try {
      return await show({
        antenna,
        print,
        atEnd: (close) => void closers.push(close),
        work: (client, options) => work(client, antenna, print, options),
      });
    } finally {
      for (const close of closers.reverse()) await close();
    }
  };
}

/** Runs an example if its file is what was started, and not if a test imports it. */
export async function runIfStarted(file: string, run: (print: Print) => Promise<unknown>): Promise<void> {
  if (file === pathToFileURL(process.argv[1] ?? '').href) await run(console.log);
}
