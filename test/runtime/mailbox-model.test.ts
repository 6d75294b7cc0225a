/** The mailbox against a model that knows only what each delivery class promises: a list that is searched from the front. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mailbox, newEnvelope, type Envelope, type EnvelopeType } from '../../src/runtime/mailbox.ts';
import { LEVEL } from '../../src/runtime/message-types.ts';

type Kind = 'system' | 'risk' | 'order' | 'normal' | 'state' | 'market';
const KINDS: readonly Kind[] = ['system', 'risk', 'order', 'normal', 'state', 'market'];

/** Best first; what a mailbox promises of each. */
const PROMISES: Readonly<Record<Kind, EnvelopeType>> = {
  system: { name: 'system', level: LEVEL.system, class: 'system' },
  risk: { name: 'risk', level: LEVEL.risk, class: 'must-deliver' },
  order: { name: 'order', level: LEVEL.order, class: 'must-deliver' },
  normal: { name: 'normal', level: LEVEL.normal, class: 'must-deliver' },
  state: { name: 'state', level: LEVEL.normal, class: 'state' },
  market: { name: 'market', level: LEVEL.market, class: 'market' },
};
/** A waiting lower level is served after this many of better ones in a row. */
const OVERTAKES_MAX = 64;
/** Levels that may take turns with each other before one of them has its turn. */
const LOWER_LEVELS_MAX = 4;

function envelopeOf(kind: Kind, key: string, sequence: number): Envelope {
  const type = PROMISES[kind];
  const isConflated = type.class === 'state' || type.class === 'market';
  const conflation = isConflated ? `${kind} ${key}` : '';
  return newEnvelope(type, { type: kind }, conflation, 'model', sequence, 0, 0, undefined, sequence);
}

class ModelMailbox {
  readonly counts = { accepted: 0, processed: 0, merged: 0, evicted: 0, refused: 0, highWaterMark: 0 };
  waiting: Envelope[] = [];
  readonly #messagesMax: number;

  constructor(messagesMax: number) {
    this.#messagesMax = messagesMax;
  }

  accept(envelope: Envelope): 'sent' | 'merged' | 'refused' {
    if (this.#merge(envelope)) return 'merged';
    if (envelope.type.class !== 'system' && this.waiting.length >= this.#messagesMax) {
      const oldest = this.waiting.find(({ type }) => type.class === 'market');
      if (envelope.type.class !== 'market' || oldest === undefined) {
        this.counts.refused += 1;
        return 'refused';
      }
      this.waiting = this.waiting.filter((each) => each !== oldest);
      this.counts.evicted += 1;
    }
    this.#add(envelope);
    return 'sent';
  }

  acceptOwed(envelope: Envelope): void {
    if (!this.#merge(envelope)) this.#add(envelope);
  }

  /** In front of its level is in front of all, for a list that is searched by level. */
  putBack(envelope: Envelope): void {
    this.waiting.unshift(envelope);
    this.#noteDepth();
  }

  /** Whether this is what may be taken: the first of its level. Takes it. */
  take(envelope: Envelope): boolean {
    const first = this.waiting.find(({ type }) => type.level === envelope.type.level);
    this.waiting = this.waiting.filter((each) => each !== first);
    this.counts.processed += 1;
    return first === envelope;
  }

  levels(): readonly number[] {
    return [...new Set(this.waiting.map(({ type }) => type.level))].sort((left, right) => left - right);
  }

  depth(): Readonly<Record<Kind, number>> {
    const depth = { system: 0, risk: 0, order: 0, normal: 0, state: 0, market: 0 };
    for (const { type } of this.waiting) depth[type.name as Kind] += 1;
    return depth;
  }

  #merge(envelope: Envelope): boolean {
    const index = this.waiting.findIndex(({ key }) => key !== '' && key === envelope.key);
    if (index < 0) return false;
    this.waiting[index] = envelope;
    this.counts.merged += 1;
    return true;
  }

  #add(envelope: Envelope): void {
    this.waiting.push(envelope);
    this.counts.accepted += 1;
    this.#noteDepth();
  }

  #noteDepth(): void {
    this.counts.highWaterMark = Math.max(this.counts.highWaterMark, this.waiting.length);
  }
}

/** Follows what is taken, and throws when a level waits longer than it may. */
class FairnessWatch {
  #overtakes = 0;
  readonly #waitedTakes = new Map<number, number>();

