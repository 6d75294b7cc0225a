/** Entries of which one leg is quoted: fills and their hedges, prices that move, cancels that get lost, what is left over. */
import { describe, expect, it } from 'vitest';
import type { JournalMessage } from '../../actors/journal-messages.ts';
import type { EntryPlan } from '../../actors/position-messages.ts';
import type { PriceTicks } from '../../src/money/units.ts';
import type { PairRecord } from '../../src/execution/pair.ts';
import { foldBook } from '../../src/execution/execution-book.ts';
import { lots, micro } from '../market/instruments.ts';
import { Example } from '../examples.ts';
import { createWorld, defaultArgs, VALIDITY_MS } from './position-world.ts';
import type { Fate, VenueModel, World, WorldOptions } from './position-world.ts';

type AppendsTogether = Extract<JournalMessage, { type: 'append-together' }>;
type PlaceOrder = VenueModel['placed'][number];
type Quoted = Extract<EntryPlan['entry'], { mode: 'maker-taker' }>;

/** The short leg is quoted at the ask of `va`, the long one taken on `vb`. */
function quotedPlan(world: World, changes: Partial<Quoted> = {}): EntryPlan {
  return world.plan({
    entry: { mode: 'maker-taker', leg: 'short', quoteTicks: world.venues.a.askTicks, escalate: false, ...changes },
  });
}

function quoting(options: WorldOptions = {}, changes: Partial<Quoted> = {}, expectedValueQuote = 13.8): World {
  const world = createWorld(options);
  world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
  const plan = quotedPlan(world, changes);
  world.deliver({ type: 'enter-pair', plan: { ...plan, expected: { ...plan.expected, expectedValueQuote } } });
  world.runUntil(() => world.venues.a.placed.length > 0, 1_000);
  return world;
}

/** Fates by venue and purpose; anything else fills. */
function fates(table: Readonly<Record<string, Fate>>): WorldOptions {
  return { fateOf: (venue, { purpose }) => table[`${venue} ${purpose.purpose}`] ?? { type: 'fill' } };
}

const resting: Fate = { type: 'rest', fills: [] };

function sent(venue: VenueModel): readonly (readonly [string, number, boolean])[] {
  return venue.placed.map(({ order, purpose }) => [purpose.purpose, order.lots, order.reduceOnly]);
}

/** What the venue was asked to do before `vb` heard of the pair. */
function firstQuote(world: World): PlaceOrder['order'] {
  const first = world.venues.a.placed[0];
  if (first === undefined) throw new Error('nothing was quoted');
  return first.order;
}

function settle(world: World, phase: string, limitMs = 30_000): void {
  world.runUntil(() => world.picture().phase === phase, limitMs);
  world.run(500);
}

function expectBalanced(world: World): void {
  expect(world.venues.a.positionLots + world.venues.b.positionLots).toBe(0);
  expect(world.venues.a.resting.size + world.venues.b.resting.size).toBe(0);
}

