/**
 * Recordings on disk: gzip files that are put aside when full. Lines are compressed and written in small pieces, each whole in itself, so that
 * a crash loses a second at most. Connector threads and main.
 */
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import type { RecordingEntry, RecordingHeading } from '../format.ts';

/** Uncompressed characters in a file before the next one begins. */
export const FILE_CHARACTERS_MAX = 256 * 1024 * 1024;
/** Compressed at once: about a millisecond's work. */
const PIECE_CHARACTERS = 64 * 1024;
const FLUSH_MS = 1_000;
const SUFFIX = '.jsonl.gz';

/** Writes one recording as `<name>-0001.jsonl.gz`, `<name>-0002.jsonl.gz`, ...; every file begins with the heading. */
export class RecordingWriter {
  readonly #directory: string;
  readonly #name: string;
  readonly #heading: RecordingHeading;
  readonly #charactersMax: number;
  readonly #flushes: NodeJS.Timeout;
  #files: number;
  #characters = 0;
  #waiting: string[] = [];
  #waitingCharacters = 0;
  #descriptor: number | undefined;
  #lost = 0;

  /** Throws when the directory cannot be written to. */
  constructor(directory: string, heading: RecordingHeading, charactersMax = FILE_CHARACTERS_MAX) {
    this.#directory = directory;
    this.#name = `${heading.venue}-${heading.account}`;
    this.#heading = heading;
    this.#charactersMax = charactersMax;
    // A later life of the connector goes on beside what is there.
    this.#files = recordingFiles(directory).filter((path) => basename(path).startsWith(`${this.#name}-`)).length;
    this.#next();
    this.#flushes = setInterval(() => this.#flush(), FLUSH_MS);
    this.#flushes.unref();
  }

  write(entry: RecordingEntry): void {
    if (this.#lost > 0 && this.#descriptor !== undefined) {
      this.#put({ t: entry.t, k: 'lost', n: this.#lost });
      this.#lost = 0;
    }
    this.#put(entry);
    if (this.#waitingCharacters >= PIECE_CHARACTERS) this.#flush();
    if (this.#characters >= this.#charactersMax) this.#next();
  }

  close(): void {
    clearInterval(this.#flushes);
    this.#flush();
    this.#end();
  }

  #put(entry: RecordingEntry | RecordingHeading): void {
    const line = `${JSON.stringify(entry)}\n`;
    this.#waiting.push(line);
    this.#waitingCharacters += line.length;
    this.#characters += line.length;
  }

  /** A disk that refuses costs these lines, which are counted, and not what is recorded. */
  #flush(): void {
    if (this.#waiting.length === 0) return;
    const { length } = this.#waiting;
    const piece = gzipSync(this.#waiting.join(''), { level: constants.Z_BEST_SPEED });
    this.#waiting = [];
    this.#waitingCharacters = 0;
    try {
      if (this.#descriptor === undefined) this.#lost += length;
      else for (let at = 0; at < piece.length;) at += writeSync(this.#descriptor, piece, at);
    } catch {
      this.#lost += length;
    }
  }

  #next(): void {
    this.#flush();
    this.#end();
    this.#files += 1;
    const path = join(this.#directory, `${this.#name}-${String(this.#files).padStart(4, '0')}${SUFFIX}`);
    this.#descriptor = openSync(path, 'wx', 0o600);
    this.#characters = 0;
    this.#put(this.#heading);
  }

  #end(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** Returns the files of a directory that are recordings, oldest first. */
export function recordingFiles(directory: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(SUFFIX))
    .toSorted()
    .map((name) => join(directory, name));
}

/**
 * Reads the lines of one recording: a file, or all files of a directory in order. A line cut off by a crash at the end of a file is left
 * out. Throws for a directory that holds recordings of several accounts.
 */
export function readRecordingLines(path: string): readonly string[] {
  const files = statSync(path).isDirectory() ? recordingFiles(path) : [path];
  if (files.length === 0) throw new Error(`${path} must hold recordings (*${SUFFIX})`);
  const names = new Set(files.map((file) => basename(file).replace(/-\d{4}\.jsonl\.gz$/, '')));
  if (names.size > 1) throw new Error(`${path} holds recordings of ${[...names].join(', ')}: name one file`);
  const lines: string[] = [];
  for (const file of files) {
    const text = gunzipSync(readFileSync(file), { finishFlush: constants.Z_SYNC_FLUSH }).toString('utf8');
    const own = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    own.pop();
    // Every file has the heading; times go on from the first one's.
    lines.push(...(lines.length === 0 ? own : own.slice(1)));
  }
  return lines;
}
