/** One leg is ahead of the other: completing the pair against undoing it (domain 7.2, 7.4). Pure, any thread. */

/** Quantities in base units, prices in quote per base unit, fees as fractions; floats, because this is a judgement. */
export interface HalfFilled {
  /** What the whole pair was expected to bring, quote. */
  readonly expectedValueQuote: number;
  readonly plannedQuantity: number;
  /** What stands alone. */
  readonly filledQuantity: number;
  readonly completion: {
    readonly side: 'buy' | 'sell';
    readonly plannedPrice: number;
    /** Average price of the missing quantity by the book; undefined when the book is too thin. */
    readonly price: number | undefined;
    readonly feeRate: number;
  };
  readonly unwinding: {
    readonly side: 'buy' | 'sell';
    readonly filledPrice: number;
    readonly price: number | undefined;
    readonly feeRate: number;
  };
  /** Farthest the completion may be from its planned price, 1e-4. */
  readonly maxBps: number;
  /** The exposure deadline has passed. */
  readonly overdue: boolean;
}

export interface CompletionVerdict {
  readonly action: 'complete' | 'unwind';
  /** Quote; undefined when its book is too thin. */
  readonly completeQuote: number | undefined;
  readonly unwindQuote: number | undefined;
  /** Rule and values in words. */
  readonly detail: string;
}

/** Returns the better way out; past the deadline undoing wins as long as its book has the depth. */
export function completeOrUnwind(half: HalfFilled): CompletionVerdict {
  const completeQuote = completionValue(half);
  const unwindQuote = unwindingValue(half);
  const slippageBps = completionSlippageBps(half);
  const detail = `complete ${text(completeQuote)} at ${text(slippageBps)} bps, unwind ${text(unwindQuote)}`;
  const verdict = (action: 'complete' | 'unwind', rule: string): CompletionVerdict => ({
    action,
    completeQuote,
    unwindQuote,
    detail: `${rule}: ${detail}`,
  });

  if (completeQuote === undefined || slippageBps === undefined) return verdict('unwind', 'no depth to complete');
  if (slippageBps > half.maxBps) return verdict('unwind', `over ${half.maxBps} bps`);
  if (unwindQuote === undefined) return verdict('complete', 'no depth to unwind');
  if (half.overdue) return verdict('unwind', 'exposure deadline');
  return completeQuote >= unwindQuote ? verdict('complete', 'cheaper') : verdict('unwind', 'cheaper');
}

/** What is left on one leg is too little for the other venue's least order. Units as above. */
export interface Remainder {
  /** Expected value of all that would be hedged, remainder and addition, quote. */
  readonly expectedValueQuote: number;
  /** Taking more on the leg that is ahead, until it can be hedged. */
  readonly addition: RemainderTrade;
  /** Hedging remainder and addition. */
  readonly hedge: RemainderTrade;
  /** Giving the remainder back; its reference is the price it was filled at. */
  readonly trim: RemainderTrade;
}

export interface RemainderTrade {
  readonly side: 'buy' | 'sell';
  readonly quantity: number;
  /** Planned or filled price: what slippage is counted from. */
  readonly reference: number;
  /** Average price by the book; undefined when the book is too thin. */
  readonly price: number | undefined;
  readonly feeRate: number;
}

export interface RemainderVerdict {
  readonly action: 'top-up' | 'trim';
  readonly topUpQuote: number | undefined;
  readonly trimQuote: number | undefined;
}

/** Returns the cheaper end of a remainder that cannot be hedged as it is; trimming when neither book tells. */
export function topUpOrTrim({ expectedValueQuote, addition, hedge, trim }: Remainder): RemainderVerdict {
  const added = slippageOf(addition.side, addition.reference, addition.price);
  const hedged = slippageOf(hedge.side, hedge.reference, hedge.price);
  const given = slippageOf(trim.side, trim.reference, trim.price);
  // As in the comparison above: fees on planned prices are in the expected value, those of giving back are not.
  const topUpQuote =
    added === undefined || hedged === undefined
      ? undefined
      : expectedValueQuote -
        addition.quantity * added * (1 + addition.feeRate) -
        hedge.quantity * hedged * (1 + hedge.feeRate);
  const trimQuote =
    given === undefined || trim.price === undefined
      ? undefined
      : -trim.quantity * given - trim.quantity * trim.price * trim.feeRate;
  const isCheaper = topUpQuote !== undefined && (trimQuote === undefined || topUpQuote >= trimQuote);
  return { action: isCheaper ? 'top-up' : 'trim', topUpQuote, trimQuote };
}

function completionValue(half: HalfFilled): number | undefined {
  const slippage = slippageOf(half.completion.side, half.completion.plannedPrice, half.completion.price);
  if (slippage === undefined) return undefined;
  const share = (half.expectedValueQuote * half.filledQuantity) / half.plannedQuantity;
  // The fee on the planned price is part of the expected value already: only the fee on the extra slippage is new.
  const extra = half.filledQuantity * slippage;
  return share - extra - extra * half.completion.feeRate;
}

function unwindingValue(half: HalfFilled): number | undefined {
  const { side, filledPrice, price, feeRate } = half.unwinding;
  const slippage = slippageOf(side, filledPrice, price);
  if (slippage === undefined || price === undefined) return undefined;
  return -half.filledQuantity * slippage - half.filledQuantity * price * feeRate;
}

function completionSlippageBps(half: HalfFilled): number | undefined {
  const { side, plannedPrice, price } = half.completion;
  const slippage = slippageOf(side, plannedPrice, price);
  return slippage === undefined ? undefined : (slippage / plannedPrice) * 1e4;
}

/** Returns how much worse `price` is than `reference` per unit for this side; negative when better. */
function slippageOf(side: 'buy' | 'sell', reference: number, price: number | undefined): number | undefined {
  if (price === undefined) return undefined;
  return side === 'buy' ? price - reference : reference - price;
}

function text(value: number | undefined): string {
  return value === undefined ? 'n/a' : value.toFixed(4);
}
