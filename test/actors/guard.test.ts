import { describe, expect, it } from 'vitest';
import { guard } from '../../actors/guard.ts';
import type { GuardArgs } from '../../actors/guard.ts';
import type { EngineStateChanged, GuardMessage } from '../../actors/guard-messages.ts';
import type { JournalMessage } from '../../actors/journal-messages.ts';
import type { MessageShape } from '../../src/runtime/actor.ts';
import { pageOfRows } from '../../src/storage/row-page.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { pairChanged } from './pairs.ts';
import { stage } from './stage.ts';
import type { Stage } from './stage.ts';

const DAY_MS = 86_400_000;
const args: GuardArgs = {
  limits: {
    dailyLossMicro: 100_000_000n,
    maxDrawdownMicro: 300_000_000n,
    maxExposureQuoteSec: 50_000,
    maxConsecutiveLosses: 3,
    entryPauseMs: 900_000,
  },
  resumeTrading: true,
  bases: ['ETH', 'BTC'],
  journalPath: 'journal',
  recipientPaths: ['strategy', 'position/ETH', 'position/BTC', 'observer'],
};
type Play = Stage<unknown, GuardMessage, unknown>;
type Append = Extract<JournalMessage, { type: 'append-rows' }>;

function start(changes: Partial<GuardArgs> = {}): Play {
  return stage(guard, { ...args, ...changes });
}
function isAppend(message: MessageShape): message is Append {
  return message.type === 'append-rows';
}
function isEngineState(message: MessageShape): message is EngineStateChanged {
  return message.type === 'engine-state-changed';
}
const appends = (play: Play): readonly Append[] => play.sentTo('journal').filter(isAppend);
const told = (play: Play, path = 'strategy'): readonly EngineStateChanged[] => play.sentTo(path).filter(isEngineState);
const current = (play: Play): EngineStateChanged | undefined => told(play).at(-1);
/** The journal acknowledges everything appended so far. */
function acknowledge(play: Play): void {
  for (const append of appends(play)) play.deliver({ type: 'guard-row-durable', appendId: append.appendId });
}
function rows(play: Play, found: readonly JournalRow[] = [], readId = 0, complete = true): void {
  play.deliver({ type: 'rows-read', readId, page: pageOfRows(found), complete });
}
const row = (
  state: string,
  flatten: boolean,
  sequence: number,
  changes: Readonly<Record<string, unknown>> = {},
): JournalRow => ({
  id: `engine-state:${sequence}`,
  type: 'engine-state',
  atMs: 0,
  actor: 'guard',
  correlation: '',
  payload: { state, reason: 'before', flatten, ...changes },
  sequence,
});
function recovered(changes: Partial<GuardArgs> = {}): Play {
  const play = start(changes);
  rows(play);
  for (const base of args.bases) play.deliver(pairChanged(base));
  acknowledge(play);
  return play;
}

