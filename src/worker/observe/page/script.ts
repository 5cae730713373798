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

/** The script of the status page. No backtick and no dollar-brace inside, since it is itself a text. */
export const STATUS_SCRIPT =
  PAGE_TOOLS +
  String.raw`
function jobNode(job) {
  const known = job.total !== undefined && job.total !== null;
  const bar = el('progress');
  bar.max = known ? Math.max(job.total, 1) : 1;
  if (known) bar.value = Math.min(job.done, job.total);
  bar.setAttribute('aria-label', 'Job ' + job.id);
  const numbers = [
    known ? number(job.done) + ' of ' + number(job.total) + ' images' : job.open ? 'total not known yet' : 'total not known',
    job.failed ? number(job.failed) + ' failed' : '',
    job.perSecond ? rate(job.perSecond) : '',
    job.leftMs ? 'about ' + time(job.leftMs) + ' left' : '',
    'here ' + number(job.mine.succeeded) + (job.mine.failed ? ' and ' + number(job.mine.failed) + ' failed' : ''),
  ];
  return el('div', 'job',
    el('p', '', el('b', '', 'Job ' + job.id), job.name ? ' ' + job.name : '', el('span', 'soft', ' · ' + job.pipeline + (job.open ? '' : ' · over'))),
    bar, el('p', 'numbers', numbers.filter(Boolean).join(' · ')));
}

function workerNode(worker) {
  const outbox = worker.outbox, counters = worker.counters;
  const node = el('section', 'card',
    el('h2', '', worker.name, el('span', 'badge ' + worker.health, worker.state + (worker.health === 'ok' ? '' : ', ' + worker.health))));
  for (const check of worker.failing) node.append(el('p', 'words bad', check.name + ': ' + check.detail));
  if (worker.device) node.append(el('p', 'words', worker.device));
  if (worker.explanation) node.append(el('p', 'words', worker.explanation));
  node.append(el('dl', 'facts',
    fact('images', rate(worker.perSecond)),
    fact('succeeded', number(counters.succeeded)),
    fact('failed', number(counters.failed)),
    fact('posted', number(counters.posted)),
    fact('in hand', number(worker.held.count), worker.hold ? 'of ' + number(worker.hold.target) : ''),
    fact('outbox', number(outbox.count), outbox.count ? size(outbox.bytes) + ', oldest ' + time(outbox.oldestAgeMs) : ''),
    fact('spool', worker.spool ? number(worker.spool.files) + (worker.spool.files === 1 ? ' file' : ' files') : 'none', worker.spool && worker.spool.files ? size(worker.spool.bytes) : ''),
    fact('lease left at post', worker.leaseSlack.post.count ? time(worker.leaseSlack.post.p50Ms) : '–', worker.lateRatio ? number(worker.lateRatio * 100, 1) + ' % late' : ''),
    fact('model', worker.stages.process.count ? time(worker.stages.process.p50Ms) : '–', 'a call'),
    fact('up', time(Date.now() - Date.parse(worker.startedAt)))));
  if (worker.jobs.length) node.append(el('h3', '', 'Jobs'), ...worker.jobs.map(jobNode));
  if (worker.failures.length) node.append(el('h3', '', 'Last failures'), el('ul', '', ...worker.failures.map((failure) =>
    el('li', '', el('b', '', 'image ' + failure.imageId), el('span', 'soft', ' · job ' + failure.jobId + ' · ' + clock(failure.at) + (failure.final ? '' : ' · comes again')), el('br'), failure.reason))));
  return node;
}

function figureNode(image) {
  const key = keyOf(image);
  const known = figures.get(key);
  if (known) return known;
  const frame = el('div', 'frame');
  const caption = el('figcaption', '', 'image ' + image.imageId + ' · job ' + image.jobId + ' · ' + clock(image.at) + ' · ' + unit(image.boxes.length, image.boxes.length === 1 ? 'box' : 'boxes'));
  const figure = el('figure', '', frame, caption);
  figures.set(key, figure);
  if (!/^https?:/i.test(image.url)) return figure;
  const picture = el('img');
  picture.alt = 'image ' + image.imageId;
  picture.referrerPolicy = 'no-referrer';
  picture.addEventListener('error', () => caption.append(' · the image cannot be loaded from here'));
  picture.addEventListener('load', () => drawBoxes(frame, picture, image.boxes));
  picture.src = image.url;
  frame.append(picture);
  return figure;
}

function show(machine) {
  const rates = machine.workers.map((worker) => worker.perSecond || 0);
  document.title = machine.hostname + ' · Antenna worker';
  document.getElementById('host').textContent = machine.hostname;
  document.getElementById('about').textContent = [
    machine.workers.length + (machine.workers.length === 1 ? ' worker' : ' workers'),
    rate(rates.reduce((sum, one) => sum + one, 0)),
    machine.software,
  ].join(' · ');
  const main = document.getElementById('main');
  const images = machine.workers.flatMap((worker) => worker.images).sort((a, b) => b.at.localeCompare(a.at)).slice(0, 12);
  keepFigures(images);
  main.replaceChildren(
    ...machine.gpus.map((gpu) => el('p', 'soft', 'GPU ' + gpu)),
    el('div', 'workers', ...machine.workers.map(workerNode)),
    ...(machine.view ? [el('h3', '', 'Last images'), el('p', 'soft', 'Addresses of images can be signed: whoever sees this page can open them.'), el('div', 'images', ...images.map(figureNode))] : []));
}
look(show, 'the worker has ended');
`;
