/** Traps of bytes in rings: 2, 3, 6 and 11. */
import { Unpackr } from 'msgpackr';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { MessageShape } from '../../../src/runtime/actor.ts';
import {
  RECORD_HEADER_BYTES,
  RING_HEADER_BYTES,
  resetRing,
  RingConsumer,
  RingProducer,
  type RecordHeader,
  type RingPlace,
} from '../../../src/runtime/ring-buffer.ts';
import { actorOf, startTraps } from './bed.ts';
import { keepMessage, type KeptReport } from './fixtures/trap-actors.ts';

describe('trap 2: decoding from shared memory', () => {
  it('never happens: the decoder is only ever given private bytes, and messages stay whole when the ring is used again', async () => {
    const unpack = vi.spyOn(Unpackr.prototype, 'unpack');
    onTestFinished(() => unpack.mockRestore());
    // The keeper lives on this thread, so that its messages are decoded here; enough of them to go round both rings often.
    const system = await startTraps(['nudge'], [actorOf('keeper', 'keeper'), actorOf('sender', 'echo', 't0')]);
    for (let number = 0; number < 600; number++)
      system.tell('sender', { type: 'echo', to: 'keeper', message: keepMessage(number, 1 + (number % 90)) } as Told);
    const report = await kept(system, 600);
    expect(report.numbers).toEqual(Array.from({ length: 600 }, (_, number) => number));
    expect(report).toMatchObject({ damaged: 0, shared: 0 });
    const decoded = unpack.mock.calls.map(([bytes]) => bytes);
    expect(decoded.length).toBeGreaterThanOrEqual(600);
    expect(decoded.filter(({ buffer }) => buffer instanceof SharedArrayBuffer)).toEqual([]);
  });
});

describe('trap 3: the encoder hands out one buffer again and again', () => {
  it('yet a message that is half written stays whole while others are encoded', async () => {
    const system = await startTraps(
      ['nudge', 'nudge'],
      [actorOf('keeper', 'keeper', 't0'), actorOf('other', 'keeper', 't1')],
    );
    // The receiver looks away: of what is larger than its ring only the beginning can be written.
    system.tell('keeper', { type: 'busy', forMs: 30 } as MessageShape);
    system.tell('keeper', keepMessage(0, 60_000));
    system.tell('keeper', keepMessage(1_000, 90_000, 'keep-latest'));
    for (let number = 1; number < 40; number++) {
      system.tell('other', keepMessage(number, 500 + number));
      system.tell('keeper', keepMessage(number, 700 + number));
      system.tell('keeper', keepMessage(1_000 + number, 300, 'keep-latest'));
    }
    expect(await kept(system, 80)).toMatchObject({ damaged: 0, shared: 0 });
    expect(await kept(system, 39, 'other')).toMatchObject({ damaged: 0 });
  });
});

describe('trap 6: last words', () => {
  it.each(['exit', 'throw', 'terminate'] as const)(
    'of a thread that ends by %s reach another worker, to the last one told',
    async (how) => {
      const system = await startTraps(
        ['nudge', 'wait'],
        [actorOf('keeper', 'keeper', 't1'), actorOf('sender', 'echo', 't0')],
      );
      system.tell('keeper', { type: 'busy', forMs: 30 } as MessageShape);
      system.tell('sender', { type: 'last-words', to: 'keeper', count: 200, how } as Told);
      if (how === 'terminate') {
        // Its handler waits to be terminated: until it has told all, this thread has nothing to kill.
        while ((await system.snapshot()).threads.find(({ name }) => name === 't0')?.stale !== true);
        system.killThread('t0');
      }
      expect((await kept(system, 200)).numbers).toEqual(Array.from({ length: 200 }, (_, number) => number));
    },
  );
});

type Told = MessageShape & Readonly<Record<string, unknown>>;

