/** A market of any size as the strategy is told of it: every fact of every instrument, and books that move. Main thread. */
import type { MarketEvent } from '../../actors/connector-messages.ts';
import type { PairChanged } from '../../actors/position-messages.ts';
import type { BookLevel } from '../../src/market/book.ts';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import type { FundingRate } from '../../src/market/funding-rate.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { PicoRate } from '../../src/money/units.ts';
import type { RandomStream } from '../../src/runtime/actor.ts';
import { simulatedMarkets } from '../../src/simulation/markets.ts';
import type { HandClock } from '../solo-actor.ts';

export interface Account {
  readonly venue: string;
  readonly account: string;
}

/** Levels a connector tells on each side. */
const LEVELS = 20;
/** Lots of one level: the depth of a middling market. */
const LEVEL_LOTS_MAX = 20_000;
const SETTLEMENTS = 72;
const WALLET_MICRO = 1_000_000_000_000n;
/** Where every price of a base lies, ticks of its instrument: all venues agree to a few bps. */
const MID_QUOTE = 90_000;
/** What the last venue pays to be short of one base in so many, pico per hour: 70 % a year. All else pays nothing. */
const HOURLY_PICO = 80_000_000;
const PAYING_BASES_APART = 10;

export function basesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `B${String(index).padStart(3, '0')}`);
}

/** The venue's simulated market of BTC, under another name. */
function instrumentOf(venue: string, base: string): Instrument {
  const [market] = simulatedMarkets(venue, ['BTC']);
  if (market === undefined) throw new Error(`${venue} must list BTC`);
  return { ...market, base, symbol: `${base}-${venue}`, volume24hQuote: 1e9 };
}

export class Market {
  readonly #clock: HandClock;
  readonly #random: RandomStream;
  readonly #accounts: readonly Account[];
  readonly #venues: readonly string[];
  readonly #instruments: readonly Instrument[];

  constructor(bases: readonly string[], accounts: readonly Account[], clock: HandClock, random: RandomStream) {
    this.#clock = clock;
    this.#random = random;
    this.#accounts = accounts;
    this.#venues = [...new Set(accounts.map(({ venue }) => venue))];
    this.#instruments = this.#venues.flatMap((venue) => bases.map((base) => instrumentOf(venue, base)));
  }

  /** What a start tells: instruments, leverage, three days of settlements. */
  *standing(): Iterable<MarketEvent> {
    for (const instrument of this.#instruments) {
      const { venue, symbol, base } = instrument;
      for (const { account } of this.#accounts.filter((known) => known.venue === venue)) {
        yield { type: 'instrument-listed', venue, account, symbol, instrument };
        yield { type: 'leverage-reported', venue, account, symbol, base, leverage: 3 };
      }
      const lastAtMs = Math.floor(this.#clock.nowMs / HOUR_MS) * HOUR_MS;
      for (let hour = SETTLEMENTS; hour > 0; hour--) {
        const settleAtMs = lastAtMs - (hour - 1) * HOUR_MS;
        yield this.#rate(instrument, 'predicted', settleAtMs);
        yield this.#rate(instrument, 'settled', settleAtMs);
      }
    }
  }

  /** What comes all the time, all of it new: a word of every account, and book, mark and prediction of every instrument. */
  *moving(): Iterable<MarketEvent> {
    const receivedAtMonotonicMs = this.#clock.monotonicMs;
    for (const { venue, account } of this.#accounts) {
      yield {
        ...{ type: 'venue-status', venue, account, status: 'ready', reason: '' },
        ...{ clockOffsetMs: 3, clockErrorMs: 20, entriesAllowed: true, openBudgetShare: 0.9 },
      };
      yield {
        type: 'account-changed',
        venue,
        account,
        walletMicro: WALLET_MICRO,
        availableMicro: WALLET_MICRO,
        receivedAtMonotonicMs,
      };
    }
    for (const instrument of this.#instruments) {
      const { venue, symbol, base } = instrument;
      const nowMs = this.#clock.nowMs;
      const [bids, asks] = this.#levels(instrument);
      yield {
        type: 'book-changed',
        venue,
        symbol,
        base,
        book: { venue, symbol, bids, asks, venueAtMs: nowMs, receivedAtMonotonicMs },
      };
      const markNano = BigInt(MID_QUOTE) * 1_000_000_000n + BigInt(this.#draw(5_000_000_000));
      yield {
        ...{ type: 'mark-changed', venue, symbol, base, markNano, indexNano: markNano },
        ...{ venueAtMs: nowMs, receivedAtMonotonicMs },
      };
      yield this.#rate(instrument, 'predicted', (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS);
    }
  }

  #draw(below: number): number {
    return Math.floor(this.#random.nextFraction() * below);
  }

  #levels({ priceDecimals, tickUnits }: Instrument): readonly [BookLevel[], BookLevel[]] {
    const ticksPerQuote = 10 ** priceDecimals / tickUnits;
    const mid = MID_QUOTE * ticksPerQuote + this.#draw(4);
    // A level every half bps.
    const apart = Math.max(1, Math.round((MID_QUOTE * ticksPerQuote) / 20_000));
    const side = (direction: 1 | -1): BookLevel[] =>
      Array.from({ length: LEVELS }, (_, index) => [
        mid + direction * (1 + index * apart),
        1 + this.#draw(LEVEL_LOTS_MAX),
      ]);
    return [side(-1), side(1)];
  }

  #rate(instrument: Instrument, kind: FundingRate['kind'], settleAtMs: number): MarketEvent {
    const { venue, symbol, base, fundingIntervalMs } = instrument;
    const pays = venue === this.#venues.at(-1) && Number(base.slice(1)) % PAYING_BASES_APART === 0;
    const hourly = (pays ? HOURLY_PICO : 0) as PicoRate;
    const rate: FundingRate = {
      ...{ venue, symbol, kind, raw: '', unit: { scale: 'fraction', perMs: HOUR_MS } },
      ...{ hourly, intervalMs: fundingIntervalMs, settleAtMs, venueAtMs: this.#clock.nowMs },
    };
    return {
      ...{ type: 'funding-rate-changed', venue, symbol, base, kind, settleAtMs, rate },
      receivedAtMonotonicMs: this.#clock.monotonicMs,
    };
  }
}

/** The picture of a base as its position actor tells it. */
export function pairOf(base: string, phase: PairChanged['phase'], pairId: string): PairChanged {
  return {
    ...{ type: 'pair-changed', base, phase, pairId, reason: '', openedAtMs: 0, closedAtMs: 0 },
    ...{ fundingMicro: 0n, feesMicro: 0n, realisedMicro: 0n, fundingPayments: 0, liveOrders: 0, drained: false },
    ...{ cooldownUntilMs: 0, closedPairs: 0, closedNetMicro: 0n, closedFundingMicro: 0n, exposureQuoteSec: 0 },
    notionalMicro: phase === 'OPEN' ? 500_000_000n : 0n,
  };
}