describe('recovery', () => {
  it('stays STOPPED until the journal was read and every position has recovered', () => {
    const play = start();
    expect(current(play)?.state).toBe('STOPPED');
    play.deliver(pairChanged('ETH'));
    rows(play);
    play.deliver(pairChanged('BTC', { phase: 'RECOVERING' }));
    expect(appends(play)).toEqual([]);
    play.deliver(pairChanged('BTC', { phase: 'OPEN' }));
    expect(appends(play)).toHaveLength(1);
  });

  it('goes up only once that is durable, and tells everybody', () => {
    const play = start();
    rows(play);
    for (const base of args.bases) play.deliver(pairChanged(base));
    expect(current(play)?.state).toBe('STOPPED');
    acknowledge(play);
    for (const path of args.recipientPaths) expect(told(play, path).at(-1)?.state).toBe('TRADING');
  });

  it('goes no further than ARMED without resumeTrading', () => {
    expect(current(recovered({ resumeTrading: false }))?.state).toBe('ARMED');
  });

  it('reads the journal page by page and asks again when nobody answers', () => {
    const play = start();
    play.advance(2_500);
    const reads = play.sentTo('journal').filter((message) => message.type === 'read-rows');
    expect(reads).toHaveLength(2);
    rows(play, [row('TRADING', false, 7)], 0, false);
    expect(play.sentTo('journal').at(-1)).toMatchObject({ type: 'read-rows', query: { afterSequence: 7 }, readId: 7 });
    rows(play, [row('HALTED', true, 3)], 0);
    rows(play, [row('REDUCE_ONLY', false, 9)], 7);
    expect(current(play)).toMatchObject({ state: 'REDUCE_ONLY', reason: 'before' });
  });

  it.each([
    ['HALTED', true],
    ['REDUCE_ONLY', false],
  ] as const)('keeps a durable %s over a restart, from before the positions have recovered', (state, flatten) => {
    const play = start();
    rows(play, [row(state, flatten, 1)]);
    expect(current(play)).toMatchObject({ state, flatten });
    for (const base of args.bases) play.deliver(pairChanged(base));
    acknowledge(play);
    expect(current(play)).toMatchObject({ state, flatten });
  });

  it('is not undone by a milder kill during the start', () => {
    const play = start();
    play.deliver({ type: 'kill', level: 1, reason: 'operator' });
    expect(current(play)).toMatchObject({ state: 'REDUCE_ONLY', reason: 'K1: operator' });
    rows(play, [row('HALTED', true, 1)]);
    expect(current(play)).toMatchObject({ state: 'HALTED', flatten: true });
  });

  it('ignores rows that say nothing it understands', () => {
    const play = start();
    rows(play, [row('SLEEPING', false, 1), { ...row('HALTED', true, 2), payload: {} }]);
    for (const base of args.bases) play.deliver(pairChanged(base));
    acknowledge(play);
    expect(current(play)?.state).toBe('TRADING');
  });
});

describe('commands', () => {
  it('go down at once and are written meanwhile', () => {
    const play = recovered();
    play.deliver({ type: 'kill', level: 3, reason: 'operator' });
    expect(current(play)).toEqual({
      type: 'engine-state-changed',
      state: 'HALTED',
      reason: 'K3: operator',
      flatten: true,
    });
    expect(appends(play).at(-1)?.rows[0]?.payload).toMatchObject({ state: 'HALTED', flatten: true });
  });

  it('go up only with a reason and after the row is durable', () => {
    const play = recovered();
    play.deliver({ type: 'kill', level: 2, reason: 'test' });
    acknowledge(play);
    play.deliver({ type: 'set-engine-state', state: 'TRADING', reason: ' ' });
    expect(play.counts.get('engine-state-refused')).toBe(1);
    play.deliver({ type: 'set-engine-state', state: 'TRADING', reason: 'looked into it' });
    expect(current(play)?.state).toBe('REDUCE_ONLY');
    acknowledge(play);
    expect(current(play)).toMatchObject({ state: 'TRADING', reason: 'looked into it' });
  });

  it('never go up before recovery', () => {
    const play = start();
    rows(play);
    play.deliver({ type: 'set-engine-state', state: 'TRADING', reason: 'impatient' });
    acknowledge(play);
    expect(current(play)?.state).toBe('STOPPED');
  });

  it('that go down cancel a rise which is not durable yet', () => {
    const play = recovered();
    play.deliver({ type: 'kill', level: 2, reason: 'first' });
    play.deliver({ type: 'set-engine-state', state: 'TRADING', reason: 'fine again' });
    play.deliver({ type: 'kill', level: 3, reason: 'not fine' });
    acknowledge(play);
    expect(current(play)).toMatchObject({ state: 'HALTED', flatten: true });
  });

  it('repeated change and write nothing', () => {
    const play = recovered();
    play.deliver({ type: 'kill', level: 3, reason: 'once' });
    const before = play.sent.length;
    play.deliver({ type: 'kill', level: 3, reason: 'twice' });
    play.deliver({ type: 'kill', level: 1, reason: 'thrice' });
    expect(play.sent.length).toBe(before);
  });

  it('answer a new incarnation that asks for the state', () => {
    const play = recovered();
    play.clearSent();
    play.deliver({ type: 'resend-engine-state', to: 'position/ETH' });
    expect(play.sent).toEqual([
      { to: 'position/ETH', message: expect.objectContaining({ type: 'engine-state-changed', state: 'TRADING' }) },
    ]);
  });
});