  /** `levels`: those that waited before the take, best first. */
  note(levels: readonly number[], taken: number): void {
    const [best = 0] = levels;
    if (levels.length === 1) this.#overtakes = 0;
    else if (taken === best) this.#overtakes += 1;
    else {
      expect(this.#overtakes).toBe(OVERTAKES_MAX);
      this.#overtakes = 0;
    }
    expect(this.#overtakes).toBeLessThanOrEqual(OVERTAKES_MAX);
    for (const level of LEVELS) {
      const waits = levels.includes(level) && level !== taken;
      this.#waitedTakes.set(level, waits ? (this.#waitedTakes.get(level) ?? 0) + 1 : 0);
      expect(this.#waitedTakes.get(level)).toBeLessThanOrEqual((OVERTAKES_MAX + 1) * LOWER_LEVELS_MAX);
    }
  }
}

const LEVELS: readonly number[] = Object.values(LEVEL);

const kinds = fc.constantFrom(...KINDS);
const keys = fc.constantFrom('a', 'b', 'c', 'd');
const counts = fc.integer({ min: 1, max: 150 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('accept' as const), kind: kinds, key: keys, count: counts }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('owe' as const), kind: kinds, key: keys, count: counts }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), count: counts }) },
  // One in, one out: the load under which lower levels would starve.
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stream' as const), kind: kinds, count: counts }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('put-back' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Plays one script on a mailbox and on the model, comparing after every step. */
class Play {
  readonly #mailbox: Mailbox;
  readonly #model: ModelMailbox;
  readonly #watch = new FairnessWatch();
  #last: Envelope | undefined;
  #sequence = 0;

  constructor(messagesMax: number) {
    this.#mailbox = new Mailbox(messagesMax);
    this.#model = new ModelMailbox(messagesMax);
  }

  run(script: readonly Step[]): void {
    for (const each of script) {
      this.#step(each);
      this.#compare();
    }
    while (this.#model.waiting.length > 0) this.#take();
    this.#take();
    this.#compare();
  }

  #step(each: Step): void {
    switch (each.do) {
      case 'accept':
        for (let index = 0; index < each.count; index++) this.#accept(each.kind, each.key);
        return;
      case 'owe':
        for (let index = 0; index < each.count; index++) {
          const envelope = envelopeOf(each.kind, each.key, this.#sequence++);
          this.#mailbox.acceptOwed(envelope);
          this.#model.acceptOwed(envelope);
        }
        return;
      case 'take':
        for (let index = 0; index < each.count; index++) this.#take();
        return;
      case 'stream':
        for (let index = 0; index < each.count; index++) {
          this.#accept(each.kind, `${index}`);
          this.#take();
        }
        return;
      case 'put-back': {
        // Only what is owed again is put back, and only what was just taken.
        const last = this.#last;
        this.#last = undefined;
        if (last === undefined || last.key !== '') return;
        this.#mailbox.putBack(last);
        this.#model.putBack(last);
        return;
      }
      case 'drain': {
        const drained = this.#mailbox.drain();
        expect(new Set(drained)).toEqual(new Set(this.#model.waiting));
        expect(drained).toHaveLength(this.#model.waiting.length);
        this.#model.waiting = [];
        return;
      }
    }
  }

  #accept(kind: Kind, key: string): void {
    const envelope = envelopeOf(kind, key, this.#sequence++);
    const hadRoom = this.#mailbox.hasRoomFor(envelope);
    const outcome = this.#mailbox.accept(envelope);
    expect(outcome).toBe(this.#model.accept(envelope));
    // What lanes ask first must never promise more than is kept, and less only of what pushes another value out.
    if (hadRoom) expect(outcome).not.toBe('refused');
    else if (kind !== 'market') expect(outcome).toBe('refused');
  }

  #take(): void {
    const levels = this.#model.levels();
    const taken = this.#mailbox.take();
    this.#last = taken;
    if (taken === undefined) {
      expect(levels).toEqual([]);
      return;
    }
    expect(this.#model.take(taken)).toBe(true);
    this.#watch.note(levels, taken.type.level);
  }

  #compare(): void {
    const snapshot = this.#mailbox.snapshot(this.#sequence);
    expect(snapshot).toMatchObject({ ...this.#model.counts, depth: this.#model.depth() });
    expect(snapshot.depthTotal).toBe(this.#model.waiting.length);
    expect(this.#mailbox.depth).toBe(this.#model.waiting.length);
    expect(new Set(this.#mailbox.peek(Infinity))).toEqual(new Set(this.#model.waiting));
  }
}

describe('a mailbox, against its model', () => {
  it.each([1, 5, 40, 10_000])('keeps every promise of every delivery class, at a bound of %i', (messagesMax) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (script) => new Play(messagesMax).run(script)),
      { numRuns: 60 },
    );
  });

  it('serves every lower level within its bound while each better one streams in', () => {
    for (const kind of KINDS) {
      for (const rounds of [1, 3]) {
        const script: Step[] = [];
        for (let round = 0; round < rounds; round++) {
          for (const lower of KINDS) script.push({ do: 'accept', kind: lower, key: 'a', count: 2 });
          script.push({ do: 'stream', kind, count: 700 });
        }
        new Play(10_000).run(script);
      }
    }
  });
});
