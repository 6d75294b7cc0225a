import { describe, expect, it } from 'vitest';
import { ConnectorWorld } from './connector-world.ts';

/** Nonces of the transactions that arrived, in order. */
function noncesSent(world: ConnectorWorld): readonly number[] {
  return world.socketTexts
    .filter(({ path }) => path.includes('jsonapi/sendtx'))
    .map(({ path }) => Number(/"Nonce":(\d+)/.exec(path)?.[1]));
}

function nonceReads(world: ConnectorWorld): number {
  return world.requestsSince(0, '/nextNonce').length;
}

function lighter(): ConnectorWorld {
  return new ConnectorWorld({ venue: 'lighter' }).ready();
}

describe('nonces of one account', () => {
  it('leave in order without gaps however many orders are placed at once', () => {
    const world = lighter();
    const orders = Array.from({ length: 12 }, () => world.place({ lots: 20 }));
    for (const order of orders) world.untilStatus(order, 'filled');
    const sent = noncesSent(world);
    expect(sent).toHaveLength(12);
    expect(sent).toEqual(sent.map((_nonce, index) => (sent[0] ?? 0) + index));
    expect(nonceReads(world)).toBe(1);
  });

  it('are read again after a refusal, and the status stays ready meanwhile', () => {
    const world = lighter();
    world.inject('refuse-next', { code: 21739 });
    const orders = Array.from({ length: 4 }, () => world.place({ lots: 20 }));
    expect(world.refusal(orders[0] ?? world.order())).toMatchObject({ refusal: 'state' });
    const ended = new Set(['filled', 'refused']);
    world.until('all ended', () =>
      orders.every((order) => world.statuses(order.clientOrderId).some((status) => ended.has(status))),
    );
    world.untilStatus(world.place({ lots: 20 }), 'filled', 3_000);
    expect(nonceReads(world)).toBeGreaterThan(1);
    const statuses = world.events('venue-status', 'strategy').map((event) => event.status);
    expect(new Set(statuses.slice(statuses.indexOf('ready')))).toEqual(new Set(['ready']));
    world.run(500);
    expect(world.oracle.fills.length).toBe(world.fills().length);
  });

  it('stop order flow for two seconds and a round trip at most when an answer is lost but the order arrived', () => {
    const world = lighter();
    world.inject('lose-next-answer');
    const lost = world.place({ lots: 20 });
    world.until('the venue has it', () => world.ordersAtVenue(lost.clientOrderId).length === 1);
    const sentAtMs = world.nowMs;
    const next = world.place({ lots: 20 });
    world.untilStatus(next, 'filled', 4_000);
    expect(world.nowMs - sentAtMs).toBeLessThan(3_500);
    world.until('the lost one is settled', () => world.statuses(lost.clientOrderId).includes('filled'));
    expect(new Set(noncesSent(world)).size).toBe(noncesSent(world).length);
  });

  it('are not given to another order while one that never answered may still arrive', () => {
    const world = lighter();
    const first = world.place({ lots: 20 });
    world.untilStatus(first, 'filled');
    // Everything to the venue is lost on this connection; it is cut before it could be answered.
    world.network.setConditions(world.host, { blackHole: true });
    const lost = world.place({ lots: 20 });
    world.untilStatus(lost, 'sending');
    world.run(200);
    world.network.setConditions(world.host, { blackHole: false });
    world.network.cut(world.host);
    const reduce = world.place({
      side: 'sell',
      reduceOnly: true,
      lots: 20,
      validUntilMs: world.system.nowMs() + 60_000,
    });
    world.until(
      'it is decided',
      () => world.statuses(reduce.clientOrderId).some((status) => status !== 'sending'),
      20_000,
    );
    const sent = noncesSent(world);
    expect(new Set(sent).size).toBe(sent.length);
    world.untilStatus(lost, 'not-found', 20_000);
    const again = world.place({ side: 'sell', reduceOnly: true, lots: 20 });
    world.until(
      'all are flat',
      () => world.oracle.positions.size === 0 || world.statuses(again.clientOrderId).includes('filled'),
      20_000,
    );
    expect(new Set(noncesSent(world)).size).toBe(noncesSent(world).length);
  });

  it('are given back when what was signed never left', () => {
    const world = lighter();
    world.place({ lots: 20 });
    world.run(1_000);
    const before = noncesSent(world).length;
    const orders = Array.from({ length: 10 }, () => world.place({ lots: 20 }));
    for (const order of orders.slice(4)) world.cancel(order.clientOrderId);
    world.run(5_000);
    const sent = noncesSent(world);
    expect(sent.length).toBeGreaterThan(before);
    for (const [index, nonce] of sent.entries())
      expect(nonce).toBeLessThanOrEqual(Math.max(-1, ...sent.slice(0, index)) + 1);
    for (const order of orders.slice(0, 4)) expect(world.ordersAtVenue(order.clientOrderId)).toHaveLength(1);
    world.untilStatus(world.place({ lots: 20 }), 'filled', 2_000);
  });

  it('are read again when a cancel is refused, and every order that was signed behind it is signed again', () => {
    const world = lighter();
    world.place({ lots: 20 });
    world.run(1_000);
    // Nothing to cancel: the venue refuses, and the nonce of the refused cancel is still the next one.
    world.cancel('4711');
    const orders = Array.from({ length: 3 }, () => world.place({ lots: 20 }));
    for (const order of orders) world.untilStatus(order, 'filled', 3_000);
    expect(world.count('refusals:state')).toBe(1);
    expect(world.count('submissions-signed-again')).toBeGreaterThan(0);
    for (const order of orders) {
      expect(world.ordersAtVenue(order.clientOrderId)).toHaveLength(1);
      expect(world.statuses(order.clientOrderId).filter((status) => status === 'sending')).toHaveLength(1);
    }
  });

  it('used by somebody else are read again, and the order is signed again', () => {
    const world = lighter();
    world.inject('refuse-next', { code: 21104 });
    const order = world.place({ lots: 20 });
    world.untilStatus(order, 'filled', 3_000);
    expect(world.ordersAtVenue(order.clientOrderId)).toHaveLength(1);
  });

  it('that are always used by somebody else leave the decision to who placed the order', () => {
    const world = lighter();
    for (let time = 0; time < 4; time++) world.inject('refuse-next', { code: 21104 });
    const order = world.place({ lots: 20, validUntilMs: world.system.nowMs() + 60_000 });
    expect(world.refusal(order)).toMatchObject({ refusal: 'nonce' });
    expect(noncesSent(world)).toHaveLength(4);
    world.untilStatus(world.place({ lots: 20 }), 'filled', 3_000);
  });

  it('are no reason to sign an order again that was cancelled meanwhile', () => {
    const world = lighter();
    world.inject('refuse-next', { code: 21104 });
    const order = world.place({ lots: 20 });
    world.untilStatus(order, 'sending');
    world.cancel(order.clientOrderId);
    expect(world.refusal(order)).toMatchObject({ refusal: 'nonce' });
    world.run(3_000);
    expect(world.ordersAtVenue(order.clientOrderId)).toHaveLength(0);
  });

  it('are no reason to sign an order again that the engine does not allow any more', () => {
    const world = lighter();
    world.inject('refuse-next', { code: 21104 });
    const order = world.place({ lots: 20 });
    world.untilStatus(order, 'sending');
    world.tell({ type: 'limit-orders', allowed: 'none', cancelOpens: false, reason: 'test' });
    expect(world.refusal(order)).toMatchObject({ refusal: 'nonce' });
    world.run(3_000);
    expect(world.ordersAtVenue(order.clientOrderId)).toHaveLength(0);
  });
});

