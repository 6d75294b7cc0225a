import { describe, expect, it } from 'vitest';
import { queueFrames } from '../../actors/connector/frames.ts';
import type { ConnectorSelf, ConnectorState } from '../../actors/connector/state.ts';
import { DEFAULT_FLAGS } from '../../src/venues/flags.ts';
import type { OutboundFrame } from '../../src/venues/venue.ts';

/** Only the queue is looked at: nothing is sent. */
function queueOf(...batches: readonly (readonly OutboundFrame[])[]): readonly string[] {
  const state = {
    frames: [] as OutboundFrame[],
    flags: DEFAULT_FLAGS,
    fallBacks: new Map(),
    coalesced: new Set(),
  } as unknown as ConnectorState;
  const self = { count: () => undefined } as unknown as ConnectorSelf;
  for (const batch of batches) queueFrames(state, self, batch);
  return state.frames.map(({ text }) => text);
}

const frame = (verb: string, channel: string, socketKey = 'market'): OutboundFrame => ({
  ...{ socketKey, text: `${verb} ${channel}`, kind: 'control', key: channel, awaits: `${verb} ${channel}` },
});
const subscribe = (channel: string): OutboundFrame => frame('subscribe', channel);
const unsubscribe = (channel: string): OutboundFrame => frame('unsubscribe', channel);

describe('the queue of control frames', () => {
  it('makes one message of a hundred wishes for a channel, in the place of the first', () => {
    const wishes = Array.from({ length: 100 }, () => [subscribe('a')]);
    expect(queueOf(...wishes.slice(0, 50), [subscribe('b')], ...wishes.slice(50))).toEqual([
      'subscribe a',
      'subscribe b',
    ]);
  });

  it('keeps the last word, whatever was wished before', () => {
    expect(queueOf([subscribe('a')], [unsubscribe('a')])).toEqual(['unsubscribe a']);
    expect(queueOf([subscribe('a')], [unsubscribe('a')], [subscribe('a')])).toEqual(['subscribe a']);
    expect(queueOf([unsubscribe('a')], [subscribe('a')])).toEqual(['subscribe a']);
  });

  it('keeps what belongs together together, without undoing what never left', () => {
    const renewed = [unsubscribe('a'), subscribe('a')];
    expect(queueOf(renewed, renewed)).toEqual(['unsubscribe a', 'subscribe a']);
    expect(queueOf([subscribe('a')], renewed)).toEqual(['subscribe a']);
    expect(queueOf([subscribe('b')], renewed, [subscribe('c')], renewed)).toEqual([
      ...['subscribe b', 'unsubscribe a', 'subscribe a', 'subscribe c'],
    ]);
  });

  it('tells sockets apart, and leaves alone what has no key', () => {
    const order: OutboundFrame = { socketKey: 'market', text: 'x', kind: 'control' };
    expect(queueOf([order], [order], [frame('subscribe', 'a', 'account')], [subscribe('a')])).toEqual([
      ...['x', 'x', 'subscribe a', 'subscribe a'],
    ]);
  });
});
