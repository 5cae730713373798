import { posix } from 'node:path';

/** What a link of a page leads to. */
export type Target =
  /** A page of the site, or an address elsewhere. */
  | { readonly kind: 'link'; readonly href: string }
  /** A file or folder of the repository that is not part of the site. */
  | { readonly kind: 'repository'; readonly path: string; readonly href: string | undefined };

/** Pages whose text is another file's, by the folder that the file's links start from. */
const INCLUDED: Readonly<Record<string, string>> = { 'changelog.md': '' };
/** Files of the repository that are pages of the site. */
const PAGES: Readonly<Record<string, string>> = { 'CHANGELOG.md': 'docs/changelog.md' };

/**
 * The repository's address in a browser, from `repository` of package.json.
 * @returns undefined without one, and for hosts whose addresses of files are not known.
 */
export function repositoryAddress(field: string | { readonly url?: string } | undefined): string | undefined {
  const text = typeof field === 'string' ? field : field?.url;
  const found =
    /^(?:github:|(?:git\+)?(?:https|ssh):\/\/(?:git@)?github\.com\/|git@github\.com:)?([\w.-]+\/[\w.-]+?)(?:\.git)?$/.exec(
      text ?? '',
    );
  return found?.[1] === undefined ? undefined : `https://github.com/${found[1]}`;
}

/**
 * Where a link leads, as the pages are written to be read in the repository, too.
 * @param href - as it stands in the page.
 * @param page - the page's path below docs/.
 * @param repository - the repository's address, if it is known.
 */
export function targetOf(href: string, page: string, repository: string | undefined): Target {
  if (/^(?:[a-z][a-z\d+.-]*:|\/|#)/i.test(href)) return { kind: 'link', href };
  const [path = '', fragment] = href.split('#', 2);
  const whole = posix.join(INCLUDED[page] ?? posix.join('docs', posix.dirname(page)), path);
  const inside = PAGES[whole] ?? whole;
  const anchor = fragment === undefined ? '' : `#${fragment}`;
  if (inside.startsWith('docs/'))
    return { kind: 'link', href: posix.relative(posix.join('docs', posix.dirname(page)), inside) + anchor };
  // `HEAD` is the default branch, whatever it is called; the host leads from a folder's address of a file to that of a folder.
  return {
    kind: 'repository',
    path: whole.replace(/\/$/, ''),
    href: repository && `${repository}/blob/HEAD/${whole}${anchor}`,
  };
}

/** The part of a markdown-it token that matters here. */
export interface LinkToken {
  readonly type: string;
  readonly content: string;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

/**
 * Rewrites the links of one line of text, in place. A link to the repository whose address is not known becomes plain text,
 * with the path behind it where the text does not say it.
 * @param text - makes a token of plain text.
 */
export function rewriteLinks<T extends LinkToken>(
  tokens: readonly T[],
  page: string,
  repository: string | undefined,
  text: (content: string) => T,
): T[] {
  const result: T[] = [];
  /** The path of the link that was opened and is plain text now. */
  let open: { path: string; said: string } | undefined;
  for (const token of tokens) {
    const href = token.type === 'link_open' ? token.attrGet('href') : null;
    const target = href === null ? undefined : targetOf(href, page, repository);
    if (target?.href !== undefined) token.attrSet('href', target.href);
    else if (target?.kind === 'repository') {
      open = { path: target.path, said: '' };
      continue;
    }
    if (open && token.type === 'link_close') {
      if (open.said === '' || !open.path.startsWith(open.said)) result.push(text(` (${open.path})`));
      open = undefined;
      continue;
    }
    if (open) open.said += token.content;
    result.push(token);
  }
  return result;
}
