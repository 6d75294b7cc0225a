import { Worker } from 'node:worker_threads';
import { afterEach, expect, it } from 'vitest';
import type {
  VenueWorkerData,
  VenueWorkerEvent,
  VenueWorkerRequest,
} from '../../../src/simulation/live/venue-worker.ts';
import { demoAccount } from '../../../src/simulation/demo-accounts.ts';

let worker: Worker | undefined;
afterEach(async () => {
  await worker?.terminate();
  worker = undefined;
});

function start(venues: VenueWorkerData['venues']): Worker {
  const startAtMs = Date.UTC(2026, 0, 5);
  const data: VenueWorkerData = {
    calendar: { startAtMs, scale: 360, anchorEpochMs: Date.now() },
    tape: {
      kind: 'generated',
      seed: 1,
      bases: ['BTC', 'SOL'],
      venues: {
        extended: { series: 'hyperliquid' },
        bybit: { series: 'bybit' },
        hyperliquid: { series: 'hyperliquid' },
        lighter: { series: 'lighter' },
        coinbase: { series: 'hyperliquid' },
      },
      startAtMs,
    },
    venues,
  };
  return new Worker(new URL('../../../workers/venue-server.ts', import.meta.url), { workerData: data });
}

function next<Type extends VenueWorkerEvent['type']>(
  from: Worker,
  type: Type,
): Promise<Extract<VenueWorkerEvent, { type: Type }>> {
  return new Promise((resolve, reject) => {
    from.once('error', reject);
    from.on('message', (event: VenueWorkerEvent) => {
      if (isOf(event, type)) resolve(event);
    });
  });
}

function isOf<Type extends VenueWorkerEvent['type']>(
  event: VenueWorkerEvent,
  type: Type,
): event is Extract<VenueWorkerEvent, { type: Type }> {
  return event.type === type;
}

const PACE = {
  calendarScale: 360,
  limits: 'standard' as const,
  takerDelayMs: 0,
  makerDelayMs: 0,
  cancelDelayMs: 0,
  bookIntervalMs: 50,
};

it.each([
  ['extended', '/api/v1/info/markets', 'BTC-USD'],
  ['lighter', '/api/v1/orderBooks', 'BTC'],
  ['bybit', '/v5/market/tickers?category=linear', 'BTCUSDT'],
  ['hyperliquid', '/info', 'BTC', '{"type":"meta"}'],
  ['coinbase', '/api/v2/public/get_instruments?currency=USDC&kind=future', 'BTC_USDC-PERPETUAL'],
])('hosts %s in a thread of its own and shows its books', async (venue, path, symbol, body?: string) => {
  worker = start([
    { venue, bases: ['BTC', 'SOL'], accounts: [{ name: 'main', balance: 10_000 }], seed: 1, port: 0, ...PACE },
  ]);
  const tell = (request: VenueWorkerRequest): void => worker?.postMessage(request);
  const { venues } = await next(worker, 'listening');

  const account = demoAccount(venue, 'main');
  const headers = { 'User-Agent': 'test', 'X-Api-Key': account.secrets['apiKey'] ?? '' };
  const answer = await fetch(`${venues[0]?.url}${path}`, {
    headers,
    ...(body === undefined ? {} : { method: 'POST', body }),
  });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain(symbol);

  tell({ type: 'force-trade', venue, account: 'main', symbol, signedLots: 100 });
  tell({ type: 'ask-oracle', askId: 7, venue });
  const oracle = await next(worker, 'oracle');
  expect(oracle.askId).toBe(7);
  expect(oracle.accounts.get('main')?.positions.get(symbol)).toBe(100);
  expect(oracle.accounts.get('main')?.orders).toHaveLength(1);

  const ended = new Promise((resolve) => worker?.once('exit', resolve));
  const stopped = next(worker, 'stopped');
  tell({ type: 'stop' });
  await stopped;
  expect(await ended).toBe(0);
});

it('ends the thread with the reason when a venue cannot be built', async () => {
  worker = start([{ venue: 'nowhere', bases: ['BTC'], accounts: [], seed: 1, port: 0, ...PACE }]);
  await expect(next(worker, 'listening')).rejects.toThrow('a simulated venue must be one of');
});
