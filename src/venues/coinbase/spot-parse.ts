/** Reads the spot exchange's ticker, book and trade frames: references for the price of the underlying, nothing is traded there. Pure. */
import { parseDecimal } from '../../money/decimal.ts';
import { asList, optionalText, textField } from '../fields.ts';
import { asFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';
import { isoTimeField } from './json.ts';

const NANO_DECIMALS = 9;
/** Prices of small coins in other coins have more digits than 1e-9. */
const FINE_DECIMALS = 18;

export interface SpotTicker {
  readonly productId: string;
  readonly sequence: number;
  /** Price of the trade, and the best prices after it, 1e-9 quote. */
  readonly lastNano: bigint;
  readonly bidNano: bigint;
  readonly askNano: bigint;
  readonly venueAtMs: number;
}

export type SpotLevel = readonly [side: 'buy' | 'sell', price: string, size: string];

export type SpotFrame =
  | { readonly type: 'ticker'; readonly ticker: SpotTicker }
  | {
      readonly type: 'book';
      readonly productId: string;
      readonly isSnapshot: boolean;
      readonly levels: readonly SpotLevel[];
    }
  | { readonly type: 'trade'; readonly productId: string; readonly sequence: number }
  | { readonly type: 'subscriptions'; readonly channels: ReadonlyMap<string, readonly string[]> }
  | { readonly type: 'heartbeat' }
  | { readonly type: 'error'; readonly reason: string };

/** Reads one frame of the feed. Throws MalformedPayload for nonsense, also for recorded nonsense such as a size of "0.-10000". */
export function parseSpotFrame(value: unknown): SpotFrame {
  const frame = asFields(value, 'spot frame');
  const { type } = frame;
  switch (type) {
    case 'ticker':
      return { type, ticker: parseSpotTicker(frame) };
    case 'snapshot':
    case 'l2update':
      return {
        type: 'book',
        productId: productOf(frame),
        isSnapshot: type === 'snapshot',
        levels: levelsOf(frame, type),
      };
    case 'match':
    case 'last_match':
      return { type: 'trade', productId: productOf(frame), sequence: sequenceOf(frame) };
    case 'subscriptions':
      return { type, channels: channelsOf(frame) };
    case 'heartbeat':
      return { type };
    case 'error':
      return {
        type,
        reason: [frame['message'], frame['reason']].filter((text) => typeof text === 'string').join(': '),
      };
    default:
      throw malformed('spot frame.type', 'a known type', type);
  }
}

function parseSpotTicker(frame: Fields): SpotTicker {
  const ticker = {
    productId: productOf(frame),
    sequence: sequenceOf(frame),
    lastNano: priceOf(frame, 'price'),
    bidNano: priceOf(frame, 'best_bid'),
    askNano: priceOf(frame, 'best_ask'),
    venueAtMs: isoTimeField(frame, 'time', 'spot ticker'),
  };
  if (ticker.bidNano > ticker.askNano) throw malformed('spot ticker', 'a bid that is not above the ask', frame);
  return ticker;
}

function productOf(frame: Fields): string {
  return textField(frame, 'product_id', 'spot frame');
}

function sequenceOf(frame: Fields): number {
  const sequence = Number(textField(frame, 'sequence', 'spot frame'));
  if (!Number.isSafeInteger(sequence) || sequence < 0)
    throw malformed('spot frame.sequence', 'a whole number', frame['sequence']);
  return sequence;
}

function priceOf(frame: Fields, name: string): bigint {
  const units = parseDecimal(textField(frame, name, 'spot frame'), FINE_DECIMALS);
  if (units === undefined || units <= 0n) throw malformed(`spot frame.${name}`, 'a positive price', frame[name]);
  return units / 10n ** BigInt(FINE_DECIMALS - NANO_DECIMALS);
}

function levelsOf(frame: Fields, type: 'snapshot' | 'l2update'): readonly SpotLevel[] {
  if (type === 'l2update') return asList(frame['changes'], 'spot changes').map((item) => levelOf(item));
  const side = (name: string, as: 'buy' | 'sell'): readonly SpotLevel[] =>
    asList(frame[name], `spot ${name}`).map((item) => levelOf([as, ...asList(item, `spot ${name}`)]));
  return [...side('bids', 'buy'), ...side('asks', 'sell')];
}

function levelOf(item: unknown): SpotLevel {
  const [side, price, size] = asList(item, 'spot level');
  const isReadable =
    (side === 'buy' || side === 'sell') &&
    typeof price === 'string' &&
    typeof size === 'string' &&
    (parseDecimal(price, FINE_DECIMALS) ?? 0n) > 0n &&
    (parseDecimal(size, FINE_DECIMALS) ?? -1n) >= 0n;
  if (!isReadable) throw malformed('spot level', 'a side, a positive price and a size', item);
  return [side, price, size];
}

function channelsOf(frame: Fields): ReadonlyMap<string, readonly string[]> {
  return new Map(
    asList(frame['channels'], 'spot channels').map((item) => {
      const channel = asFields(item, 'spot channel');
      const products = asList(channel['product_ids'] ?? [], 'spot channel.product_ids').map(String);
      return [optionalText(channel, 'name') ?? '', products] as const;
    }),
  );
}
