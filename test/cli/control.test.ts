import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LAUNCH, runTandem } from './run-tandem.ts';

const TOKEN = 'a'.repeat(64);

const actors = {
  actors: [
    {
      path: 'position/BTC',
      kind: 'position',
      status: 'running',
      thread: 'trading-0',
      incarnation: 2,
      restarts: 1,
      mailbox: { depthTotal: 3, processed: 1200 },
      handler: { p99Ms: 0.25 },
    },
    { path: 'journal', kind: 'journal', status: 'restarting', thread: 'store', incarnation: 1, restarts: 0 },
  ],
};

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** An engine's control server with fixed answers, the last of several for as long as it is asked; returns the options that lead to it. */
async function pretendEngine(
  answers: Readonly<Record<string, Answer | readonly Answer[]>>,
  token = TOKEN,
): Promise<readonly string[]> {
  const asked = new Map<string, number>();
  const server = createServer((request, response) => {
    const isMeant = request.method === 'GET' || request.headers['x-tandem'] === '1';
    const key = request.method === 'GET' ? (request.url ?? '') : `${request.method} ${request.url}`;
    const times = asked.get(key) ?? 0;
    asked.set(key, times + 1);
    const found = [answers[key] ?? []].flat();
    const isAllowed = isMeant && request.headers.authorization === `Bearer ${TOKEN}`;
    const answer = isAllowed ? found[Math.min(times, found.length - 1)] : { status: 403, body: '' };
    response.writeHead(answer?.status ?? 404).end(answer?.body ?? '{"error":"not found"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-cli-'));
  onTestFinished(() => {
    server.close();
    rmSync(dataDir, { recursive: true });
  });
  writeFileSync(join(dataDir, 'control.token'), `${token}\n`);
  // Listening on a TCP port: the address is never a pipe's text.
  const { port } = server.address() as AddressInfo;
  return ['--port', String(port), '--data-dir', dataDir];
}

describe('tandem trace', () => {
  const answers = {
    '/debug/traces': { status: 200, body: '{"traces":[]}' },
    '/debug/trace/4242': { status: 200, body: '{"traceId":7,"names":["4242"]}' },
  };

  it.each([
    [['trace'], 0, 'no traces: nothing came from outside yet', ''],
    [['trace', '4242'], 0, 'trace 7  4242', ''],
    [['trace', '4242', '--json'], 0, '{"traceId":7,"names":["4242"]}', ''],
    [['trace', '4243'], 1, '', 'no trace of "4243" is kept'],
  ])('answers %j with %i', async (words, code, said, complained) => {
    const answer = await runTandem([...words, ...(await pretendEngine(answers))]);
    expect(answer.stdout).toContain(said);
    expect(answer.stderr).toContain(complained);
    expect(answer.code).toBe(code);
  });
});

describe('tandem why', () => {
  const reasons = (bases: readonly object[]): string =>
    JSON.stringify({
      engine: { state: 'TRADING', reason: '' },
      evaluatedAtMs: 1,
      refusals: { TREND: 3, DEPTH: 5 },
      bases,
    });
  const eth = {
    base: 'ETH',
    pair: { phase: 'IDLE', reason: '' },
    candidates: [
      { longVenue: 'lighter', shortVenue: 'extended', verdict: 'TREND', detail: '1 favourable in a row < 3' },
    ],
  };
  const answers = {
    '/debug/why': { status: 200, body: reasons([eth, { ...eth, base: 'SOL', candidates: [] }]) },
    '/debug/why/ETH': { status: 200, body: reasons([eth]) },
  };

  it.each([
    [
      ['why'],
      0,
      'ETH  IDLE\n  long lighter short extended  TREND  1 favourable in a row < 3\nSOL  IDLE\n  not evaluated',
      '',
    ],
    [['why'], 0, 'refused so far: DEPTH 5, TREND 3', ''],
    [['why', 'ETH', '--json'], 0, reasons([eth]), ''],
    [['why', 'XRP'], 1, '', 'the engine does not trade "XRP"'],
  ])('answers %j with %i', async (words, code, said, complained) => {
    const answer = await runTandem([...words, ...(await pretendEngine(answers))]);
    expect(answer.stdout).toContain(said);
    expect(answer.stderr).toContain(complained);
    expect(answer.code).toBe(code);
  });
});

describe('tandem actors', () => {
  const answers = {
    '/debug/actors': { status: 200, body: JSON.stringify(actors) },
    '/debug/actors/position/BTC': { status: 200, body: JSON.stringify(actors.actors[0]) },
  };

  it('lays the actors out as a table', async () => {
    const { code, stdout } = await runTandem(['actors', ...(await pretendEngine(answers))]);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'path          status      thread     life  restarts  queued  processed  p99 ms',
      'position/BTC  running     trading-0     2         1       3       1200    0.25',
      'journal       restarting  store         1         0       0          0    0.00',
      '',
    ]);
  });

  it('prints the answer as it is with --json', async () => {
    const { code, stdout } = await runTandem(['actors', '--json', ...(await pretendEngine(answers))]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(actors);
  });

  it('shows one actor in depth', async () => {
    const { stdout } = await runTandem(['actors', 'position/BTC', ...(await pretendEngine(answers))]);
    expect(JSON.parse(stdout)).toEqual(actors.actors[0]);
  });

  it('shows the messages that wait for one actor', async () => {
    const view = { path: 'position/BTC', depthTotal: 1, messages: [{ type: 'fill' }] };
    const options = await pretendEngine({ '/debug/mailbox/position/BTC': { status: 200, body: JSON.stringify(view) } });
    expect(JSON.parse((await runTandem(['actors', 'position/BTC', '--mailbox', ...options])).stdout)).toEqual(view);
  });

  it.each([
    ['pause', 'position/BTC paused\n'],
    ['resume', 'position/BTC resumed\n'],
    ['restart', 'position/BTC ended its life; its supervisor decides about the next one\n'],
  ])('can %s one actor', async (action, said) => {
    const options = await pretendEngine({
      [`POST /control/${action}/position/BTC`]: { status: 202, body: '{"outcome":"done"}' },
    });
    const { code, stdout } = await runTandem(['actors', 'position/BTC', `--${action}`, ...options]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: said });
    const missing = await runTandem(['actors', 'position/XRP', `--${action}`, ...options]);
    expect({ code: missing.code, stderr: missing.stderr }).toEqual({
      code: 1,
      stderr: 'no actor lives at "position/XRP"\n',
    });
  });

  it.each([
    [['--pause'], '--pause needs the path of an actor'],
    [['--mailbox'], '--mailbox needs the path of an actor'],
    [['position/BTC', '--pause', '--resume'], "'--pause' cannot be used with option '--resume'"],
  ])('refuses %j', async (words, said) => {
    const { code, stderr } = await runTandem(['actors', ...words]);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });

  it('follows one actor line by line until it is told to stop', async () => {
    const options = await pretendEngine(answers);
    const child = spawn(process.execPath, [LAUNCH, 'actors', 'position/BTC', '--follow', ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      child.kill('SIGINT');
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(printed).toBe(`${JSON.stringify(actors.actors[0])}\n`);
  });

  it('fails for an actor that is not there', async () => {
    const { code, stderr } = await runTandem(['actors', 'position/XRP', ...(await pretendEngine(answers))]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'no actor lives at "position/XRP"\n' });
  });
});

