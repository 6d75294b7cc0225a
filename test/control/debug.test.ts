import { describe, expect, it, onTestFinished } from 'vitest';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { request } from 'node:http';
import { writeHeap } from '../../src/control/heap-snapshot.ts';
import { sharedAnswer } from '../../src/control/shared-answer.ts';
import { BoardRecorder, newBoard } from '../../src/runtime/metrics-board.ts';
import { MetricHistory } from '../../src/observe/history.ts';
import { MEANT, SNAPSHOT, stageControl } from './engine.ts';

describe('the debug endpoint', () => {
  it('shows every ring between two threads, the fullest first', async () => {
    const control = await stageControl();
    expect(await (await control.ask('/debug/rings')).json()).toMatchObject({
      rings: [{ from: 'store', to: 'main', lane: 'control', fill: 0.25, sent: 10 }],
    });
  });

  it('shows the last evaluation: how long its parts took, and what stood against what', async () => {
    const history = new MetricHistory();
    history.add('eval_risk', 'eval_risk', {}, { atMs: 7, count: 4, mean: 0.5, p50: 0.4, p99: 1, max: 1 });
    const observation = {
      metrics: { history, table: () => new Map() },
      rollups: () => Promise.resolve([]),
      alerts: () => ({}),
    };
    const control = await stageControl({}, { observation });
    expect(await (await control.ask('/debug/eval/last')).json()).toMatchObject({
      evaluatedAtMs: 1_767_225_600_000,
      durations: { risk: { p99: 1 } },
      verdicts: { TREND: 1, CARRY_TOO_SMALL: 1 },
      candidates: [{ longVenue: 'lighter' }, { longVenue: 'extended' }],
    });
  });

  it('makes one answer for all who ask at once, plain or compressed', async () => {
    const { buffer, reader } = newBoard('main');
    const asked = (): number => reader.read().series.reduce((sum, one) => sum + ('value' in one ? one.value : 0), 0);
    const released = Promise.withResolvers<void>();
    let snapshots = 0;
    const control = await stageControl(
      {
        snapshot: async () => {
          snapshots += 1;
          await released.promise;
          return SNAPSHOT;
        },
      },
      { metrics: new BoardRecorder(buffer, () => 0) },
    );
    const answers = Array.from({ length: 20 }, () => control.ask('/debug/actors'));
    // Every one of them is here and waits.
    while (asked() < 20) await new Promise((resolve) => setImmediate(resolve));
    expect(snapshots).toBe(1);
    released.resolve();
    for (const answer of answers) expect((await answer).status).toBe(200);
    const packed = await new Promise<Buffer>((resolve, reject) => {
      const headers = { authorization: `Bearer ${control.token}`, 'accept-encoding': 'gzip' };
      request(`${control.server.address}/debug/actors`, { headers }, (response) => {
        expect(response.headers['content-encoding']).toBe('gzip');
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)));
      })
        .on('error', reject)
        .end();
    });
    expect(JSON.parse(gunzipSync(packed).toString('utf8'))).toMatchObject({ totals: { actors: 3 } });
  });

  it('gives nothing that is shared to whoever lacks the token', async () => {
    const control = await stageControl();
    expect((await control.ask('/debug/actors')).status).toBe(200);
    expect((await control.ask('/debug/actors', { headers: { authorization: undefined } })).status).toBe(401);
    expect((await control.ask('/debug/actors', { headers: { authorization: 'Bearer 00' } })).status).toBe(401);
    expect((await control.ask('/debug/actors', { headers: { origin: 'http://evil.test' } })).status).toBe(403);
  });

  it('writes the heap only where it was started for that, readable by its owner only', async () => {
    const post = { method: 'POST', headers: MEANT, body: '{}' };
    expect((await (await stageControl()).ask('/control/heap-snapshot', post)).status).toBe(403);
    const control = await stageControl({}, { heapSnapshot: () => 'heap-of-test' });
    const response = await control.ask('/control/heap-snapshot', post);
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ outcome: 'done', file: 'heap-of-test' });
    const directory = mkdtempSync(join(tmpdir(), 'tandem-heap-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = writeHeap(directory, 0);
    expect(readdirSync(directory)).toEqual(['heap-1970-01-01T00-00-00-000Z.heapsnapshot']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(file).size).toBeGreaterThan(100_000);
  });
});

describe('a shared answer', () => {
  it('is asked for once at a time, and again when it failed', async () => {
    let asked = 0;
    let isBroken = true;
    const ask = sharedAnswer(async () => {
      asked += 1;
      await new Promise((resolve) => setImmediate(resolve));
      if (isBroken) throw new Error('no');
      return asked;
    }, 60_000);
    await expect(Promise.allSettled([ask(), ask(), ask()])).resolves.toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
    expect(asked).toBe(1);
    isBroken = false;
    expect(await Promise.all([ask(), ask()])).toEqual([2, 2]);
    expect(await ask()).toBe(2);
  });
});
