// The README that goes to the registry. The tarball has no docs/ and the registry's page no files beside it, so relative links are dead there.
// `tsx scripts/pack-readme.ts` makes them absolute before a publish, `--restore` puts the repository's README back after it. Not in prepack and
// postpack: npm reads the README of the page from disk after postpack, where the old one would be back already.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readManifest, webAddressOf, type Manifest } from './manifest.js';

const PICTURE = /\.(?:png|jpe?g|gif|svg|webp)$/i;

/** The absolute address of a file of the repository: a page of the site, a picture, or the file in the repository. */
function addressOf(target: string, manifest: Manifest): string {
  const [path = '', anchor] = target.replace(/^\.\//, '').split('#');
  const hash = anchor === undefined ? '' : `#${anchor}`;
  const site = (manifest.homepage ?? '').replace(/\/$/, '');
  const page = /^docs\/(?:(.+)\.md)?$/.exec(path);
  // With the ending a page is found whether the server of the site adds it or not.
  if (page)
    return page[1] === undefined || page[1] === 'index'
      ? `${site}/${hash}`
      : `${site}/${page[1]}.html${hash}`;
  const kind = PICTURE.test(path) ? 'raw' : path.endsWith('/') ? 'tree' : 'blob';
  return `${webAddressOf(manifest)}/${kind}/v${manifest.version}/${path}${hash}`;
}

const isRelative = (target: string): boolean => !/^(?:[a-z][a-z\d+.-]*:|\/\/|#)/i.test(target);

/** The parts of a page that are not code, changed; code stays as it is. */
function outsideCode(markdown: string, change: (text: string) => string): string {
  return markdown
    .split(/(^ *```[\s\S]*?^ *```$|`[^`\n]+`)/m)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('');
}

/**
 * Makes the relative links of a page absolute: links, pictures, reference definitions, and `src` and `href` of HTML.
 * @returns the page as it was while the addresses of the repository and the site are not known.
 */
export function withAbsoluteLinks(markdown: string, manifest: Manifest): string {
  if (!manifest.homepage || webAddressOf(manifest) === '') return markdown;
  const absolute = (whole: string, before: string, target: string, after: string): string =>
    isRelative(target) ? `${before}${addressOf(target, manifest)}${after}` : whole;
  return outsideCode(markdown, (text) =>
    text
      .replace(/(\]\()([^)\s]+)(\)|\s)/g, absolute)
      .replace(/(^\[[^\]]+\]: *)(\S+)($)/gm, absolute)
      .replace(/((?:src|srcset|href)=")([^"]+)(")/g, absolute),
  );
}

/** The two places of a README that is to go out. */
export interface Places {
  readonly readme: string;
  /** Where the repository's own waits meanwhile. */
  readonly kept: string;
}

/**
 * Puts the repository's README back, if another stands in its place; harmless when none does.
 * @throws when the README was changed meanwhile: neither is thrown away.
 */
export function restore({ readme, kept }: Places, manifest: Manifest): void {
  if (!existsSync(kept)) return;
  const own = readFileSync(kept, 'utf8');
  const now = readFileSync(readme, 'utf8');
  if (now !== own && now !== withAbsoluteLinks(own, manifest))
    throw new Error(
      `README.md was changed since its links were made absolute. Bring the changes into ${kept}, move that over README.md, and try again.`,
    );
  writeFileSync(readme, own);
  rmSync(kept);
}

/** Replaces the README by the one for the registry. Done twice, it is done once: a publish that failed leaves nothing to repair first. */
export function replace(places: Places, manifest: Manifest): void {
  restore(places, manifest);
  const own = readFileSync(places.readme, 'utf8');
  const absolute = withAbsoluteLinks(own, manifest);
  if (absolute === own) return;
  mkdirSync(join(places.kept, '..'), { recursive: true });
  writeFileSync(places.kept, own);
  writeFileSync(places.readme, absolute);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const places = { readme: join(root, 'README.md'), kept: join(root, '.cache', 'README.own.md') };
  (process.argv.includes('--restore') ? restore : replace)(places, readManifest());
}
