/** What one adapter remembers of its venue: instruments, the latest ticker fields, and settled rates still to be read. Connector thread. */
import type { Instrument } from '../../market/instrument.ts';

/** The ticker fields we use, merged: a message names only what changed. */
export interface Ticker {
  markPrice?: string;
  indexPrice?: string;
  fundingRate?: string;
  /** Epoch ms. */
  nextFundingTime?: string;
  /** Hours. */
  fundingIntervalHour?: string;
}

interface TickerTrack {
  readonly fields: Ticker;
  /** The stream's own order of its messages. */
  crossSequence: bigint;
  heardAtMonotonicMs: number;
}

export class BybitMarkets {
  /** Coin in which our instruments settle; one account may also hold others, which are not ours. */
  readonly settleCoin: string;
  #bySymbol: ReadonlyMap<string, Instrument> = new Map();
  #watched: readonly string[] = [];
  readonly #tickers = new Map<string, TickerTrack>();
  readonly #settledDue = new Map<string, number>();

  constructor(settleCoin: string) {
    this.settleCoin = settleCoin;
  }

  /** Replaces all instruments by a newly read list. */
  replace(instruments: readonly Instrument[]): void {
    this.#bySymbol = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
  }

  readonly find = (symbol: string): Instrument | undefined => this.#bySymbol.get(symbol);

  /** Symbols the connector trades; empty until its streams are planned. */
  get watched(): readonly string[] {
    return this.#watched;
  }
  watch(symbols: readonly string[]): void {
    this.#watched = [...symbols];
  }

  /** Merges a message of the stream; undefined when it is older than what is known. A snapshot starts afresh. */
  mergeTicker(
    symbol: string,
    fields: Ticker,
    message: { readonly crossSequence: bigint; readonly isSnapshot: boolean; readonly nowMonotonicMs: number },
  ): Ticker | undefined {
    const { crossSequence, isSnapshot, nowMonotonicMs } = message;
    const known = this.#tickers.get(symbol);
    if (known !== undefined && !isSnapshot && crossSequence < known.crossSequence) return undefined;
    const merged = isSnapshot ? fields : { ...known?.fields, ...fields };
    this.#remember(symbol, merged, crossSequence, nowMonotonicMs);
    return merged;
  }

  /** Takes a whole ticker that was read; the stream's place in its own order stays. */
  replaceTicker(symbol: string, fields: Ticker, nowMonotonicMs: number): void {
    this.#remember(symbol, fields, this.#tickers.get(symbol)?.crossSequence ?? 0n, nowMonotonicMs);
  }

  /** A new connection numbers its messages as it likes. */
  forgetTickerOrder(): void {
    for (const track of this.#tickers.values()) track.crossSequence = 0n;
  }

  #remember(symbol: string, fields: Ticker, crossSequence: bigint, nowMonotonicMs: number): void {
    const before = Number(this.#tickers.get(symbol)?.fields.nextFundingTime);
    if (Number(fields.nextFundingTime) > before) this.#settledDue.set(symbol, before);
    this.#tickers.set(symbol, { fields, crossSequence, heardAtMonotonicMs: nowMonotonicMs });
  }

  /** Watched symbols not heard of for so long, longest silence first. */
  quietTickers(quietMs: number, nowMonotonicMs: number): readonly string[] {
    const heardAt = (symbol: string): number =>
      this.#tickers.get(symbol)?.heardAtMonotonicMs ?? Number.NEGATIVE_INFINITY;
    return this.#watched
      .filter((symbol) => nowMonotonicMs - heardAt(symbol) >= quietMs)
      .toSorted((one, other) => heardAt(one) - heardAt(other));
  }

  /** Settlements that have passed and whose rate was not read yet: symbol and time. */
  get settledDue(): ReadonlyMap<string, number> {
    return this.#settledDue;
  }

  /** The funding interval by the latest ticker; undefined before one named it. */
  intervalOf(symbol: string): number | undefined {
    const hours = Number(this.#tickers.get(symbol)?.fields.fundingIntervalHour ?? Number.NaN);
    return Number.isSafeInteger(hours) && hours > 0 ? hours * 3_600_000 : undefined;
  }

  settledRead(symbol: string, settledAtMs: number): void {
    if (settledAtMs >= (this.#settledDue.get(symbol) ?? Number.POSITIVE_INFINITY)) this.#settledDue.delete(symbol);
  }
}
