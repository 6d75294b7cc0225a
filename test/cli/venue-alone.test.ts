import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { VENUE_NAMES } from '../../config/venue-names.ts';
import type { VenueName } from '../../config/venue-names.ts';
import { LAUNCH } from './run-tandem.ts';

/** One public question of each venue; with a body where questions are posted. */
const PUBLIC: Readonly<Record<VenueName, { readonly path: string; readonly body?: string }>> = {
  lighter: { path: '/api/v1/orderBooks' },
  extended: { path: '/info/markets' },
  bybit: { path: '/v5/market/tickers?category=linear' },
  hyperliquid: { path: '/info', body: '{"type":"meta"}' },
  coinbase: { path: '/api/v2/public/get_instruments?currency=USDC&kind=future' },
};

it.each(VENUE_NAMES)(
  'tandem venue %s runs it alone, also where the configuration trades others, until it is told to stop',
  async (venue) => {
    const child = spawn(process.execPath, [LAUNCH, 'venue', venue, '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    try {
      let restUrl: string | undefined;
      for await (const line of createInterface(child.stdout)) {
        restUrl = /restUrl: (\S+)/.exec(line)?.[1] ?? restUrl;
        if (line.includes('Ctrl-C')) break;
      }
      const { path, body } = PUBLIC[venue];
      const answer = await fetch(`${restUrl}${path}`, {
        headers: { 'User-Agent': 'test' },
        ...(body === undefined ? {} : { method: 'POST', body }),
      });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('BTC');
    } finally {
      child.kill('SIGINT');
    }
    expect(await ended).toBe(0);
  },
);