describe('a quoted entry', () => {
  it('rests one post-only order at the touch and sends nothing to the other venue before a fill', () => {
    const world = quoting(fates({ 'va open': resting }));
    world.run(2_000);
    expect(firstQuote(world)).toMatchObject({
      side: 'sell',
      lots: 33,
      limitTicks: 600_010,
      postOnly: true,
      timeInForce: 'gtc',
      reduceOnly: false,
    });
    expect((firstQuote(world).restsUntilMs ?? 0) - firstQuote(world).validUntilMs).toBe(15_000);
    expect(world.venues.b.placed).toEqual([]);
    expect(world.picture()).toMatchObject({ phase: 'OPENING', liveOrders: 1 });
  });

  it('hedges every fill as it comes and opens with the whole plan', () => {
    const fills = [
      { lots: 10, afterMs: 100 },
      { lots: 8, afterMs: 900 },
      { lots: 15, afterMs: 1_800 },
    ];
    const world = quoting(fates({ 'va open': { type: 'rest', fills } }));
    settle(world, 'OPEN');
    expect(sent(world.venues.b)).toEqual([
      ['hedge', 10, false],
      ['hedge', 8, false],
      ['hedge', 15, false],
    ]);
    expect(world.venues.a.placed).toHaveLength(1);
    expect(world.venues.a.cancels).toEqual([]);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-33, 33]);
  });

  it('hands an order over before the journal hears of anything that follows from it', () => {
    const world = createWorld();
    world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
    const life = world.stage();
    const told = life.sent;
    const typesTold = (): readonly string[] => told.splice(0).map(({ message }) => message.type);
    life.deliver({ type: 'enter-pair', plan: quotedPlan(world) });
    const plan = told.findLast(({ to }) => to === 'journal')?.message as Extract<
      JournalMessage,
      { type: 'append-rows' }
    >;
    typesTold();
    life.deliver({ type: 'plan-durable', appendId: plan.appendId });
    expect(typesTold().slice(0, 2)).toEqual(['place-order', 'append-rows']);
  });

  it('tells the journal of a fill’s consequences in one message, so that one commit takes the pair and the hedge’s intent', () => {
    const world = quoting(fates({ 'va open': resting }));
    world.run(200);
    const life = world.stage();
    life.sent.splice(0);
    const { venue, account, symbol } = { venue: 'va', account: 'main', symbol: world.venues.a.instrument.symbol };
    const { clientOrderId } = firstQuote(world);
    life.deliver({
      ...{ type: 'fill-received', venue, account, symbol },
      fill: {
        ...{
          fillId: 'va-1',
          symbol,
          clientOrderId,
          venueOrderId: `v${clientOrderId}`,
          side: 'sell',
          liquidity: 'maker',
        },
        ...{ priceTicks: 600_010 as PriceTicks, lots: lots(10), feeMicro: micro(0n) },
        venueAtMs: world.now(),
      },
    });
    const toJournal = life.sentTo('journal') as unknown as readonly AppendsTogether[];
    expect(toJournal.map(({ type }) => type)).toEqual(['append-together']);
    expect(toJournal[0]?.appends.map(({ rows }) => rows.map(({ type }) => type))).toEqual([
      ['pair-state'],
      ['intent', 'order-planned'],
    ]);
  });

  it('quotes the long leg as well, at the bid', () => {
    const world = createWorld();
    world.runUntil(() => world.pictures.at(-1)?.phase === 'IDLE', 5_000);
    const plan = quotedPlan(world, { leg: 'long', quoteTicks: 600_000 });
    world.deliver({ type: 'enter-pair', plan });
    settle(world, 'OPEN');
    expect(world.venues.b.placed[0]?.order).toMatchObject({ side: 'buy', postOnly: true, limitTicks: 600_000 });
    expect(sent(world.venues.a)).toEqual([['hedge', 33, false]]);
  });

  it('ends without a trade when nobody comes: cancelled at the timeout, failed once the venue says so', () => {
    const world = quoting(fates({ 'va open': resting }));
    world.run(14_900);
    expect(world.venues.a.cancels).toEqual([]);
    settle(world, 'FAILED', 1_500);
    expect(world.venues.a.cancels).toHaveLength(1);
    expect(world.picture()).toMatchObject({ reason: 'MAKER_TIMEOUT', feesMicro: 0n, closedPairs: 0 });
    expectBalanced(world);
  });

  it('keeps what was filled and hedged by the timeout', () => {
    const world = quoting(fates({ 'va open': { type: 'rest', fills: [{ lots: 12, afterMs: 500 }] } }));
    settle(world, 'OPEN');
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-12, 12]);
    expectBalanced(world);
  });

  it('takes the rest on both venues where the plan allows it', () => {
    const first: Fate = { type: 'rest', fills: [{ lots: 12, afterMs: 500 }] };
    const world = quoting(
      { fateOf: (venue, { order }) => (venue === 'va' && order.postOnly ? first : { type: 'fill' }) },
      { escalate: true },
    );
    settle(world, 'OPEN');
    expect(sent(world.venues.a)).toEqual([
      ['open', 33, false],
      ['open', 21, false],
    ]);
    expect(world.venues.a.placed[1]?.order).toMatchObject({ postOnly: false, timeInForce: 'ioc' });
    expect(sent(world.venues.b)).toEqual([
      ['hedge', 12, false],
      ['open', 21, false],
    ]);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-33, 33]);
  });

  it('does not take it when the gates have closed meanwhile', () => {
    const world = quoting(fates({ 'va open': resting }), { escalate: true });
    world.run(10_000);
    // Wider than any spread an entry may pay, without a worse hedge.
    world.venues.a.bidTicks = 590_000;
    settle(world, 'FAILED');
    expect(world.venues.b.placed).toEqual([]);
  });
});

