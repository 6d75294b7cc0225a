import { describe, expect, it } from 'vitest';
import { decideChat, newChatCommands } from '../../src/observe/chat-commands.ts';
import type { ChatDecision, ChatFacts, ChatMessage } from '../../src/observe/chat-commands.ts';

const FACTS: ChatFacts = {
  ...{ state: 'TRADING', reason: '', openPairs: 2, netResultQuote: 12.345, venuesReady: 1, venues: 2, alertsActive: 3 },
};
const FIRST_MS = 1_000_000;

/** A chat in which codes are 111111, 222222, ... */
function chat(facts: ChatFacts = FACTS) {
  let state = newChatCommands;
  let codes = 0;
  return (text: string, more: Partial<ChatMessage> = {}): ChatDecision => {
    const message = { userId: '7', isPrivate: true, text, atMs: FIRST_MS, ...more };
    const drawCode = (): string => String((codes += 1)).repeat(6);
    const decision = decideChat(state, message, facts, { userIds: ['7', '8'], drawCode });
    ({ state } = decision);
    return decision;
  };
}

describe('commands by chat', () => {
  it('say nothing to strangers and nothing outside of a private chat', () => {
    const say = chat();
    expect(say('/status', { userId: '9' })).toMatchObject({ ignored: 'stranger' });
    expect(say('/status', { userId: '9' }).reply).toBeUndefined();
    expect(say('/kill 3', { isPrivate: false })).toMatchObject({ ignored: 'not private' });
    expect(say('/confirm 111111').act).toBeUndefined();
  });

  it('tell what the engine is doing, in fixed words', () => {
    expect(chat()('/status').reply).toBe(
      'Engine TRADING\n2 open pairs, result 12.35\n1 of 2 venues ready, 3 active alerts',
    );
  });

  it('pause what trades and raise nothing that does not', () => {
    expect(chat()('/pause').act).toEqual({ type: 'pause' });
    for (const state of ['ARMED', 'REDUCE_ONLY', 'HALTED', 'STOPPED'])
      expect(chat({ ...FACTS, state })('/pause').act).toBeUndefined();
  });

  it('kill only when the same person says the code within a minute, once', () => {
    const say = chat();
    expect(say('/kill 2')).toMatchObject({ reply: 'Kill 2: to confirm, answer /confirm 111111 within a minute.' });
    expect(say('/confirm 111111', { userId: '8' }).act).toBeUndefined();
    expect(say('/confirm 111111').act).toEqual({ type: 'kill', level: 2 });
    expect(say('/confirm 111111').act).toBeUndefined();
    say('/kill 3');
    expect(say('/confirm 999999').act).toBeUndefined();
    expect(say('/confirm 222222').act).toBeUndefined();
    say('/kill 3');
    expect(say('/confirm 333333', { atMs: FIRST_MS + 60_001 }).act).toBeUndefined();
  });

  it.each(['/kill', '/kill 4', '/kill 0', '/kill 2 now', '/trade', '/adopt BTC', 'hello', ''])(
    'do nothing but explain themselves for "%s"',
    (text) => {
      const decision = chat()(text);
      expect(decision.act).toBeUndefined();
      expect(decision.reply).toContain('/status');
      expect(decision.reply).not.toContain('adopt');
    },
  );

  it('are ten a minute and no more', () => {
    const say = chat();
    for (let index = 0; index < 10; index++) expect(say('/status', { atMs: FIRST_MS + index }).reply).toBeDefined();
    expect(say('/pause', { atMs: FIRST_MS + 30_000 })).toMatchObject({ ignored: 'too many' });
    expect(say('/pause', { atMs: FIRST_MS + 30_000 }).act).toBeUndefined();
    expect(say('/pause', { atMs: FIRST_MS + 60_001 }).act).toEqual({ type: 'pause' });
  });
});