describe('acts of an operator', () => {
  const picture = (state: string, flatten: boolean, phase: string) => ({
    '/debug/engine': {
      status: 200,
      body: JSON.stringify({ state, reason: 'because', flatten, pairs: [{ base: 'BTC', phase }] }),
    },
  });
  const TOLD = { status: 202, body: '{"outcome":"sent"}' };

  it.each([
    [
      'engine ARMED --reason tired',
      'POST /control/engine',
      picture('ARMED', false, 'OPEN'),
      'engine ARMED (because)\n',
    ],
    ['kill 1', 'POST /control/kill', picture('REDUCE_ONLY', false, 'OPEN'), 'engine REDUCE_ONLY (because)\n'],
    ['kill 2', 'POST /control/kill', picture('HALTED', true, 'OPEN'), 'engine HALTED (because)\n'],
    [
      'flatten --yes',
      'POST /control/kill',
      picture('HALTED', true, 'CLOSED'),
      'engine HALTED (because)\nflat: no pair is open\n',
    ],
  ])('%s says what came of it', async (words, path, answers, said) => {
    const options = await pretendEngine({ ...answers, [path]: TOLD });
    const { code, stdout } = await runTandem([...words.split(' '), ...options]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: said });
  });

  it.each([
    ['engine TRADING --reason x', 2, 'this lets the engine open positions: say --yes to confirm\n'],
    ['kill 3', 2, 'this closes all pairs at the market: say --yes to confirm\n'],
    ['flatten', 2, 'this closes all pairs at the market: say --yes to confirm\n'],
    ['exit BTC', 2, 'this closes the pair of BTC at the market: say --yes to confirm\n'],
    ['exit ETH --yes', 1, 'symbol must be one the engine trades, was "ETH"\n'],
  ])('%s does nothing unasked or impossible', async (words, code, said) => {
    // Without an answer to any change: one would show as 404.
    const options = await pretendEngine(picture('ARMED', false, 'OPEN'));
    expect(await runTandem([...words.split(' '), ...options])).toMatchObject({ code, stderr: said });
  });

  it.each([
    ['kill 5 --yes', 'Allowed choices are 1, 2, 3, 4'],
    ['engine HALTED --reason x', 'Allowed choices are ARMED, TRADING, REDUCE_ONLY'],
    ['engine ARMED', "required option '--reason <text>' not specified"],
    ['exit --yes', "missing required argument 'symbol'"],
  ])('%s is wrong usage', async (words, said) => {
    const { code, stderr } = await runTandem(words.split(' '));
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });

  const holding = (venue: string, lots: number): object => ({
    venue,
    account: 'main',
    lots,
    quantity: lots / 100,
  });
  const position = (external: readonly object[], adoption: object = { asked: 0, outcome: '', detail: '' }): Answer => ({
    status: 200,
    body: JSON.stringify({ external, ...adoption }),
  });
  const HEDGED = [holding('lighter', 50), holding('extended', -50)];

  it.each([
    [
      'adopted',
      { code: 0, stdout: 'BTC adopted as BTC-1\n', stderr: '' },
      { asked: 1, outcome: 'adopted', detail: 'BTC-1' },
    ],
    [
      'refused',
      { code: 1, stdout: '', stderr: 'BTC was not adopted: LOTS: holds 3\n' },
      { asked: 1, outcome: 'refused', detail: 'LOTS: holds 3' },
    ],
  ])('adopt waits until the engine has written it, and says that it was %s', async (_, said, decided) => {
    const options = await pretendEngine({
      'POST /control/adopt/BTC': TOLD,
      '/debug/adoption/BTC': [
        position(HEDGED),
        position(HEDGED, { asked: 1, outcome: 'writing', detail: 'BTC-1' }),
        position(HEDGED, decided),
      ],
    });
    expect(await runTandem(['adopt', 'BTC', '--reason', 'mine', '--yes', ...options])).toMatchObject(said);
  });

  it.each([
    [
      'adopt BTC --reason mine',
      HEDGED,
      2,
      'this gives the engine a pair of BTC, long 0.5 at lighter:main and short 0.5 at extended:main, which it may close when its rules say so: say --yes to confirm\n',
    ],
    [
      'adopt BTC --reason mine --yes',
      HEDGED.slice(0, 1),
      1,
      'BTC must have one long and one short position that no pair explains, has long 0.5 at lighter:main\n',
    ],
    [
      'adopt BTC --reason mine --yes',
      [],
      1,
      'BTC must have one long and one short position that no pair explains, has nothing\n',
    ],
    ['adopt ETH --reason mine --yes', [], 1, 'symbol must be one the engine trades, was "ETH"\n'],
  ])('%s asks for nothing unasked or impossible', async (words, venues, code, said) => {
    const options = await pretendEngine({ '/debug/adoption/BTC': position(venues) });
    expect(await runTandem([...words.split(' '), ...options])).toMatchObject({ code, stderr: said });
  });

  it('exit says that there is nothing to close', async () => {
    const options = await pretendEngine(picture('ARMED', false, 'IDLE'));
    const { code, stderr } = await runTandem(['exit', 'BTC', '--yes', ...options]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'BTC has no open pair, it is IDLE\n' });
  });

  it('fails when the engine does not follow, with what it is instead', async () => {
    const options = await pretendEngine({ ...picture('STOPPED', false, 'RECOVERING'), 'POST /control/engine': TOLD });
    const { code, stderr } = await runTandem(['engine', 'TRADING', '--reason', 'go', '--yes', ...options]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'the engine must become TRADING, it is STOPPED (because): its log says why\n',
    });
  });
});

