import { describe, expect, it } from 'vitest';
import { MEANT, stageControl } from './engine.ts';

describe('looking into the runtime', () => {
  it('shows what waits in a mailbox, without secrets and cut', async () => {
    const control = await stageControl();
    const response = await control.ask('/debug/mailbox/position/BTC');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      path: 'position/BTC',
      depthTotal: 3,
      messages: [
        {
          type: 'order-updated',
          class: 'must-deliver',
          from: 'connector/lighter:main',
          ageMs: 1.5,
          attempts: 1,
          traceId: 7,
          message: { type: 'order-updated', note: '[redacted]', apiKey: '[redacted]', quantity: '12' },
        },
        {
          type: 'market-changed',
          class: 'market',
          from: '',
          ageMs: 0.5,
          attempts: 0,
          message: { truncated: true, bytes: 5_011, text: expect.stringMatching(/^\{"text":"x{4087}$/) },
        },
      ],
    });
  });

  it('shows as many messages as it is asked for', async () => {
    const control = await stageControl();
    const shown = (await (await control.ask('/debug/mailbox/position/BTC?limit=1')).json()) as { messages: unknown[] };
    expect(shown.messages).toHaveLength(1);
    for (const limit of ['0', '101', '-1', '1e2', 'all', '']) {
      const refused = await control.ask(`/debug/mailbox/position/BTC?limit=${limit}`);
      expect([refused.status, await refused.json()]).toEqual([
        400,
        { error: `limit must be a whole number from 1 to 100, was "${limit}"` },
      ]);
    }
  });

  it('lists traces and shows one of them whole', async () => {
    const control = await stageControl();
    expect(await (await control.ask('/debug/traces')).json()).toEqual({
      traces: [
        {
          traceId: 7,
          names: ['4242'],
          beganAtMs: 100,
          durationMs: 2.5,
          threads: ['io-0', 'trading-0'],
          spans: 2,
          first: { path: 'connector/lighter:main', type: 'frame' },
          last: { path: 'position/BTC', type: 'market-changed' },
        },
      ],
    });
  });

  it.each(['7', '4242', 'latest'])(
    'shows one trace whole, by its number, its name or as the latest: %s',
    async (id) => {
      const control = await stageControl();
      expect(await (await control.ask(`/debug/trace/${id}`)).json()).toMatchObject({
        traceId: 7,
        spans: [{ thread: 'io-0' }, { thread: 'trading-0', from: 'connector/lighter:main', queuedAtMs: 100 }],
        marks: [{ step: 'named', about: '4242' }],
      });
    },
  );

  it.each(['/debug/mailbox/position/XRP', '/debug/trace/8', '/debug/trace/x'])('finds nothing at %s', async (path) => {
    expect((await (await stageControl()).ask(path)).status).toBe(404);
  });

  it.each(['/debug/mailbox/position/BTC', '/debug/traces', '/debug/trace/7'])(
    'needs the token and a GET at %s',
    async (path) => {
      const control = await stageControl();
      expect((await control.ask(path, { headers: { authorization: undefined } })).status).toBe(401);
      expect((await control.ask(path, { method: 'POST', headers: MEANT, body: '{}' })).status).toBe(405);
    },
  );
});

describe('steering one actor', () => {
  it.each(['pause', 'resume', 'restart'])('can %s it', async (action) => {
    const control = await stageControl();
    const response = await control.ask(`/control/${action}/position/BTC`, {
      method: 'POST',
      headers: MEANT,
      body: '{}',
    });
    expect([response.status, await response.json()]).toEqual([202, { outcome: 'done', action, path: 'position/BTC' }]);
    expect(control.steered).toEqual([[action, 'position/BTC']]);
    expect(control.logged).toContainEqual({
      event: 'control-action',
      fields: { path: 'position/BTC', action, isDone: true },
    });
  });

  it('says when there is no such actor', async () => {
    const control = await stageControl();
    expect(
      (await control.ask('/control/pause/position/NONE', { method: 'POST', headers: MEANT, body: '{}' })).status,
    ).toBe(404);
  });

  it.each([
    ['without the token', 401, { headers: { ...MEANT, authorization: undefined }, method: 'POST', body: '{}' }],
    [
      'without the header of intent',
      403,
      { headers: { 'content-type': 'application/json' }, method: 'POST', body: '{}' },
    ],
    ['with words nobody asked for', 400, { headers: MEANT, method: 'POST', body: '{"force":true}' }],
    ['by a GET', 405, { method: 'GET' }],
  ])('is refused %s', async (_, status, init) => {
    const control = await stageControl();
    expect((await control.ask('/control/restart/position/BTC', init)).status).toBe(status);
    expect(control.steered).toEqual([]);
  });
});
