/** Coinbase's own kinds of fields: RFC 3339 times, and amounts that come with their currency. Pure; any thread. */
import { textField } from '../fields.ts';
import { epochMsOfIso } from '../iso-time.ts';
import { isFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';

/** Returns a UTC time as epoch ms, cut below the ms. */
export function isoTimeField(fields: Fields, name: string, where: string): number {
  const text = textField(fields, name, where);
  const timeMs = epochMsOfIso(text);
  if (timeMs === undefined) throw malformed(`${where}.${name}`, 'a UTC time as in RFC 3339', text);
  return timeMs;
}

/** The fields with every amount written as `{value, currency}` in place of plain text made plain: deployments differ. */
export function plainAmounts(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isFields(value) && 'value' in value ? value['value'] : value]),
  );
}