describe('a quote whose market moves', () => {
  it('is moved to the new touch after its pause, with what is still missing', () => {
    const world = quoting({
      fateOf: (venue, { purpose }) =>
        venue === 'va' && purpose.attempt === 1
          ? { type: 'rest', fills: [{ lots: 5, afterMs: 100 }] }
          : { type: 'fill' },
    });
    world.run(300);
    world.venues.a.askTicks = 600_005;
    settle(world, 'OPEN');
    expect(world.venues.a.placed.map(({ order }) => [order.lots, order.limitTicks])).toEqual([
      [33, 600_010],
      [28, 600_005],
    ]);
    expect(world.venues.a.cancels).toHaveLength(1);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-33, 33]);
  });

  it('stays when the market only moves towards it', () => {
    const world = quoting(fates({ 'va open': resting }));
    world.venues.a.askTicks = 600_020;
    world.run(5_000);
    expect(world.venues.a.placed).toHaveLength(1);
    expect(world.venues.a.cancels).toEqual([]);
  });

  it('ends once the pair would be entered worse than planned by more than the limit', () => {
    const world = quoting(fates({ 'va open': resting }));
    // The hedge is 4.9 bps dearer: still within the limit of 5.
    world.venues.b.askTicks = 600_300;
    world.run(1_500);
    expect(world.venues.a.cancels).toEqual([]);
    world.venues.b.askTicks = 600_320;
    settle(world, 'FAILED', 2_000);
    expect(world.picture().reason).toBe('MAKER_ADVERSE');
    expectBalanced(world);
  });

  it('leaves a price that has become too dear at once and quotes the new one', () => {
    const world = quoting(fates({ 'va open': resting }));
    for (const venue of [world.venues.a, world.venues.b]) {
      venue.bidTicks += 400;
      venue.askTicks += 400;
      venue.markNano += 40_000_000_000n;
    }
    world.run(600);
    expect(world.venues.a.placed.map(({ order }) => order.limitTicks)).toEqual([600_010, 600_410]);
  });

  it('gives up after three refusals in a row to rest it, and is paced meanwhile', () => {
    const world = quoting(fates({ 'va open': { type: 'refuse', code: 'POST_ONLY', class: 'state' } }));
    world.run(300);
    expect(world.venues.a.placed).toHaveLength(1);
    settle(world, 'FAILED', 5_000);
    expect(world.venues.a.placed).toHaveLength(3);
    expect(world.picture().reason).toBe('REFUSED: POST_ONLY');
  });

  it('is not tried again after a permanent refusal', () => {
    const world = quoting(fates({ 'va open': { type: 'refuse', code: 'MARGIN' } }));
    settle(world, 'FAILED', 5_000);
    expect(world.venues.a.placed).toHaveLength(1);
  });
});

