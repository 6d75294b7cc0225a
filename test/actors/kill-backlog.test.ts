import { describe, expect, it } from 'vitest';
import { connector } from '../../actors/connector.ts';
import { guard } from '../../actors/guard.ts';
import type { EngineStateChanged } from '../../actors/guard-messages.ts';
import { position } from '../../actors/position.ts';
import { engineDelivery } from '../../src/composition/delivery.ts';
import type { MessageShape } from '../../src/runtime/actor.ts';
import type { AnyActorKind } from '../../src/runtime/kind-registry.ts';
import { conflationKey, Mailbox, newEnvelope } from '../../src/runtime/mailbox.ts';
import { MessageTypes } from '../../src/runtime/message-types.ts';
import type { DeliveryByType } from '../../src/runtime/message-types.ts';
import { stage } from './stage.ts';

const types = new MessageTypes(engineDelivery as readonly DeliveryByType[]);
const BACKLOG = 1_000;

function accept(mailbox: Mailbox, message: MessageShape): string {
  const type = types.byName(message.type);
  if (type === undefined) throw new Error(`${message.type} must be a message of the engine`);
  return mailbox.accept(newEnvelope(type, message, conflationKey(type, message), 'test', 0));
}

/** Holds as many messages as there is room for but one, of every type the actor takes that is no matter of risk. */
function backlogOf(kind: AnyActorKind): Mailbox {
  const mailbox = new Mailbox(BACKLOG);
  const others = Object.keys(kind.delivery).filter((name) => types.byName(name)?.level !== 1);
  expect(others.length).toBeGreaterThan(1);
  for (let at = 0; mailbox.depth < BACKLOG - 1; at++) {
    const type = others[at % others.length] ?? '';
    // Each of a key of its own, so that none replaces another.
    accept(mailbox, { type, venue: `v${at}`, symbol: `s${at}`, base: `b${at}`, account: `a${at}` } as MessageShape);
  }
  return mailbox;
}

describe('what a kill sets off overtakes a full backlog', () => {
  it.each([
    ['the command', guard, { type: 'kill', level: 3, reason: 'test' }],
    ['a switch of the engine', guard, { type: 'set-engine-state', state: 'STOPPED', reason: 'test' }],
    ['the word to flatten', position, { type: 'engine-state-changed', state: 'STOPPED', reason: 'K3', flatten: true }],
    ['the word to leave a pair', position, { type: 'exit-pair', reason: 'MANUAL' }],
    ['what may leave', connector, { type: 'limit-orders', allowed: 'reducing', cancelOpens: true, reason: 'K2' }],
    ['a cancel', connector, { type: 'cancel-order', clientOrderId: '7' }],
  ] as const)('%s at %o', (_, kind, message) => {
    const mailbox = backlogOf(kind as unknown as AnyActorKind);
    expect(accept(mailbox, message)).toBe('sent');
    expect(mailbox.take()?.message).toBe(message);
    expect(mailbox.depth).toBe(BACKLOG - 1);
  });

  it('and a newer state takes the place of one that is not read yet', () => {
    const mailbox = backlogOf(position as unknown as AnyActorKind);
    const armed: EngineStateChanged = { type: 'engine-state-changed', state: 'ARMED', reason: '', flatten: false };
    const flatten: EngineStateChanged = { ...armed, state: 'STOPPED', flatten: true };
    expect([accept(mailbox, armed), accept(mailbox, flatten)]).toEqual(['sent', 'merged']);
    expect(mailbox.snapshot(0).depth).toMatchObject({ risk: 0, state: expect.any(Number) as number });
    expect(mailbox.take()?.message).toBe(flatten);
  });
});

it('a position that had no room for the word to flatten is told again until it has', () => {
  let isFull = true;
  const paths = ['strategy', 'position/BTC', 'position/ETH'];
  const play = stage(
    guard,
    {
      limits: {
        ...{ dailyLossMicro: 1_000_000n, maxDrawdownMicro: 1_000_000n, maxConsecutiveLosses: 3, entryPauseMs: 1_000 },
        maxExposureQuoteSec: 1_000,
      },
      ...{ resumeTrading: false, bases: ['BTC', 'ETH'], journalPath: 'journal', recipientPaths: paths },
    },
    { outcome: ({ path }) => (path === 'position/BTC' && isFull ? 'refused' : 'sent') },
  );
  const flattenings = (path: string): number =>
    play
      .sentTo(path)
      .filter((message) => message.type === 'engine-state-changed' && 'flatten' in message && message.flatten === true)
      .length;
  play.deliver({ type: 'kill', level: 3, reason: 'test' });
  expect([flattenings('position/BTC'), flattenings('position/ETH')]).toEqual([1, 1]);
  play.advance(50);
  const refused = flattenings('position/BTC');
  expect(refused).toBeGreaterThan(2);
  isFull = false;
  play.advance(50);
  expect([flattenings('position/BTC'), flattenings('position/ETH')]).toEqual([refused + 1, 1]);
});
