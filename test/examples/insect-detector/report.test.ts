import { describe, expect, it } from 'vitest';
import { renderReport, type ReportRow } from '../../../src/cli/report/report.js';
import { formatTable } from '../../../examples/insect-detector/table.js';

const detection = { bbox: { x1: 1.4, y1: 2, x2: 31.4, y2: 42 }, label: 'Arthropoda (tiny)', score: 0.75 };
const row: ReportRow = {
  name: 'one.jpg',
  picture: 'boxes/one.jpg',
  width: 1920,
  height: 1080,
  durationMs: 123.4,
  detections: [detection, { ...detection, score: 0.25 }],
};

describe('renderReport', () => {
  it('escapes names, labels, errors and titles', () => {
    const evil = `"><script>alert('x')</script>&`;
    const html = renderReport(
      [
        { name: evil, picture: evil, detections: [{ ...detection, label: evil }] },
        { name: 'b', detections: [], error: evil },
      ],
      { title: evil, subtitle: evil },
    );
    expect(html).not.toContain('<script');
    expect(html).not.toMatch(/alert\('x'\)/);
    expect(html).toContain('&lt;script&gt;');
  });

  it('keeps a picture name that looks like a URL a relative file name', () => {
    const html = renderReport([{ name: 'a', picture: 'javascript:alert(1)#?.jpg', detections: [] }]);
    expect(html).toContain('href="javascript%3Aalert(1)%23%3F.jpg"');
  });

  it('shows totals, a card per image with its counts, and the detections', () => {
    const html = renderReport([row, { name: 'two.jpg', detections: [], error: 'Cannot decode the image' }]);
    expect(html.match(/<article>/g)).toHaveLength(2);
    expect(html).toContain('<dt>insects</dt><dd>2</dd>');
    expect(html).toContain('<dt>mean score</dt><dd>0.50</dd>');
    expect(html).toContain('<dt>failed</dt><dd>1</dd>');
    expect(html).toContain('2 insects');
    expect(html).toContain('1920 × 1080');
    expect(html).toContain('Cannot decode the image');
    expect(html).toContain('<td>30 × 40</td>');
    expect(html).toContain('<img src="boxes/one.jpg"');
  });

  it('links to the full-size picture when there is one', () => {
    expect(renderReport([{ ...row, fullSize: 'full/one.jpg' }])).toContain('href="full/one.jpg"');
  });

  it('needs nothing from the network', () => {
    expect(renderReport([row])).not.toMatch(/https?:|\/\/[a-z]|@import|<link|<script/);
  });
});

describe('formatTable', () => {
  it('aligns one line per image under the header and sums up', () => {
    const lines = formatTable([row, { name: 'a-longer-name.jpg', detections: [], error: 'x' }]).split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^image\s+size\s+insects\s+mean score\s+ms$/);
    expect(lines[2]).toMatch(/^one\.jpg\s+1920 × 1080\s+2\s+0\.50\s+123$/);
    expect(lines[3]).toMatch(/^a-longer-name\.jpg\s+–\s+failed\s+–\s+–$/);
    expect(lines[5]).toMatch(/^2 images\s+2\s+0\.50\s+123$/);
    expect(new Set([0, 2, 3, 5].map((i) => lines[i]?.length)).size).toBe(1);
  });

  it('does not let a file name control the terminal', () => {
    expect(formatTable([{ name: 'a\u001b[2Jb\n.jpg', detections: [] }])).not.toMatch(/[\u001b]|b\n/);
  });

  it('has a header and a sum without any image', () => {
    expect(formatTable([])).toContain('0 images');
  });
});
