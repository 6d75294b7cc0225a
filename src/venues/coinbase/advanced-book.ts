/** One followed book of Advanced Trade: a snapshot, then absolute sizes. Its continuity is the connection's. Owned by the stream. */
import type { BookView } from '../../market/book.ts';
import type { Instrument } from '../../market/instrument.ts';
import { OrderBook } from '../../market/order-book.ts';
import { priceNano, priceTicksFromText } from '../../money/amounts.ts';
import { asList, textField } from '../fields.ts';
import { asFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';
import { isoTimeField } from './json.ts';

export class AdvancedBook {
  readonly #orders = new OrderBook();
  readonly #instrument: Instrument;
  #venueAtMs = 0;
  #receivedAtMonotonicMs = 0;
  hasSnapshot = false;

  constructor(instrument: Instrument) {
    this.#instrument = instrument;
  }

  /** Applies one event. Changes before the first snapshot change nothing. Throws on nonsense. */
  apply(event: Fields, receivedAtMonotonicMs: number): 'changed' | 'ignored' | 'crossed' {
    const where = `level2 ${this.#instrument.symbol}`;
    const { type } = event;
    if (type !== 'snapshot' && type !== 'update') throw malformed(`${where}.type`, 'snapshot or update', type);
    if (type === 'update' && !this.hasSnapshot) return 'ignored';
    if (type === 'snapshot') this.#orders.replace([], []);
    for (const item of asList(event['updates'], `${where}.updates`)) {
      const update = asFields(item, where);
      const { side } = update;
      if (side !== 'bid' && side !== 'offer') throw malformed(`${where}.side`, 'bid or offer', side);
      const ticks = priceTicksFromText(textField(update, 'price_level', where), this.#instrument);
      this.#orders.set(side === 'bid' ? 'bid' : 'ask', ticks, contractsOf(update, where));
      this.#venueAtMs = Math.max(this.#venueAtMs, isoTimeField(update, 'event_time', where));
    }
    this.hasSnapshot = !this.#orders.crossed();
    this.#receivedAtMonotonicMs = receivedAtMonotonicMs;
    return this.hasSnapshot ? 'changed' : 'crossed';
  }

  view(): BookView | undefined {
    if (!this.hasSnapshot) return undefined;
    return this.#orders.view('coinbase', this.#instrument.symbol, this.#venueAtMs, this.#receivedAtMonotonicMs);
  }

  /** Half way between the best prices, 1e-9 quote: what the venue calls its mid market price. */
  midNano(): bigint | undefined {
    const view = this.view();
    const [bid, ask] = [view?.bids[0], view?.asks[0]];
    if (bid === undefined || ask === undefined) return undefined;
    return (priceNano(bid[0], this.#instrument) + priceNano(ask[0], this.#instrument)) / 2n;
  }

  get venueAtMs(): number {
    return this.#venueAtMs;
  }
}

function contractsOf(update: Fields, where: string): number {
  const text = textField(update, 'new_quantity', where);
  if (!/^\d{1,12}(?:\.0*)?$/.test(text)) throw malformed(`${where}.new_quantity`, 'a whole number of contracts', text);
  return Number(text);
}
