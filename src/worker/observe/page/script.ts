import { PAGE_TOOLS } from './tools.js';

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