async function kept(
  system: Awaited<ReturnType<typeof startTraps>>,
  count: number,
  path = 'keeper',
): Promise<KeptReport> {
  for (;;) {
    const report = (await system.ask(path, { type: 'check-kept' }, { deadlineMs: 20_000 })) as KeptReport;
    if (report.numbers.length >= count) return report;
  }
}

const CAPACITY_BYTES = 1_024;

function ringAt(position: number): { readonly producer: RingProducer; readonly consumer: RingConsumer } {
  const place: RingPlace = {
    buffer: new SharedArrayBuffer(RING_HEADER_BYTES + CAPACITY_BYTES),
    byteOffset: 0,
    capacityBytes: CAPACITY_BYTES,
  };
  resetRing(place, position);
  return { producer: new RingProducer(place), consumer: new RingConsumer(place) };
}

function headerOf(sequence: number): RecordHeader {
  return { typeId: 16, codec: 1, destination: 1, source: 2, sequence, sentAtUs: 0 };
}

function payloadOf(sequence: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => (sequence * 7 + index) & 0xff);
}

function read(consumer: RingConsumer): { readonly sequence: number; readonly payload: Uint8Array } | undefined {
  if (!consumer.peek()) return undefined;
  const payload = new Uint8Array(consumer.payloadBytes);
  consumer.copyPayload(payload, 0);
  const { sequence } = consumer;
  consumer.release();
  consumer.publishHead();
  return { sequence, payload };
}

/** Writes records of that many payload bytes, one read after each, and expects every one back. */
function expectThrough(start: number, payloadBytes: readonly number[]): void {
  const { producer, consumer } = ringAt(start);
  for (const [sequence, bytes] of payloadBytes.entries()) {
    const payload = payloadOf(sequence, bytes);
    expect(producer.tryWrite(headerOf(sequence), 0, payload, 0, bytes)).toBe(true);
    expect(read(consumer)).toEqual({ sequence, payload });
  }
  expect(read(consumer)).toBeUndefined();
}

/** Before and after the counters change sign and wrap to 0. */
const EDGES = [0, 2 ** 31, 2 ** 32];

describe('trap 11: positions that wrap', () => {
  it.each(EDGES)('carries records over the edge at %i, from every distance to it', (edge) => {
    for (let distance = 0; distance <= 256; distance += 8)
      expectThrough(edge + CAPACITY_BYTES - distance, [5, 0, 104, 40, 17, 104, 1, 96]);
  });

  it.each(EDGES)('fills the ring to its very end without padding, position %i', (edge) => {
    // 1,024 bytes are 8 records of 128; the ninth starts at the beginning again.
    expectThrough(
      edge,
      Array.from({ length: 20 }, () => 128 - RECORD_HEADER_BYTES),
    );
    const { producer, consumer } = ringAt(edge);
    const payload = payloadOf(1, 128 - RECORD_HEADER_BYTES);
    for (let record = 0; record < 8; record++)
      expect(producer.tryWrite(headerOf(record), 0, payload, 0, payload.length)).toBe(true);
    expect(producer.tryWrite(headerOf(8), 0, payload, 0, payload.length)).toBe(false);
    expect(producer.usedBytes).toBe(CAPACITY_BYTES);
    for (let record = 0; record < 8; record++) expect(read(consumer)?.sequence).toBe(record);
    expect(read(consumer)).toBeUndefined();
  });

  it.each(EDGES)('skips a padding of exactly 8 bytes, position %i', (edge) => {
    // 7 records of 128 and one of 120 leave 8 bytes: less than any header.
    expectThrough(edge, [...new Array<number>(7).fill(104), 96, 0, 104, 50]);
  });

  it.each(EDGES)('takes a record of the largest size at every offset modulo 64, position %i', (edge) => {
    for (let offset = 0; offset < 64; offset += 8) {
      expectThrough(edge + offset, new Array<number>(20).fill(104));
      expectThrough(edge + CAPACITY_BYTES - offset, new Array<number>(20).fill(104));
    }
  });
});
