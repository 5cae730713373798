import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startSite, type Site } from '../src/cli/serve/site.js';
import { has, installForFile } from './cli/harness.js';

const PAGE = readFileSync(new URL('../docs/tutorial.md', import.meta.url), 'utf8');
const { cli, cleanups } = await installForFile();

/** A fenced block, in the order of the page: what to type, what is printed, what to write. */
interface Block {
  readonly language: string;
  /** In brackets after the language: a terminal, or a file. */
  readonly title: string;
  readonly text: string;
  readonly line: number;
}
const BLOCKS: readonly Block[] = [...PAGE.matchAll(/^```(\w+) \[(.+)\]\n([\s\S]*?)^```$/gm)].map((found) => ({
  language: found[1] ?? '',
  title: found[2] ?? '',
  text: found[3] ?? '',
  line: PAGE.slice(0, found.index).split('\n').length,
}));

/** Programs as the reader's PATH has them: the package comes from here, and nothing from a registry. */
const NPX = `#!/bin/sh
shift
npm_command=exec exec "$NODE" "$CLI" "$@"
`;
const NPM = `#!/bin/sh
case "$1" in
install) mkdir -p node_modules/.bin && ln -s "$CLI" node_modules/.bin/antenna ;;
test) exec sh -c "$("$NODE" -p "require('./package.json').scripts.test")" ;;
*) echo "npm $1 is not in the tutorial" >&2; exit 1 ;;
esac
`;

/** For other processes on a busy machine. */
const PATIENCE = { timeout: 60_000 };

const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]|\r/g;
/**
 * A line without what differs from run to run: numbers and bars, the machine's name, what was in the outbox, whether a failure had been posted
 * by then. What the numbers must come to is asked of the server.
 */
