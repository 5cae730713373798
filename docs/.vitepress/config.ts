import { existsSync, readFileSync } from 'node:fs';
import { defineConfig, type MarkdownOptions, type Plugin } from 'vitepress';
import llmstxt from 'vitepress-plugin-llms';
import { missingPages } from './plain-text.js';
import { repositoryAddress, rewriteLinks } from './repository-links.js';
import { sidebars, type SidebarItem } from './sidebar.js';
import { COMPILED_PAGES, twoslash } from './twoslash.js';

interface Renderer {
  render(source: string, env: object): string;
}

interface PageEnv {
  readonly relativePath?: string;
  /** The page is rendered for the index of the search. */
  readonly wordsOnly?: boolean;
}

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const { description, version, repository } = read('../../package.json') as {
  description: string;
  version: string;
  repository?: string | { url: string };
};
const address = repositoryAddress(repository);
const tree = '../reference/typedoc-sidebar.json';
const reference = existsSync(new URL(tree, import.meta.url)) ? (read(tree) as SidebarItem[]) : undefined;

/** Where the site lies on its host: `/antenna-sdk/` among the sites of several projects, for instance. */
const base = process.env['DOCS_BASE'] ?? '/';

export default defineConfig({
  title: 'antenna-sdk',
  description,
  lang: 'en',
  base,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}favicon.svg` }]],
  cleanUrls: true,
  markdown: {
    // Of another version of shiki, by its types alone: a transformer is a handful of functions, and these are called with the same.
    codeTransformers: [twoslash] as unknown as NonNullable<MarkdownOptions['codeTransformers']>,
    config(md) {
      md.core.ruler.push('repository-links', ({ tokens, env, Token }) => {
        const page = (env as PageEnv).relativePath ?? '';
        for (const token of tokens)
          if (token.type === 'inline' && token.children)
            token.children = rewriteLinks(token.children, page, address, (content) =>
              Object.assign(new Token('text', '', 0), { content }),
            );
      });
      // `ts [worker.ts]`, `sh [second terminal]`: VitePress shows such names in groups of code alone, and a reader needs them everywhere.
      const fence = md.renderer.rules.fence;
      if (fence)
        md.renderer.rules.fence = (tokens, index, options, env, self) => {
          const title = /\[([^\]]+)\]/.exec(tokens[index]?.info ?? '')?.[1];
          const block = fence(tokens, index, options, env, self);
          return title === undefined
            ? block
            : `<p class="block-title">${md.utils.escapeHtml(title)}</p>${block}`;
        };
      md.core.ruler.push('compiled-pages', ({ tokens, env }) => {
        const { relativePath = '', wordsOnly = false } = env as PageEnv;
        for (const token of tokens) {
          if (token.type !== 'fence') continue;
          if (wordsOnly) token.info = '';
          else if (token.info.trim() === 'ts' && COMPILED_PAGES.includes(relativePath))
            token.info = 'ts twoslash';
        }
      });
    },
  },
  vite: {
    // The index of the search, which is fetched when somebody searches.
    build: { chunkSizeWarningLimit: 2000 },
    plugins: [
      // Typed for the Vite that tests run with; the site has one of its own.
      llmstxt({
        sidebar: sidebars(reference)['/'] ?? [],
        // Of the reference its entries are listed: the package's own types say the rest.
        ignoreFiles: ['reference/**/{classes,enumerations,functions,interfaces,type-aliases,variables}/*'],
        ignoreFilesPerOutput: { llmsFullTxt: ['reference/**'] },
      }) as unknown as Plugin[],
    ],
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/tutorial', activeMatch: '^/(tutorial|places|coming-from)' },
      { text: 'Guides', link: '/handlers' },
      { text: 'Reference', link: '/reference/', activeMatch: '^/reference/' },
      { text: version, link: '/changelog' },
    ],
    sidebar: sidebars(reference),
    search: {
      provider: 'local',
      options: {
        // The index needs the words alone: highlighting and compiling every snippet a second time would take longer than all else.
        _render: (source, env, md: Renderer) => {
          const html = md.render(source, Object.assign(env, { wordsOnly: true }));
          return env.frontmatter?.['search'] === false ? '' : html;
        },
      },
    },
    outline: [2, 3],
    externalLinkIcon: true,
    ...(address && { socialLinks: [{ icon: 'github', link: address }] }),
  },
  buildEnd({ outDir, pages }) {
    const missing = missingPages(readFileSync(`${outDir}/llms.txt`, 'utf8'), pages);
    if (missing.length > 0)
      throw new Error(`llms.txt lists all pages but ${missing.join(', ')}: add them to the sidebar.`);
  },
});