describe('the journal', () => {
  it('is told an unanswered row again every 2 s', () => {
    const play = recovered();
    play.clearSent();
    play.deliver({ type: 'kill', level: 1, reason: 'test' });
    play.advance(4_600);
    const ids = appends(play).map((append) => append.rows[0]?.id);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    acknowledge(play);
    play.clearSent();
    play.advance(4_600);
    expect(appends(play)).toEqual([]);
  });

  it('that refuses takes the engine down: no durable intent, no order', () => {
    const play = recovered();
    play.deliver({ type: 'kill', level: 1, reason: 'test' });
    acknowledge(play);
    play.deliver({ type: 'set-engine-state', state: 'TRADING', reason: 'up' });
    const appendId = appends(play).at(-1)?.appendId ?? 0;
    play.deliver({ type: 'append-failed', code: 'not-stored', appendId, detail: 'disk full' });
    play.deliver({ type: 'guard-row-durable', appendId });
    expect(current(play)?.state).toBe('REDUCE_ONLY');
  });

  it('that refuses a day’s record while trading takes it down as well', () => {
    const play = recovered();
    play.advanceCalendar(DAY_MS);
    play.advance(500);
    const appendId = appends(play).at(-1)?.appendId ?? 0;
    play.deliver({ type: 'append-failed', code: 'not-stored', appendId, detail: 'disk full' });
    expect(current(play)).toMatchObject({ state: 'REDUCE_ONLY', reason: 'K2: JOURNAL_FAILED: disk full' });
  });
});

describe('losses', () => {
  const open = (executableMicro: bigint | undefined, closedNetMicro = 0n): ReturnType<typeof pairChanged> =>
    pairChanged('ETH', {
      phase: 'OPEN',
      pairId: 'p',
      closedNetMicro,
      ...(executableMicro === undefined ? {} : { executableMicro }),
    });

  it('of one day, realised and not, flatten everything', () => {
    const play = recovered();
    play.deliver(pairChanged('BTC', { closedNetMicro: -60_000_000n }));
    play.deliver(open(-39_000_000n));
    expect(current(play)?.state).toBe('TRADING');
    play.deliver(open(-40_000_000n));
    expect(current(play)).toMatchObject({
      state: 'HALTED',
      flatten: true,
      reason: 'DAILY_LOSS: lost 100.00 of 100.00 today',
    });
  });

  it('start over with the UTC day', () => {
    const play = recovered();
    play.deliver(open(-90_000_000n));
    play.advanceCalendar(DAY_MS);
    play.advance(500);
    play.deliver(open(-180_000_000n));
    expect(current(play)?.state).toBe('TRADING');
  });

  it('add up to a drawdown over days', () => {
    const play = recovered();
    for (let day = 1; day <= 4; day += 1) {
      play.deliver(open(BigInt(day) * -74_000_000n));
      play.advanceCalendar(DAY_MS);
      play.advance(500);
    }
    expect(current(play)?.state).toBe('TRADING');
    play.deliver(open(-301_000_000n));
    expect(current(play)?.reason).toBe('DRAWDOWN: fell 301.00 of 300.00');
  });

  it('are remembered over a restart of the same day', () => {
    const first = recovered();
    first.deliver(pairChanged('BTC', { closedNetMicro: -99_000_000n }));
    first.deliver({ type: 'set-engine-state', state: 'ARMED', reason: 'pause' });
    const written = appends(first).at(-1)?.rows[0];
    if (written === undefined) throw new Error('the change was written');
    const second = start();
    rows(second, [{ ...written, sequence: 1 }]);
    second.deliver(pairChanged('ETH'));
    second.deliver(pairChanged('BTC', { closedNetMicro: -100_000_000n }));
    acknowledge(second);
    expect(current(second)?.reason).toBe('DAILY_LOSS: lost 100.00 of 100.00 today');
  });

  it('are measured from the best result also after a restart, which forgets a twentieth of the limit at most', () => {
    const first = recovered();
    for (let gained = 10n; gained <= 400n; gained += 10n) first.deliver(open(gained * 1_000_000n));
    const written = appends(first).at(-1)?.rows[0];
    if (written === undefined) throw new Error('the best result was written');
    expect(written.payload['peakMicro']).toBeGreaterThan(385_000_000n);
    expect(appends(first).length).toBeLessThan(30);
    const second = start();
    rows(second, [{ ...written, sequence: 1 }]);
    second.deliver(pairChanged('ETH'));
    second.deliver(pairChanged('BTC', { closedNetMicro: 85_000_000n }));
    acknowledge(second);
    expect(current(second)?.reason).toMatch(/^DRAWDOWN: fell 3\d\d\.00 of 300\.00/);
  });

  it('are not invented when a book goes missing', () => {
    const play = recovered();
    play.deliver(open(500_000_000n));
    play.deliver(open(undefined));
    expect(current(play)?.state).toBe('TRADING');
  });

  it('acknowledged by an operator start over', () => {
    const play = recovered();
    play.deliver(open(-150_000_000n));
    play.deliver({ type: 'set-engine-state', state: 'TRADING', reason: 'accepted' });
    acknowledge(play);
    play.deliver(open(-151_000_000n));
    expect(current(play)?.state).toBe('TRADING');
  });
});

