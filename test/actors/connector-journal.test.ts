import { describe, expect, it } from 'vitest';
import { encodeRow } from '../../src/storage/hash-chain.ts';
import { VENUES } from '../conformance/venues.ts';
import { ConnectorWorld } from './connector-world.ts';

describe('facts on their way through the journal', () => {
  it('are repeated with the same ids while the journal is silent, and told once it answers', () => {
    const world = new ConnectorWorld({ journal: 'deaf' }).ready();
    const order = world.place();
    world.run(21_000);
    expect(world.events('order-changed')).toEqual([]);
    const ids = world.appends.map((append) => append.rows.map((row) => row.id).join());
    const distinct = new Set(ids);
    expect(distinct.size).toBeLessThan(8);
    for (const id of distinct) {
      const repeats = ids.filter((other) => other === id).length;
      expect(repeats).toBeGreaterThanOrEqual(9);
      expect(repeats).toBeLessThanOrEqual(11);
    }
    world.journalAnswers = true;
    world.untilStatus(order, 'filled');
    world.run(5_000);
    expect(world.statuses(order.clientOrderId)).toEqual(['sending', 'accepted', 'filled']);
    expect(world.fills()).toHaveLength(1);
    expect(world.inspect().digest).toMatchObject({ unacknowledgedAppends: 0 });
  });

  it('survive a disk that refuses for a while', () => {
    const world = new ConnectorWorld().ready();
    world.disk.failNextAppends(6);
    const order = world.place();
    world.untilStatus(order, 'filled');
    world.run(6_000);
    expect(world.statuses(order.clientOrderId)).toEqual(expect.arrayContaining(['sending', 'accepted', 'filled']));
    expect(world.fills()).toHaveLength(1);
    expect((world.heard.get('position/BTC') ?? []).every(({ isDurable }) => isDurable)).toBe(true);
  });
});

describe('a fact that contradicts the stored row of its id', () => {
  it('is given up untold and counted, and what waits for later facts goes on', () => {
    const world = new ConnectorWorld({ venue: 'extended' }).ready();
    const first = world.place();
    world.untilStatus(first, 'filled');
    const fillId = BigInt(world.fills()[0]?.fill.fillId ?? '');
    // Ids of the fills to come, taken by facts of another quantity.
    const planted = world.disk.rowsAfter(0).find(({ type }) => type === 'fill');
    if (planted === undefined) throw new Error('the first fill must be on disk');
    const rows = Array.from({ length: 50 }, (_, index) => {
      const id = `fill:extended:main:${fillId + 1n + BigInt(index)}`;
      return encodeRow({ ...planted, id, payload: { event: { fill: { lots: 1 } } } });
    });
    world.disk.open().append(rows);
    const second = world.place();
    world.untilStatus(second, 'filled');
    world.run(5_000);
    expect(world.fills()).toHaveLength(1);
    expect(world.inspect().counters['facts-contradicted']).toBeGreaterThanOrEqual(1);
    expect(world.logs.filter(({ event }) => event === 'append-failed')).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ code: 'row-conflict' }) as unknown }),
    );
    world.reconcile(7, world.system.nowMs() - 60_000, [second]);
    world.until('it is answered', () => world.events('reconciled').length > 0);
    expect(world.inspect().digest).toMatchObject({ unacknowledgedAppends: 0 });
  });
});

describe.each(VENUES)('a fill that %s tells otherwise the second time', (venue) => {
  it('stays booked as it was, and stops the engine: one of both is wrong', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const order = world.place();
    world.untilStatus(order, 'filled');
    world.until('its fill is told', () => world.fills().length > 0);
    const told = [...world.fills()];
    const size = {
      extended: 'qty',
      lighter: 'size',
      bybit: 'execQty',
      hyperliquid: 'sz',
      coinbase: 'amount',
      'coinbase-us': 'size',
    }[venue];
    const lists = /\/user\/trades|\/trades|\/execution\/list|\/userFills|\/get_user_trades|\/historical\/fills/;
    world.damage = (path, body) => (lists.test(path) ? body.replace(new RegExp(`"${size}":"?`), '$&7') : body);
    world.reconcile(7, world.system.nowMs() - 60_000, [order]);
    world.until('the journal finds it', () => world.kills.length > 0);
    expect(world.kills).toContainEqual(
      expect.objectContaining({ level: 2, reason: expect.stringMatching(/^JOURNAL_CONFLICT: .*lots/) as unknown }),
    );
    expect(world.count('facts-retold')).toBeGreaterThan(0);
    world.run(3_000);
    expect(world.fills()).toEqual(told);
  });
});

