import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';

const LAUNCH = join(import.meta.dirname, '..', '..', 'src', 'launch.mjs');

it('runs a venue that the demonstration leaves out, with its own wire, until it is interrupted', async () => {
  const child = spawn(process.execPath, [LAUNCH, 'venue', 'hyperliquid', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let restUrl: string | undefined;
    for await (const line of createInterface(child.stdout)) {
      restUrl = /restUrl: (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (restUrl !== undefined) break;
    }
    const answer = await fetch(`${restUrl}/info`, { method: 'POST', body: '{"type":"meta"}' });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      universe: [{ name: 'BTC', szDecimals: 5, maxLeverage: 40 }, {}, {}, {}, {}],
    });
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
});
