/** Coinbase's own kinds of fields: RFC 3339 times, amounts with their currency, JSON numbers that are decimals. Pure; any thread. */
import { textField } from '../fields.ts';
import { isFields, malformed } from '../json.ts';
import type { Fields } from '../json.ts';

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?\d*(?:Z|\+00:00)$/;

/** Returns an RFC 3339 time as epoch ms, cut below the ms. */
export function isoTimeField(fields: Fields, name: string, where: string): number {
  const text = textField(fields, name, where);
  const parts = RFC_3339.exec(text);
  const timeMs =
    parts === null ? Number.NaN : Date.parse(`${parts[1]}T${parts[2]}.${(parts[3] ?? '').padEnd(3, '0').slice(0, 3)}Z`);
  if (!(timeMs > 0)) throw malformed(`${where}.${name}`, 'a UTC time as in RFC 3339', text);
  return timeMs;
}

/** Epoch ms as RFC 3339 text. */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** The fields with every amount written as `{value, currency}` in place of plain text made plain: deployments differ. */
export function plainAmounts(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isFields(value) && 'value' in value ? value['value'] : value]),
  );
}