describe('tandem status', () => {
  it('is 0 for a ready engine', async () => {
    const options = await pretendEngine({
      '/readyz': { status: 200, body: '{"ready":true}' },
      '/debug/actors': { status: 200, body: JSON.stringify(actors) },
    });
    const { code, stdout } = await runTandem(['status', ...options]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'READY  1 of 2 actors running, 1 restarts\njournal restarting\n',
    });
  });

  it('says what the engine may do, and how many pairs are in which phase', async () => {
    const pairs = ['OPEN', 'IDLE', 'OPEN'].map((phase, at) => ({ base: `S${at}`, phase }));
    const options = await pretendEngine({
      '/readyz': { status: 200, body: '{"ready":true}' },
      '/debug/actors': { status: 200, body: '{"actors":[]}' },
      '/debug/engine': {
        status: 200,
        body: JSON.stringify({ state: 'HALTED', reason: 'K3: enough', flatten: true, pairs }),
      },
    });
    const [text, json] = await Promise.all([
      runTandem(['status', ...options]),
      runTandem(['status', '--json', ...options]),
    ]);
    expect(text.stdout.split('\n')[1]).toBe('HALTED, closing everything (K3: enough)  pairs: 1 IDLE, 2 OPEN');
    expect(JSON.parse(json.stdout)).toMatchObject({ ready: true, engine: { state: 'HALTED', flatten: true } });
  });

  it('--follow prints each change until it is told to stop, also while it is not ready, and ends with 0', async () => {
    const options = await pretendEngine({
      '/readyz': [
        { status: 503, body: '{"ready":false}' },
        { status: 503, body: '{"ready":false}' },
        { status: 200, body: '{"ready":true}' },
      ],
      '/debug/actors': { status: 200, body: '{"actors":[]}' },
    });
    const child = spawn(process.execPath, [LAUNCH, 'status', '--follow', '--json', ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed.includes('"ready":true')) child.kill('SIGINT');
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    const states = printed
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { ready: boolean }).ready);
    expect(states).toEqual([false, true]);
  });

  it('--follow fails as soon as nobody answers any more', async () => {
    const options = await pretendEngine({});
    const { code, stderr } = await runTandem(['status', '--follow', ...options, '--port', '1']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('no engine answers')]);
  });

  it('is 1 for one that is not ready, and says why', async () => {
    const options = await pretendEngine({
      '/readyz': { status: 503, body: '{"ready":false,"waitingFor":["lighter"]}' },
      '/debug/actors': { status: 200, body: '{"actors":[]}' },
    });
    const { code, stdout } = await runTandem(['status', '--json', ...options]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ready: false, readiness: { waitingFor: ['lighter'] }, actors: 0 });
  });

  it('is 1 when no engine has run in the data directory', async () => {
    const { code, stderr } = await runTandem(['status', '--data-dir', '/nowhere']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^no token of a running engine in \/nowhere\/control\.token: ENOENT/);
  });

  it('is 1 when nobody answers', async () => {
    const options = await pretendEngine({});
    const { code, stderr } = await runTandem(['status', ...options, '--port', '1']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^no engine answers at http:\/\/127\.0\.0\.1:1\/readyz: /);
  });

  it("is 1 when the token is another engine's", async () => {
    const { code, stderr } = await runTandem(['status', ...(await pretendEngine({}, 'b'.repeat(64)))]);
    expect(code).toBe(1);
    expect(stderr).toContain('refused the token');
  });
});