describe('an answer that comes late', () => {
  it('still says what became of its order, and the order is never sent again', () => {
    const world = lighter();
    world.inject('delay-answers', { delayMs: 2_600, requests: 1 });
    // Nothing on the account channels may say it earlier.
    world.damage = (path, text) =>
      path === 'socket' ? text.replace(/"type":"update\/account_all/, '"type":"later/account_all') : text;
    const order = world.place({ timeInForce: 'gtc', priceOffset: -0.01 });
    world.untilStatus(order, 'unknown');
    world.until('the late answer is seen', () => world.count('answers-late') === 1, 5_000);
    world.run(3_000);
    expect(world.ordersAtVenue(order.clientOrderId)).toHaveLength(1);
    expect(world.statuses(order.clientOrderId)).toContain('open');
    expect(noncesSent(world)).toHaveLength(1);
  });

  it('of a refusal ends the order at once', () => {
    const world = lighter();
    world.inject('delay-answers', { delayMs: 2_600, requests: 1 });
    world.inject('refuse-next', { code: 21739 });
    const order = world.place();
    world.untilStatus(order, 'unknown');
    expect(world.refusal(order)).toMatchObject({ refusal: 'state', code: '21739' });
    world.untilStatus(world.place({ lots: 20 }), 'filled', 10_000);
  });
});
