/** One followed book of the gateway: snapshot, then changes each of which names the one before it. Owned by the stream; connector thread. */
import type { BookView } from '../../market/book.ts';
import type { Instrument } from '../../market/instrument.ts';
import { OrderBook } from '../../market/order-book.ts';
import type { BookSide } from '../../market/order-book.ts';
import {
  priceTicksFromText,
  priceTicksOfShortNumber,
  quantityLotsFromText,
  quantityLotsOfShortNumber,
} from '../../money/amounts.ts';
import { asList, integerField, optionalText, plainDecimal, timeField } from '../fields.ts';
import { asFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';

export type BookOutcome = 'changed' | 'ignored' | 'gap' | 'crossed';

const ACTIONS: ReadonlySet<unknown> = new Set(['new', 'change', 'delete']);

type Level = readonly [ticks: number, lots: number];

export class FollowedBook {
  readonly #orders = new OrderBook();
  readonly #instrument: Instrument;
  #lastChange: bigint | undefined;
  #venueAtMs = 0;
  #receivedAtMonotonicMs = 0;

  constructor(instrument: Instrument) {
    this.#instrument = instrument;
  }

  get hasSnapshot(): boolean {
    return this.#lastChange !== undefined;
  }

  /** Applies a notification's data. After `gap` and `crossed` the book has forgotten itself and waits for a snapshot. Throws on nonsense. */
  apply(data: Fields, receivedAtMonotonicMs: number): BookOutcome {
    const { symbol } = this.#instrument;
    const where = `book ${symbol}`;
    if (data['instrument_name'] !== symbol)
      throw malformed(`${where}.instrument_name`, symbol, data['instrument_name']);
    const change = integerField(data, 'change_id', where);
    const before =
      optionalText(data, 'prev_change_id') === undefined ? undefined : integerField(data, 'prev_change_id', where);
    const type = optionalText(data, 'type') ?? (before === undefined ? 'snapshot' : 'change');
    if (type !== 'snapshot' && type !== 'change') throw malformed(`${where}.type`, 'snapshot or change', type);
    const bids = this.#levels(data['bids'], where);
    const asks = this.#levels(data['asks'], where);
    if (type === 'snapshot') {
      this.#orders.replace(bids, asks);
    } else {
      const last = this.#lastChange;
      // Without a snapshot there is nothing to change; what was applied before changes nothing now.
      if (last === undefined || change <= last) return 'ignored';
      if (before !== last) return this.#broken('gap');
      this.#set('bid', bids);
      this.#set('ask', asks);
    }
    if (this.#orders.crossed()) return this.#broken('crossed');
    this.#lastChange = change;
    this.#venueAtMs = timeField(data, 'timestamp', where);
    this.#receivedAtMonotonicMs = receivedAtMonotonicMs;
    return 'changed';
  }

  view(): BookView | undefined {
    if (!this.hasSnapshot) return undefined;
    return this.#orders.view('coinbase', this.#instrument.symbol, this.#venueAtMs, this.#receivedAtMonotonicMs);
  }

  #broken(outcome: 'gap' | 'crossed'): BookOutcome {
    this.#lastChange = undefined;
    return outcome;
  }

  #set(side: BookSide, levels: readonly Level[]): void {
    for (const [ticks, lots] of levels) this.#orders.set(side, ticks, lots);
  }

  #ticks(price: number): number {
    return (
      priceTicksOfShortNumber(price, this.#instrument) ?? priceTicksFromText(plainDecimal(price), this.#instrument)
    );
  }

  #lots(amount: number): number {
    return (
      quantityLotsOfShortNumber(amount, this.#instrument) ??
      quantityLotsFromText(plainDecimal(amount), this.#instrument)
    );
  }

  #levels(value: unknown, where: string): readonly Level[] {
    return asList(value, where).map((item) => {
      const [action, price, amount] = asList(item, where);
      if (!ACTIONS.has(action) || typeof price !== 'number' || typeof amount !== 'number')
        throw malformed(where, 'an action with two numbers', item);
      return [this.#ticks(price), action === 'delete' ? 0 : this.#lots(amount)];
    });
  }
}

/** The data of a notification and the channel it is for, or undefined for a frame that is none. */
export function notificationOf(frame: Fields): { readonly channel: string; readonly data: unknown } | undefined {
  if (frame['method'] !== 'subscription') return undefined;
  const params = asFields(frame['params'], 'notification.params');
  const { channel } = params;
  if (typeof channel !== 'string') throw malformed('notification.channel', 'text', channel);
  return { channel, data: params['data'] };
}
