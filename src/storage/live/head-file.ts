/** Keeps the head record in `journal.head`, written in place. The thread of the journal only. */
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync, constants, fsyncSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeHead, encodeHead, SLOT_BYTES, SLOT_COUNT } from '../head-record.ts';
import type { HeadRecord } from '../head-record.ts';

export class HeadFile {
  readonly #descriptor: number;
  #counter: number;
  #isDirty = false;

  /** Opens or creates the file. What it holds is in `record`, undefined when nothing whole. */
  readonly record: HeadRecord | undefined;

  constructor(path: string) {
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const bytes = Buffer.alloc(Math.min(fstatSync(this.#descriptor).size, SLOT_BYTES * SLOT_COUNT));
    readSync(this.#descriptor, bytes, 0, bytes.length, 0);
    this.record = decodeHead(bytes);
    this.#counter = this.record?.counter ?? 0;
    if (bytes.length === 0) syncDirectory(dirname(path));
  }

  /** Hands the record to the operating system: it survives the death of the process, not yet of the machine. */
  write(record: Omit<HeadRecord, 'counter'>): void {
    const counter = this.#counter + 1;
    writeSync(this.#descriptor, encodeHead({ ...record, counter }), 0, SLOT_BYTES, (counter % SLOT_COUNT) * SLOT_BYTES);
    this.#counter = counter;
    this.#isDirty = true;
  }

  /** Makes what was written survive the machine too. */
  sync(): void {
    if (!this.#isDirty) return;
    fdatasyncSync(this.#descriptor);
    this.#isDirty = false;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
