import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A browser with an empty profile that asks nothing of the network by itself; undefined, and a word of it, where none is installed. */
export async function startBrowser(): Promise<
  { readonly context: BrowserContext; readonly close: () => Promise<void> } | undefined
> {
  const executablePath = PLACES.find((path) => existsSync(path));
  if (executablePath === undefined) {
    process.stderr.write('skipped: no Chromium is installed\n');
    return undefined;
  }
  const profile = mkdtempSync(join(tmpdir(), 'browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  return {
    context,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
