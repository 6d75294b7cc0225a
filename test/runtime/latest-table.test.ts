import fc from 'fast-check';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import {
  LATEST_PAYLOAD_BYTES_MAX,
  LatestReader,
  LatestWriter,
  latestTableBytes,
  resetLatestTable,
  type LatestPlace,
} from '../../src/runtime/latest-table.ts';

function newTable(slots: number): LatestPlace {
  const place = { buffer: new SharedArrayBuffer(latestTableBytes(slots) + 64), byteOffset: 64, slots };
  resetLatestTable(place);
  return place;
}

function header(sequence: number): Parameters<LatestWriter['publish']>[1] {
  return { typeId: 17, codec: 2, destination: 5, source: 6, sequence, sentAtUs: 7 };
}

function write(table: LatestPlace, writer: LatestWriter, slot: number, value: number): boolean {
  writer.begin(slot);
  new DataView(table.buffer).setUint32(writer.payloadAt(slot), value);
  return writer.publish(slot, header(value), 4);
}

/** Returns the values with news, by slot. */
function readAll(table: LatestPlace, reader: LatestReader): Map<number, number> {
  const values = new Map<number, number>();
  reader.sweep(() => {
    const value = new DataView(table.buffer).getUint32(reader.payloadAt);
    if (reader.isWhole()) values.set(reader.slot, value);
  });
  return values;
}

describe('the latest-value table', () => {
  it('gives each key the newest value once, whatever was written and read in between', () => {
    const scripts = fc.array(fc.oneof(fc.integer({ min: 0, max: 95 }), fc.constant('read' as const)), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(scripts, (script) => {
        const table = newTable(96);
        const [writer, reader] = [new LatestWriter(table), new LatestReader(table)];
        const expected = new Map<number, number>();
        for (const [index, step] of [...script, 'read' as const].entries()) {
          if (step === 'read') {
            expect(reader.hasNews).toBe(expected.size > 0);
            expect([...readAll(table, reader)].sort(byKey)).toEqual([...expected].sort(byKey));
            expected.clear();
          } else {
            expect(write(table, writer, step, index + 1)).toBe(expected.has(step));
            expected.set(step, index + 1);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('has a slot per actor and key, and none when all are in use, until an actor gives its own back', () => {
    const writer = new LatestWriter(newTable(32));
    const slots = Array.from({ length: 32 }, (_, index) => writer.slotOf(index % 2, `key ${index}`));
    expect(new Set(slots).size).toBe(32);
    expect(writer.slotOf(0, 'key 0')).toBe(slots[0]);
    expect(writer.slotOf(9, 'one more')).toBe(-1);
    writer.release(1);
    expect(slots).toContain(writer.slotOf(9, 'one more'));
    expect(writer.slotOf(0, 'key 0')).toBe(slots[0]);
  });

  it('leaves out a value that is being written, and one whose writing was given up', () => {
    const table = newTable(32);
    const [writer, reader] = [new LatestWriter(table), new LatestReader(table)];
    write(table, writer, 3, 11);
    writer.begin(3);
    expect(readAll(table, reader)).toEqual(new Map());
    writer.abandon(3);
    expect(readAll(table, reader)).toEqual(new Map());
    write(table, writer, 3, 12);
    expect(readAll(table, reader)).toEqual(new Map([[3, 12]]));
  });

  it('refuses sizes it has no bits for', () => {
    expect(() => latestTableBytes(33)).toThrow('latest-value slots must be a multiple of 32 of at most 1024, were 33');
    expect(() => latestTableBytes(2_048)).toThrow(RangeError);
  });

  it(
    'shows no torn and no older value to a thread that reads while another one writes',
    { timeout: 120_000 },
    async () => {
      const ROUNDS = 60_000;
      const table = newTable(32);
      const reader = new LatestReader(table);
      const newest = new Float64Array(32).fill(-1);
      let [torn, back, reads] = [0, 0, 0];
      const bytes = new Uint8Array(table.buffer);
      const worker = new Worker(new URL('./fixtures/latest-writer-worker.ts', import.meta.url), {
        workerData: { table, rounds: ROUNDS },
      });
      const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
      const isDone = (): boolean => newest.every((value) => value === ROUNDS - 1);
      const sweep = (): void =>
        reader.sweep(() => {
          const { slot, payloadAt, payloadBytes, sequence } = reader;
          const first = bytes[payloadAt] ?? 0;
          let differing = payloadBytes === LATEST_PAYLOAD_BYTES_MAX ? 0 : 1;
          for (let at = payloadAt; at < payloadAt + payloadBytes; at++) if (bytes[at] !== first) differing += 1;
          if (!reader.isWhole()) return;
          reads += 1;
          if (differing > 0 || first !== (sequence & 0xff)) torn += 1;
          if (sequence <= (newest[slot] ?? 0)) back += 1;
          newest[slot] = sequence;
        });
      while (!isDone()) {
        for (let round = 0; round < 1_000; round++) sweep();
        await new Promise(setImmediate);
      }
      await ended;
      expect({ torn, back }).toEqual({ torn: 0, back: 0 });
      expect(reads).toBeGreaterThan(32);
    },
  );
});

function byKey(left: readonly [number, number], right: readonly [number, number]): number {
  return left[0] - right[0];
}
