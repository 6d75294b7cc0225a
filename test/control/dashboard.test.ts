import { describe, expect, it } from 'vitest';
import { openDashboardFiles } from '../../src/control/dashboard-files.ts';
import type { DashboardFiles } from '../../src/control/dashboard-files.ts';
import { MEANT, stageControl } from './engine.ts';

const WITHOUT_TOKEN = { headers: { authorization: undefined } };

describe('the dashboard’s files', () => {
  it(
    'are built, reach whoever asks without a token, and load nothing from elsewhere',
    { timeout: 120_000 },
    async () => {
      const control = await stageControl({}, { dashboard: openDashboardFiles() });
      const page = await control.ask('/', WITHOUT_TOKEN);
      expect(page.status).toBe(200);
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(page.headers.get('cache-control')).toBe('no-store');
      const html = await page.text();
      const parts = [...html.matchAll(/(?:src|href)="\.(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
      expect(parts.length).toBeGreaterThanOrEqual(3);
      expect(html).not.toMatch(/https?:\/\//);
      for (const path of parts) {
        const file = await control.ask(path, WITHOUT_TOKEN);
        expect([path, file.status, file.headers.get('cache-control')]).toEqual([
          path,
          200,
          'private, max-age=31536000, immutable',
        ]);
        const text = await file.text();
        // Names of standards are no addresses that anything is loaded from.
        const addresses = text.match(/https?:\/\/[^"'`\s)]+/g) ?? [];
        expect(addresses.filter((address) => !address.startsWith('http://www.w3.org/'))).toEqual([]);
      }
    },
  );

  it('are not found under another name, and say why they could not be built', async () => {
    const failing: DashboardFiles = {
      find: () => Promise.reject(new Error('the dashboard could not be built: no disk')),
    };
    const none: DashboardFiles = { find: () => Promise.resolve(undefined) };
    expect((await (await stageControl({}, { dashboard: none })).ask('/assets/nothing.js', WITHOUT_TOKEN)).status).toBe(
      404,
    );
    const control = await stageControl({}, { dashboard: failing });
    const answer = await control.ask('/', WITHOUT_TOKEN);
    expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining('no disk')]);
    expect(control.logged).toMatchObject([{ event: 'dashboard-not-built' }]);
  });
});

describe('what the page is drawn from', () => {
  it('is one answer with readiness, journal, time and trading; bigints as text', async () => {
    const response = await (await stageControl()).ask('/debug/summary');
    expect([response.status, await response.json()]).toMatchObject([
      200,
      {
        mode: 'demo',
        boot: 3,
        readiness: { ready: true },
        trading: { pairs: [{ base: 'BTC', fundingMicro: '0' }] },
        faults: { lighter: ['drop-sockets'] },
      },
    ]);
  });
});

describe('a fault asked for', () => {
  const inject = async (body: unknown) => {
    const control = await stageControl();
    const response = await control.ask('/control/fault', {
      method: 'POST',
      headers: MEANT,
      body: JSON.stringify(body),
    });
    return { status: response.status, answer: await response.json(), steered: control.steered, logged: control.logged };
  };

  it('reaches the simulated venue and the log', async () => {
    const { status, steered, logged } = await inject({ venue: 'lighter', fault: 'drop-sockets' });
    expect([status, steered]).toEqual([202, [['inject', 'lighter drop-sockets']]]);
    expect(logged).toMatchObject([{ event: 'control-action', fields: { venue: 'lighter', fault: 'drop-sockets' } }]);
  });

  it('is refused for a venue that is not simulated here, and for a body that names none', async () => {
    expect(await inject({ venue: 'bybit', fault: 'drop-sockets' })).toMatchObject({ status: 404, steered: [] });
    expect(await inject({ fault: 'drop-sockets' })).toMatchObject({
      status: 400,
      answer: { error: expect.stringContaining('venue must be text') },
    });
  });
});
