import { describe, expect, it } from 'vitest';
import { AskTable } from '../../src/runtime/ask-table.ts';
import { ASKS_PATH } from '../../src/runtime/placement.ts';

type Sent = { readonly type: string; readonly askId: number; readonly replyTo: { readonly path: string } };

/** A table whose messages go to a list. */
function table(): {
  readonly asks: AskTable;
  readonly sent: Sent[];
  readonly ask: (path: string, deadlineMs?: number) => Promise<unknown>;
} {
  const asks = new AskTable();
  const sent: Sent[] = [];
  return {
    asks,
    sent,
    ask: (path, deadlineMs = 60_000) =>
      asks.ask(path, { type: 'question' }, deadlineMs, (asked) => {
        sent.push(asked);
        return true;
      }),
  };
}

describe('the table of asks', () => {
  it('brings each answer to its ask, whatever their order', async () => {
    const { asks, sent, ask } = table();
    const answers = [ask('a'), ask('a'), ask('b')];
    for (const { askId } of [...sent].reverse())
      asks.take({ type: 'ask-replied', askId, value: `answer ${askId}` } as { readonly type: string });
    expect(await Promise.all(answers)).toEqual(sent.map(({ askId }) => `answer ${askId}`));
    expect(new Set(sent.map(({ askId }) => askId)).size).toBe(3);
    expect(sent[0]).toMatchObject({ type: 'question', replyTo: { path: ASKS_PATH } });
  });

  it('fails an ask at its deadline, and counts the answer that comes late', async () => {
    const { asks, sent, ask } = table();
    await expect(ask('a', 1)).rejects.toMatchObject({
      code: 'deadline',
      message: '"question" to a must be answered within 1 ms',
    });
    expect(asks.late).toBe(0);
    asks.take({ type: 'ask-replied', askId: sent[0]?.askId, value: 1 } as { readonly type: string });
    expect(asks.late).toBe(1);
  });

  it('fails all asks of an actor that ended, and no others', async () => {
    const { asks, sent, ask } = table();
    const [first, second, other] = [ask('a'), ask('a'), ask('b')];
    asks.actorEnded('a', 'it crashed');
    await expect(first).rejects.toMatchObject({
      code: 'actor-ended',
      message: 'a ended before it answered: it crashed',
    });
    await expect(second).rejects.toMatchObject({ code: 'actor-ended' });
    asks.take({ type: 'ask-replied', askId: sent[2]?.askId, value: 'still here' } as { readonly type: string });
    expect(await other).toBe('still here');
  });

  it('fails an ask that could not be sent, and all that wait when the system stops', async () => {
    const { asks, ask } = table();
    await expect(asks.ask('a', { type: 'question' }, 60_000, () => false)).rejects.toMatchObject({ code: 'not-sent' });
    const waiting = ask('a');
    asks.failAll('system stopped');
    await expect(waiting).rejects.toMatchObject({ code: 'system-stopped', message: 'system stopped' });
  });

  it('takes nothing that is no answer', () => {
    const { asks } = table();
    asks.take({ type: 'news' });
    asks.take({ type: 'ask-replied' });
    expect(asks.late).toBe(0);
  });
});
