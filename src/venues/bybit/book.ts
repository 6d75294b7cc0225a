/** One followed Bybit book: snapshot, then changes numbered without holes. Owned by the stream; connector thread. */
import type { BookLevel, BookView } from '../../market/book.ts';
import type { Instrument } from '../../market/instrument.ts';
import { OrderBook } from '../../market/order-book.ts';
import { priceTicksFromText, quantityLotsFromText } from '../../money/amounts.ts';
import { asFields, malformed, parseLosslessJson } from '../json.ts';
import type { Fields } from '../json.ts';
import { asList, integerField, optionalText, timeField } from '../fields.ts';
import { parsedList, plainLevels } from '../level-lists.ts';
import type { BookFrame, LevelForm, LevelList } from '../level-lists.ts';

/** How a book's frame is written. */
export const BOOK_LEVELS: LevelForm = {
  bids: 'b',
  asks: 'a',
  texts: ['["', '","', '"]'],
  values: ['price', 'size'],
  holderOf: (frame) => frame['data'],
  parse: parseLosslessJson,
};

export type BookOutcome = 'changed' | 'ignored' | 'gap' | 'crossed';

export class FollowedBook {
  readonly #orders = new OrderBook();
  readonly #instrument: Instrument;
  #lastUpdate: bigint | undefined;
  #venueAtMs = 0;
  #receivedAtMonotonicMs = 0;

  constructor(instrument: Instrument) {
    this.#instrument = instrument;
  }

  get hasSnapshot(): boolean {
    return this.#lastUpdate !== undefined;
  }

  /** What is left after a break cannot be trusted before the next snapshot. */
  forget(): void {
    this.#lastUpdate = undefined;
  }

  /** Applies a frame. After `gap` and `crossed` the book has forgotten itself and waits for a snapshot. Throws on nonsense. */
  apply({ fields: frame, lists }: BookFrame, receivedAtMonotonicMs: number): BookOutcome {
    const { symbol } = this.#instrument;
    const where = `book ${symbol}`;
    const data = asFields(frame['data'], where);
    if (data['s'] !== symbol) throw malformed(`${where}.s`, symbol, data['s']);
    const type = frame['type'];
    if (type !== 'snapshot' && type !== 'delta') throw malformed(`${where}.type`, 'snapshot or delta', type);
    const update = integerField(data, 'u', where);
    const bids = this.#levels(data['b'], lists?.bids, where);
    const asks = this.#levels(data['a'], lists?.asks, where);
    // Update 1 is a snapshot whatever it calls itself: the service has started again.
    if (type === 'snapshot' || update === 1n) {
      this.#orders.replace(bids, asks);
    } else {
      const last = this.#lastUpdate;
      // Without a snapshot there is nothing to change; what was applied before changes nothing now.
      if (last === undefined || update <= last) return 'ignored';
      if (update !== last + 1n) return this.#broken('gap');
      for (const [ticks, lots] of bids) this.#orders.set('bid', ticks, lots);
      for (const [ticks, lots] of asks) this.#orders.set('ask', ticks, lots);
    }
    if (this.#orders.crossed()) return this.#broken('crossed');
    this.#lastUpdate = update;
    this.#venueAtMs = matchedAtMs(frame, data, where);
    this.#receivedAtMonotonicMs = receivedAtMonotonicMs;
    return 'changed';
  }

  view(): BookView | undefined {
    if (!this.hasSnapshot) return undefined;
    return this.#orders.view('bybit', this.#instrument.symbol, this.#venueAtMs, this.#receivedAtMonotonicMs);
  }

  #broken(outcome: 'gap' | 'crossed'): BookOutcome {
    this.forget();
    return outcome;
  }

  #levels(value: unknown, list: LevelList | undefined, where: string): readonly BookLevel[] {
    const plain = list === undefined ? undefined : plainLevels(list, this.#instrument);
    return plain ?? this.#parsedLevels(list === undefined ? value : parsedList(list, where), where);
  }

  #parsedLevels(value: unknown, where: string): readonly BookLevel[] {
    return asList(value, where).map((item) => {
      const [price, size] = asList(item, where);
      if (typeof price !== 'string' || typeof size !== 'string') throw malformed(where, 'pairs of decimal texts', item);
      return [priceTicksFromText(price, this.#instrument), quantityLotsFromText(size, this.#instrument)];
    });
  }
}

/** When the matching engine made the change; documents disagree on where it stands, and old frames lack it. */
function matchedAtMs(frame: Fields, data: Fields, where: string): number {
  if (optionalText(frame, 'cts') !== undefined) return timeField(frame, 'cts', where);
  return optionalText(data, 'cts') !== undefined ? timeField(data, 'cts', where) : timeField(frame, 'ts', where);
}
