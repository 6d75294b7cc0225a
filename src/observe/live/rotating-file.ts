/** A file that is put aside when it is full. Main thread only. */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

export interface RotatingFileOptions {
  readonly path: string;
  /** A line that would make the file longer than this begins a new one. */
  readonly bytesMax: number;
  /** Files kept, the current one included: `path`, `path.1` (newest) and so on. At least 1. */
  readonly filesMax: number;
}

export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #descriptor: number | undefined;
  #bytes = 0;
  #dropped = 0;

  /** Throws the file system's error when the file cannot be opened at all. */
  constructor(options: RotatingFileOptions) {
    this.#options = options;
    this.#open();
  }

  /** Lines lost because the disk refused them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Never throws: a log that cannot be written must not stop what it reports on. The line is counted as dropped instead. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    try {
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#options.bytesMax) this.#rotate();
      const descriptor = this.#descriptor ?? this.#open();
      // Counted first: after a write cut short the file's length is not exactly known, and rotating early does no harm.
      this.#bytes += bytes.length;
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
    } catch {
      this.#dropped += 1;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    const descriptor = openSync(this.#options.path, 'a', 0o600);
    this.#descriptor = descriptor;
    this.#bytes = fstatSync(descriptor).size;
    return descriptor;
  }

  #rotate(): void {
    this.close();
    const { path, filesMax } = this.#options;
    // From the oldest down: each takes the place of the next older, the oldest is overwritten.
    for (let number = filesMax - 1; number >= 1; number -= 1) {
      const from = number === 1 ? path : `${path}.${number - 1}`;
      try {
        renameSync(from, `${path}.${number}`);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      }
    }
    this.#open();
  }
}