describe('tandem limits', () => {
  const limit = {
    ...{ name: 'lighter-rest', per: 'address', max: 60, windowMs: 60_000, used: 30, usedRatio: 0.5, usable: 0.2 },
    ...{ inFlight: 3, inFlightMax: 50, refusals: 1, refusedAgoMs: 90_000, silentForMs: 12_300 },
  };
  const answers = {
    '/debug/limits': {
      status: 200,
      body: JSON.stringify({
        accounts: [
          {
            account: 'lighter:main',
            ramp: { share: 0.2, sinceMs: 0 },
            limits: [limit],
            connections: { open: 2, max: 255 },
            caches: {},
            circuits: [
              { name: 'rest', status: 'open', openings: 2, opensForMs: 61_000, isLimited: true },
              { name: 'orders', status: 'closed', openings: 0, opensForMs: 0, isLimited: false },
            ],
          },
        ],
      }),
    },
  };

  it('shows limit, use, what is in flight, step of the ramp and last refusal of each account', async () => {
    const answer = await runTandem(['limits', ...(await pretendEngine(answers))]);
    const [, first] = answer.stdout.split('\n');
    expect(first?.trim().split(/ {2,}/)).toEqual([
      ...['lighter:main', 'lighter-rest', 'address', '60', '60 s', '50.0 %', '3 of 50', '20.0 % (ramp)', '1'],
      ...[expect.stringMatching(/ago$/), '12.3 s'],
    ]);
    expect(answer.stdout).toContain('lighter:main  circuit of rest open for 1 m 01 s, refused for a limit');
    expect(answer.stdout).not.toContain('circuit of orders');
    expect(answer.code).toBe(0);
  });

  it('prints the same as JSON', async () => {
    const answer = await runTandem(['limits', '--json', ...(await pretendEngine(answers))]);
    expect(JSON.parse(answer.stdout)).toEqual(JSON.parse(answers['/debug/limits'].body));
  });
});

describe('tandem flags', () => {
  const flags = [{ name: 'coalescing', accounts: { 'lighter:main': { isOn: false, fellBack: 2 } } }];
  const answers = {
    '/debug/flags': { status: 200, body: JSON.stringify({ flags }) },
    'POST /control/flags': { status: 202, body: '{}' },
  };

  it.each([
    [['flags'], 0, 'coalescing            lighter:main off (fell back 2 times)'],
    [['flags', 'coalescing', 'off'], 0, 'coalescing            lighter:main off'],
    [['flags', '--json'], 0, JSON.stringify({ flags })],
    [['flags', 'luck'], 2, ''],
  ])('answers %j with %i', async (words, code, said) => {
    const answer = await runTandem([...words, ...(await pretendEngine(answers))]);
    expect(answer.stdout).toContain(said);
    expect(answer.code).toBe(code);
  });

  it('fails when the engine did not take it', async () => {
    const answer = await runTandem([
      ...['flags', 'coalescing', 'off'],
      ...(await pretendEngine({ ...answers, 'POST /control/flags': { status: 503, body: '{}' } })),
    ]);
    expect(answer.code).toBe(1);
  });
});