describe('EX-7: fills that the other venue takes only together', () => {
  const atOnce = { va: {}, vb: { minQuantityLots: 10 as never } };

  it('are hedged each by itself when the least order allows it: exposure is price x quantity x 80 ms', () => {
    const fills = [
      { lots: 12, afterMs: 100 },
      { lots: 10, afterMs: 1_300 },
      { lots: 11, afterMs: 3_100 },
    ];
    const world = quoting({ ...fates({ 'va open': { type: 'rest', fills } }), instruments: atOnce });
    settle(world, 'OPEN');
    expect(world.venues.b.placed.map(({ order }) => order.lots)).toEqual([12, 10, 11]);
    const { exposure } = world.stage().state().pair?.timing ?? { exposure: undefined };
    const perMs = (60_000.5 * 0.033) / 1_000;
    // Each fill stood alone from when it was known until its hedge was: the same few ms in this world.
    const eachMs = (exposure?.unhedgedMs ?? 0) / 3;
    expect(exposure?.quoteSeconds).toBeCloseTo(perMs * eachMs, 6);
    expect(eachMs).toBeLessThan(80);
  });

  it('cancels the quote 1.5 s after a fill that is too small to hedge, and resolves it: here by giving it back', (context) => {
    const fills = [
      { lots: 12, afterMs: 100 },
      { lots: 8, afterMs: 1_300 },
      { lots: 13, afterMs: 3_100 },
    ];
    // Taking two more costs a spread that giving eight back does not, and nothing is expected of having them.
    const world = quoting({ ...fates({ 'va open': { type: 'rest', fills } }), instruments: atOnce }, {}, 0);
    const placedAtMs = world.now();
    world.venues.a.bidTicks = 599_900;
    world.runUntil(() => world.venues.a.cancels.length > 0, 5_000);
    const filledAtMs = world.venues.a.fills[1]?.atMs ?? 0;
    expect(filledAtMs - placedAtMs).toBeGreaterThan(1_200);
    expect(world.now() - filledAtMs).toBeGreaterThanOrEqual(1_500);
    expect(world.now() - filledAtMs).toBeLessThan(1_500 + 2 * defaultArgs.positionTickMs);
    settle(world, 'OPEN');
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-12, 12]);
    expect(sent(world.venues.a).at(-1)).toEqual(['unwind', 8, true]);
    const example = new Example('EX-7', context);
    example.is('too small to hedge: quotes cancelled', 1, world.venues.a.cancels.length);
    example.is('and the fill', 'unwind', sent(world.venues.a).at(-1)?.[0] as string);
    expectBalanced(world);
  });

  it('resolves it by taking enough for an order where that is cheaper', () => {
    const fills = [
      { lots: 12, afterMs: 100 },
      { lots: 8, afterMs: 1_300 },
    ];
    const world = quoting({ ...fates({ 'va open': { type: 'rest', fills } }), instruments: atOnce });
    world.venues.a.placed.length = 0;
    world.venues.a.fateOf = () => ({ type: 'fill' });
    // Buying back is dear.
    world.run(2_000);
    world.venues.a.askTicks = 600_400;
    settle(world, 'OPEN');
    expect(sent(world.venues.a)).toEqual([['open', 2, false]]);
    expect(sent(world.venues.b).at(-1)).toEqual(['hedge', 10, false]);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-22, 22]);
  });
});

describe('a hedge of a quoted entry', () => {
  it('that fails ends the quoting, then goes up its ladder', () => {
    let hedges = 0;
    const world = quoting({
      fateOf: (venue, { purpose }) => {
        if (venue === 'va') return { type: 'rest', fills: [{ lots: 20, afterMs: 100 }] };
        hedges += purpose.purpose === 'hedge' ? 1 : 0;
        return hedges === 1 ? { type: 'fill', lots: 5 } : { type: 'fill' };
      },
    });
    settle(world, 'OPEN');
    expect(sent(world.venues.b)).toEqual([
      ['hedge', 20, false],
      ['hedge', 15, false],
    ]);
    expect(world.venues.a.cancels).toHaveLength(1);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-20, 20]);
  });

  it('that never fills has the quote cancelled and its fills given back', () => {
    const world = quoting(
      fates({
        'va open': { type: 'rest', fills: [{ lots: 20, afterMs: 100 }] },
        'vb hedge': { type: 'fill', lots: 0 },
      }),
    );
    settle(world, 'CLOSED');
    expect(world.venues.a.cancels).toHaveLength(1);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([0, 0]);
  });

  it('that is not answered stops the quoting: nothing is added while its outcome is unknown', () => {
    const world = quoting({
      fateOf: (venue) =>
        venue === 'va' ? { type: 'rest', fills: [{ lots: 10, afterMs: 100 }] } : { type: 'silent', executedLots: 10 },
    });
    world.venues.b.queriesFail = true;
    world.run(2_400);
    expect(world.venues.a.cancels).toHaveLength(1);
    expect(world.venues.b.placed).toHaveLength(1);
    world.venues.b.queriesFail = false;
    settle(world, 'OPEN');
    expect(world.venues.b.placed).toHaveLength(1);
    expectBalanced(world);
  });

  it('is retried on a transient refusal as long as its ladder goes', () => {
    let refusals = 3;
    const world = quoting({
      fateOf: (venue) => {
        if (venue === 'va') return { type: 'rest', fills: [{ lots: 20, afterMs: 100 }] };
        refusals -= 1;
        return refusals >= 0 ? { type: 'refuse', code: 'BUSY', class: 'transient' } : { type: 'fill' };
      },
    });
    // Three pauses of 400 ms fit into the 1.5 s a leg may stand alone.
    settle(world, 'OPEN');
    expect(sent(world.venues.b).map(([purpose]) => purpose)).toEqual(['hedge', 'hedge', 'hedge', 'hedge']);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-20, 20]);
  });
});

