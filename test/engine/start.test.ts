import { cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ActorTree, SupervisorNode, TreeNode } from '../../src/control/actor-tree.ts';
import { foldBook } from '../../src/execution/execution-book.ts';
import { isTerminal } from '../../src/execution/order-state.ts';
import type { ActorSnapshot } from '../../src/runtime/snapshot.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { runTandem } from '../cli/run-tandem.ts';
import { readJournal } from './journal-rows.ts';
import { withoutValue } from './promised-metrics.ts';
import { configWith, StartedEngine, temporaryFolder } from './started-engine.ts';

function actorsOf(nodes: readonly TreeNode[]): readonly ActorSnapshot[] {
  return nodes.flatMap((node) => (isSupervisor(node) ? actorsOf(node.children) : [node]));
}

function isSupervisor(node: TreeNode): node is SupervisorNode {
  return 'children' in node;
}

/** Orders that may still be executed at a venue, as far as the journal tells. */
function liveOrders(rows: readonly JournalRow[]): readonly string[] {
  const states = [...foldBook(rows).orders.values()].filter(
    (order) => !isTerminal(order) && order.status !== 'PLANNED',
  );
  return states.map((order) => `${order.planned.venue} ${order.planned.clientOrderId} ${order.status}`);
}

/** Pairs that are open, as far as the journal tells. */
function openPairs(rows: readonly JournalRow[]): readonly { readonly base: string; readonly pairId: string }[] {
  return ['BTC', 'ETH'].flatMap((base) => {
    const { record } = foldBook(rows.filter((row) => row.correlation === base));
    return record?.phase === 'OPEN' ? [{ base, pairId: record.pairId }] : [];
  });
}