const settled = (line: string): string =>
  line
    .replaceAll(ESCAPES, '')
    .replaceAll(hostname(), 'station')
    .replaceAll(/[█▉▊▋▌▍▎▏·]{8,}/g, '▕bar▏')
    .replaceAll(/\d+(?:[.,:]\d+)*/g, '#')
    // Numbers are padded: 5 % has a space more than 15 %.
    .replaceAll(/ {2,}/g, ' ')
    .replaceAll('–/s', '#/s')
    .replaceAll(/ · # failed| \(# k?B\)/g, '')
    .trim();

/** Lines of the page that were not printed, each after the one before it; "…" stands for any. */
function missing(wanted: string, printed: string): string[] {
  const lines = printed.split('\n').map(settled);
  let from = 0;
  return wanted.split('\n').filter((line) => {
    if (['', '…'].includes(line.trim())) return false;
    const at = lines.indexOf(settled(line), from);
    if (at >= 0) from = at + 1;
    return at < 0;
  });
}

/** Where a reader types: a shell with its folder and its variables, and at most one program that goes on. */
class Terminal {
  #folder: string;
  readonly #env: Record<string, string>;
  #child: ChildProcess | undefined;
  /** What the last program ended with; undefined while it runs. */
  code: number | undefined = 0;
  printed = '';

  constructor(folder: string, env: Record<string, string>) {
    this.#folder = folder;
    this.#env = { ...env };
  }

  get folder(): string {
    return this.#folder;
  }

  /** Starts what is typed, in a terminal of 100 columns. */
  type(text: string): void {
    this.printed = '';
    const args = [join(cli.folder, 'terminal.py'), 'sh', '-c', text];
    const child = spawn('python3', args, { cwd: this.#folder, env: this.#env });
    this.#child = child;
    cleanups.push(() => child.kill('SIGKILL'));
    child.stdout.on('data', (chunk: Buffer) => (this.printed += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.printed += chunk.toString()));
    child.stdin.on('error', () => undefined);
    this.code = undefined;
    child.once('close', (code) => (this.code = code ?? -1));
    for (const [, folder = ''] of text.matchAll(/^cd (\S+)$/gm)) this.#folder = join(this.#folder, folder);
    for (const [, name = '', value = ''] of text.matchAll(/^export (\w+)=(\S+)$/gm)) this.#env[name] = value;
  }

  async ended(): Promise<number | undefined> {
    await expect.poll(() => this.code, PATIENCE).toBeDefined();
    return this.code;
  }

  async pressCtrlC(): Promise<void> {
    this.#child?.stdin?.write('\u0003');
    await this.ended();
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Somebody who does what the page says, block after block. */
class Reader {
  readonly #folder = cli.work();
  readonly #ports: { readonly server: number; readonly worker: number };
  readonly #terminals = new Map<string, Terminal>();
  /** Terminals whose program goes on. */
  readonly #busy = new Set<Terminal>();
  /** The second server: in this process, so that half a minute can pass at once. */
  site: Site | undefined;
  #inserted = '';

  constructor(ports: { readonly server: number; readonly worker: number }) {
    this.#ports = ports;
  }

  get worker(): string {
    return join(this.#folder, 'my-worker/worker.ts');
  }

  async follow({ language, title, text }: Block): Promise<void> {
    if (language === 'ts') this.#write(title, text);
    else if (language === 'sh') await this.#type(title, text);
    else await this.#compare(title, text);
  }

  #write(title: string, text: string): void {
    const now = (): string => readFileSync(this.worker, 'utf8');
    const start = '  async process(image) {\n';
    if (title === 'worker.ts') writeFileSync(this.worker, text);
    else if (title === 'worker.ts, the end') expect(now().endsWith(text)).toBe(true);
    else {
      expect(title).toBe('worker.ts, first lines of process');
      writeFileSync(this.worker, now().replace(start + this.#inserted, start + text));
      this.#inserted = text;
      expect(now()).toContain(start + text);
    }
  }

  async #type(title: string, text: string): Promise<void> {
    const [name = '', fails] = title.split(', ');
    const terminal = this.#terminal(name);
    await this.#free(terminal);
    if (text.startsWith('npx antenna-sdk serve') && this.#terminals.size > 1) {
      this.site = await this.#serveHere();
      return;
    }
    // "For half a minute at most".
    for (const job of this.site?.allJobs() ?? []) job.expireLeases();
    terminal.type(this.#here(text));
    if (/^npx antenna(?:-sdk serve$| top$| run (?!.*--until))/m.test(text)) {
      this.#busy.add(terminal);
      return;
    }
    const code = await terminal.ended();
    expect(code === 0, `${text} ended with ${String(code)}:\n${terminal.printed}`).toBe(fails === undefined);
  }

  async #compare(title: string, text: string): Promise<void> {
    const [name = '', after] = title.split(', after ');
    const terminal = this.#terminal(name);
    if (after !== undefined) await this.#free(terminal);
    const left = (): string[] => missing(text, terminal.printed);
    if (this.#busy.has(terminal)) await expect.poll(left, PATIENCE).toEqual([]);
    expect(left(), terminal.printed).toEqual([]);
  }

  /** Ctrl-C, once what the page shows has come about. */
  async #free(terminal: Terminal): Promise<void> {
    if (!this.#busy.has(terminal)) return;
    await expect.poll(() => this.openJobs(), PATIENCE).toEqual([]);
    this.#busy.delete(terminal);
    await terminal.pressCtrlC();
  }

  /** Jobs of the server that are not done. */
  async openJobs(): Promise<unknown[]> {
    const answer = await fetch(`http://127.0.0.1:${this.#ports.server}/status.json`);
    const { jobs } = (await answer.json()) as { readonly jobs: readonly { readonly status: string }[] };
    return jobs.filter(({ status }) => status !== 'SUCCESS');
  }

  #serveHere(): Promise<Site> {
    const served = { host: '127.0.0.1', cwd: this.#folder, seed: undefined, images: undefined, count: 20 };
    return startSite({ ...served, port: this.#ports.server, dialect: 'api-key' });
  }

  /** The same with ports that are free: those of the page may be taken on the machine that tests. */
  #here(text: string): string {
    const { server, worker } = this.#ports;
    return text
      .replace('antenna-sdk serve', `antenna-sdk serve --port ${server}`)
      .replaceAll(':8000', `:${server}`)
      .replaceAll('--port 8080', `--port ${worker}`)
      .replace('antenna top', `antenna top http://127.0.0.1:${worker}`);
  }

  #terminal(name: string): Terminal {
    expect(['first terminal', 'second terminal', 'third terminal']).toContain(name);
    let terminal = this.#terminals.get(name);
    if (!terminal) this.#terminals.set(name, (terminal = new Terminal(this.#folder, this.#env())));
    return terminal;
  }

  #env(): Record<string, string> {
    const bin = join(this.#folder, '.bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'npx'), NPX, { mode: 0o755 });
    writeFileSync(join(bin, 'npm'), NPM, { mode: 0o755 });
    const { PATH = '', HOME = '' } = process.env;
    const CLI = join(cli.folder, 'node_modules/antenna-sdk/dist/cli.js');
    return { PATH: bin + delimiter + PATH, HOME, NODE: process.execPath, CLI, TERM: 'xterm', NO_COLOR: '1' };
  }
}

describe('the tutorial', () => {
  it('names a terminal or a file for each of its blocks', () => {
    expect(BLOCKS.length).toBeGreaterThan(20);
    expect(PAGE.match(/^```/gm)?.length).toBe(2 * BLOCKS.length);
  });

  it('works as it is written, and prints what it says', async ({ skip }) => {
    if (process.platform === 'win32' || !(await has('python3'))) skip();
    const reader = new Reader({ server: await freePort(), worker: await freePort() });
    cleanups.push(() => reader.site?.close());
    for (const block of BLOCKS)
      await reader.follow(block).catch((error: unknown) => {
        throw new Error(`docs/tutorial.md, line ${block.line}`, { cause: error });
      });
    const [job] = reader.site?.allJobs() ?? [];
    expect(job).toMatchObject({ status: 'SUCCESS', counts: { processed: 20, failed: 1 } });
  }, 300_000);
});
