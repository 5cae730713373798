import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateImage } from 'antenna-sdk/testing';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { has, installForFile, writeModule } from './harness.js';

const { cli } = await installForFile();

interface Line {
  readonly image: string;
  readonly pipeline: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly detections: readonly {
    readonly bbox: object;
    readonly label: string;
    readonly score: number;
    readonly classifications: readonly object[];
  }[];
}
const linesOf = (stdout: string): Line[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
    .sort((a, b) => a.image.localeCompare(b.image));

/** A folder with a module and photographs, one of which lies deeper. */
function folder(body?: string): string {
  const cwd = cli.work();
  writeModule(cwd, body);
  mkdirSync(join(cwd, 'photos/night 2'), { recursive: true });
  const { bytes } = generateImage({ width: 160, height: 120 });
  for (const name of ['a#1.png', 'b.png', 'night 2/c.png']) writeFileSync(join(cwd, 'photos', name), bytes);
  writeFileSync(join(cwd, 'photos/notes.txt'), 'no image');
  return cwd;
}

describe('antenna predict', () => {
  it('prints a line of JSON for each image of a folder, and needs neither server nor key', async () => {
    const { code, stdout, stderr } = await cli.run(['predict', 'photos', '--module', 'spots.mjs'], {
      cwd: folder(),
    });
    expect(code, stderr).toBe(0);
    const lines = linesOf(stdout);
    expect(lines.map(({ image }) => image)).toEqual(['a#1.png', 'b.png', 'night 2/c.png']);
    for (const line of lines)
      expect(line).toMatchObject({
        pipeline: 'spots',
        ok: true,
        detections: [
          {
            bbox: { x1: 10, y1: 20, x2: 60, y2: 70 },
            algorithm: 'spot-boxes',
            label: '<b>Arctia</b> caja',
            score: 0.8,
            classifications: [{ algorithm: 'spot-names', terminal: true }],
          },
        ],
      });
    expect(stderr).toBe('3 images: 3 detections, 0 failed\n');
  });

  it('draws the pictures and a page of them, in which no text of others is taken for HTML', async () => {
    const cwd = folder();
    const args = ['predict', 'photos', '--module', 'spots.mjs', '--out', 'found'];
    const { code, stdout, stderr } = await cli.run(args, { cwd });
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('page and pictures: found/index.html');
    const html = readFileSync(join(cwd, 'found/index.html'), 'utf8');
    expect(html).toContain('&lt;b&gt;Arctia&lt;/b&gt; caja');
    expect(html).not.toContain('<b>Arctia');
    expect(html).not.toMatch(/(?:src|href)="(?:https?:|\/)/);
    const pictures = [...html.matchAll(/img src="([^"]+)"/g)].map(([, src = '']) => decodeURIComponent(src));
    expect(pictures).toHaveLength(3);
    for (const picture of pictures) {
      const { width, height } = await sharp(join(cwd, 'found', picture)).metadata();
      expect({ width, height }).toEqual({ width: 160, height: 120 });
    }
    const saved = readFileSync(join(cwd, 'found/predictions.jsonl'), 'utf8');
    expect(linesOf(saved)).toEqual(linesOf(stdout));
  });

  it('says of each image that failed why, goes on, and ends with 1', async () => {
    const body = `const { PermanentTaskError } = await import('antenna-sdk');
      if (image.url.endsWith('/1')) throw new PermanentTaskError('too <dark>');
      return { detections: [] };`;
    const cwd = folder(body);
    const args = ['predict', 'photos', '--module', 'spots.mjs', '--out', 'found'];
    const { code, stdout, stderr } = await cli.run(args, { cwd });
    expect(code).toBe(1);
    expect(linesOf(stdout).map(({ ok, error }) => ({ ok, error }))).toEqual([
      { ok: true },
      { ok: false, error: expect.stringContaining('too <dark>') as unknown },
      { ok: true },
    ]);
    expect(stderr).toContain('3 images: 0 detections, 1 failed');
    expect(readFileSync(join(cwd, 'found/index.html'), 'utf8')).toContain('too &lt;dark&gt;');
  });

  it('refuses what a server would refuse: a result that does not fit its pipeline', async () => {
    const cwd = folder(
      `return { detections: [{ bbox: { x1: 1, y1: 1, x2: 2, y2: 2 }, classifications: [{ scores: [1, 2, 3] }] }] };`,
    );
    const { code, stdout } = await cli.run(['predict', 'photos/b.png', '--module', 'spots.mjs'], { cwd });
    expect(code).toBe(1);
    expect(linesOf(stdout)[0]).toMatchObject({ image: 'photos/b.png', ok: false });
    expect(linesOf(stdout)[0]?.error).toMatch(/scores/);
  });

  it('runs a Python handler and a push service as antenna run does', async ({ skip }) => {
    if (!(await has('python3'))) skip();
    for (const [kind, source] of [
      ['python', ['--exec', 'python3 detect.py']],
      ['service', ['--start', 'python3 service.py --port 20481', '--service', 'http://127.0.0.1:20481']],
    ] as const) {
      const cwd = folder();
      expect((await cli.run(['init', 'w', '--kind', kind], { cwd })).code).toBe(0);
      const { code, stdout, stderr } = await cli.run(['predict', '../photos', ...source], {
        cwd: join(cwd, 'w'),
      });
      expect(code, stderr).toBe(0);
      expect(linesOf(stdout)).toHaveLength(3);
      for (const { detections } of linesOf(stdout))
        expect(detections).toMatchObject([{ label: 'insect', score: 0.9 }]);
    }
  }, 60_000);

  it('runs ONNX models', async () => {
    const cwd = cli.work();
    expect((await cli.run(['init', 'w', '--kind', 'onnx'], { cwd })).code).toBe(0);
    writeFileSync(join(cwd, 'w/a.png'), generateImage({ width: 640, height: 480, insects: 3 }).bytes);
    // From antenna.config.json: no flag.
    const { code, stdout, stderr } = await cli.run(['predict', 'a.png'], { cwd: join(cwd, 'w') });
    expect(code, stderr).toBe(0);
    expect(linesOf(stdout)[0]?.detections.length).toBeGreaterThanOrEqual(3);
    expect(linesOf(stdout)[0]?.detections[0]?.label).toBe('Dark thing');
  }, 60_000);

  it.each([
    [['predict'], /missing required argument 'images'/],
    [['predict', 'nowhere', '--module', 'spots.mjs'], /nowhere: there is no such file or folder/],
    [['predict', 'spots', '--module', 'spots.mjs'], /There is no image .* in spots/],
    [['predict', 'photos'], /No pipeline is given: --module FILE/],
  ])('antenna %s ends with 2 and says what to do', async (args, message) => {
    const cwd = folder();
    mkdirSync(join(cwd, 'spots'));
    const { code, stderr, stdout } = await cli.run(args, { cwd });
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(existsSync(join(cwd, 'found'))).toBe(false);
  });
});