describe.each(VENUES)('a reconciliation of a symbol at %s', (venue) => {
  it('is answered after everything it found, with the position and the open orders', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.swallowFills();
    const resting = world.place({
      timeInForce: 'gtc',
      priceOffset: -0.01,
      validUntilMs: world.system.nowMs() + 60_000,
    });
    const order = world.place();
    world.untilStatus(order, 'filled');
    world.untilStatus(resting, 'open');
    expect(world.fills()).toEqual([]);
    world.reconcile(7, world.system.nowMs() - 60_000, [order]);
    world.until('it is answered', () => world.events('reconciled').length > 0);
    expect(world.events('reconciled')).toEqual([
      expect.objectContaining({
        reconcileId: 7,
        ok: true,
        signedLots: 1_000,
        openClientOrderIds: [resting.clientOrderId],
      }),
    ]);
    const heard = (world.heard.get('position/BTC') ?? []).map(({ event }) => event.type);
    expect(heard.indexOf('fill-received')).toBeLessThan(heard.indexOf('reconciled'));
    expect(world.fills()).toHaveLength(1);
  });

  it('does not overtake a fact that the disk refused at first', () => {
    const world = new ConnectorWorld({ venue }).ready();
    world.swallowFills();
    const order = world.place();
    world.untilStatus(order, 'filled');
    world.reconcile(1, world.system.nowMs() - 60_000);
    world.until(
      'the fill is found',
      () => (world.inspect().digest as { unacknowledgedAppends: number }).unacknowledgedAppends > 0,
    );
    world.disk.failNextAppends(3);
    world.until('it is answered', () => world.events('reconciled').length > 0);
    const heard = (world.heard.get('position/BTC') ?? []).map(({ event }) => event.type);
    expect(heard.indexOf('fill-received')).toBeGreaterThan(-1);
    expect(heard.indexOf('fill-received')).toBeLessThan(heard.indexOf('reconciled'));
  });

  it('waits for the proof about an order that nobody knows', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const never = world.order();
    world.reconcile(2, world.system.nowMs(), [never]);
    world.until('it is answered', () => world.events('reconciled').length > 0);
    expect(world.statuses(never.clientOrderId)).toEqual(['not-found']);
    const heard = (world.heard.get('position/BTC') ?? []).map(({ event }) => event.type);
    expect(heard.lastIndexOf('order-changed')).toBeLessThan(heard.indexOf('reconciled'));
  });

  it('is answered as failed when a question failed, and proves nothing then', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const pages =
      /\/user\/positions|\/account\?|\/position\/list|\/clearinghouseState|\/get_positions|\/cfm\/positions/;
    world.damage = (path, text) => (pages.test(path) ? '<html>' : text);
    world.reconcile(3, world.system.nowMs());
    world.until('it is answered', () => world.events('reconciled').length > 0);
    expect(world.events('reconciled')[0]).toMatchObject({ reconcileId: 3, ok: false });
  });
});

describe.each(VENUES)('a connector at %s whose thread dies', (venue) => {
  it('comes back, tells everything again and trades', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const first = world.place();
    world.untilStatus(first, 'filled');
    world.system.crashThread('io-0');
    world.until('it starts again', () => world.inspect().incarnation === 2);
    const heardBefore = new Map([...world.heard].map(([path, list]) => [path, list.length]));
    world.until('it is not ready', () => world.status()?.entriesAllowed === false, 5_000);
    world.ready();
    const again = (world.heard.get('strategy') ?? []).slice(heardBefore.get('strategy')).map(({ event }) => event.type);
    for (const type of ['instrument-listed', 'book-changed', 'mark-changed', 'funding-rate-changed', 'account-changed'])
      expect(again).toContain(type);
    expect(world.events('position-reported').at(-1)?.signedLots).toBe(1_000);
    const second = world.place({ side: 'sell', reduceOnly: true });
    world.untilStatus(second, 'filled');
    world.run(500);
    const ids = new Set(world.fills().map(({ fill }) => fill.fillId));
    expect([...ids].toSorted()).toEqual(world.oracle.fills.map(({ fillId }) => fillId).toSorted());
    expect(world.disk.rowsAfter(0).filter((row) => row.type === 'fill')).toHaveLength(world.oracle.fills.length);
  });

  it('does not send an order again that its life before may have sent', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const order = world.place();
    world.until('the venue has it', () => world.ordersAtVenue(order.clientOrderId).length === 1);
    world.system.crashThread('io-0');
    world.until('it starts again', () => world.inspect().incarnation === 2);
    world.send(order);
    world.untilStatus(order, 'filled', 20_000);
    world.run(10_000);
    expect(world.ordersAtVenue(order.clientOrderId)).toHaveLength(1);
    expect(world.oracle.positions.get(world.symbol)).toBe(1_000);
  });

  it('proves an order dead that its life before never sent', () => {
    const world = new ConnectorWorld({ venue }).ready();
    const order = world.order();
    world.system.crashThread('io-0');
    world.until('it starts again', () => world.inspect().incarnation === 2);
    world.send(order);
    world.untilStatus(order, 'not-found', 20_000);
    expect(world.ordersAtVenue(order.clientOrderId)).toEqual([]);
  });
});
