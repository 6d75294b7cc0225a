/**
 * What quote currencies are worth in each other, measured on the venues' own prices: two venues that price one underlying in two
 * currencies price the currencies too. The median over all symbols, so that no single market decides. Pure functions, any thread.
 */

/** One venue's price of one underlying. `price` per unit of the underlying; the index where there is one, else the mark. */
export interface QuotedPrice {
  readonly base: string;
  readonly quote: string;
  readonly price: number;
}

/** Units of `second` that one unit of `first` is worth. */
export interface QuoteRate {
  readonly first: string;
  readonly second: string;
  readonly rate: number;
  /** Underlyings it was measured on; 0 when it was configured. */
  readonly samples: number;
}

/** Returns the rates between all quote currencies that occur, the names of each pair in alphabetical order. */
export function measureQuoteRates(
  prices: readonly QuotedPrice[],
  configuredUsd: Readonly<Record<string, number>>,
): readonly QuoteRate[] {
  // Grouped by base once; few venues list one base, so that looking through a group costs less than another map of it would.
  const byBase = new Map<string, QuotedPrice[]>();
  const quotes = new Set<string>();
  for (const priced of prices) {
    if (!(priced.price > 0) || !Number.isFinite(priced.price)) continue;
    quotes.add(priced.quote);
    const ofBase = byBase.get(priced.base);
    if (ofBase === undefined) byBase.set(priced.base, [priced]);
    else ofBase.push(priced);
  }
  const names = [...quotes].toSorted();
  // One for all: an array for each of a thousand prices is garbage at every look.
  const scratch = new Float64Array(prices.length);
  return names.flatMap((first, index) =>
    names.slice(index + 1).flatMap((second) => {
      const ratios = new Float64Array(byBase.size);
      let samples = 0;
      for (const ofBase of byBase.values()) {
        // The same thing costs more of what is worth less.
        const ratio = medianIn(ofBase, second, scratch) / medianIn(ofBase, first, scratch);
        if (!Number.isNaN(ratio)) ratios[samples++] = ratio;
      }
      if (samples > 0) return [{ first, second, rate: medianOf(ratios, samples), samples }];
      const worth = configuredRate(first, second, configuredUsd);
      return worth === undefined ? [] : [{ first, second, rate: worth, samples: 0 }];
    }),
  );
}

/** Returns how far two quote currencies are from being worth the same; 0 for one currency, undefined when nobody knows. */
export function quoteGap(rates: readonly QuoteRate[], one: string, other: string): number | undefined {
  if (one === other) return 0;
  const known = rates.find(
    ({ first, second }) => (first === one && second === other) || (first === other && second === one),
  );
  return known === undefined ? undefined : Math.abs(known.rate - 1);
}

function configuredRate(first: string, second: string, usd: Readonly<Record<string, number>>): number | undefined {
  const of = (name: string): number | undefined => (name === 'USD' ? 1 : usd[name]);
  const [one, other] = [of(first), of(second)];
  return one === undefined || other === undefined ? undefined : one / other;
}

/** The median of a base's prices in one currency; NaN without any. `scratch` holds as many. */
function medianIn(ofBase: readonly QuotedPrice[], quote: string, scratch: Float64Array): number {
  let count = 0;
  for (const priced of ofBase) if (priced.quote === quote) scratch[count++] = priced.price;
  return medianOf(scratch, count);
}

/** The median of the first `count` values, which it sorts; NaN of none. */
function medianOf(values: Float64Array, count: number): number {
  if (count === 1) return values[0] ?? Number.NaN;
  const sorted = values.subarray(0, count).sort();
  const upper = sorted[count >> 1] ?? Number.NaN;
  const lower = sorted[(count - 1) >> 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
