import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { VENUE_NAMES } from '../../config/venue-names.ts';
import { LAUNCH } from './run-tandem.ts';

/** One public answer of each venue. */
const PUBLIC: Readonly<Record<string, string>> = {
  lighter: '/api/v1/orderBooks',
  extended: '/info/markets',
  bybit: '/v5/market/tickers?category=linear',
};

it.each(VENUE_NAMES.filter((venue) => PUBLIC[venue] !== undefined))(
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
      const answer = await fetch(`${restUrl}${PUBLIC[venue]}`, { headers: { 'User-Agent': 'test' } });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('BTC');
    } finally {
      child.kill('SIGINT');
    }
    expect(await ended).toBe(0);
  },
);
