import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageShape } from '../../src/runtime/actor.ts';
import { CODEC, MessageCodec } from '../../src/runtime/codec.ts';
import { LaneReceiver, type Arrival } from '../../src/runtime/lane-receiver.ts';
import { LaneSender, type Outgoing } from '../../src/runtime/lane-sender.ts';
import { MessageTypes, type MessageType } from '../../src/runtime/message-types.ts';
import { Segment } from '../../src/runtime/segment.ts';

interface News {
  readonly type: 'state' | 'price';
  readonly key: string;
  readonly number: number;
  readonly padding: string;
}

const TYPES = new MessageTypes([
  {
    state: { class: 'state', keyFields: ['key'] },
    price: {
      class: 'market',
      keyFields: ['key'],
      shape: (f, message) => {
        // The table keeps shapes by type: only a price comes here.
        const price = message as News;
        return {
          type: 'price',
          key: f.text(price.key),
          number: f.number(price.number),
          padding: f.text(price.padding),
        } as MessageShape;
      },
    },
  },
]);

function typeOf(name: string): MessageType {
  const type = TYPES.byName(name);
  if (type === undefined) throw new Error(`no type ${name}`);
  return type;
}

/** One sender and one receiver of two threads of a segment, both driven by this one. */
function newLane(dataLaneBytes: number): { readonly sender: LaneSender; readonly receiver: LaneReceiver } {
  const segment = Segment.allocate({ threads: 2, controlLaneBytes: 4_096, dataLaneBytes, latestSlots: 32 }, TYPES.hash);
  segment.resetPair(0, 1, 0);
  const places = [segment.lane(0, 1, 'control', 0), segment.lane(0, 1, 'data', 0), segment.latest(0, 1, 0)] as const;
  const sender = new LaneSender(new MessageCodec(TYPES), (path, type, reason) => {
    throw new Error(`${type} to ${path} must not be refused: ${reason}`);
  });
  sender.attach(...places);
  return { sender, receiver: new LaneReceiver(0, ...places, new MessageCodec(TYPES), TYPES) };
}

function send(sender: LaneSender, news: News): void {
  const type = typeOf(news.type);
  const outgoing: Outgoing = {
    message: news,
    type,
    typeId: type.id,
    codec: CODEC.map,
    destination: 1,
    source: 2,
    to: 'to',
    from: 'from',
    sentAtUs: 0,
    attempts: 0,
    sequence: 0,
  };
  if (news.type === 'price') sender.sendMarket(1, type.keyOf(news), outgoing);
  else sender.sendData(`1 ${type.keyOf(news)}`, outgoing);
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ key: fc.constantFrom('a', 'b', 'c'), size: fc.constantFrom(0, 20, 200, 2_000) }),
    },
    { weight: 3, arbitrary: fc.constant('state' as const) },
    { weight: 2, arbitrary: fc.record({ drain: fc.integer({ min: 1, max: 8 }), isStuck: fc.boolean() }) },
  ),
  { maxLength: 120 },
);

describe('market and state messages of one sender', () => {
  it('arrive newest last per key, each price after the states told before it, whichever way it went', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(1_024, 16_384), (script, dataLaneBytes) => {
        const { sender, receiver } = newLane(dataLaneBytes);
        const seen = new Map<string, number>();
        let newestState = -1;
        let isStuck = false;
        const lastStateBefore: number[] = [];
        let lastState = -1;
        const take = (arrival: Arrival): 'taken' | 'full' => {
          const news = arrival.message as News;
          if (news.type === 'state' && isStuck) return 'full';
          expect(news.number).toBeGreaterThan(seen.get(`${news.type} ${news.key}`) ?? -1);
          seen.set(`${news.type} ${news.key}`, news.number);
          if (news.type === 'state') newestState = news.number;
          else expect(newestState).toBeGreaterThanOrEqual(lastStateBefore[news.number] ?? -1);
          return 'taken';
        };
        const told = new Map<string, number>();
        for (const [number, step] of script.entries()) {
          // What waits on the sender's side takes the place of the value it replaces: fair to all keys, and no order.
          lastStateBefore[number] = sender.hasBacklog ? -1 : lastState;
          if (step === 'state') {
            // One key: the newest state tells of all before it.
            send(sender, { type: 'state', key: 's', number, padding: 'x'.repeat(100) });
            lastState = number;
            told.set('state s', number);
          } else if ('drain' in step) {
            isStuck = step.isStuck;
            receiver.drain(step.drain, take, () => {});
            sender.flush();
          } else {
            send(sender, { type: 'price', key: step.key, number, padding: 'x'.repeat(step.size) });
            told.set(`price ${step.key}`, number);
          }
        }
        isStuck = false;
        for (let round = 0; round < 500 && (receiver.hasRecords || sender.hasBacklog || round < 2); round++) {
          receiver.drain(64, take, () => {});
          sender.flush();
        }
        expect(seen).toEqual(told);
      }),
      { numRuns: 300 },
    );
  });
});
