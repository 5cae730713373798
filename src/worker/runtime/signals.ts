import { checkArguments, hasMethods } from '../../errors/arguments.js';

/** Exit codes by convention: 128 + the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Listens for SIGTERM and SIGINT: the first asks for a graceful stop, the second for an immediate one, after which the process
 * reports the signal in its exit code.
 * @returns a function that takes the listeners away.
 */
export function onTermination(handlers: {
  readonly graceful: (signal: string) => void;
  readonly immediate: (signal: string) => void;
}): () => void {
  checkArguments({ handlers }, { handlers: hasMethods('graceful', 'immediate') });
  let received = 0;
  const listener = (signal: NodeJS.Signals): void => {
    received += 1;
    if (received === 1) {
      handlers.graceful(signal);
      return;
    }
    process.exitCode = EXIT_CODES[signal as keyof typeof EXIT_CODES];
    handlers.immediate(signal);
  };
  const signals = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
