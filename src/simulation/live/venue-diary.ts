/**
 * The diary of one simulated venue: what its accounts rest on, one line per act, written before the act is answered. What was
 * written outlives SIGKILL (not power loss: nothing waits for the disk). Hosting threads only.
 *
 *     line = crc32 of the rest (8 hex digits) SPACE {"at": calendar ms, "facts": [...], "keepsake": {...}} LF
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { decodePayload, encodePayload } from '../../storage/payload.ts';
import type { ExchangeFact } from '../exchange-facts.ts';
import type { VenuePast } from '../simulated-venue.ts';

interface Entry {
  readonly at: number;
  readonly facts: readonly ExchangeFact[];
  readonly keepsake: Readonly<Record<string, number>>;
}

const CRC_DIGITS = 8;

export class VenueDiary {
  /** What earlier lives wrote; undefined in the first one. */
  readonly past: VenuePast | undefined;
  readonly #file: number;
  #keepsake = '';

  /** Throws Error, naming file and line, when a line is not as it was written. A last line without end was never answered: it goes. */
  constructor(path: string) {
    this.#file = openSync(path, 'a+', 0o600);
    const text = readFileSync(this.#file, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole.length < text.length) ftruncateSync(this.#file, Buffer.byteLength(whole));
    const entries = whole
      .split('\n')
      .slice(0, -1)
      .map((line, index) => readEntry(line, `${path} line ${index + 1}`));
    const last = entries.at(-1);
    if (last === undefined) return;
    this.past = { facts: entries.flatMap(({ facts }) => facts), keepsake: last.keepsake, calendarMs: last.at };
    this.#keepsake = encodePayload(last.keepsake);
  }

  /** Writes what has happened, if anything has. Throws what the file system throws: then it must not be answered either. */
  write(at: number, facts: readonly ExchangeFact[], keepsake: Readonly<Record<string, number>>): void {
    const kept = encodePayload(keepsake);
    if (facts.length === 0 && kept === this.#keepsake) return;
    this.#keepsake = kept;
    const entry = encodePayload({ at, facts, keepsake } satisfies Entry);
    writeSync(this.#file, `${checksum(entry)} ${entry}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function readEntry(line: string, place: string): Entry {
  const entry = line.slice(CRC_DIGITS + 1);
  if (checksum(entry) !== line.slice(0, CRC_DIGITS))
    throw new Error(`${place} must be as the simulated venue wrote it, its checksum differs`);
  // Written by this class in exactly this shape.
  return decodePayload(entry) as unknown as Entry;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(CRC_DIGITS, '0');
}
