/** Thread entry of a benchmark's venue: a flooded one on loopback. Started with VenueThreadData, spoken to with VenueRequest. */
import { parentPort, workerData } from 'node:worker_threads';
import { buildVenue } from '../../src/simulation/build-venue.ts';
import { generatedTape } from '../../src/simulation/generated-tape.ts';
import { hostClock } from '../../src/simulation/live/host-clock.ts';
import { startVenueServer } from '../../src/simulation/live/venue-host.ts';
import { BOOK_WIRES } from './book-wire.ts';
import { DelayedVenue } from './delayed-venue.ts';
import { FloodedVenue } from './flooded-venue.ts';
import { ACCOUNT, BASE, LIMITS } from './plan.ts';
import type { LoadPlan, OrderVenue, VenueReport } from './plan.ts';

export interface VenueThreadData {
  readonly venue: OrderVenue;
  readonly seed: number;
  /** What each way takes, ms; 0 is loopback alone. The flood is at hand: its delay is no part of an order's. */
  readonly oneWayMs: number;
}

export type VenueRequest = { readonly type: 'begin'; readonly plan: LoadPlan } | { readonly type: 'stop' };

export type VenueEvent =
  /** Base addresses without paths. */
  | { readonly type: 'listening'; readonly url: string; readonly streamUrl: string }
  | { readonly type: 'finished'; readonly report: VenueReport }
  | { readonly type: 'failed'; readonly reason: string }
  /** The venue's own books at the end: triggers sent, orders it took. */
  | { readonly type: 'stopped'; readonly triggers: number; readonly orders: number };

const SERIES = 'hyperliquid';
const SETTLEMENT_MS = 3_600_000;
/** Quote money: enough for any number of small orders. */
const BALANCE = 1_000_000;
const BOOK_INTERVAL_MS = 250;

const port = parentPort;
if (port === null) throw new Error('venue-worker.ts runs as a worker thread only');
const tell = (event: VenueEvent): void => port.postMessage(event);
// The starter is this benchmark's own main part: the data's shape is its promise.
const { venue: name, seed, oneWayMs } = workerData as VenueThreadData;

const anchorEpochMs = Date.now();
const now = hostClock({ startAtMs: anchorEpochMs, scale: 1, anchorEpochMs });
const { venue: built, exchange } = buildVenue(
  {
    venue: name,
    bases: [BASE],
    accounts: [{ name: ACCOUNT, balance: BALANCE }],
    limits: LIMITS,
    seed,
    calendarScale: 1,
    takerDelayMs: 0,
    makerDelayMs: 0,
    cancelDelayMs: 0,
    bookIntervalMs: BOOK_INTERVAL_MS,
  },
  generatedTape({
    seed,
    bases: [BASE],
    venues: { [name]: { series: SERIES, intervalMs: SETTLEMENT_MS } },
    startAtMs: anchorEpochMs,
  }),
);
const [instrument] = exchange.markets();
if (instrument === undefined) throw new Error(`${name} must list ${BASE}`);

const venue = new FloodedVenue({
  inner: oneWayMs === 0 ? built : new DelayedVenue(built, oneWayMs),
  wire: BOOK_WIRES[name],
  instrument,
  bestBidTicks: () => exchange.book(instrument.symbol).bids[0]?.[0] ?? 0,
  seed,
  hrtimeNs: () => process.hrtime.bigint(),
  onFinished: (report) => tell({ type: 'finished', report }),
  onFailed: (reason) => tell({ type: 'failed', reason }),
});
const server = await startVenueServer({ venue, port: 0, now });

port.on('message', (request: VenueRequest) => {
  if (request.type === 'begin') {
    server.poke(() => venue.begin(request.plan, now()));
    return;
  }
  const orders = venue.oracle().accounts.get(ACCOUNT)?.orders.length ?? 0;
  void server.close().then(() => {
    tell({ type: 'stopped', triggers: venue.triggers, orders });
    port.close();
  });
});
tell({ type: 'listening', url: server.url, streamUrl: server.streamUrl });
