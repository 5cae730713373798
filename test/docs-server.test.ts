import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DELIVERY_RULES } from '../src/worker/policy/delivery.js';

const page = readFileSync(new URL('../docs/server.md', import.meta.url), 'utf8');
/** The contract's traps are numbered from 1; comments and tests of the sources use the numbers. */
const TRAPS = 53;

describe('the page on what the server does', () => {
  it('has a line for each trap of the contract, with what the SDK does about it', () => {
    const rows = [...page.matchAll(/^\| (T\d+) \| (.+) \| (.+) \|$/gm)];
    expect(rows.map(([, trap]) => trap)).toEqual(Array.from({ length: TRAPS }, (_, at) => `T${at + 1}`));
  });

  it('names the leases and deliveries by which a worker goes', () => {
    const [token, key] = [DELIVERY_RULES.token, DELIVERY_RULES['api-key']].map(
      ({ leaseMs, maxDeliveries }) => `${leaseMs / 1_000} s, ${maxDeliveries}`,
    );
    expect(page).toContain(`| lease of a task, deliveries | ${token} | ${key} |`);
  });

  it('links to headings that it has', () => {
    const slugs = [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(/\s+/g, '-'),
    );
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, slug]) => slug);
    expect(links.length).toBeGreaterThan(5);
    expect(slugs).toEqual(expect.arrayContaining(links));
  });
});
