/** A hundred thousand damaged inputs for every reader of every venue: no escape, none ten times slower than its size, no memory kept. */
import { describe, expect, it } from 'vitest';
import { fuzz, fuzzSubjects } from '../conformance/fuzz.ts';
import { VENUES } from '../conformance/venues.ts';

const INPUTS = 100_000;
const SLOWER_MAX = 10;
/** What any call may take before its size counts, ns: the clock, a collection, another program. */
const FLOOR_NS = 2_000_000;
const RETAINED_BYTES_MAX = 64 * 1024 * 1024;
const SEED = Number(process.env['TANDEM_PROPERTY_SEED'] ?? 1);

describe.each(VENUES)('readers of %s', (venue) => {
  it.each(fuzzSubjects(venue).map((subject) => [subject.name, subject] as const))('%s', (_name, subject) => {
    let [bytes, ns] = [0, 0];
    const slow: string[] = [];
    const before = process.memoryUsage().heapUsed;
    const failure = fuzz(subject, INPUTS, SEED, (input, took) => {
      bytes += input.length;
      ns += took;
      const expectedNs = (ns / Math.max(1, bytes)) * input.length;
      if (took > FLOOR_NS && took > SLOWER_MAX * expectedNs && slow.length < 1_000) slow.push(input);
    });
    expect(failure).toBeUndefined();
    // Once may be another program's doing; five times it is the input's.
    const nsPerByte = ns / bytes;
    for (const input of slow) {
      let best = Infinity;
      for (let attempt = 0; attempt < 5; attempt++) {
        const startedAt = process.hrtime.bigint();
        subject.read(input);
        best = Math.min(best, Number(process.hrtime.bigint() - startedAt));
      }
      expect(best, input.slice(0, 300)).toBeLessThan(Math.max(FLOOR_NS, SLOWER_MAX * nsPerByte * input.length));
    }
    globalThis.gc?.();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(
      RETAINED_BYTES_MAX * (globalThis.gc === undefined ? 4 : 1),
    );
  });
});