describe('three losing or failing pairs in a row', () => {
  const ended = (pairId: string, phase: 'CLOSED' | 'FAILED', netMicro = -1n): ReturnType<typeof pairChanged> =>
    pairChanged('ETH', { phase, pairId, realisedMicro: netMicro });

  it('pause entries for a while and nothing else', () => {
    const play = recovered();
    play.deliver(ended('p1', 'CLOSED'));
    play.deliver(ended('p2', 'FAILED', 0n));
    expect(current(play)?.entriesPaused).toBeUndefined();
    play.deliver(ended('p3', 'CLOSED'));
    expect(current(play)).toMatchObject({ state: 'TRADING', entriesPaused: true });
    play.advance(899_000);
    expect(current(play)?.entriesPaused).toBe(true);
    play.advance(1_500);
    expect(current(play)).toMatchObject({ state: 'TRADING' });
    expect(current(play)?.entriesPaused).toBeUndefined();
  });

  it('are not three when one in between won, or when one is told thrice', () => {
    const play = recovered();
    for (const pair of [ended('p1', 'CLOSED'), ended('p2', 'CLOSED', 5n), ended('p3', 'CLOSED')]) play.deliver(pair);
    for (let time = 0; time < 3; time += 1) play.deliver(ended('p4', 'FAILED'));
    expect(current(play)?.entriesPaused).toBeUndefined();
  });

  it('do not count what ended before a restart', () => {
    const play = start();
    rows(play);
    play.deliver(pairChanged('BTC'));
    play.deliver(pairChanged('ETH', { phase: 'RECOVERING' }));
    for (let time = 0; time < 4; time += 1) play.deliver(ended('old', 'FAILED'));
    expect(current(play)?.entriesPaused).toBeUndefined();
  });
});

describe('what only looks like news', () => {
  it('does not take the empty books of a position that starts again for a loss', () => {
    const play = recovered();
    play.deliver(pairChanged('BTC', { closedNetMicro: 150_000_000n }));
    play.deliver(pairChanged('BTC', { phase: 'RECOVERING', closedNetMicro: 0n }));
    expect(current(play)?.state).toBe('TRADING');
    play.deliver(pairChanged('BTC', { closedNetMicro: 150_000_000n }));
    expect(current(play)?.state).toBe('TRADING');
  });

  it('stands down from TRADING before the process stops, and leaves a kill as it is', () => {
    const play = recovered();
    play.deliver({ type: 'stand-down', reason: 'stopping' });
    expect(current(play)).toMatchObject({ state: 'ARMED', reason: 'stopping' });
    const killed = recovered();
    killed.deliver({ type: 'kill', level: 3, reason: 'test' });
    killed.deliver({ type: 'stand-down', reason: 'stopping' });
    expect(current(killed)).toMatchObject({ state: 'HALTED', flatten: true });
  });
});

