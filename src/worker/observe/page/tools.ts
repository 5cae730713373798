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
// A number and its unit stay on one line.
const unit = (value, name) => value + '\u00a0' + name;
const time = (ms) => {
  if (ms === undefined || ms === null) return '–';
  if (ms < 10000) return unit((ms / 1000).toFixed(1), 's');
  const s = Math.round(ms / 1000);
  if (s < 60) return unit(s, 's');
  if (s < 3600) return unit(Math.floor(s / 60), 'min') + '\u00a0' + unit(s % 60, 's');
  if (s < 86400) return unit(Math.floor(s / 3600), 'h') + '\u00a0' + unit(Math.floor(s / 60) % 60, 'min');
  return unit(Math.floor(s / 86400), 'd') + '\u00a0' + unit(Math.floor(s / 3600) % 24, 'h');
};
const size = (bytes) => bytes >= 1e6 ? unit((bytes / 1e6).toFixed(1), 'MB') : unit((bytes / 1e3).toFixed(0), 'kB');
const rate = (perSecond) => perSecond === undefined || perSecond === null ? '–' : number(perSecond, perSecond < 10 ? 2 : 0) + '/s';
const clock = (iso) => new Date(iso).toLocaleTimeString();

const fact = (name, value, more) => el('div', '', el('dt', '', name), el('dd', '', value, more ? el('small', '', ' ' + more) : ''));

const share = (at, whole) => Math.max(0, Math.min(100, at / whole * 100));
// Below its box, growing to the side where there is room; above it where the picture ends.
function place(tag, x1, x2, y1, y2) {
  if (x1 + x2 < 100) tag.style.left = x1 + '%';
  else tag.style.right = (100 - x2) + '%';
  tag.style.maxWidth = (x1 + x2 < 100 ? 100 - x1 : x2) + '%';
  if (y2 < 90) tag.style.top = y2 + '%';
  else tag.style.bottom = (y1 > 10 ? 100 - y1 : 0) + '%';
}
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
    place(tag, share(bbox.x1, width), share(bbox.x2, width), share(bbox.y1, height), share(bbox.y2, height));
    frame.append(tag);
  }
}

// Pictures that are shown, kept so that a look every two seconds does not load them again.
const figures = new Map();
const keyOf = (image) => image.at + image.jobId + image.imageId;
function keepFigures(images) {
  const keys = new Set(images.map(keyOf));
  for (const key of figures.keys()) if (!keys.has(key)) figures.delete(key);
}

let answeredAt = Date.now();
// Shows the state every two seconds; where none comes it says why that may be.
async function look(show, mayBe) {
  const away = document.getElementById('away');
  try {
    const answer = await fetch('status.json', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
    answeredAt = Date.now();
    away.textContent = '';
  } catch {
    away.textContent = 'No answer for ' + time(Date.now() - answeredAt) + ': ' + mayBe + ', or this page cannot reach it.';
  }
  setTimeout(look, 2000, show, mayBe);
}
`;
