/** A page of docs/, by its file's name without `.md`. */
interface ListedPage {
  readonly page: string;
  readonly text: string;
}

interface PageGroup {
  readonly title: string;
  readonly pages: readonly ListedPage[];
}

/** Every page that is written by hand, but for the home page, in the order in which a reader wants them. */
export const PAGE_GROUPS: readonly PageGroup[] = [
  {
    title: 'Start',
    pages: [
      { page: 'tutorial', text: 'A first worker in ten minutes' },
      { page: 'places', text: 'Where a worker runs' },
      { page: 'coming-from-python-worker', text: 'Coming from the Python worker' },
    ],
  },
  {
    title: 'Guides',
    pages: [
      { page: 'handlers', text: 'Writing a handler' },
      { page: 'python', text: 'A model in Python' },
      { page: 'onnx', text: 'Models in ONNX' },
      { page: 'bridge', text: 'Push services' },
      { page: 'client', text: 'The client' },
      { page: 'credentials', text: 'Credentials' },
      { page: 'provisioning', text: 'Provisioning' },
      { page: 'testing', text: 'Testing a worker' },
      { page: 'deploy', text: 'Deploying' },
      { page: 'observability', text: 'Observing' },
    ],
  },
  {
    title: 'Reference',
    pages: [
      { page: 'cli', text: 'The command' },
      { page: 'handlers-outside-node', text: 'The protocol of handlers' },
    ],
  },
  {
    title: 'How it works',
    pages: [
      { page: 'server', text: 'What happens on the server' },
      { page: 'architecture', text: 'Architecture' },
      { page: 'limits', text: 'Limits' },
    ],
  },
  { title: 'Project', pages: [{ page: 'changelog', text: 'Changelog' }] },
];

export interface SidebarItem {
  text: string;
  link?: string;
  items?: SidebarItem[];
}

/**
 * The sidebars, by the start of the address: the pages, and for the generated reference its entries.
 * @param reference - what `typedoc` says of its pages: entries, kinds, names; undefined while it did not run.
 */
export function sidebars(reference: readonly SidebarItem[] | undefined): Record<string, SidebarItem[]> {
  const groups = PAGE_GROUPS.map(({ title, pages }) => ({
    text: title,
    items: pages.map(({ page, text }): SidebarItem => ({ text, link: `/${page}` })),
  }));
  if (!reference) return { '/': groups };
  const entries = entriesOf(reference, '').sort((one, other) => one.text.length - other.text.length);
  groups
    .find(({ text }) => text === 'Reference')
    ?.items.push({
      text: 'Every name of the package',
      link: '/reference/',
      items: entries.map(({ text, link = '' }) => ({ text, link })),
    });
  // Every page carries its sidebar: with the four hundred names in it the site would be a hundred megabytes. The entries' pages list them.
  return { '/reference/': entries.map(kindsOf), '/': groups };
}

/** The entries of the package, which have pages of their own: `antenna-sdk` holds `testing` and the others beside its kinds. */
function entriesOf(tree: readonly SidebarItem[], prefix: string): SidebarItem[] {
  return tree.flatMap(({ text, link, items = [] }) => {
    if (link?.endsWith('/') !== true) return [];
    const name = prefix + text;
    const kinds = items.filter((item) => item.link === undefined);
    return [{ text: name, link, items: kinds }, ...entriesOf(items, `${name}/`)];
  });
}

/** An entry with its kinds (classes, functions…), each of which leads to a table of names. */
function kindsOf({ text, link = '', items = [] }: SidebarItem): SidebarItem {
  const kinds = items.map((kind) => ({
    text: kind.text,
    link: `${link}#${kind.text.toLowerCase().replaceAll(' ', '-')}`,
  }));
  return { text, link, items: kinds };
}
