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
  const byBase = new Map<string, Map<string, number[]>>();
  const quotes = new Set<string>();
  for (const { base, quote, price } of prices) {
    if (!(price > 0) || !Number.isFinite(price)) continue;
    quotes.add(quote);
    let ofBase = byBase.get(base);
    if (ofBase === undefined) byBase.set(base, (ofBase = new Map()));
    const known = ofBase.get(quote);
    if (known === undefined) ofBase.set(quote, [price]);
    else known.push(price);
  }
  const names = [...quotes].toSorted();
  return names.flatMap((first, index) =>
    names.slice(index + 1).flatMap((second) => {
      const ratios: number[] = [];
      for (const ofBase of byBase.values()) {
        const inFirst = ofBase.get(first);
        const inSecond = ofBase.get(second);
        // The same thing costs more of what is worth less.
        if (inFirst !== undefined && inSecond !== undefined) ratios.push(median(inSecond) / median(inFirst));
      }
      if (ratios.length > 0) return [{ first, second, rate: median(ratios), samples: ratios.length }];
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

function median(values: readonly number[]): number {
  if (values.length === 1) return values[0] ?? Number.NaN;
  const sorted = values.toSorted((one, other) => one - other);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