describe('the cancel of a quote', () => {
  it('is sent again until the venue has ended the order', () => {
    const world = quoting(fates({ 'va open': resting }));
    world.venues.a.cancelsLost = 2;
    settle(world, 'FAILED');
    const times = world.venues.a.cancels.map(({ atMs }) => atMs);
    expect(times).toHaveLength(3);
    for (const [index, atMs] of times.entries())
      if (index > 0) expect(atMs - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(world.venues.a.placed).toHaveLength(1);
    expectBalanced(world);
  });

  it('without an answer leaves the order unknown, and asks what became of it', () => {
    const world = quoting(fates({ 'va open': resting }));
    world.venues.a.cancelsLost = 1_000;
    world.venues.a.unprovable = true;
    world.run(15_000 + 2_500);
    const order = world.stage().state().book.orders.get(firstQuote(world).clientOrderId);
    expect(order?.status).toBe('UNKNOWN');
    expect(world.picture().phase).toBe('OPENING');
    world.venues.a.cancelsLost = 0;
    world.venues.a.unprovable = false;
    settle(world, 'FAILED');
  });

  it('that a fill overtakes: the fill is hedged', () => {
    const world = quoting(fates({ 'va open': { type: 'late-fill', lots: 9, afterMs: 300 } }));
    world.run(15_100);
    expect(world.venues.a.cancels).toHaveLength(1);
    // Cancelled without a count of what was filled: nothing is concluded before that is known.
    expect(world.picture().phase).toBe('OPENING');
    settle(world, 'OPEN');
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-9, 9]);
    expect(sent(world.venues.b)).toEqual([['hedge', 9, false]]);
  });

  it('that a fill overtakes by so much that the entry had failed: what it made is undone at once', () => {
    const world = quoting(fates({ 'va open': { type: 'late-fill', lots: 9, afterMs: 6_000 } }));
    world.runUntil(() => world.picture().phase === 'FAILED', 20_000);
    world.runUntil(() => world.venues.a.positionLots !== 0, 8_000);
    const filledAtMs = world.now();
    world.runUntil(() => world.venues.a.positionLots === 0, 5_000);
    expect(world.now() - filledAtMs).toBeLessThan(2_000);
    settle(world, 'CLOSED');
    expect(world.picture().reason).toBe('LATE_FILL');
  });

  it('comes at once when somebody asks to leave, and the pair that was filled so far is closed', () => {
    const world = quoting(fates({ 'va open': { type: 'rest', fills: [{ lots: 10, afterMs: 100 }] } }));
    world.run(1_000);
    world.deliver({ type: 'exit-pair', reason: 'MANUAL' });
    settle(world, 'CLOSED', 5_000);
    expect(world.venues.a.cancels).toHaveLength(1);
    expectBalanced(world);
  });

  it.each(['REDUCE_ONLY', 'HALTED'] as const)(
    'comes at once when the engine is %s, and nothing more is hedged by adding',
    (state) => {
      const world = quoting(fates({ 'va open': { type: 'rest', fills: [{ lots: 10, afterMs: 100 }] } }));
      world.run(1_000);
      world.engine(state);
      world.run(200);
      expect(world.venues.a.cancels).toHaveLength(1);
      settle(world, 'OPEN', 5_000);
      expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-10, 10]);
    },
  );

  it('comes first of all after a crash, before anything else is known, and what was filled meanwhile is found', () => {
    const world = quoting(fates({ 'va open': { type: 'rest', fills: [{ lots: 10, afterMs: 1_000 }] } }));
    world.run(500);
    world.crash(3_000);
    world.run(2_900);
    expect(world.venues.a.cancels).toEqual([]);
    world.run(1_000);
    expect(world.venues.a.cancels.length).toBeGreaterThan(0);
    settle(world, 'OPEN');
    expect(world.venues.a.placed).toHaveLength(1);
    expect([world.venues.a.positionLots, world.venues.b.positionLots]).toEqual([-10, 10]);
    expect(foldBook(world.rows).record?.entry).toMatchObject({ mode: 'maker-taker', ended: 'RECOVERED' });
  });
});

