import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Subscriptions } from '../../src/venues/subscriptions.ts';
import { changesOf, expectDrawn } from '../drawn-table.ts';
import { propertyRuns } from '../property-runs.ts';

const MAX = 5;
const UNANSWERED_MAX = 2;
const ANSWER_MS = 1_000;

function registry(): Subscriptions {
  return new Subscriptions({ where: 'nowhere', max: MAX, unansweredMax: UNANSWERED_MAX, answerMs: ANSWER_MS });
}

it('the table drawn of a subscription says what the code does, and all of it', () => {
  type Life = readonly string[];
  const happenings: Readonly<Record<string, (subscriptions: Subscriptions) => void>> = {
    wanted: (subscriptions) => subscriptions.want('one', ['c']),
    'asked for': (subscriptions) => void subscriptions.due(0),
    answered: (subscriptions) => void subscriptions.answered('c'),
    'asked for anew': (subscriptions) => subscriptions.renewed('c', 0),
    'connection ended': (subscriptions) => subscriptions.disconnected(),
    released: (subscriptions) => subscriptions.want('one', []),
    'given up': (subscriptions) => void subscriptions.surplus(),
  };
  const samples: Readonly<Record<string, Life>> = {
    none: [],
    due: ['wanted'],
    asked: ['wanted', 'asked for'],
    confirmed: ['wanted', 'asked for', 'answered'],
    surplus: ['wanted', 'asked for', 'answered', 'released'],
  };
  const events = Object.fromEntries(
    Object.keys(happenings).map((name) => [name, (life: Life): Life => [...life, name]]),
  );
  const nameOf = (life: Life): string => {
    const subscriptions = registry();
    for (const name of life) happenings[name]?.(subscriptions);
    return subscriptions.status('c');
  };
  expectDrawn('src/venues/subscriptions.ts', changesOf(samples, events, nameOf));
});

/** The other side of one connection, which refuses what makes no sense. */
class Venue {
  readonly heard = new Set<string>();
  readonly unanswered = new Set<string>();
  messages = 0;

  subscribe(channel: string): void {
    expect(this.heard.has(channel), `${channel} is asked for once`).toBe(false);
    this.heard.add(channel);
    this.unanswered.add(channel);
    this.messages += 1;
    expect(this.unanswered.size).toBeLessThanOrEqual(UNANSWERED_MAX);
    expect(this.heard.size).toBeLessThanOrEqual(MAX);
  }

  unsubscribe(channel: string): void {
    expect(this.heard.delete(channel), `${channel} is given up only where it was asked for`).toBe(true);
    this.unanswered.delete(channel);
  }
}

class Script {
  readonly subscriptions = registry();
  venue = new Venue();
  readonly wanted = new Map<string, readonly string[]>();

  want(owner: string, channels: readonly string[]): void {
    this.subscriptions.want(owner, channels);
    this.wanted.set(owner, channels);
  }

  keep(owners: readonly string[]): void {
    this.subscriptions.keepOwners(owners);
    for (const owner of this.wanted.keys()) if (!owners.includes(owner)) this.wanted.delete(owner);
  }

  /** As a stream does with every tick and every answer. */
  turn(): void {
    for (const channel of this.subscriptions.surplus()) this.venue.unsubscribe(channel);
    for (const channel of this.subscriptions.due(0)) this.venue.subscribe(channel);
  }

  answer(): void {
    const [channel] = this.venue.unanswered;
    if (channel === undefined) return;
    this.venue.unanswered.delete(channel);
    expect(this.subscriptions.answered(channel)).toBe(true);
  }

  reconnect(): void {
    this.subscriptions.disconnected();
    this.venue = new Venue();
  }

  settle(): void {
    this.turn();
    while (this.venue.unanswered.size > 0) {
      this.answer();
      this.turn();
    }
  }

  get distinct(): ReadonlySet<string> {
    return new Set([...this.wanted.values()].flat());
  }
}

describe('whatever is wanted and released in whatever order', () => {
  const channel = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
  const owner = fc.constantFrom('one', 'two', 'three');
  const step = fc.oneof(
    fc.tuple(owner, fc.array(channel, { maxLength: 5 })).map(
      ([who, what]) =>
        (script: Script): void =>
          script.want(who, what),
    ),
    fc.array(owner).map(
      (owners) =>
        (script: Script): void =>
          script.keep(owners),
    ),
    fc.constantFrom(
      (script: Script): void => script.turn(),
      (script: Script): void => script.answer(),
      (script: Script): void => script.reconnect(),
    ),
  );

  it('the venue is asked for what has an owner, once, no faster than it answers, and again after each reconnect', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const script = new Script();
        for (const act of steps) act(script);
        script.settle();
        const { distinct, subscriptions } = script;
        expect([...script.venue.heard].toSorted()).toEqual([...subscriptions.desired].toSorted());
        expect(script.venue.heard.size).toBe(Math.min(MAX, distinct.size));
        for (const heard of script.venue.heard) expect(distinct.has(heard)).toBe(true);

        const before = [...script.venue.heard].toSorted();
        script.reconnect();
        script.settle();
        expect([...script.venue.heard].toSorted()).toEqual(before);
        expect(script.venue.messages).toBe(before.length);
      }),
      propertyRuns(),
    );
  });
});

it('a hundred who want a channel are one message, and the last of them ends it', () => {
  const script = new Script();
  for (let owner = 0; owner < 100; owner++) script.want(`owner ${owner}`, ['a', 'a']);
  script.settle();
  expect(script.venue.messages).toBe(1);
  for (let owner = 0; owner < 99; owner++) script.want(`owner ${owner}`, []);
  script.settle();
  expect([...script.venue.heard]).toEqual(['a']);
  script.want('owner 99', []);
  script.settle();
  expect([...script.venue.heard]).toEqual([]);
});

it('what is more than a connection carries is refused by name, once, and heard when there is room', () => {
  const script = new Script();
  const { subscriptions } = script;
  script.want('one', ['a', 'b', 'c', 'd', 'e']);
  expect(subscriptions.takeExcess()).toEqual([]);
  script.want('two', ['f', 'g']);
  expect(subscriptions.takeExcess()).toEqual([
    {
      type: 'venue-error',
      code: 'SUBSCRIPTIONS_MAX',
      reason:
        'nowhere must have at most 5 subscriptions on a connection, 7 are wanted: f and what follows is not heard, trade fewer symbols',
    },
  ]);
  expect(subscriptions.takeExcess()).toEqual([]);
  script.settle();
  expect([...script.venue.heard]).toEqual(['a', 'b', 'c', 'd', 'e']);
  script.want('one', ['a']);
  script.settle();
  expect([...script.venue.heard].toSorted()).toEqual(['a', 'f', 'g']);
});

it('what nobody answered, or the venue refused, is asked for again after a while and holds up nobody else', () => {
  const subscriptions = registry();
  subscriptions.want('one', ['a', 'b', 'c', 'd']);
  expect(subscriptions.due(0)).toEqual(['a', 'b']);
  subscriptions.refused('a', 0);
  expect(subscriptions.due(10)).toEqual(['c']);
  expect(subscriptions.late(ANSWER_MS - 1)).toEqual([]);
  expect(subscriptions.late(ANSWER_MS)).toEqual(['a', 'b']);
  expect(subscriptions.due(ANSWER_MS)).toEqual(['d']);
  subscriptions.renewed('b', ANSWER_MS);
  expect(subscriptions.late(ANSWER_MS)).toEqual(['a']);
});
