/**
 * The journal's second memory: up to where it went and which boot wrote it, in a small file of its own. Pure, any thread.
 *
 * Two slots of 512 bytes, each one line of text padded with spaces and closed by its own checksum. Writers take turns
 * between them, so that a torn write leaves the other slot whole; the valid slot with the higher counter counts.
 *
 *   tandem-head 1 <counter> <boot> <sequence> <ok | loss> <hash, 64 hex digits> <checksum, 16 hex digits>
 */
import { createHash } from 'node:crypto';

export const SLOT_BYTES = 512;
export const SLOT_COUNT = 2;

export interface HeadRecord {
  /** Writes so far; its parity is the slot. */
  readonly counter: number;
  /** Highest boot number handed out, 0 before the first. */
  readonly boot: number;
  /** Sequence of the last row known durable, 0 before the first. */
  readonly sequence: number;
  /** Hash of that row, 64 hexadecimal digits. */
  readonly hash: string;
  /** True while rows after this one are known to be lost and no row says so yet. */
  readonly isLossUnrecorded: boolean;
}

/** Returns the bytes of one slot, `SLOT_BYTES` long. */
export function encodeHead(record: HeadRecord): Buffer {
  const state = record.isLossUnrecorded ? 'loss' : 'ok';
  const text = `tandem-head 1 ${record.counter} ${record.boot} ${record.sequence} ${state} ${record.hash}`;
  return Buffer.from(`${text} ${checksum(text)}`.padEnd(SLOT_BYTES - 1) + '\n', 'latin1');
}

/** Returns the newest whole record of a head file, or undefined when it holds none. */
export function decodeHead(file: Uint8Array): HeadRecord | undefined {
  let newest: HeadRecord | undefined;
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const bytes = file.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES);
    const record = decodeSlot(Buffer.from(bytes).toString('latin1'));
    if (record !== undefined && (newest === undefined || record.counter > newest.counter)) newest = record;
  }
  return newest;
}

function decodeSlot(slot: string): HeadRecord | undefined {
  const match = /^(tandem-head 1 (\d{1,15}) (\d{1,15}) (\d{1,15}) (ok|loss) ([0-9a-f]{64})) ([0-9a-f]{16}) *\n$/.exec(
    slot,
  );
  const [, text, counter, boot, sequence, state, hash, check] = match ?? [];
  if (text === undefined || hash === undefined || check !== checksum(text)) return undefined;
  return {
    counter: Number(counter),
    boot: Number(boot),
    sequence: Number(sequence),
    hash,
    isLossUnrecorded: state === 'loss',
  };
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
