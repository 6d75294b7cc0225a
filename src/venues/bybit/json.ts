/** Bybit's own kind of field: sequence numbers, as text or as a number. Pure; any thread. */
import { textField } from '../fields.ts';
import { malformed } from '../json.ts';
import type { Fields } from '../json.ts';

/** Returns a whole number of any length; sequences may outgrow a double. */
export function integerField(fields: Fields, name: string, where: string): bigint {
  const text = textField(fields, name, where);
  if (!/^-?\d{1,30}$/.test(text)) throw malformed(`${where}.${name}`, 'an integer', fields[name]);
  return BigInt(text);
}