describe('the exposure budget of a day', () => {
  const exposed = (pairId: string, exposureQuoteSec: number): GuardMessage =>
    pairChanged('ETH', { phase: 'OPEN', pairId, exposureQuoteSec });

  it('takes the engine to REDUCE_ONLY when it is spent, and stays there until a person lifts it', () => {
    const play = recovered();
    play.deliver(exposed('e1', 49_999));
    expect(current(play)?.state).toBe('TRADING');
    play.deliver(exposed('e2', 1));
    expect(current(play)).toMatchObject({ state: 'REDUCE_ONLY', flatten: false });
    expect(current(play)?.reason).toContain('EXPOSURE_BUDGET: 50000 of 50000');
    acknowledge(play);
    play.deliver({ type: 'set-engine-state', state: 'TRADING', reason: 'looked at it' });
    acknowledge(play);
    play.deliver(exposed('e2', 2));
    expect(current(play)?.state).toBe('TRADING');
  });

  it('outlives a restart up to a twentieth of it', () => {
    const play = recovered();
    for (let told = 1_000; told <= 40_000; told += 1_000) play.deliver(exposed('e1', told));
    const written = appends(play).at(-1)?.rows[0]?.payload;
    expect(Number(written?.['exposureQuoteSec'])).toBeGreaterThanOrEqual(37_500);

    const again = start();
    rows(again, [row('TRADING', false, 1, { ...written })]);
    for (const base of args.bases) again.deliver(pairChanged(base));
    acknowledge(again);
    again.deliver(exposed('e9', 12_500));
    expect(current(again)).toMatchObject({ state: 'REDUCE_ONLY' });
  });

  it('is not spent twice by a pair that was counted before the guard started again', () => {
    const play = recovered();
    play.deliver(exposed('e1', 30_000));
    const written = appends(play).at(-1)?.rows[0]?.payload;
    const again = start();
    rows(again, [row('TRADING', false, 1, { ...written })]);
    for (const base of args.bases) again.deliver(base === 'ETH' ? exposed('e1', 30_001) : pairChanged(base));
    acknowledge(again);
    again.deliver(exposed('e1', 49_000));
    expect(current(again)).toMatchObject({ state: 'TRADING' });
    again.deliver(exposed('e1', 50_000));
    expect(current(again)).toMatchObject({ state: 'REDUCE_ONLY' });
  });
});

it('takes the engine down when a slow journal holds back orders again and again, not when it happens once', () => {
  const play = recovered();
  for (const atMs of [0, 300_000, 300_000]) {
    play.advance(atMs);
    play.deliver({ type: 'journal-slow', commitMs: 80 });
  }
  expect(current(play)?.state).toBe('TRADING');
  play.deliver({ type: 'journal-slow', commitMs: 90 });
  // Of the same commit: it had more than one writer.
  play.deliver({ type: 'journal-slow', commitMs: 90 });
  expect(current(play)?.state).toBe('TRADING');
  play.advance(300);
  play.deliver({ type: 'journal-slow', commitMs: 90 });
  expect(current(play)).toMatchObject({ state: 'REDUCE_ONLY', reason: expect.stringContaining('90 ms') });
});

it('takes the engine down when two orders were lost within an hour, not when they were further apart', () => {
  const lose = (play: Play, clientOrderId: string): void =>
    play.deliver({ type: 'order-lost', venue: 'lighter', clientOrderId });
  const play = recovered();
  lose(play, '1');
  play.advance(3_600_001);
  lose(play, '2');
  expect(current(play)?.state).toBe('TRADING');
  play.advance(3_000_000);
  lose(play, '3');
  expect(current(play)).toMatchObject({
    state: 'REDUCE_ONLY',
    reason: 'K2: ORDERS_LOST: 2 times, last lighter 3',
  });
});