describe('a quote that rests', () => {
  it('is no unanswered order: it is compared every five seconds, and not asked about by itself', () => {
    const world = quoting(fates({ 'va open': resting }));
    world.run(1_000);
    const before = world.venues.a.compared;
    world.run(11_000);
    expect(world.venues.a.compared - before).toBeGreaterThanOrEqual(2);
    expect(world.stage().state().book.orders.get(firstQuote(world).clientOrderId)?.status).toBe('OPEN');
    expect(world.stage().counts.get('orders-unanswered')).toBeUndefined();
  });

  it('whose fills no stream told is found filled by the comparison, and hedged', () => {
    const world = quoting(fates({ 'va open': resting }));
    world.run(200);
    const id = firstQuote(world).clientOrderId;
    // The venue fills it and says nothing.
    const quote = world.venues.a.resting.get(id);
    if (quote === undefined) throw new Error('the quote must rest');
    quote.filledLots = 7;
    world.venues.a.fills.push({
      clientOrderId: id,
      side: 'sell',
      lots: 7,
      fillId: 'va-untold',
      priceTicks: 600_010,
      atMs: world.now(),
    });
    world.venues.a.positionLots -= 7;
    world.runUntil(() => world.venues.b.positionLots === 7, 6_000);
    expect(sent(world.venues.b)).toEqual([['hedge', 7, false]]);
  });

  it('is never believed dead before its own time is over', () => {
    const world = quoting({ fateOf: (venue) => (venue === 'va' ? { type: 'silent' } : { type: 'fill' }) });
    world.run(VALIDITY_MS + 10_000);
    expect(world.picture().phase).toBe('OPENING');
    settle(world, 'FAILED', 20_000);
    expect(world.venues.a.placed).toHaveLength(1);
  });
});

describe('what stood unhedged', () => {
  it('is in the journal, counts on in the next life, and for the time in which nobody lived', () => {
    const world = quoting(
      fates({ 'va open': { type: 'rest', fills: [{ lots: 10, afterMs: 100 }] }, 'vb hedge': { type: 'silent' } }),
    );
    world.runUntil(() => world.venues.b.placed.length > 0, 1_000);
    const journaled = world.rows.findLast((row) => row.type === 'pair-state')?.payload['pair'] as PairRecord;
    expect(journaled.exposure?.unhedgedQuote).toBeCloseTo(0.01 * 60_000.5, 6);
    const crashedAtMs = world.now();
    world.crash(4_000);
    world.runUntil(() => world.picture().phase === 'RECOVERING' && world.now() - crashedAtMs > 4_050, 5_000);
    const deadQuoteSec = 0.01 * 60_000.5 * 4;
    expect(world.stage().state().pair?.timing.exposure.quoteSeconds).toBeGreaterThanOrEqual(deadQuoteSec);
    settle(world, 'CLOSED', 60_000);
    expect(world.picture().exposureQuoteSec).toBeGreaterThan(deadQuoteSec);
    expect(foldBook(world.rows).record?.exposure?.quoteSeconds).toBe(world.picture().exposureQuoteSec);
  });
});
