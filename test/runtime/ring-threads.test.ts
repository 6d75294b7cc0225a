/** The ring between two real threads, and against a queue model under any interleaving of its two ends. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  RECORD_HEADER_BYTES,
  RING_HEADER_BYTES,
  resetRing,
  RingConsumer,
  RingProducer,
  ringPayloadBytesMax,
  type RingPlace,
} from '../../src/runtime/ring-buffer.ts';
import { killWriters, readRecords } from './fixtures/ring-run.ts';
import { payloadOf } from './fixtures/ring-writer.ts';

describe('a ring between two threads', { timeout: 120_000 }, () => {
  it.each([
    [256, 0],
    [4_096, 2 ** 31 - 2_048],
    [65_536, 2 ** 32 - 32_768],
  ])('carries records of every size whole and in order: %i bytes from position %i', async (capacityBytes, position) => {
    const run = await readRecords({ capacityBytes, position, seed: 20_261_121, records: 8_000 });
    expect(run).toEqual({ records: 8_000, torn: 0, misplaced: 0 });
  });

  it('shows nothing torn and nothing out of order of writers killed in the middle of their work', async () => {
    const { records, ...faults } = await killWriters({ seed: 20_261_121, kills: 12 });
    expect(faults).toEqual({ torn: 0, misplaced: 0 });
    expect(records).toBeGreaterThan(12);
  });
});

interface Written {
  readonly sequence: number;
  readonly payload: Uint8Array;
  /** Bytes of the ring it takes, alignment included. */
  readonly bytes: number;
}

/** What a ring promises, told without bytes: a bounded queue, and the one word about room. */
class ModelRing {
  readonly unread: Written[] = [];
  isWaiting = false;
  released: Written[] = [];
}

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('write' as const), size: fc.nat(1_000) }) },
  { weight: 4, arbitrary: fc.constant({ do: 'read' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'publish' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'ask-for-room' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'new-producer' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'new-consumer' as const }) },
);

describe('a ring, against its model', () => {
  it('behaves like a queue whatever its size, its position and the turns its two ends take', () => {
    const capacities = fc.constantFrom(256, 512, 1_024, 4_096);
    // Eight-byte places around 0 and both edges of the counters.
    const positions = fc
      .tuple(fc.constantFrom(0, 2 ** 31, 2 ** 32), fc.integer({ min: -600, max: 600 }))
      .map(([edge, words]) => edge + words * 8);
    fc.assert(
      fc.property(capacities, positions, fc.array(step, { maxLength: 150 }), (capacityBytes, position, script) => {
        const place: RingPlace = {
          buffer: new SharedArrayBuffer(RING_HEADER_BYTES + capacityBytes),
          byteOffset: 0,
          capacityBytes,
        };
        resetRing(place, position);
        let producer = new RingProducer(place);
        let consumer = new RingConsumer(place);
        const model = new ModelRing();
        let sequence = 0;
        for (const each of script) {
          switch (each.do) {
            case 'write': {
              const payload = payloadOf(sequence, each.size % (ringPayloadBytesMax(capacityBytes) + 1));
              const bytes = (RECORD_HEADER_BYTES + payload.length + 7) & ~7;
              const header = { typeId: 16, codec: 1, destination: 0, source: 0, sequence, sentAtUs: 0 };
              const isWritten = producer.tryWrite(header, 0, payload, 0, payload.length);
              const usedBytes = [...model.unread, ...model.released].reduce((sum, record) => sum + record.bytes, 0);
              // Padding may take less than one record more on each of the two rounds that can be in the ring.
              if (usedBytes + bytes > capacityBytes) expect(isWritten).toBe(false);
              if (usedBytes + bytes + 2 * (capacityBytes / 8) <= capacityBytes) expect(isWritten).toBe(true);
              if (isWritten) model.unread.push({ sequence: sequence++, payload, bytes });
              break;
            }
            case 'read': {
              const expected = model.unread.shift();
              expect(consumer.peek()).toBe(expected !== undefined);
              if (expected === undefined) break;
              const payload = new Uint8Array(consumer.payloadBytes);
              consumer.copyPayload(payload, 0);
              expect([consumer.sequence, payload]).toEqual([expected.sequence, expected.payload]);
              consumer.release();
              model.released.push(expected);
              break;
            }
            case 'publish': {
              const hasWoken = consumer.publishHead();
              model.released = [];
              // Half free, and somebody waits: told once. Never told when nobody waits.
              if (!model.isWaiting) expect(hasWoken).toBe(false);
              else expect(hasWoken).toBe(producer.usedBytes * 2 <= capacityBytes);
              if (hasWoken) model.isWaiting = false;
              break;
            }
            case 'ask-for-room':
              producer.askForRoom();
              model.isWaiting = true;
              break;
            case 'new-producer':
              producer = new RingProducer(place);
              break;
            case 'new-consumer':
              // A successor begins where the last one said it was: what was released but not published comes again.
              consumer = new RingConsumer(place);
              model.unread.unshift(...model.released);
              model.released = [];
              break;
          }
          expect(producer.isWaitingForRoom).toBe(model.isWaiting);
          expect(consumer.isEmpty).toBe(model.unread.length === 0);
        }
      }),
      { numRuns: 400 },
    );
  });
});
