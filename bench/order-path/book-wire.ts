/** What a flooded book says in each venue's own words, and how its orders are known. Pure; venue thread. */
import { priceText, quantityText } from '../../src/money/amounts.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { OrderVenue } from './plan.ts';

/** One level as it was and as it is now. */
export interface LevelChange {
  readonly ticks: number;
  readonly lots: number;
  readonly lotsBefore: number;
}

export type BookFrameKind = 'snapshot' | 'delta';

export interface BookFrame {
  readonly kind: BookFrameKind;
  readonly bids: readonly LevelChange[];
  readonly asks: readonly LevelChange[];
  /** Counts the frames of the flood. */
  readonly number: number;
  readonly calendarMs: number;
}

export interface BookWire {
  text(frame: BookFrame, instrument: Instrument): string;
  /** Returns what a frame of the venue's own says of this market's book; undefined when it is about something else. */
  kindOf(text: string, instrument: Instrument): BookFrameKind | undefined;
  readonly orderPath: RegExp;
  /** Field of the order's body that carries the client order id. */
  readonly orderIdField: string;
}

const extended: BookWire = {
  text({ kind, bids, asks, number, calendarMs }, instrument) {
    const level = ({ ticks, lots, lotsBefore }: LevelChange): string => {
      const price = priceText(ticks, instrument);
      const total = lots === 0 ? '0' : quantityText(lots, instrument);
      if (kind === 'snapshot') return `{"q":"${total}","p":"${price}"}`;
      const change = quantityText(Math.abs(lots - lotsBefore), instrument);
      return `{"q":"${lots < lotsBefore ? '-' : ''}${change}","p":"${price}","c":"${total}"}`;
    };
    const type = kind.toUpperCase();
    const sides = `"b":[${bids.map(level).join(',')}],"a":[${asks.map(level).join(',')}]`;
    const data = `{"t":"${type}","m":"${instrument.symbol}",${sides},"d":"f"}`;
    return `{"type":"${type}","data":${data},"ts":${Math.floor(calendarMs)},"seq":${number}}`;
  },
  kindOf(text, { symbol }) {
    if (!text.includes(`"m":"${symbol}"`) || !text.includes('"b":[')) return undefined;
    return text.includes('"t":"SNAPSHOT"') ? 'snapshot' : 'delta';
  },
  orderPath: /\/user\/order$/,
  orderIdField: 'id',
};

/** Its update number 1 means that the venue's book began anew. */
const BYBIT_FIRST_UPDATE = 1_000_000;
const BYBIT_DEPTH = 50;

const bybit: BookWire = {
  text({ kind, bids, asks, number, calendarMs }, instrument) {
    const level = ({ ticks, lots }: LevelChange): string =>
      `["${priceText(ticks, instrument)}","${lots === 0 ? '0' : quantityText(lots, instrument)}"]`;
    const atMs = Math.floor(calendarMs);
    const update = BYBIT_FIRST_UPDATE + number;
    const sides = `"b":[${bids.map(level).join(',')}],"a":[${asks.map(level).join(',')}]`;
    const data = `{"s":"${instrument.symbol}",${sides},"u":${update},"seq":${update}}`;
    const topic = `orderbook.${BYBIT_DEPTH}.${instrument.symbol}`;
    return `{"topic":"${topic}","type":"${kind}","ts":${atMs},"data":${data},"cts":${atMs}}`;
  },
  kindOf(text, { symbol }) {
    if (!text.includes(`"topic":"orderbook.${BYBIT_DEPTH}.${symbol}"`)) return undefined;
    return text.includes('"type":"snapshot"') ? 'snapshot' : 'delta';
  },
  orderPath: /\/v5\/order\/create$/,
  orderIdField: 'orderLinkId',
};

export const BOOK_WIRES: Readonly<Record<OrderVenue, BookWire>> = { extended, bybit };
