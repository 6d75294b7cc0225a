/**
 * Whether a row that comes again under a known id states the fact that is stored, or another one. Pure, any thread.
 *
 * A venue tells one fact in several ways: its stream and its lists may name the order of a fill or not, and word reasons
 * differently. What a book counts must agree to the last unit; everything this engine writes itself must agree in full.
 */
import type { EncodedRow } from './hash-chain.ts';
import { decodePayload } from './payload.ts';

type Fields = Readonly<Record<string, unknown>>;
type Fact = Pick<EncodedRow, 'type' | 'payload'>;

/** Of a fill. `clientOrderId` is compared when both name one. */
const FILL_FIELDS = ['symbol', 'side', 'priceTicks', 'lots', 'feeMicro'];
/** Of an order's change; the id holds order, status, sequence and filled quantity. */
const ORDER_FIELDS = ['symbol', 'code'];

/** Returns what differs, as `field "stored" and "repeated"`; undefined when both state the same fact. */
export function factDifference(stored: Fact, repeated: Fact): string | undefined {
  if (stored.type !== repeated.type) return differs('type', stored.type, repeated.type);
  if (stored.payload === repeated.payload) return undefined;
  const one = decodePayload(stored.payload);
  const other = decodePayload(repeated.payload);
  switch (stored.type) {
    case 'fill': {
      const [fill, again] = [fieldsOf(fieldsOf(one['event'])?.['fill']), fieldsOf(fieldsOf(other['event'])?.['fill'])];
      // Not in the shape of a venue's fill: nothing is known about which fields may vary.
      if (fill === undefined || again === undefined) return firstDifference(one, other);
      const named = fill['clientOrderId'] !== '' && again['clientOrderId'] !== '';
      return firstDifference(fill, again, named ? [...FILL_FIELDS, 'clientOrderId'] : FILL_FIELDS);
    }
    case 'order-event': {
      const [change, again] = [fieldsOf(one['event']), fieldsOf(other['event'])];
      if (change === undefined || again === undefined) return firstDifference(one, other);
      return firstDifference(change, again, ORDER_FIELDS);
    }
    default:
      return firstDifference(one, other);
  }
}

function firstDifference(
  stored: Fields,
  repeated: Fields,
  names: Iterable<string> = new Set([...Object.keys(stored), ...Object.keys(repeated)]),
): string | undefined {
  for (const name of names) {
    const [one, other] = [textOf(stored[name]), textOf(repeated[name])];
    if (one !== other) return differs(name, one, other);
  }
  return undefined;
}

function differs(name: string, stored: string, repeated: string): string {
  return `${name} ${shortened(stored)} and ${shortened(repeated)}`;
}

/** Payloads are read back from canonical text, so that equal values have equal text. */
function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? `${member}n` : member)) ?? 'absent'
  );
}

const SHOWN_MAX = 200;

function shortened(text: string): string {
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}...`;
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}