describe('the wire', () => {
  const connectorPaths = ['connector/lighter:main', 'connector/extended:main'];
  const limits = (play: Play, path = 'connector/lighter:main'): readonly MessageShape[] =>
    play.sentTo(path).filter((message) => message.type === 'limit-orders');

  it('hears of every change before anybody else', () => {
    const play = recovered({ connectorPaths });
    expect(limits(play).at(-1)).toMatchObject({ allowed: 'all', cancelOpens: false });
    play.clearSent();
    play.deliver({ type: 'kill', level: 2, reason: 'test' });
    expect(play.sent.slice(0, 2).map(({ to }) => to)).toEqual(connectorPaths);
    expect(limits(play)).toEqual([
      { type: 'limit-orders', allowed: 'reducing', cancelOpens: true, reason: 'K2: test' },
    ]);
  });

  it('is asked to cancel from K2 on, also when the engine is down already, and not by K1', () => {
    const play = recovered({ connectorPaths });
    play.deliver({ type: 'kill', level: 1, reason: 'first' });
    expect(limits(play).at(-1)).toMatchObject({ allowed: 'reducing', cancelOpens: false });
    play.deliver({ type: 'kill', level: 2, reason: 'second' });
    expect(limits(play).at(-1)).toMatchObject({ allowed: 'reducing', cancelOpens: true });
    play.deliver({ type: 'set-engine-state', state: 'TRADING', reason: 'looked into it' });
    acknowledge(play);
    expect(limits(play).at(-1)).toMatchObject({ allowed: 'all', cancelOpens: false });
  });

  it('is told what is in force when a connector starts again', () => {
    const play = recovered({ connectorPaths });
    play.clearSent();
    play.deliver({ type: 'resend-engine-state', to: 'connector/extended:main' });
    expect(play.sent).toEqual([
      { to: 'connector/extended:main', message: expect.objectContaining({ type: 'limit-orders', allowed: 'all' }) },
    ]);
  });
});

describe('kill level 4', () => {
  const connectorPaths = ['connector/lighter:main', 'connector/extended:main'];
  const wire = (play: Play): readonly MessageShape[] =>
    play.sentTo('connector/lighter:main').filter(({ type }) => type === 'limit-orders');

  it('tells the connectors to leave, halts, and leaves the flattening of the next start as it was', () => {
    const play = recovered({ connectorPaths });
    play.deliver({ type: 'kill', level: 4, reason: 'operator' });
    expect(wire(play).at(-1)).toMatchObject({ allowed: 'none', leave: true, cancelOpens: true });
    expect(current(play)).toMatchObject({ state: 'HALTED', flatten: false, leaving: true, reason: 'K4: operator' });
    expect(appends(play).at(-1)?.rows[0]?.payload).toMatchObject({ state: 'HALTED', flatten: false });
    expect(appends(play).at(-1)?.rows[0]?.payload).not.toHaveProperty('leaving');
  });

  it('stands above every other level and above a person who wants up', () => {
    const play = recovered({ connectorPaths });
    play.deliver({ type: 'kill', level: 3, reason: 'first' });
    play.deliver({ type: 'kill', level: 4, reason: 'then' });
    expect(current(play)).toMatchObject({ flatten: true, leaving: true });
    play.deliver({ type: 'kill', level: 3, reason: 'again' });
    play.deliver({ type: 'set-engine-state', state: 'TRADING', reason: 'changed my mind' });
    acknowledge(play);
    expect(current(play)).toMatchObject({ state: 'HALTED', leaving: true, reason: 'K4: then' });
    expect(play.counts.get('engine-state-refused')).toBe(1);
  });

  it('shows which connectors are gone and what they left', () => {
    const play = recovered({ connectorPaths });
    play.deliver({ type: 'kill', level: 4, reason: 'operator' });
    play.deliver({ type: 'connector-left', path: 'connector/lighter:main', openOrders: 0 });
    play.deliver({ type: 'connector-left', path: 'connector/extended:main' });
    expect(guard.digest?.(play.state() as never)).toMatchObject({
      connectorsLeft: [
        { path: 'connector/lighter:main', openOrders: 0 },
        { path: 'connector/extended:main', openOrders: 'unknown' },
      ],
    });
  });
});

