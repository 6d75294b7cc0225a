import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mailbox, newEnvelope, type Envelope } from '../../src/runtime/mailbox.ts';
import { LEVEL } from '../../src/runtime/message-types.ts';

let sequence = 0;

function envelope(kind: 'system' | 'risk' | 'order' | 'normal' | 'state' | 'market', key = '', sentAtMs = 0): Envelope {
  sequence += 1;
  const level = kind === 'state' ? LEVEL.normal : LEVEL[kind];
  const conflated = kind === 'state' || kind === 'market';
  const type = {
    name: kind,
    class: conflated ? kind : kind === 'system' ? ('system' as const) : ('must-deliver' as const),
    level,
  };
  const conflation = conflated ? `${kind} ${key}` : '';
  return newEnvelope(type, { type: kind }, conflation, 'test', sentAtMs, 0, 0, undefined, sequence);
}

function takeAll(mailbox: Mailbox): string[] {
  const names: string[] = [];
  for (let next = mailbox.take(); next !== undefined; next = mailbox.take()) names.push(next.type.name);
  return names;
}

describe('a mailbox', () => {
  it('serves system, risk, orders, normal and state in order of arrival, market last', () => {
    const mailbox = new Mailbox();
    for (const kind of ['market', 'state', 'normal', 'order', 'risk', 'system'] as const)
      mailbox.accept(envelope(kind, 'a'));
    expect(mailbox.snapshot(0).depth).toEqual({ system: 1, risk: 1, order: 1, normal: 1, state: 1, market: 1 });
    expect(takeAll(mailbox)).toEqual(['system', 'risk', 'order', 'state', 'normal', 'market']);
  });

  it('keeps the order of one class', () => {
    const mailbox = new Mailbox();
    const sent = [envelope('order'), envelope('order'), envelope('order')];
    for (const each of sent) mailbox.accept(each);
    expect([mailbox.take(), mailbox.take(), mailbox.take()]).toEqual(sent);
  });

  it('replaces an unread market or state value by a newer one of its key, in its place', () => {
    const mailbox = new Mailbox();
    const outcomes = [
      mailbox.accept(envelope('market', 'BTC')),
      mailbox.accept(envelope('market', 'ETH')),
      mailbox.accept(envelope('market', 'BTC', 5)),
    ];
    expect(outcomes).toEqual(['sent', 'sent', 'merged']);
    expect(mailbox.take()).toMatchObject({ key: 'market BTC', sentAtMs: 5 });
    expect(mailbox.accept(envelope('market', 'BTC'))).toBe('sent');
    expect(mailbox.snapshot(0)).toMatchObject({ depthTotal: 2, merged: 1 });
  });

  it('refuses must-deliver and state at its bound, never system messages', () => {
    const mailbox = new Mailbox(2);
    mailbox.accept(envelope('order'));
    mailbox.accept(envelope('state', 'a'));
    expect([
      mailbox.accept(envelope('risk')),
      mailbox.accept(envelope('state', 'b')),
      mailbox.accept(envelope('state', 'a')),
    ]).toEqual(['refused', 'refused', 'merged']);
    expect(mailbox.accept(envelope('system'))).toBe('sent');
    expect(mailbox.snapshot(0)).toMatchObject({ refused: 2, depthTotal: 3, highWaterMark: 3 });
  });

  it('pushes the oldest market value out for a new key at its bound, and refuses it when there is none', () => {
    const mailbox = new Mailbox(2);
    mailbox.accept(envelope('market', 'a'));
    mailbox.accept(envelope('market', 'b'));
    expect(mailbox.accept(envelope('market', 'c'))).toBe('sent');
    expect([mailbox.take()?.key, mailbox.take()?.key]).toEqual(['market b', 'market c']);
    mailbox.accept(envelope('order'));
    mailbox.accept(envelope('order'));
    expect(mailbox.accept(envelope('market', 'd'))).toBe('refused');
  });

  it('takes port answers beyond its bound and says when that went too far', () => {
    const mailbox = new Mailbox(2);
    for (let answer = 0; answer < 16; answer++) mailbox.acceptOwed(envelope('order'));
    expect(mailbox.overrun).toBe(false);
    mailbox.acceptOwed(envelope('order'));
    expect(mailbox.overrun).toBe(true);
  });

  it('lets no waiting level starve behind better ones', () => {
    const mailbox = new Mailbox();
    mailbox.accept(envelope('market', 'a'));
    mailbox.accept(envelope('normal'));
    const served: string[] = [];
    for (let turn = 0; turn < 300; turn++) {
      mailbox.accept(envelope('order'));
      served.push(mailbox.take()?.type.name ?? '');
    }
    expect(served.slice(0, 64)).toEqual(new Array(64).fill('order'));
    expect(served.filter((name) => name !== 'order').sort()).toEqual(['market', 'normal']);
  });

  it('puts a message back in front of its class', () => {
    const mailbox = new Mailbox();
    const first = envelope('order');
    mailbox.accept(first);
    mailbox.accept(envelope('order'));
    mailbox.take();
    mailbox.putBack(first);
    expect(mailbox.take()).toBe(first);
  });

  it('measures the age of its oldest message', () => {
    const mailbox = new Mailbox();
    mailbox.accept(envelope('order', '', 40));
    mailbox.accept(envelope('market', 'a', 10));
    expect(mailbox.snapshot(100).oldestAgeMs).toBe(90);
  });

  it('never loses, repeats or reorders must-deliver messages of one class, and keeps the newest of each key', () => {
    const kinds = fc.constantFrom('order' as const, 'normal' as const, 'market' as const, 'state' as const);
    const steps = fc.array(
      fc.oneof(fc.record({ kind: kinds, key: fc.constantFrom('a', 'b', 'c') }), fc.constant('take' as const)),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(steps, (script) => {
        const mailbox = new Mailbox(20);
        const owed: Record<'order' | 'normal', Envelope[]> = { order: [], normal: [] };
        const newest = new Map<string, Envelope>();
        for (const step of script) {
          if (step === 'take') {
            const taken = mailbox.take();
            if (taken === undefined) expect([...owed.order, ...owed.normal, ...newest.values()]).toEqual([]);
            else if (taken.key === '') expect(owed[taken.type.name as 'order' | 'normal'].shift()).toBe(taken);
            else {
              expect(newest.get(taken.key)).toBe(taken);
              newest.delete(taken.key);
            }
            continue;
          }
          const sent = envelope(step.kind, step.key);
          const marketBefore = [...newest.keys()].find((key) => key.startsWith('market'));
          const outcome = mailbox.accept(sent);
          if (outcome === 'refused') continue;
          if (step.kind === 'order' || step.kind === 'normal') owed[step.kind].push(sent);
          else {
            const isFull = owed.order.length + owed.normal.length + newest.size >= 20;
            if (outcome === 'sent' && isFull && marketBefore !== undefined) newest.delete(marketBefore);
            newest.set(sent.key, sent);
          }
        }
        expect(mailbox.depth).toBe(owed.order.length + owed.normal.length + newest.size);
      }),
      { numRuns: 300 },
    );
  });
});
