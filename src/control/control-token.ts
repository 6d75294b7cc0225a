/** The token that opens the control server: made at the first start, kept in the data directory, compared in constant time. Main thread only. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const TOKEN_FILE = 'control.token';
const TOKEN_BYTES = 32;

/**
 * Returns the token, 64 hexadecimal digits. A new one is made when there is none, when the file holds something else (no
 * token that somebody could know may open anything), and when others than its owner could have read it.
 */
export function loadControlToken(directory: string): string {
  const file = join(directory, TOKEN_FILE);
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats !== undefined && (stats.mode & 0o077) === 0) {
    const token = readFileSync(file, 'utf8').trim();
    if (/^[0-9a-f]{64}$/.test(token) && new Set(token).size > 1) return token;
  }
  const token = randomBytes(TOKEN_BYTES).toString('hex');
  const unfinished = `${file}.${process.pid}.new`;
  writeFileSync(unfinished, `${token}\n`, { mode: 0o600 });
  renameSync(unfinished, file);
  return token;
}

/**
 * Tells whether an `Authorization` header carries the token, in a time that does not depend on where it differs. How long the token is
 * is no secret. No digests: with fifty asking at once they were the largest part of an answer that is ready.
 */
export function carriesToken(authorization: string, token: string): boolean {
  const presented = Buffer.from(/^Bearer ([^\s]+)$/i.exec(authorization)?.[1] ?? '');
  const expected = Buffer.from(token);
  return presented.length === expected.length && timingSafeEqual(presented, expected);
}
