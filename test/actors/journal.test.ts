import { describe, expect, it } from 'vitest';
import { journal, PAGE_ROWS_MAX } from '../../actors/journal.ts';
import type { GuardMessage } from '../../actors/guard-messages.ts';
import type { AppendRows, JournalMessage } from '../../actors/journal-messages.ts';
import { refOf } from '../../src/runtime/actor.ts';
import type { ActorRef } from '../../src/runtime/actor.ts';
import type { JournalPorts } from '../../src/ports/ports.ts';
import { pageOfRows } from '../../src/storage/row-page.ts';
import type { JournalRow, StoreQuery } from '../../src/storage/rows.ts';
import { row } from '../storage/rows.ts';
import { changesOf, expectDrawn } from '../drawn-table.ts';
import { stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

/** A store that remembers what it was asked; answers are delivered by hand. */
function stageJournal(
  options: StageOptions<JournalPorts> & {
    readonly stored?: readonly JournalRow[];
    readonly pendingAppendsMax?: number;
    readonly guard?: ActorRef<GuardMessage>;
  } = {},
) {
  const appended: (readonly JournalRow[])[] = [];
  const queries: StoreQuery[] = [];
  const read = (query: StoreQuery): readonly JournalRow[] => {
    queries.push(query);
    return (options.stored ?? []).slice(0, query.limit);
  };
  const ports: JournalPorts = {
    store: {
      append: (rows) => appended.push(rows),
      read,
      readPage: (query) => ({
        page: pageOfRows(read(query)),
        complete: (options.stored ?? []).length <= query.limit,
      }),
    },
  };
  const args = {
    ...(options.pendingAppendsMax === undefined ? {} : { pendingAppendsMax: options.pendingAppendsMax }),
    ...(options.guard === undefined ? {} : { guard: options.guard }),
  };
  return { actor: stage(journal, args, { ...options, ports }), appended, queries };
}

function append(appendId: number, ...ids: readonly string[]): AppendRows {
  return {
    type: 'append-rows',
    rows: ids.map((id) => row(id)),
    whenDurable: [
      { to: refOf('position/BTC'), message: { type: 'fill-received' } },
      { to: refOf('connector'), message: { type: 'append-durable' } },
    ],
    sender: refOf('connector'),
    appendId,
  };
}

describe('journal', () => {
  it('tells nobody before the rows are durable, then each in order', () => {
    const { actor, appended } = stageJournal();
    actor.deliver(append(7, 'a'));
    expect(appended).toEqual([[row('a')]]);
    expect(actor.sent).toEqual([]);
    actor.deliver({ type: 'rows-durable', ref: 1 });
    expect(actor.sent).toEqual([
      { to: 'position/BTC', message: { type: 'fill-received' } },
      { to: 'connector', message: { type: 'append-durable' } },
    ]);
  });

  it('hands appends that came together to the store in their order, and answers each by itself', () => {
    const { actor, appended } = stageJournal();
    const appends = [append(7, 'a'), append(8, 'b', 'c')];
    actor.deliver({ type: 'append-together', appends });
    expect(appended).toEqual([[row('a')], [row('b'), row('c')]]);
    actor.deliver({ type: 'store-failed', ref: 1, detail: 'full' });
    expect(actor.sentTo('connector')).toMatchObject([{ type: 'append-failed', appendId: 7 }]);
    actor.deliver({ type: 'rows-durable', ref: 2 });
    expect(actor.sentTo('position/BTC')).toEqual([{ type: 'fill-received' }]);
  });

  it('tells a sender that asks for it, before all others, that the commit was slow', () => {
    const { actor } = stageJournal();
    actor.deliver({ ...append(7, 'a'), tellSlow: true } as JournalMessage);
    actor.deliver({ type: 'rows-durable', ref: 1, slowCommitMs: 80 });
    expect(actor.sent[0]).toEqual({ to: 'connector', message: { type: 'append-slow', appendId: 7, commitMs: 80 } });
    expect(actor.sent).toHaveLength(3);
    actor.clearSent();
    actor.deliver(append(8, 'b'));
    actor.deliver({ type: 'rows-durable', ref: 2, slowCommitMs: 80 });
    expect(actor.sent).toHaveLength(2);
  });

  it('tells again when rows come again, and counts them', () => {
    const { actor } = stageJournal();
    actor.deliver(append(1, 'a'));
    actor.deliver({ type: 'rows-durable', ref: 1 });
    actor.deliver(append(1, 'a'));
    actor.deliver({ type: 'rows-durable', ref: 2, repeatedRows: 1 });
    expect(actor.sent).toHaveLength(4);
    expect(actor.counts.get('rows-repeated')).toBe(1);
    expect(journal.digest?.(actor.state())).toMatchObject({ rowsDurable: 1, pendingAppends: 0 });
  });

  it('keeps the receipt back when somebody before it had no room, so that the sender repeats', () => {
    const { actor } = stageJournal({ outcome: (to) => (to.path === 'position/BTC' ? 'refused' : 'sent') });
    actor.deliver(append(1, 'a'));
    actor.deliver({ type: 'rows-durable', ref: 1 });
    expect(actor.sentTo('connector')).toEqual([]);
    expect(actor.counts.get('told-refused')).toBe(1);
  });

  it('tells the others when one of them no longer lives', () => {
    const { actor } = stageJournal({ outcome: (to) => (to.path === 'position/BTC' ? 'dead' : 'sent') });
    actor.deliver(append(1, 'a'));
    actor.deliver({ type: 'rows-durable', ref: 1 });
    expect(actor.sentTo('connector')).toEqual([{ type: 'append-durable' }]);
  });

  it('tells only the sender when the store refuses', () => {
    const { actor } = stageJournal();
    actor.deliver(append(9, 'a'));
    actor.deliver({ type: 'store-failed', ref: 1, detail: 'disk full' });
    expect(actor.sent).toEqual([
      { to: 'connector', message: { type: 'append-failed', code: 'not-stored', appendId: 9, detail: 'disk full' } },
    ]);
  });

  it('has the guard take the engine down when the disk refuses anybody, once until it takes something again', () => {
    const { actor } = stageJournal({ guard: refOf('guard') });
    const fail = (appendId: number): void => {
      actor.deliver(append(appendId, `row ${appendId}`));
      actor.deliver({ type: 'store-failed', ref: appendId, detail: 'disk full' });
    };
    fail(1);
    fail(2);
    expect(actor.sentTo('guard')).toEqual([{ type: 'kill', level: 2, reason: 'JOURNAL_FAILED: disk full' }]);
    actor.deliver(append(3, 'row 3'));
    actor.deliver({ type: 'rows-durable', ref: 3 });
    fail(4);
    expect(actor.sentTo('guard')).toHaveLength(2);
  });

  it('names a contradiction to its writer, tells nobody else, and has the guard take the engine down', () => {
    const { actor } = stageJournal({ guard: refOf('guard') });
    actor.deliver(append(9, 'a'));
    actor.deliver({ type: 'store-failed', ref: 1, detail: 'a differs', isConflict: true });
    expect(actor.sent).toEqual([
      { to: 'guard', message: { type: 'kill', level: 2, reason: 'JOURNAL_CONFLICT: a differs' } },
      { to: 'connector', message: { type: 'append-failed', code: 'row-conflict', appendId: 9, detail: 'a differs' } },
    ]);
    expect(actor.counts.get('row-conflicts')).toBe(1);
    expect(journal.digest?.(actor.state())).toMatchObject({ conflicts: 1, pendingAppends: 0 });
  });

  it('refuses more appends than it may hold', () => {
    const { actor, appended } = stageJournal({ pendingAppendsMax: 2 });
    for (const id of [1, 2, 3]) actor.deliver(append(id, `r${id}`));
    expect(appended).toHaveLength(2);
    expect(actor.sent).toMatchObject([
      { to: 'connector', message: { type: 'append-failed', code: 'not-stored', appendId: 3 } },
    ]);
  });

  it('crashes on an answer to nothing: its picture of the store is wrong', () => {
    const { actor } = stageJournal();
    expect(() => actor.deliver({ type: 'rows-durable', ref: 5 })).toThrow('was for 5');
  });

  it.each([
    ['fewer rows than asked for', 3, 10, 3, true],
    ['exactly what is there', 10, 10, 10, true],
    ['a part of what is there', 11, 10, 10, false],
    ['a full page when more is asked for', PAGE_ROWS_MAX + 1, 5_000, PAGE_ROWS_MAX, false],
  ])('answers a read with %s', (_, storedRows, limit, told, complete) => {
    const stored = Array.from({ length: storedRows }, (_unused, index) => row(`r${index}`, { sequence: index + 1 }));
    const { actor, queries } = stageJournal({ stored });
    actor.deliver({
      type: 'read-rows',
      query: { type: 'by-actor', actor: 'guard', afterSequence: 4, limit },
      replyTo: refOf('guard'),
      readId: 3,
    });
    expect(actor.sentTo('guard')).toEqual([
      { type: 'rows-read', readId: 3, page: pageOfRows(stored.slice(0, told)), complete },
    ]);
    expect(queries).toMatchObject([{ type: 'by-actor', actor: 'guard', afterSequence: 4 }]);
  });

  it('answers an ask with one page, as it answers a read', () => {
    const stored = [row('b', { sequence: 2 }), row('a', { sequence: 1 })];
    const { actor, queries } = stageJournal({ stored });
    const query = { type: 'latest', correlation: 'BTC', limit: 1 } as const;
    actor.deliver({ type: 'ask-rows', query, replyTo: refOf('$main'), askId: 7 });
    const value = { rows: stored.slice(0, 1), complete: false };
    expect(actor.sentTo('$main')).toEqual([{ type: 'ask-replied', askId: 7, value }]);
    expect(queries).toEqual([{ ...query, limit: 2 }]);
  });
});

it('the table of a journal that keeps and fails', () => {
  /** A life as what happened to it: the store answers the newest append. */
  type Life = readonly ('stored' | 'not stored' | 'contradicted' | 'full' | 'read')[];
  const play = (life: Life): string => {
    const { actor, appended } = stageJournal({ guard: refOf('guard'), pendingAppendsMax: 1 });
    for (const happening of life) {
      if (happening === 'read') {
        const query = { type: 'all', afterSequence: 0, limit: 5 } as const;
        actor.deliver({ type: 'read-rows', query, replyTo: refOf('monitor'), readId: 1 });
        continue;
      }
      actor.deliver(append(1, 'a'));
      const ref = appended.length;
      if (happening === 'full') actor.deliver(append(2, 'b'));
      else if (happening === 'stored') actor.deliver({ type: 'rows-durable', ref });
      else
        actor.deliver({
          type: 'store-failed',
          ref,
          detail: happening,
          ...(happening === 'contradicted' ? { isConflict: true as const } : {}),
        });
    }
    return actor.state().isFailing ? 'failing' : 'keeping';
  };
  const then =
    (happening: Life[number]) =>
    (life: Life): Life => [...life, happening];
  const changes = changesOf<Life>(
    { keeping: ['stored'], failing: ['stored', 'not stored'] },
    {
      stored: then('stored'),
      'not stored': then('not stored'),
      'no room for an append': then('full'),
      contradicted: then('contradicted'),
      'asked for rows': then('read'),
    },
    play,
  );
  expectDrawn('actors/journal.ts', changes);
});
