/**
 * Checks a journal at its opening, a long one on two threads. The thread of the journal only.
 *
 *   this thread     [rows 1 to 90 %] -------------------------> wait for the other
 *   journal-check   [SQLite's structure] [rows 90 to 100 %] -->
 *
 * The parts meet in a stored hash: the first ends by computing it, the second begins by taking it as told. Whatever the number of
 * threads, every row is read and hashed and every page and index looked at, in every start.
 */
import { receiveMessageOnPort, MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { GENESIS_HASH } from '../hash-chain.ts';
import type { HeadRecord } from '../head-record.ts';
import { JournalDamaged } from '../journal-errors.ts';
import { asDamage } from './sqlite-damage.ts';
import { checkStructure, followChain, lastSequence, storedEnd } from './verify-chain.ts';
import type { ChainEnd } from './verify-chain.ts';

/** Below it a thread takes longer to start than to do its part. */
const TWO_THREADS_ROWS = 50_000;
/** What the structure costs is four fifths of what the rows cost: with this part of the rows both threads have the same work. */
const FIRST_PART = 0.9;
/** Rows whose chain is checked when a running engine opens its journal again. */
const TAIL_ROWS = 1_000;

const BEGINNING: ChainEnd = { sequence: 0, hash: GENESIS_HASH };

/** Checks SQLite's structure, all rows and the head record, and returns where the chain ends. Throws JournalDamaged. */
export function verifyEverything(
  database: Database.Database,
  file: string,
  head: HeadRecord | undefined,
  twoThreadsRows = TWO_THREADS_ROWS,
): ChainEnd {
  const rows = lastSequence(database);
  if (rows < twoThreadsRows) {
    checkStructure(database, file);
    return followChain(database, file, head, BEGINNING);
  }
  const split = Math.floor(rows * FIRST_PART);
  const second = new SecondPart({ file, head, split });
  let damage: unknown;
  try {
    followChain(database, file, head, BEGINNING, split);
  } catch (error) {
    damage = error;
  }
  const outcome = second.take() ?? checkSecondPart(database, { file, head, split });
  // A structure that is not whole says more than the row it was first seen in; of two rows the first counts.
  if (damage !== undefined && (outcome.type !== 'damaged' || outcome.sequence !== undefined)) throw damage;
  switch (outcome.type) {
    case 'whole':
      return outcome.end;
    case 'damaged':
      throw new JournalDamaged(
        file,
        outcome.rule,
        outcome.sequence === undefined ? {} : { sequence: outcome.sequence },
      );
    case 'failed':
      throw new Error(`the journal ${file} must be readable: ${outcome.detail}`);
  }
}

/** Checks the last rows and, where they are among them, the head record. Throws JournalDamaged. */
export function verifyTail(database: Database.Database, file: string, head: HeadRecord | undefined): ChainEnd {
  const start = lastSequence(database) - TAIL_ROWS;
  return followChain(database, file, head, start > 0 ? storedEnd(database, file, start) : BEGINNING);
}

interface SecondPartOrder {
  readonly file: string;
  readonly head: HeadRecord | undefined;
  /** The first part ends with this row. */
  readonly split: number;
}

type Outcome =
  | { readonly type: 'whole'; readonly end: ChainEnd }
  | { readonly type: 'damaged'; readonly rule: string; readonly sequence: number | undefined }
  | { readonly type: 'failed'; readonly detail: string };

/** What the other thread is started with. */
export interface JournalCheckData {
  readonly order: SecondPartOrder;
  /** One word: waiting, begun, done. */
  readonly progress: Int32Array;
  readonly answer: MessagePort;
}

const WAITING = 0;
const BEGUN = 1;
const DONE = 2;

/** The other thread's part, from the side of the first. */
class SecondPart {
  readonly #progress = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #answer: MessagePort;

  constructor(order: SecondPartOrder) {
    const { port1, port2 } = new MessageChannel();
    this.#answer = port1;
    const workerData: JournalCheckData = { order, progress: this.#progress, answer: port2 };
    const worker = new Worker(new URL('../../../workers/journal-check.ts', import.meta.url), {
      ...{ workerData, transferList: [port2], env: {} },
    });
    worker.unref();
    // A thread that cannot start leaves its part to this one: see `take`.
    worker.on('error', () => undefined);
  }

  /** Waits for the outcome. Undefined when the thread has not begun: then it never will, and the part is the caller's. */
  take(): Outcome | undefined {
    try {
      if (Atomics.compareExchange(this.#progress, 0, WAITING, DONE) === WAITING) return undefined;
      Atomics.wait(this.#progress, 0, BEGUN);
      const received: { readonly message: Outcome } | undefined = receiveMessageOnPort(this.#answer);
      return received?.message;
    } finally {
      this.#answer.close();
    }
  }
}

/** The other thread's whole life. */
export function runSecondPart({ order, progress, answer }: JournalCheckData): void {
  if (Atomics.compareExchange(progress, 0, WAITING, BEGUN) !== WAITING) return;
  try {
    const database = new Database(order.file, { readonly: true, fileMustExist: true, timeout: 1_000 });
    try {
      answer.postMessage(checkSecondPart(database, order));
    } finally {
      database.close();
    }
  } catch (error) {
    answer.postMessage({ type: 'failed', detail: String(error) } satisfies Outcome);
  } finally {
    Atomics.store(progress, 0, DONE);
    Atomics.notify(progress, 0);
    answer.close();
  }
}

function checkSecondPart(database: Database.Database, { file, head, split }: SecondPartOrder): Outcome {
  try {
    checkStructure(database, file);
    return { type: 'whole', end: followChain(database, file, head, storedEnd(database, file, split)) };
  } catch (error) {
    const damage = asDamage(error, file);
    if (damage instanceof JournalDamaged) return { type: 'damaged', rule: damage.rule, sequence: damage.sequence };
    throw error;
  }
}
