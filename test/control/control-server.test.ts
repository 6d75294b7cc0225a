import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { CONNECTIONS_MAX, ControlServerRefused } from '../../src/control/control-server.ts';
import { MEANT, stageControl } from './engine.ts';
import type { StagedControl } from './engine.ts';

/** Sends bytes as they are and gives everything that comes back until the server ends the connection. */
async function sendRaw(control: StagedControl, text: string): Promise<string> {
  const socket = connect(control.server.port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
  // The server may cut the connection while we still write.
  socket.on('error', () => undefined);
  socket.end(text);
  await once(socket, 'close');
  return answer;
}

/** The parts of answers that tests look into. */
interface Body {
  readonly totals: unknown;
  readonly tree: readonly unknown[];
  readonly threads: unknown;
}

async function jsonOf(response: Response): Promise<Body> {
  return (await response.json()) as Body;
}

function lines(control: StagedControl, ...headers: readonly string[]): string {
  return `GET /debug/actors HTTP/1.1\r\n${[`Authorization: Bearer ${control.token}`, 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`;
}

describe('what is asked', () => {
  it('answers the tree of actors with everything about each', async () => {
    const control = await stageControl();
    const response = await control.ask('/debug/actors');
    expect(response.status).toBe(200);
    const body = await jsonOf(response);
    expect(body.totals).toEqual({ actors: 3, running: 2, restarts: 2, queued: 9 });
    expect(body.tree).toHaveLength(1);
    expect(body.tree[0]).toMatchObject({
      path: 'root',
      children: [
        { path: 'journal', thread: 'store', kind: 'journal' },
        { path: 'venues', children: [{ path: 'connector/lighter:main', status: 'restarting' }] },
        {
          path: 'trading',
          children: [
            {
              path: 'position/BTC',
              incarnation: 3,
              restarts: 2,
              mailbox: { highWaterMark: 9, oldestAgeMs: 1.5, processed: 97, depth: { market: 2 } },
              handler: { p99Ms: 0.5 },
            },
          ],
        },
      ],
    });
  });

  it('answers one actor with its last messages, last failure and view of itself; bigints as text', async () => {
    const control = await stageControl();
    const body = await (await control.ask('/debug/actors/position/BTC')).json();
    expect(body).toMatchObject({
      path: 'position/BTC',
      lastMessageTypes: ['fill-received', 'pair-changed'],
      failure: { during: 'fill-received' },
      digest: { fundingMicro: '12345678901234567890' },
    });
  });

  it('understands encoded paths', async () => {
    const asked: string[] = [];
    const control = await stageControl({
      inspect: (path) => {
        asked.push(path);
        return Promise.resolve(undefined);
      },
    });
    const response = await control.ask('/debug/actors/connector/lighter%3Amain');
    expect(response.status).toBe(404);
    expect(asked).toEqual(['connector/lighter:main']);
  });

  it('answers the threads with their delay, heap and ring fill', async () => {
    const control = await stageControl();
    const body = await jsonOf(await control.ask('/debug/threads'));
    expect(body.threads).toMatchObject([
      { name: 'store', loopDelay: { p99Ms: 2 }, heapUsedBytes: 1_000_000, lanes: [{ to: 'main', fill: 0.25 }] },
    ]);
  });

  it('says what is missing with the token, and one bare word without it', async () => {
    const control = await stageControl();
    const told = await control.ask('/readyz');
    expect([told.status, await told.json()]).toEqual([503, { ready: false, reasons: ['lighter:main is connecting'] }]);
    const bare = await control.ask('/readyz', { headers: { authorization: undefined } });
    expect([bare.status, await bare.json()]).toEqual([503, { ready: false }]);
    const health = await control.ask('/healthz', { headers: { authorization: undefined } });
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
    const ready = await stageControl({ readiness: () => Promise.resolve({ ready: true, reasons: [] }) });
    expect((await ready.ask('/readyz')).status).toBe(200);
  });

  it('shows no secret, by value or by name', async () => {
    const control = await stageControl();
    for (const path of ['/debug/actors', '/debug/actors/position/BTC']) {
      const text = await (await control.ask(path)).text();
      expect(text).toContain('boom');
      expect(text).not.toContain('canary-secret-1');
      expect(text).not.toContain('never');
    }
  });

  it('compresses long answers and leaves short ones alone', async () => {
    const control = await stageControl();
    const long = await control.ask('/debug/actors', { headers: { 'accept-encoding': 'gzip' } });
    expect(long.headers.get('content-encoding')).toBe('gzip');
    expect(await long.json()).toHaveProperty('tree');
    const short = await control.ask('/healthz', { headers: { 'accept-encoding': 'gzip' } });
    expect(short.headers.get('content-encoding')).toBeNull();
  });

  it('answers 404 and 405 as JSON', async () => {
    const control = await stageControl();
    const unknown = await control.ask('/debug/nothing');
    expect([unknown.status, await unknown.json()]).toEqual([404, { error: 'no such path' }]);
    const wrong = await control.ask('/debug/actors', { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const read = await control.ask('/control/kill');
    expect([read.status, read.headers.get('allow'), await read.json()]).toEqual([
      405,
      'POST',
      { error: 'method must be POST', method: 'GET' },
    ]);
  });

  it('answers 500 without details when the engine fails, and logs them', async () => {
    const control = await stageControl({ snapshot: () => Promise.reject(new Error('deep inside')) });
    const response = await control.ask('/debug/actors');
    expect([response.status, await response.json()]).toEqual([500, { error: 'internal' }]);
    expect(control.logged).toMatchObject([{ event: 'control-request-failed' }]);
  });

  it('never allows other origins to read, and nobody to store', async () => {
    const control = await stageControl();
    const response = await control.ask('/debug/actors');
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('what is commanded', () => {
  it.each([
    ['/control/exit/BTC', '{}', { path: 'position/BTC', message: { type: 'exit-pair', reason: 'MANUAL' } }],
    [
      '/control/adopt/BTC',
      '{"long":{"venue":"a","account":"m","lots":3},"short":{"venue":"b","account":"m","lots":30},"reason":"mine"}',
      {
        path: 'position/BTC',
        message: {
          type: 'adopt-position',
          long: { venue: 'a', account: 'm', lots: 3 },
          short: { venue: 'b', account: 'm', lots: 30 },
          reason: 'mine',
        },
      },
    ],
    [
      '/control/engine',
      '{"state":"TRADING","reason":" back to work "}',
      { path: 'guard', message: { type: 'set-engine-state', state: 'TRADING', reason: 'back to work' } },
    ],
    [
      '/control/kill',
      '{"level":3,"reason":"test"}',
      { path: 'guard', message: { type: 'kill', level: 3, reason: 'test' } },
    ],
  ])('%s tells the actor', async (path, body, told) => {
    const control = await stageControl();
    const response = await control.ask(path, { method: 'POST', headers: MEANT, body });
    expect([response.status, await response.json()]).toEqual([
      202,
      { outcome: 'sent', path: told.path, message: told.message.type },
    ]);
    expect(control.told).toEqual([told]);
    expect(control.logged).toMatchObject([{ event: 'control-action' }]);
  });

  it('is 404 for a symbol that has no actor', async () => {
    const control = await stageControl();
    expect((await control.ask('/control/exit/NONE', { method: 'POST', headers: MEANT, body: '{}' })).status).toBe(404);
  });

  it.each([
    [
      '/control/kill',
      '{"level":5,"reason":"x"}',
      'level must be 1 (reduce only), 2 (cancel entries), 3 (flatten) or 4 (cancel everything at the venues and end), was 5',
    ],
    [
      '/control/kill',
      '{"level":"3","reason":"x"}',
      'level must be 1 (reduce only), 2 (cancel entries), 3 (flatten) or 4 (cancel everything at the venues and end), was "3"',
    ],
    ['/control/adopt/BTC', '{"reason":"x"}', 'long must be an object of venue, account and lots, was missing'],
    [
      '/control/adopt/BTC',
      '{"long":{"venue":"a","account":"m","lots":-3},"short":{},"reason":"x"}',
      'long.lots must be a whole number of at least 1, was -3',
    ],
    ['/control/kill', '{"level":1}', 'reason must be text of 1 to 200 characters, was missing'],
    ['/control/kill', '{"level":1,"reason":"x","force":true}', 'key must be one of level, reason, was "force"'],
    [
      '/control/engine',
      '{"state":"GO","reason":"x"}',
      'state must be one of STOPPED, ARMED, TRADING, REDUCE_ONLY, HALTED, was "GO"',
    ],
    ['/control/engine', '[]', 'body must be a JSON object, was []'],
    ['/control/engine', 'state=TRADING', 'body must be JSON, was "state=TRADING"'],
    ['/control/exit/BTC', '{"now":1}', 'key must be absent, was "now"'],
  ])('%s refuses %s', async (path, body, error) => {
    const control = await stageControl();
    const response = await control.ask(path, { method: 'POST', headers: MEANT, body });
    expect([response.status, await response.json()]).toEqual([400, { error }]);
    expect(control.told).toEqual([]);
  });

  it('refuses bodies over 64 KiB', async () => {
    const control = await stageControl();
    const body = JSON.stringify({ level: 1, reason: 'x'.repeat(65_536) });
    expect((await control.ask('/control/kill', { method: 'POST', headers: MEANT, body })).status).toBe(413);
    const chunked = await sendRaw(
      control,
      lines(
        control,
        `Host: 127.0.0.1:${control.server.port}`,
        'Content-Type: application/json',
        'X-Tandem: 1',
        'Transfer-Encoding: chunked',
      ).replace('GET /debug/actors', 'POST /control/kill') + `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
    expect(control.told).toEqual([]);
  });

  it.each([
    ['another content type', { ...MEANT, 'content-type': 'text/plain' }, 'Content-Type: application/json'],
    ['a form', { ...MEANT, 'content-type': 'application/x-www-form-urlencoded' }, 'Content-Type: application/json'],
    ['no header of intent', { 'content-type': 'application/json' }, 'X-Tandem: 1'],
    ['another header of intent', { ...MEANT, 'x-tandem': 'yes' }, 'X-Tandem: 1'],
  ])('refuses %s, naming the header only to who has the token', async (_, headers, missing) => {
    const control = await stageControl();
    const ask = (authorization: Readonly<Record<string, string | undefined>>): Promise<Response> =>
      control.ask('/control/kill', {
        method: 'POST',
        headers: { ...headers, ...authorization },
        body: '{"level":1,"reason":"x"}',
      });
    const told = await ask({});
    expect([told.status, await told.json()]).toEqual([403, { error: `a change needs the header ${missing}` }]);
    for (const authorization of [undefined, 'Bearer 0000']) {
      const untold = await ask({ authorization });
      expect([untold.status, await untold.text()]).toEqual([403, '']);
    }
    expect(control.told).toEqual([]);
  });

  it('counts wrong tokens of unmeant changes too: they are no way around the silence', async () => {
    const control = await stageControl();
    for (let attempt = 0; attempt < 5; attempt++)
      await control.ask('/control/kill', { method: 'POST', headers: { authorization: 'Bearer 0000' }, body: '{}' });
    expect((await control.ask('/debug/actors')).status).toBe(429);
    const right = await control.ask('/control/kill', { method: 'POST', body: '{}' });
    expect([right.status, await right.text()]).toEqual([403, '']);
  });
});

describe('who asks', () => {
  it.each([
    ['no Host', []],
    ['a foreign Host', ['Host: attacker.example']],
    ['the right name with a foreign port', ['Host: 127.0.0.1:1']],
    ['the right name without a port', ['Host: 127.0.0.1']],
    ['two Hosts', ['Host: OWN', 'Host: OWN']],
    ['a right and a wrong Host', ['Host: OWN', 'Host: attacker.example']],
    ['a foreign Origin', ['Host: OWN', 'Origin: http://attacker.example']],
    ['the null Origin', ['Host: OWN', 'Origin: null']],
    ['a right and a wrong Origin', ['Host: OWN', 'Origin: http://OWN', 'Origin: http://attacker.example']],
    ['another site', ['Host: OWN', 'Sec-Fetch-Site: cross-site']],
    ['the same site under another port', ['Host: OWN', 'Sec-Fetch-Site: same-site']],
  ])('is refused without a word: %s', async (_, headers) => {
    const control = await stageControl();
    const own = `127.0.0.1:${control.server.port}`;
    const answer = await sendRaw(control, lines(control, ...headers.map((header) => header.replace('OWN', own))));
    expect(answer).toMatch(/^HTTP\/1\.1 40[03] /);
    expect(answer).not.toContain('tree');
    // Without a Host it is Node that refuses, with an empty chunk.
    expect(answer.split('\r\n\r\n')[1]).toMatch(/^(?:0)?$/);
  });

  it('is refused when the request line names a host of its own', async () => {
    const control = await stageControl();
    const text = lines(control, `Host: 127.0.0.1:${control.server.port}`).replace(
      'GET /',
      `GET http://127.0.0.1:${control.server.port}/`,
    );
    expect(await sendRaw(control, text)).toMatch(/^HTTP\/1\.1 403 /);
  });

  it.each(['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]'])('may call this machine %s', async (name) => {
    const control = await stageControl();
    const own = `${name}:${control.server.port}`;
    const answer = await sendRaw(
      control,
      lines(control, `Host: ${own}`, `Origin: http://${own}`, 'Sec-Fetch-Site: same-origin'),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('is asked for the token, on loopback too, and learns nothing about paths without it', async () => {
    const control = await stageControl();
    for (const path of ['/debug/actors', '/debug/threads', '/no/such/path']) {
      const response = await control.ask(path, { headers: { authorization: undefined } });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    }
  });

  it.each([
    ['in the address', '/debug/actors?token=TOKEN', {}],
    ['in a cookie', '/debug/actors', { cookie: 'token=TOKEN' }],
    ['as basic authorization', '/debug/actors', { authorization: 'Basic TOKEN' }],
    ['with more behind it', '/debug/actors', { authorization: 'Bearer TOKENx' }],
  ])('is not known by a token %s', async (_, path, headers: Record<string, string>) => {
    const control = await stageControl();
    const filled = Object.entries(headers).map(([name, value]) => [name, value.replace('TOKEN', control.token)]);
    const response = await control.ask(path.replace('TOKEN', control.token), {
      headers: { authorization: undefined, ...Object.fromEntries(filled) },
    });
    expect(response.status).toBe(401);
  });

  it('is silenced for 60 s after five wrong tokens in a minute, even with the right one', async () => {
    const control = await stageControl();
    const guess = async (): Promise<number> =>
      (await control.ask('/debug/actors', { headers: { authorization: 'Bearer wrong' } })).status;
    for (let count = 0; count < 4; count += 1) expect(await guess()).toBe(401);
    expect((await control.ask('/debug/actors')).status).toBe(200);
    control.pass(61_000);
    for (let count = 0; count < 5; count += 1) expect(await guess()).toBe(401);
    const silenced = await control.ask('/debug/actors');
    expect([silenced.status, silenced.headers.get('retry-after')]).toEqual([429, '60']);
    expect((await control.ask('/healthz', { headers: { authorization: undefined } })).status).toBe(200);
    control.pass(60_000);
    expect((await control.ask('/debug/actors')).status).toBe(200);
    expect(JSON.stringify(control.logged)).not.toContain('Bearer wrong');
  });
});

describe('how much is asked', () => {
  it('is at most 8 KiB of headers', async () => {
    const control = await stageControl();
    const answer = await sendRaw(
      control,
      lines(control, `Host: 127.0.0.1:${control.server.port}`, `X-Long: ${'x'.repeat(9_000)}`),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('is at most 16 connections', async () => {
    const control = await stageControl();
    const sockets = Array.from({ length: CONNECTIONS_MAX }, () => connect(control.server.port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    // The last accepted one answers: then the server has seen them all.
    const last = sockets.at(-1);
    last?.write(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${control.server.port}\r\n\r\n`);
    if (last !== undefined) await once(last, 'data');
    expect(await sendRaw(control, lines(control, `Host: 127.0.0.1:${control.server.port}`))).toBe('');
    for (const socket of sockets) socket.destroy();
  });
});

describe('where it listens', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.com', '127.0.0.1.example.com'])(
    'refuses %s unless remote access is allowed',
    async (host) => {
      await expect(stageControl({}, { host })).rejects.toThrow(ControlServerRefused);
    },
  );

  it('names the port that is taken', async () => {
    const control = await stageControl();
    await expect(stageControl({}, { port: control.server.port })).rejects.toThrow(
      `the control server cannot listen on 127.0.0.1 port ${control.server.port}: `,
    );
  });
});
