/** Thread entry of fill-to-hedge's venues: both on loopback, on one clock. Started with VenueThreadData, spoken to with VenueRequest. */
import { parentPort, workerData } from 'node:worker_threads';
import { runThreadRealtime } from '../../src/ports/live/realtime-priority.ts';
import { buildVenue, type BuiltVenue } from '../../src/simulation/build-venue.ts';
import { generatedTape } from '../../src/simulation/generated-tape.ts';
import { hostClock } from '../../src/simulation/live/host-clock.ts';
import { startVenueServer } from '../../src/simulation/live/venue-host.ts';
import type { MarketTape } from '../../src/simulation/market-tape.ts';
import type { SimulatedVenue } from '../../src/simulation/simulated-venue.ts';
import { FillingVenue } from './filling-venue.ts';
import { ACCOUNT, LIMITS } from '../order-path/plan.ts';
import { BASE, FLOODED_BASE, HEDGE_VENUE, MAKER_VENUE, TAKER } from './plan.ts';
import type { LoadPlan, VenueAddresses, VenueReport } from './plan.ts';

export interface VenueThreadData {
  readonly seed: number;
}

export type VenueRequest =
  | { readonly type: 'begin'; readonly plan: LoadPlan }
  /** Frames of the flooded book outside runs. */
  | { readonly type: 'keep-pace'; readonly framesPerSecond: number }
  | { readonly type: 'stop' };

export type VenueEvent =
  | ({ readonly type: 'listening' } & VenueAddresses)
  | { readonly type: 'finished'; readonly report: VenueReport }
  | { readonly type: 'failed'; readonly reason: string }
  /** A whole request was read at one of the venues, ns of the clock that all threads share. */
  | { readonly type: 'maker-order' | 'maker-cancel' | 'hedge-order'; readonly atNs: bigint }
  | { readonly type: 'stopped' };

const SETTLEMENT_MS = 3_600_000;
/** Quote money: enough for any number of small orders. */
const BALANCE = 1_000_000;
/** Of whoever takes all that stands before a quote, again and again. */
const TAKER_BALANCE = 1_000_000_000;
const BOOK_INTERVAL_MS = 250;
const ORDER_PATH = '/v5/order/create';
const MAKER_ORDER_PATH = '/api/v1/user/order';

const port = parentPort;
if (port === null) throw new Error('venue-worker.ts runs as a worker thread only');
const tell = (event: VenueEvent): void => port.postMessage(event);
// The starter is this benchmark's own main part: the data's shape is its promise.
const { seed } = workerData as VenueThreadData;

// In life a venue is another machine: what computes here must delay the engine, never the venue that measures it.
runThreadRealtime('io', () => undefined);
const anchorEpochMs = Date.now();
const now = hostClock({ startAtMs: anchorEpochMs, scale: 1, anchorEpochMs });
// One tape, so that both venues show one market.
const moving = generatedTape({
  seed,
  bases: [BASE, FLOODED_BASE],
  venues: {
    [MAKER_VENUE]: { series: 'hyperliquid', intervalMs: SETTLEMENT_MS },
    [HEDGE_VENUE]: { series: 'bybit', intervalMs: SETTLEMENT_MS },
  },
  startAtMs: anchorEpochMs,
});
/** The market stands: who takes from the quote, and how much, is the benchmark's business. */
const tape: MarketTape = {
  startAtMs: moving.startAtMs,
  endAtMs: moving.endAtMs,
  bases: (venue) => moving.bases(venue),
  quote: (venue, base) => moving.quote(venue, base, anchorEpochMs),
  nextSettlement: (venue, base, calendarMs) => moving.nextSettlement(venue, base, calendarMs),
  lastSettlement: (venue, base, calendarMs) => moving.lastSettlement(venue, base, calendarMs),
};
const build = (venue: string, balances: Readonly<Record<string, number>>): BuiltVenue =>
  buildVenue(
    {
      ...{ venue, bases: [BASE, FLOODED_BASE], limits: LIMITS, seed, calendarScale: 1 },
      accounts: Object.entries(balances).map(([name, balance]) => ({ name, balance })),
      ...{ takerDelayMs: 0, makerDelayMs: 0, cancelDelayMs: 0, bookIntervalMs: BOOK_INTERVAL_MS },
    },
    tape,
  );
const maker = build(MAKER_VENUE, { [ACCOUNT]: BALANCE, [TAKER]: TAKER_BALANCE });
const hedge = build(HEDGE_VENUE, { [ACCOUNT]: BALANCE });
const [quoted, flooded] = maker.exchange.markets();
if (quoted === undefined || flooded === undefined) throw new Error(`${MAKER_VENUE} must list both bases`);

const hrtimeNs = (): bigint => process.hrtime.bigint();
const filling = new FillingVenue({
  ...{ inner: maker.venue, exchange: maker.exchange, quoted, flooded, seed, hrtimeNs },
  onFinished: (report) => tell({ type: 'finished', report }),
  onFailed: (reason) => tell({ type: 'failed', reason }),
});
/** The other venue as it is; its orders are stamped before anything else is done about them. */
const hedged: SimulatedVenue = {
  venue: hedge.venue.venue,
  handle(input, at) {
    if (input.type === 'http-request' && input.method === 'POST' && input.path === ORDER_PATH) {
      const atNs = hrtimeNs();
      filling.hedgeArrived(atNs, at);
      tell({ type: 'hedge-order', atNs });
    }
    return hedge.venue.handle(input, at);
  },
  nextWakeMs: () => hedge.venue.nextWakeMs(),
  oracle: () => hedge.venue.oracle(),
  inject: (fault, options) => hedge.venue.inject(fault, options),
};
const made: SimulatedVenue = {
  venue: filling.venue,
  handle(input, at) {
    if (input.type === 'http-request' && input.path.startsWith(MAKER_ORDER_PATH)) {
      if (input.method === 'POST') tell({ type: 'maker-order', atNs: hrtimeNs() });
      if (input.method === 'DELETE') tell({ type: 'maker-cancel', atNs: hrtimeNs() });
    }
    return filling.handle(input, at);
  },
  nextWakeMs: () => filling.nextWakeMs(),
  oracle: () => filling.oracle(),
  inject: (fault, options) => filling.inject(fault, options),
};
const makerServer = await startVenueServer({ venue: made, port: 0, now });
const hedgeServer = await startVenueServer({ venue: hedged, port: 0, now });

port.on('message', (request: VenueRequest) => {
  if (request.type === 'begin') {
    makerServer.poke(() => filling.begin(request.plan, now()));
    return;
  }
  if (request.type === 'keep-pace') {
    makerServer.poke(() => filling.keepPace(request.framesPerSecond, now()));
    return;
  }
  void Promise.all([makerServer.close(), hedgeServer.close()]).then(() => {
    tell({ type: 'stopped' });
    port.close();
  });
});
tell({
  type: 'listening',
  maker: { url: makerServer.url, streamUrl: makerServer.streamUrl },
  hedge: { url: hedgeServer.url, streamUrl: hedgeServer.streamUrl },
});
