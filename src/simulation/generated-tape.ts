/**
 * A market tape made up by a seeded generator fitted to recorded markets. Pure: the same options answer the same for ever,
 * in whatever order they are asked. Any thread; each thread makes its own.
 *
 * Prices: hourly log returns with stochastic volatility, correlated with BTC, bridged by the minute. Venues: the common
 * price plus an AR(1) basis. Funding: a slow and a fast Gaussian AR(1) per step, mapped through the fitted quantiles.
 */
import fit from './fit-parameters.json' with { type: 'json' };
import { FundingProcess } from './generated-funding.ts';
import type { FundingFit } from './generated-funding.ts';
import { PriceProcess, VenueBasis } from './generated-prices.ts';
import { MADE_UP_NAMES, modelOf } from './made-up.ts';
import type { MarketTape, TapeSettlement } from './market-tape.ts';
import { textureAt } from './market-texture.ts';

const HOUR_MS = 3_600_000;
/** History before the start: forecasts look back three days. */
const HISTORY_HOURS = 96;
/** Bounds the generator's memory: about eleven years. */
const HOURS_MAX = 100_000;
/** How far a venue's mark follows its own price away from the index. */
const MARK_FOLLOWS_BASIS = 0.7;

export interface GeneratedTapeOptions {
  readonly seed: number;
  /** Which fitted funding series drives which venue, for example `{ lighter: { series: 'lighter' } }`. */
  readonly venues: Readonly<
    Record<
      string,
      {
        readonly series: string;
        /** Settles at this interval instead of the fitted one; the process then steps as often. */
        readonly intervalMs?: number;
      }
    >
  >;
  readonly bases: readonly string[];
  /** The first calendar ms of interest; processes that must agree use the same one. */
  readonly startAtMs: number;
}

/** Bases the generator knows. */
export const GENERATED_BASES: readonly string[] = Object.keys(fit.returns);
/** Fitted funding series it knows. */
export const GENERATED_SERIES: readonly string[] = ['lighter', 'hyperliquid', 'bybit', 'binance'];

/** A series without a fit of its own for a base borrows the parameters (not the draws) of this one, which has all bases. */
const FALLBACK_SERIES = 'hyperliquid';

interface GeneratedMarket {
  readonly basis: VenueBasis;
  readonly funding: FundingProcess;
}

/** Throws RangeError for a base or series without a fit. */
export function generatedTape(options: GeneratedTapeOptions): MarketTape {
  const { seed, bases } = options;
  const startHour = Math.floor(options.startAtMs / HOUR_MS) - HISTORY_HOURS;
  const startAtMs = startHour * HOUR_MS;
  const endAtMs = startAtMs + HOURS_MAX * HOUR_MS;
  const prices = new PriceProcess(seed, entriesOf(fit.returns));
  const markets = new Map<string, GeneratedMarket>();
  for (const base of bases) {
    if (!GENERATED_BASES.includes(modelOf(base))) {
      const known = GENERATED_BASES.join(', ');
      throw new RangeError(`a generated base must be one of ${known} or ${MADE_UP_NAMES}, was ${base}`);
    }
    for (const [venue, { series, intervalMs }] of Object.entries(options.venues)) {
      const fundingFit = fundingFitOf(series, base);
      markets.set(`${venue} ${base}`, {
        basis: new VenueBasis(seed, venue, base, entriesOf(fit.basis).get(`${series}:${modelOf(base)}`)),
        funding: new FundingProcess(seed, venue, base, fundingFit, {
          startHour,
          intervalHours: (intervalMs ?? fundingFit.intervalHours * HOUR_MS) / HOUR_MS,
        }),
      });
    }
  }

  const marketOf = (venue: string, base: string): GeneratedMarket => {
    const market = markets.get(`${venue} ${base}`);
    if (market === undefined) throw new RangeError(`the generated tape has no market ${base} of ${venue}`);
    return market;
  };
  const within = (calendarMs: number): number => Math.min(endAtMs, Math.max(startAtMs, calendarMs));
  const settlementAt = (venue: string, base: string, step: number): TapeSettlement | undefined => {
    const { funding } = marketOf(venue, base);
    const intervalMs = funding.intervalHours * HOUR_MS;
    const settleAtMs = step * intervalMs;
    if (settleAtMs < startAtMs || settleAtMs > endAtMs) return undefined;
    return { settleAtMs, ratePico: funding.ratePicoAt(step), intervalMs };
  };
  const stepAt = (venue: string, base: string, calendarMs: number): number =>
    Math.floor(within(calendarMs) / (marketOf(venue, base).funding.intervalHours * HOUR_MS));

  return {
    startAtMs,
    endAtMs,
    bases: (venue) => (venue in options.venues ? bases : []),
    quote: (venue, base, calendarMs) => {
      const hours = (within(calendarMs) - startAtMs) / HOUR_MS;
      const index = prices.priceAt(base, hours);
      const basis = marketOf(venue, base).basis.fractionAt(hours);
      return {
        mid: index * (1 + basis),
        mark: index * (1 + basis * MARK_FOLLOWS_BASIS),
        index,
        ...textureAt(seed, venue, base, calendarMs),
      };
    },
    nextSettlement: (venue, base, calendarMs) => settlementAt(venue, base, stepAt(venue, base, calendarMs) + 1),
    lastSettlement: (venue, base, calendarMs) => settlementAt(venue, base, stepAt(venue, base, calendarMs)),
  };
}

function fundingFitOf(series: string, base: string): FundingFit {
  if (!GENERATED_SERIES.includes(series)) {
    throw new RangeError(`a generated funding series must be one of ${GENERATED_SERIES.join(', ')}, was ${series}`);
  }
  const fits = entriesOf<FundingFit>(fit.funding);
  const found = fits.get(`${series}:${modelOf(base)}`) ?? fits.get(`${FALLBACK_SERIES}:${modelOf(base)}`);
  if (found === undefined) throw new RangeError(`there is no fit of ${series} funding for ${base}`);
  return found;
}

function entriesOf<Value>(section: Readonly<Record<string, Value>>): ReadonlyMap<string, Value> {
  return new Map(Object.entries(section));
}
