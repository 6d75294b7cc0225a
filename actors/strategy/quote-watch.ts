/** Keeps what quote currencies are worth in each other: measured once a second, told to positions, and told aloud when apart. */
import { positionRef } from '../addresses.ts';
import type { Self } from '../../src/runtime/actor.ts';
import type { EntryPolicies } from '../../src/strategy/policy.ts';
import type { StrategyMessage } from '../strategy-messages.ts';
import { measureQuotes } from './market-picture.ts';
import type { MarketPicture } from './market-picture.ts';

export interface QuoteWatch {
  readonly measuredAtMs: number;
  readonly toldAtMs: number;
  /** Pairs of currencies that were told to be apart, and as how bad. */
  readonly apart: ReadonlyMap<string, 'warn' | 'error'>;
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
  const before = market.quoteRates;
  measureQuotes(market, args.quoteRatesUsd ?? {}, now);
  const rates = market.quoteRates;
  const isNews =
    rates.length !== before.length ||
    rates.some(({ rate }, index) => Math.abs(rate - (before[index]?.rate ?? Number.POSITIVE_INFINITY)) >= NEWS);
  const isDue = (isNews || now - watch.toldAtMs >= TELL_MS) && (rates.length > 0 || before.length > 0);
  if (isDue) for (const base of args.bases) self.tell(positionRef(base), { type: 'quote-rates-told', rates });

  const { warnGap, maxGap } = args.policy.stablecoin;
  const apart = new Map<string, 'warn' | 'error'>();
  for (const { first, second, rate, samples } of rates) {
    const gap = Math.abs(rate - 1);
    if (gap <= warnGap) continue;
    const key = `${first}/${second}`;
    const level = gap > maxGap ? 'error' : 'warn';
    apart.set(key, level);
    if (watch.apart.get(key) === level) continue;
    self.count(`quotes-apart:${key}`);
    self.log(level, 'quotes-apart', { first, second, rate, samples, gap, warnGap, maxGap });
  }
  for (const key of watch.apart.keys()) if (!apart.has(key)) self.log('info', 'quotes-together', { pair: key });
  return { measuredAtMs: now, toldAtMs: isDue ? now : watch.toldAtMs, apart };
}
