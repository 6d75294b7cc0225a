/** A simulated venue whose process dies and comes back goes on where it was. */
import { expect, it } from 'vitest';
import { buildVenue } from '../../../src/simulation/build-venue.ts';
import type { BuiltVenue, VenueSpec } from '../../../src/simulation/build-venue.ts';
import { demoAccount } from '../../../src/simulation/demo-accounts.ts';
import type { VenueOutput, VenuePast } from '../../../src/simulation/simulated-venue.ts';
import { runHyperliquidSignTask } from '../../../src/venues/hyperliquid/sign.ts';
import type { ActionValue } from '../../../src/venues/hyperliquid/msgpack.ts';
import { cancelAction, cloidOf, leverageAction, orderAction } from '../../../src/venues/hyperliquid/wire.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';

const ACCOUNT = demoAccount('hyperliquid', 'main');
const SPEC: VenueSpec = {
  venue: 'hyperliquid',
  bases: ['BTC'],
  accounts: [{ name: 'main', balance: 10_000 }],
  limits: 'standard',
  seed: 1,
  calendarScale: 1,
  takerDelayMs: 20,
  makerDelayMs: 20,
  cancelDelayMs: 20,
  bookIntervalMs: 250,
};

class Life {
  readonly built: BuiltVenue;
  readonly #facts: VenuePast['facts'][number][] = [];
  #monotonicMs = 0;
  readonly #startAtMs: number;
  #nonce: number;

  constructor(past?: VenuePast) {
    this.#startAtMs = past?.calendarMs ?? START_MS;
    this.#nonce = this.#startAtMs;
    this.built = buildVenue(SPEC, plainTape({ priceAt: () => 90_000 }), { past });
    this.built.venue.handle({ type: 'tick' }, this.#at());
  }

  #at(): { readonly calendarMs: number; readonly monotonicMs: number } {
    return { calendarMs: this.#startAtMs + this.#monotonicMs, monotonicMs: this.#monotonicMs };
  }

  post(path: string, body: unknown): unknown {
    const outputs: VenueOutput[] = [];
    const request = {
      requestId: 1,
      remote: '127.0.0.1',
      method: 'POST',
      path,
      headers: {},
      body: JSON.stringify(body),
    };
    outputs.push(...this.built.venue.handle({ type: 'http-request', ...request }, this.#at()));
    for (let waited = 0; waited < 100; waited += 10) {
      this.#monotonicMs += 10;
      outputs.push(...this.built.venue.handle({ type: 'tick' }, this.#at()));
      this.#facts.push(...this.built.takeFacts());
    }
    const answer = outputs.find((output) => output.type === 'http-answer');
    return JSON.parse(answer?.type === 'http-answer' ? answer.body : 'null') as unknown;
  }

  act(action: ActionValue, nonce?: number): unknown {
    this.#nonce += 1;
    const terms = { action, nonce: nonce ?? this.#nonce };
    const signature = runHyperliquidSignTask({
      ...terms,
      privateKey: ACCOUNT.secrets['privateKey'] ?? '',
      network: 'mainnet',
    });
    return this.post('/exchange', { ...terms, signature });
  }

  get nonce(): number {
    return this.#nonce;
  }

  die(): VenuePast {
    return {
      facts: structuredClone(this.#facts),
      calendarMs: this.#at().calendarMs,
      keepsake: this.built.venue.keepsake(),
    };
  }
}

const order = (cloid: string, price: string, timeInForce: 'Gtc' | 'Ioc'): ActionValue =>
  orderAction({ asset: 0, isBuy: true, price, size: '0.01', reduceOnly: false, timeInForce, cloid: cloidOf(cloid) });

it('knows its orders by their ids, its fills, its leverage, and takes no nonce a second time', () => {
  const first = new Life();
  expect(first.act(leverageAction(0, true, 4))).toMatchObject({ status: 'ok' });
  first.act(order('1', '90250', 'Ioc'));
  first.act(order('2', '89000', 'Gtc'));
  const used = first.nonce;
  const fills = first.post('/info', { type: 'userFills', user: ACCOUNT.options['address'] });

  const second = new Life(first.die());
  const user = ACCOUNT.options['address'];
  expect(second.post('/info', { type: 'userFills', user })).toEqual(fills);
  expect(second.post('/info', { type: 'orderStatus', user, oid: cloidOf('1') })).toMatchObject({
    order: { status: 'filled' },
  });
  expect(second.post('/info', { type: 'frontendOpenOrders', user })).toMatchObject([
    { cloid: cloidOf('2'), sz: '0.01' },
  ]);
  expect(second.post('/info', { type: 'activeAssetData', user, coin: 'BTC' })).toMatchObject({
    leverage: { value: 4 },
  });
  expect(second.post('/info', { type: 'userRateLimit', user })).toMatchObject({ nRequestsUsed: 3 });
  expect(second.act(order('3', '90250', 'Ioc'), used)).toMatchObject({
    status: 'err',
    response: expect.stringMatching(/^Invalid nonce/) as string,
  });
  expect(second.act(cancelAction([{ asset: 0, cloid: cloidOf('2') }]))).toMatchObject({
    response: { data: { statuses: ['success'] } },
  });
  expect(second.built.venue.oracle().accounts.get('main')?.fills).toEqual(
    first.built.venue.oracle().accounts.get('main')?.fills,
  );
});