it('flattens whoever is nearest to a liquidation first', () => {
  const play = recovered();
  play.deliver(pairChanged('ETH', { phase: 'OPEN', pairId: 'e', liquidationDistance: 0.3 }));
  play.deliver(pairChanged('BTC', { phase: 'OPEN', pairId: 'b', liquidationDistance: 0.12 }));
  play.clearSent();
  play.deliver({ type: 'kill', level: 3, reason: 'operator' });
  const order = play.sent.filter(({ message }) => message.type === 'engine-state-changed').map(({ to }) => to);
  expect(order).toEqual(['strategy', 'observer', 'position/BTC', 'position/ETH']);
  play.clearSent();
  play.deliver({ type: 'set-engine-state', state: 'TRADING', reason: 'checked' });
  acknowledge(play);
});

describe('triggers', () => {
  const mismatch = {
    type: 'position-mismatch',
    venue: 'lighter',
    account: 'main',
    symbol: 'BTC',
    reportedLots: 5,
    ledgerLots: 4,
    ageMs: 61_000,
  } as const;
  const crash = (path: string, incarnation: number): GuardMessage => ({
    type: 'actor-down',
    path,
    incarnation,
    reason: 'pair must have its venues configured',
  });

  it('MISMATCH: a position that contradicts our fills for too long cancels entries and only reduces', () => {
    const play = recovered({ connectorPaths: ['connector/lighter:main'] });
    play.deliver(mismatch);
    expect(current(play)).toMatchObject({
      state: 'REDUCE_ONLY',
      reason: 'K2: MISMATCH: lighter:main must hold the 4 lots of BTC that our fills add up to, says 5 for 61 s',
    });
    expect(play.sentTo('connector/lighter:main').at(-1)).toMatchObject({ allowed: 'reducing', cancelOpens: true });
    expect(play.counts.get('taken-down:MISMATCH')).toBe(1);
    play.deliver(mismatch);
    expect(play.counts.get('taken-down:MISMATCH')).toBe(1);
  });

  it('CRASH_LOOP: as many crashes as make a supervisor give up', () => {
    const play = recovered();
    for (let life = 1; life <= 5; life += 1) {
      play.deliver(crash('position/BTC', life));
      play.deliver(crash('position/BTC', life));
      play.advance(1_000);
    }
    expect(current(play)?.state).toBe('TRADING');
    play.deliver(crash('journal', 1));
    expect(current(play)?.state).toBe('REDUCE_ONLY');
    expect(current(play)?.reason).toMatch(/^K2: CRASH_LOOP: 6 times, last journal: /);
    expect(play.counts.get('taken-down:CRASH_LOOP')).toBe(1);
  });

  it('CRASH_LOOP: not for one dead thread with many actors, an orderly end, or crashes far apart', () => {
    const play = recovered();
    for (let actor = 0; actor < 20; actor += 1) play.deliver(crash(`position/S${actor}`, 1));
    for (let life = 2; life <= 20; life += 1) {
      play.deliver({ type: 'actor-down', path: 'position/BTC', incarnation: life, reason: 'moved' });
      play.advance(1_000);
    }
    for (let life = 21; life <= 30; life += 1) {
      play.deliver(crash('position/BTC', life));
      play.advance(8_000);
    }
    expect(current(play)?.state).toBe('TRADING');
  });

  it('go down by themselves and up only by a person', () => {
    const play = recovered();
    play.deliver(mismatch);
    acknowledge(play);
    play.advance(3_600_000);
    expect(current(play)?.state).toBe('REDUCE_ONLY');
    play.deliver({ type: 'set-engine-state', state: 'TRADING', reason: 'compared by hand' });
    acknowledge(play);
    expect(current(play)?.state).toBe('TRADING');
  });
});
