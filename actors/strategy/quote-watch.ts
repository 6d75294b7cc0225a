/** Keeps what quote currencies are worth in each other: measured once a second, told to positions, and told aloud when apart. */
import { positionRef } from '../addresses.ts';
import type { Self } from '../../src/runtime/actor.ts';
import { lowestLevel, noteLevel } from '../../src/strategy/lasting-level.ts';
import type { LastingLevel } from '../../src/strategy/lasting-level.ts';
import type { EntryPolicies } from '../../src/strategy/policy.ts';
import type { StrategyMessage } from '../strategy-messages.ts';
import { measureQuotes } from './market-picture.ts';
import type { MarketPicture } from './market-picture.ts';

export interface QuoteWatch {
  readonly measuredAtMs: number;
  readonly toldAtMs: number;
  /** By pair of currencies: how far apart they are, and were told to be; see `LEVELS`. */
  readonly apart: ReadonlyMap<string, LastingLevel>;
}

export const newQuoteWatch: QuoteWatch = {
  measuredAtMs: Number.NEGATIVE_INFINITY,
  toldAtMs: Number.NEGATIVE_INFINITY,
  apart: new Map(),
};

const MEASURE_MS = 1_000;
/** Positions hear of unchanged rates this often: a new incarnation knows none. */
const TELL_MS = 5_000;
/** A change by less than this, a fraction, is no news. */
const NEWS = 0.000_1;
/** How far apart, by rank, as the log's levels. */
const LEVELS = ['info', 'warn', 'error'] as const;
/** Apart, or together again, for this long: then it is told. What is decided by it follows every measurement. */
const TOLD_AFTER_MS = 10_000;

/** Called at every scan. */
export function watchQuotes(
  watch: QuoteWatch,
  known: {
    readonly market: MarketPicture;
    readonly args: {
      readonly bases: readonly string[];
      readonly policy: Pick<EntryPolicies, 'stablecoin'>;
      readonly quoteRatesUsd?: Readonly<Record<string, number>>;
    };
  },
  self: Self<StrategyMessage>,
): QuoteWatch {
  const now = self.monotonicMs();
  if (now - watch.measuredAtMs < MEASURE_MS) return watch;
  const { market, args } = known;
  const ratesBefore = market.quoteRates;
  measureQuotes(market, args.quoteRatesUsd ?? {}, now);
  const rates = market.quoteRates;
  const isNews =
    rates.length !== ratesBefore.length ||
    rates.some(({ rate }, index) => Math.abs(rate - (ratesBefore[index]?.rate ?? Number.POSITIVE_INFINITY)) >= NEWS);
  const isDue = (isNews || now - watch.toldAtMs >= TELL_MS) && (rates.length > 0 || ratesBefore.length > 0);
  if (isDue) for (const base of args.bases) self.tell(positionRef(base), { type: 'quote-rates-told', rates });

  const { warnGap, maxGap } = args.policy.stablecoin;
  const apart = new Map<string, LastingLevel>();
  for (const { first, second, rate, samples } of rates) {
    const gap = Math.abs(rate - 1);
    const key = `${first}/${second}`;
    const before = watch.apart.get(key) ?? lowestLevel;
    const rank = gap > maxGap ? 2 : gap > warnGap ? 1 : 0;
    const lasting = noteLevel(before, rank, { ranks: LEVELS.length, lastsMs: TOLD_AFTER_MS }, now);
    apart.set(key, lasting);
    if (lasting.told === before.told) continue;
    if (lasting.told === 0) self.log('info', 'quotes-together', { pair: key });
    else {
      self.count(`quotes-apart:${key}`);
      self.log(LEVELS[lasting.told] ?? 'error', 'quotes-apart', { first, second, rate, samples, gap, warnGap, maxGap });
    }
  }
  return { measuredAtMs: now, toldAtMs: isDue ? now : watch.toldAtMs, apart };
}
