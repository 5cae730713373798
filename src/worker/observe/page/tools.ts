/**
 * What the scripts of our pages share. They set `textContent` and attributes of their own alone, never HTML: job names, labels, reasons and
 * addresses are texts of strangers. No backtick and no dollar-brace inside, since it is itself a text.
 */
export const PAGE_TOOLS = String.raw`
'use strict';
const NS = 'http://www.w3.org/2000/svg';
const el = (tag, className, ...children) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return node;
};
const number = (value, digits) => Number(value).toLocaleString('en', { maximumFractionDigits: digits });
const time = (ms) => {
  if (ms === undefined || ms === null) return '–';
  if (ms < 10000) return (ms / 1000).toFixed(1) + ' s';
  const s = Math.round(ms / 1000);
  if (s < 60) return s + ' s';
  if (s < 3600) return Math.floor(s / 60) + ' min ' + (s % 60) + ' s';
  if (s < 86400) return Math.floor(s / 3600) + ' h ' + (Math.floor(s / 60) % 60) + ' min';
  return Math.floor(s / 86400) + ' d ' + (Math.floor(s / 3600) % 24) + ' h';
};
const size = (bytes) => bytes >= 1e6 ? (bytes / 1e6).toFixed(1) + ' MB' : (bytes / 1e3).toFixed(0) + ' kB';
const rate = (perSecond) => perSecond === undefined || perSecond === null ? '–' : number(perSecond, perSecond < 10 ? 2 : 0) + '/s';
const clock = (iso) => new Date(iso).toLocaleTimeString();

const fact = (name, value, more) => el('div', '', el('dt', '', name), el('dd', '', value, more ? el('small', '', ' ' + more) : ''));

function drawBoxes(frame, picture, boxes) {
  const width = picture.naturalWidth, height = picture.naturalHeight;
  const svg = document.createElementNS(NS, 'svg');
  svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
  svg.setAttribute('preserveAspectRatio', 'none');
  frame.append(svg);
  for (const { bbox, label, score } of boxes) {
    const rect = document.createElementNS(NS, 'rect');
    rect.setAttribute('x', bbox.x1);
    rect.setAttribute('y', bbox.y1);
    rect.setAttribute('width', bbox.x2 - bbox.x1);
    rect.setAttribute('height', bbox.y2 - bbox.y1);
    svg.append(rect);
    const tag = el('span', 'tag', (label || 'unnamed') + (score === undefined || score === null ? '' : ' ' + Math.round(score * 100) + ' %'));
    tag.style.left = Math.max(0, Math.min(95, bbox.x1 / width * 100)) + '%';
    tag.style.top = Math.max(0, Math.min(100, bbox.y2 / height * 100)) + '%';
    frame.append(tag);
  }
}
`;
