import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startBrowser } from '../support/browser.js';
import { installForFile, SPOTS, writeModule } from './harness.js';

const { cli } = await installForFile();

/** A text that would run, were it taken for HTML anywhere. */
const EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

describe('the page of antenna serve', () => {
  it('shows jobs, queues, deliveries and images in a browser, and runs nothing of strangers', async ({
    skip,
  }) => {
    const browser = await startBrowser();
    if (!browser) return skip();
    const cwd = cli.work();
    const job = (name: string): object => ({ name, pipeline: 'spots', images: 4 });
    const seed = {
      dialect: 'api-key',
      projects: [
        {
          name: `Dune ${EVIL}`,
          // Names above 46 characters have no keys.
          services: [{ name: 'buoy <img src=x onerror="hacked=1">' }],
          pipelines: [SPOTS],
          jobs: [{ ...job('never started'), start: false }, job(`Night ${EVIL}`)],
        },
      ],
    };
    writeFileSync(join(cwd, 'seed.json'), JSON.stringify(seed));
    const command = cli.start(['serve', '--port', '0', '--json', '--count', '4', '--seed', 'seed.json'], {
      cwd,
    });
    try {
      await expect.poll(() => command.stdout(), { timeout: 15_000 }).toMatch(/\n\}\n/);
      const { url, environment } = JSON.parse(command.stdout()) as {
        url: string;
        environment: Record<string, string>;
      };
      writeModule(cwd);
      const args = ['run', '--module', 'spots.mjs', '--until', 'drained'];
      const worked = await cli.run(args, { cwd, env: environment });
      expect(worked.code, worked.stderr).toBe(0);

      const page = await browser.context.newPage();
      const complaints: string[] = [];
      const asked: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('request', (request) => asked.push(request.url()));
      for (const [width, height, scheme] of [
        [1_200, 900, 'light'],
        [400, 800, 'dark'],
      ] as const) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme: scheme });
        await page.goto(url);
        await page.waitForSelector('figure svg rect');
        const fits = await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth');
        expect(fits, `${width}`).toBe(true);
        const folder = process.env['SCREENSHOTS'];
        if (folder !== undefined)
          await page.screenshot({ path: `${folder}/serve-${width}.png`, fullPage: true });
      }
      const text = await page.innerText('body');
      for (const part of [
        'Night <img',
        'Dune <img',
        'buoy <img',
        'SUCCESS',
        'CREATED',
        '4 of 4',
        'acknowledged',
      ])
        expect(text).toContain(part);
      expect(text).toContain('<b>Arctia</b> caja 80 %');
      expect(await page.locator('figure').count()).toBe(4);
      command.child.kill('SIGTERM');
      await expect.poll(() => page.innerText('#away'), { timeout: 15_000 }).toMatch(/^No answer/);
      expect(await page.evaluate('window.hacked')).toBeUndefined();
      expect(asked.filter((address) => !address.startsWith(url) && !address.startsWith('data:'))).toEqual([]);
      expect(complaints.filter((line) => !/ERR_CONNECTION|Failed to fetch/.test(line))).toEqual([]);
    } finally {
      command.child.kill('SIGKILL');
      await browser.close();
    }
  }, 90_000);
});
