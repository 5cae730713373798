/**
 * Pages that `llms.txt` does not list, where a folder's own page is a file beside the folder. Of the generated reference it lists the
 * entries alone.
 * @param pages - paths below docs/.
 */
export function missingPages(list: string, pages: readonly string[]): string[] {
  const listed = new Set([...list.matchAll(/\]\(([^)]+\.md)\)/g)].map(([, path = '']) => path));
  return pages.filter(
    (page) =>
      page !== 'index.md' &&
      (!page.startsWith('reference/') || page.endsWith('/index.md')) &&
      ![...listed].some((path) => path.endsWith(`/${page.replace(/\/index\.md$/, '.md')}`)),
  );
}
