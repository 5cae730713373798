import { onTestFinished } from 'vitest';

/** Has this test run as if on another system, as far as our code asks for it: Node itself goes on as it is. */
export function onPlatform(platform: NodeJS.Platform): void {
  const real = process.platform;
  const set = (value: NodeJS.Platform): void => {
    Object.defineProperty(process, 'platform', { value });
  };
  onTestFinished(() => {
    set(real);
  });
  set(platform);
}
