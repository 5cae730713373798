import { SaveLine } from './jobs/save-line.js';
import type { Settings } from './options.js';
import { createRandom } from './random.js';
import type { Random } from './random.js';
import { Store } from './state/store.js';
import { Background } from './time/background.js';
import type { Clock } from './time/clock.js';

/** Things that tests can break on purpose in the server's own back end. */
export interface Outages {
  /** NATS refuses connections: a tasks call hangs this long, then answers 503. Null: healthy. */
  queueHangMs: number | null;
  /** The Celery broker refuses connections: a result call waits this long, then answers 503. Null: healthy. */
  brokerDelayMs: number | null;
  /** Decides per result whether saving fails in the background, and with which reason. */
  failSaving: ((imageIds: readonly string[], jobId: number) => string | undefined) | null;
}

/** The server itself: state, time, chance and work to be done later. Routes act on it. */
export class Antenna {
  readonly settings: Settings;
  readonly store: Store;
  readonly random: Random;
  readonly background: Background;
  readonly saving: SaveLine;
  readonly outages: Outages = { queueHangMs: null, brokerDelayMs: null, failSaving: null };

  constructor(settings: Settings) {
    this.settings = settings;
    this.store = new Store(settings.clock);
    this.random = createRandom(settings.seed);
    this.background = new Background(settings.clock);
    // A source of its own, so that lost updates do not change the ids and orders a seed gives.
    this.saving = new SaveLine(settings.clock, createRandom(settings.seed + 2), settings.saving);
  }

  get clock(): Clock {
    return this.settings.clock;
  }
}