describe('tandem start, as a stranger uses it', { timeout: 120_000 }, () => {
  const dataDir = temporaryFolder();
  let engine: StartedEngine;
  let address: string;
  let token: string;
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(`${address}${path}`, { headers });
  const askWithToken = (path: string): Promise<Response> => ask(path, { authorization: `Bearer ${token}` });
  const reach = (): readonly string[] => ['--data-dir', dataDir, '--port', new URL(address).port];

  beforeAll(async () => {
    engine = new StartedEngine(dataDir);
    address = (await engine.printed(/^READY .* (http:\/\/127\.0\.0\.1:\d+)$/))[1] ?? '';
    token = readFileSync(join(dataDir, 'control.token'), 'utf8').trim();
  }, 120_000);

  it('says READY and where it answers, and opens a pair', async () => {
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await engine.printed(/^(?:BTC|ETH) OPEN \(CONFIRMED\), long (?:lighter|extended), short (?:lighter|extended)$/);
  });

  it('answers the two probes to anybody, with one bare word', async () => {
    const health = await ask('/healthz');
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
    const ready = await ask('/readyz');
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true }]);
  });

  it.each(['/debug/actors', '/debug/actors/position/BTC', '/debug/threads'])(
    'refuses %s without the token',
    async (path) => {
      expect((await ask(path)).status).toBe(401);
      expect((await ask(path, { authorization: `Bearer ${'0'.repeat(64)}` })).status).toBe(401);
    },
  );

  it('shows the whole tree: each actor with its thread, life, restarts, mailbox and handler time', async () => {
    const answer = await askWithToken('/debug/actors');
    expect(answer.status).toBe(200);
    const { tree, totals } = (await answer.json()) as ActorTree;
    const actors = actorsOf(tree);
    expect(actors.map(({ path, thread }) => `${path} on ${thread}`).sort()).toEqual([
      'connector/extended:main on io-0',
      'connector/lighter:main on io-0',
      'guard on trading-0',
      'journal on store',
      'monitor on store',
      'observer on main',
      'position/BTC on trading-0',
      'position/ETH on trading-0',
      'strategy on trading-0',
    ]);
    expect(totals).toMatchObject({ actors: 9, running: 9, restarts: 0 });
    for (const actor of actors) {
      expect(actor, actor.path).toMatchObject({ status: 'running', incarnation: 1, restarts: 0 });
      const { depth, depthTotal, highWaterMark, oldestAgeMs, processed } = actor.mailbox;
      expect(Object.values(depth).reduce((sum, count) => sum + count, 0)).toBe(depthTotal);
      expect(highWaterMark).toBeGreaterThanOrEqual(depthTotal);
      expect(oldestAgeMs).toBeGreaterThanOrEqual(0);
      expect(processed).toBeGreaterThan(0);
      expect(actor.handler.count).toBeGreaterThan(0);
      expect(actor.handler.maxMs).toBeGreaterThan(0);
    }
  });

  it('shows one actor in depth, and each thread', async () => {
    const position = await askWithToken('/debug/actors/position/BTC');
    expect(position.status).toBe(200);
    expect(await position.json()).toMatchObject({
      path: 'position/BTC',
      thread: 'trading-0',
      incarnation: 1,
      lastMessageTypes: expect.arrayContaining([expect.any(String)]) as unknown,
      digest: expect.any(Object) as unknown,
    });
    expect((await askWithToken('/debug/actors/position/NONE')).status).toBe(404);
    const { threads } = (await (await askWithToken('/debug/threads')).json()) as {
      readonly threads: readonly { readonly name: string }[];
    };
    expect(threads.map((thread) => thread.name)).toEqual(['main', 'io-0', 'trading-0', 'store']);
    for (const thread of threads)
      expect(thread, thread.name).toMatchObject({
        status: 'running',
        lostWakeUps: 0,
        stale: false,
        heapUsedBytes: expect.any(Number) as unknown,
        loopDelay: { p99Ms: expect.any(Number) as unknown },
      });
  });

  it.each(['own', 'prometheus'] as const)(
    'gives every metric that operators know a value in a scrape with %s names',
    async (names) => {
      // Asked for again and again, which is one of the metrics: answers of the endpoint are shared.
      const missing = async (): Promise<readonly string[]> =>
        withoutValue(await (await askWithToken(`/metrics?names=${names}`)).text(), names);
      await expect.poll(missing, { timeout: 100_000, interval: 500 }).toEqual([]);
    },
  );

  it('is found ready by tandem status, and shown by tandem actors', async () => {
    const [status, actors] = await Promise.all([runTandem(['status', ...reach()]), runTandem(['actors', ...reach()])]);
    expect(status.stdout).toContain('READY  9 of 9 actors running, 0 restarts');
    expect(actors.stdout).toContain('position/BTC');
    expect([status.code, actors.code]).toEqual([0, 0]);
  });

  it('refuses a second engine on the same data directory', async () => {
    const second = new StartedEngine(dataDir);
    expect(await second.ended()).toBe(1);
    expect(second.complaints).toMatch(
      /^tandem cannot start with .*start\.yaml: data directory .* must be used by one engine only, process \d+ uses it$/m,
    );
    expect((await ask('/readyz')).status).toBe(200);
  });

  it('drains at Ctrl-C and ends with 0: no order is left live, the journal is whole', async () => {
    expect(await engine.interrupt()).toBe(0);
    expect(engine.output).toContain('stopped: no open order, journal consistent');
    expect(engine.complaints).toBe('');
    const rows = readJournal(dataDir);
    expect(rows.filter((row) => row.type === 'fill').length).toBeGreaterThanOrEqual(2);
    expect(liveOrders(rows)).toEqual([]);
    const { code, stdout } = await runTandem(['db', 'verify', '--data-dir', dataDir]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `OK  ${rows.length} rows\n` });
  });

  it('goes on at the next start where it was stopped, and again after SIGKILL: same pairs, no order, books that agree', async () => {
    const before = readJournal(dataDir);
    const opened = openPairs(before);
    expect(opened.length).toBeGreaterThanOrEqual(1);
    for (const end of ['interrupt', 'kill'] as const) {
      const next = new StartedEngine(dataDir);
      await next.printed(/^READY /);
      for (const { base } of opened) await next.printed(new RegExp(`^${base} OPEN `));
      // Booked by a venue that knows the position, at the other side of the stop.
      await next.printed(/ funding [+-]\d.* booked, /);
      if (end === 'kill') await next.kill();
      else expect(await next.interrupt()).toBe(0);
    }
    const rows = readJournal(dataDir);
    expect(rows.slice(0, before.length)).toEqual(before);
    expect(rows.filter((row) => row.type === 'boot').length).toBe(3);
    expect(rows.filter((row) => row.type === 'adjust')).toEqual([]);
    const now = new Map(openPairs(rows).map(({ base, pairId }) => [base, pairId]));
    for (const { base, pairId } of opened) {
      expect(now.get(base)).toBe(pairId);
      const planned = rows.filter((row) => row.type === 'order-planned' && row.correlation === base);
      expect(planned).toEqual(before.filter((row) => row.type === 'order-planned' && row.correlation === base));
    }
  }, 120_000);

  it('refuses to go on with simulated venues of other settings, naming both', async () => {
    const refused = new StartedEngine(dataDir, configWith('symbols: [BTC, ETH]', 'symbols: [BTC]'));
    expect(await refused.ended()).toBe(1);
    expect(refused.complaints).toContain(
      'were made with symbols ["BTC","ETH"], the configuration has ["BTC"]: use another --data-dir, or delete this one',
    );
  });

  // From here on each has a copy of the stopped engine's data directory: they run side by side.
  it.concurrent(
    'is steered from the command line: one pair closed, entries off and on, everything flat',
    async () => {
      const directory = temporaryFolder();
      cpSync(dataDir, directory, { recursive: true });
      const [one] = openPairs(readJournal(directory));
      const next = new StartedEngine(directory);
      const [, , port = ''] = (await next.printed(/^READY .* (http:\/\/127\.0\.0\.1:(\d+))$/)) as unknown as string[];
      const act = (...words: readonly string[]) => runTandem([...words, '--data-dir', directory, '--port', port]);

      expect(await act('kill', '2', '--reason', 'look first')).toMatchObject({
        code: 0,
        stdout: 'engine REDUCE_ONLY (K2: look first)\n',
      });
      expect(await act('exit', one?.base ?? '', '--yes')).toMatchObject({ code: 0, stdout: `${one?.base} closed\n` });
      expect(await act('exit', 'DOGE', '--yes')).toMatchObject({
        code: 1,
        stderr: 'symbol must be one the engine trades, was "DOGE"\n',
      });
      expect(await act('engine', 'TRADING', '--reason', 'looked', '--yes')).toMatchObject({
        code: 0,
        stdout: 'engine TRADING (looked)\n',
      });
      expect((await act('flatten', '--yes', '--reason', 'enough')).stdout).toBe(
        'engine HALTED (K3: enough)\nflat: no pair is open\n',
      );
      expect(await next.interrupt()).toBe(0);
      const rows = readJournal(directory);
      expect(openPairs(rows)).toEqual([]);
      expect(liveOrders(rows)).toEqual([]);
      const gone = await act('kill', '1');
      expect(gone.code).toBe(1);
      expect(gone.stderr).toMatch(/^no engine answers at http:\/\/127\.0\.0\.1:\d+\/control\/kill: /);
    },
    120_000,
  );

  describe.concurrent('with a damaged journal', () => {
    /** A copy of the stopped engine's data directory. */
    function copied(): { readonly directory: string; readonly journal: string } {
      const directory = temporaryFolder();
      cpSync(dataDir, directory, { recursive: true });
      return { directory, journal: join(directory, 'journal.db') };
    }

    async function expectRefused(directory: string, journal: string, rule: RegExp): Promise<void> {
      const damaged = readFileSync(journal);
      const refused = new StartedEngine(directory);
      expect(await refused.ended()).toBe(1);
      expect(refused.complaints).toContain('tandem cannot start with ');
      expect(refused.complaints).toContain(`journal ${journal} is damaged`);
      expect(refused.complaints).toMatch(rule);
      expect(refused.output).toBe('');
      // Evidence for whoever looks at it: nothing was written.
      expect(readFileSync(journal).equals(damaged)).toBe(true);
    }

    it('does not start when a row was altered, and names the row', async () => {
      const { directory, journal } = copied();
      const row = readJournal(dataDir).find(({ type }) => type === 'order-planned');
      const bytes = readFileSync(journal);
      const id = Buffer.from(row?.id ?? '');
      expect(id.length).toBeGreaterThan(0);
      // One bit, in every copy: pages keep remains of earlier ones, and an index has its own.
      for (let at = bytes.indexOf(id); at >= 0; at = bytes.indexOf(id, at + 1)) {
        const last = at + id.length - 1;
        bytes.writeUInt8(bytes.readUInt8(last) ^ 1, last);
      }
      writeFileSync(journal, bytes);
      await expectRefused(directory, journal, new RegExp(`is damaged at row ${row?.sequence}: `));
    });

    it('does not start when the file was cut', async () => {
      const { directory, journal } = copied();
      truncateSync(journal, Math.floor(statSync(journal).size / 2));
      await expectRefused(directory, journal, /is damaged/);
    });

    it('says which rows are lost when the file is gone, and enters nothing until a person says so', async () => {
      const { directory, journal } = copied();
      rmSync(journal);
      const next = new StartedEngine(directory);
      await next.printed(/^journal: rows \d+ to \d+ are lost: journal\.head has seen row \d+/);
      await next.printed(/^engine REDUCE_ONLY \(K1: JOURNAL_TAIL_LOST: /);
      await next.printed(/^READY \| REDUCE_ONLY /);
      expect(await next.interrupt()).toBe(0);
      expect(next.output).not.toMatch(/TRADING|OPENING/);
    });
  });
});
