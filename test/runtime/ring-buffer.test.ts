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

function allocate(capacityBytes: number, position = 0): RingPlace {
  const place: RingPlace = {
    buffer: new SharedArrayBuffer(RING_HEADER_BYTES + capacityBytes),
    byteOffset: 0,
    capacityBytes,
  };
  resetRing(place, position);
  return place;
}

function header(sequence: number): Parameters<RingProducer['tryWrite']>[0] {
  return { typeId: 0xffff, codec: 0xfe, destination: -7, source: 2 ** 31 - 1, sequence, sentAtUs: sequence * 3 };
}

function payload(sequence: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => (sequence * 31 + index) & 0xff);
}

function readOne(consumer: RingConsumer): { readonly sequence: number; readonly bytes: Uint8Array } | undefined {
  if (!consumer.peek()) return undefined;
  const bytes = new Uint8Array(consumer.payloadBytes);
  consumer.copyPayload(bytes, 0);
  const { sequence } = consumer;
  consumer.release();
  return { sequence, bytes };
}

/** Where positions start: fresh, and shortly before the counters change sign and wrap. */
const STARTS = [0, 2 ** 31 - 64, 2 ** 32 - 64, 2 ** 31 - 4096, 2 ** 32 - 4096];

describe('a ring', () => {
  it.each(STARTS)('behaves like a bounded queue of bytes, starting at position %i', (start) => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ type: fc.constant('write' as const), bytes: fc.nat(ringPayloadBytesMax(1024)) }),
        fc.constant({ type: 'read' as const }),
        fc.constant({ type: 'publish' as const }),
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (script) => {
        const place = allocate(1024, start);
        const producer = new RingProducer(place);
        const consumer = new RingConsumer(place);
        const model: { readonly sequence: number; readonly bytes: Uint8Array }[] = [];
        let sequence = 0;
        for (const step of script) {
          if (step.type === 'write') {
            const bytes = payload(sequence, step.bytes);
            if (producer.tryWrite(header(sequence), 2, bytes, 0, bytes.length))
              model.push({ sequence: sequence++, bytes });
            else expect(producer.usedBytes).toBeGreaterThan(1024 - 2 * (RECORD_HEADER_BYTES + step.bytes + 8));
          } else if (step.type === 'read') {
            expect(readOne(consumer)).toEqual(model.shift());
          } else {
            consumer.publishHead();
          }
        }
        for (let left = model.shift(); left !== undefined; left = model.shift())
          expect(readOne(consumer)).toEqual(left);
        expect(consumer.peek()).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps every header field, at the limits of its size', () => {
    const place = allocate(256);
    new RingProducer(place).tryWrite(header(-1), 2, payload(0, 8), 2, 5);
    const consumer = new RingConsumer(place);
    expect(consumer.peek()).toBe(true);
    const { typeId, codec, flags, destination, source, sequence, sentAtUs, payloadBytes } = consumer;
    expect({ typeId, codec, flags, destination, source, sequence, sentAtUs, payloadBytes }).toEqual({
      ...header(-1),
      flags: 2,
      payloadBytes: 3,
    });
  });

  it('takes a record of the largest size at every place of the ring', () => {
    const place = allocate(1024);
    const producer = new RingProducer(place);
    const consumer = new RingConsumer(place);
    const largest = payload(9, producer.payloadBytesMax);
    for (let round = 0; round < 300; round++) {
      expect(producer.tryWrite(header(round), 2, payload(round, round % 60), 0, round % 60)).toBe(true);
      expect(producer.tryWrite(header(round), 2, largest, 0, largest.length)).toBe(true);
      expect(readOne(consumer)?.bytes).toEqual(payload(round, round % 60));
      expect(readOne(consumer)?.bytes).toEqual(largest);
      consumer.publishHead();
    }
  });

  it('refuses a payload that could never fit', () => {
    const producer = new RingProducer(allocate(1024));
    expect(() => producer.tryWrite(header(0), 2, payload(0, 105), 0, 105)).toThrow(/at most 104 bytes, has 105/);
    expect(() => new RingProducer(allocate(1000))).toThrow(/power of two/);
  });

  it('shows nothing of a record whose producer died before it was published', () => {
    const place = allocate(1024);
    const producer = new RingProducer(place);
    producer.tryWrite(header(1), 2, payload(1, 40), 0, 40);
    // What a producer writes before its last store, seen from the consumer: bytes beyond the tail.
    new Uint8Array(place.buffer, RING_HEADER_BYTES + 64, 64).fill(0xee);
    const consumer = new RingConsumer(place);
    expect(readOne(consumer)?.sequence).toBe(1);
    expect(consumer.peek()).toBe(false);
  });

  it('tells a producer that asked for room, once, when half of the ring is free', () => {
    const place = allocate(256);
    const producer = new RingProducer(place);
    const consumer = new RingConsumer(place);
    while (producer.tryWrite(header(0), 2, payload(0, 8), 0, 8));
    producer.askForRoom();
    for (let record = 0; record < 3; record++) readOne(consumer);
    expect([consumer.publishHead(), producer.isWaitingForRoom]).toEqual([false, true]);
    readOne(consumer);
    expect([consumer.publishHead(), consumer.publishHead(), producer.isWaitingForRoom]).toEqual([true, false, false]);
    expect(producer.tryWrite(header(0), 2, payload(0, 8), 0, 8)).toBe(true);
  });
});
