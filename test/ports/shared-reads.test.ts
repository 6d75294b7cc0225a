import { describe, expect, it } from 'vitest';
import type { HttpAnswered, HttpFailed, HttpPort, HttpRequest } from '../../src/ports/ports.ts';
import { noMetrics } from '../../src/runtime/metrics.ts';
import { SharedReads, sharingHttpPort } from '../../src/ports/shared-reads.ts';
import { hitRate } from '../../src/venues/read-sources.ts';

interface Asker {
  readonly port: HttpPort & { dispose(): void };
  readonly heard: (HttpAnswered | HttpFailed)[];
}

/** A venue that is asked by hand: what was sent, and how to answer it. */
function stageReads(): {
  readonly reads: SharedReads;
  readonly sent: HttpRequest[];
  nowMs: number;
  asker(): Asker;
  answer(body: string, status?: number): void;
  settle(): void;
} {
  const reads = new SharedReads();
  const sent: HttpRequest[] = [];
  const open: ((outcome: Omit<HttpAnswered, 'ref'> | Omit<HttpFailed, 'ref'>) => void)[] = [];
  const later: (() => void)[] = [];
  const stage = {
    reads,
    sent,
    nowMs: 0,
    asker(): Asker {
      const heard: (HttpAnswered | HttpFailed)[] = [];
      let isDisposed = false;
      const port = sharingHttpPort({
        reads,
        deliver: (message) => heard.push(message),
        calling: () => 0,
        metrics: noMetrics,
        monotonicMs: () => stage.nowMs,
        later: (action) => later.push(action),
        pools: { health: () => ({}) as never, setProfile: () => undefined, setBurst: () => undefined },
        open: (deliver) => ({
          send(request) {
            sent.push(request);
            const ref = sent.length;
            open.push((outcome) => {
              if (!isDisposed) deliver({ ...outcome, ref }, 0);
            });
            return ref;
          },
          dispose: () => {
            isDisposed = true;
          },
        }),
      });
      return { port, heard };
    },
    answer(body: string, status = 200): void {
      open.shift()?.({ type: 'http-answered', status, headers: {}, body });
    },
    settle(): void {
      for (const action of later.splice(0)) action();
    },
  };
  return stage;
}

const read = (
  sinceMs: number,
  source: 'metadata' | 'positions' | 'balances' = 'metadata',
  key = 'list',
): HttpRequest => ({
  ...{ method: 'GET', url: 'http://venue.test/list', headers: {}, timeoutMs: 1_000 },
  read: { source, key, sinceMs },
});
const bodies = ({ heard }: Asker): readonly string[] => heard.map((one) => ('body' in one ? one.body : one.code));

describe('shared reads', () => {
  it('ask once for a hundred askers of the same, and give each the answer', () => {
    const stage = stageReads();
    const askers = Array.from({ length: 100 }, () => stage.asker());
    for (const { port } of askers) port.send(read(0));
    expect(stage.sent.length).toBe(1);
    stage.answer('list');
    expect(askers.map(bodies)).toEqual(askers.map(() => ['list']));
    expect(stage.reads.statistics().metadata).toMatchObject({ misses: 1, shared: 99, hits: 0 });
    expect(hitRate(stage.reads.statistics())).toBeCloseTo(0.99);
  });

  it('take an answer only from a read that left since the moment asked for', () => {
    const stage = stageReads();
    const asker = stage.asker();
    asker.port.send(read(0, 'positions'));
    stage.nowMs = 50;
    // It left before this moment, whenever its answer comes.
    asker.port.send(read(20, 'positions'));
    expect(stage.sent.length).toBe(2);
    stage.answer('first');
    asker.port.send(read(0, 'positions'));
    stage.settle();
    expect(bodies(asker)).toEqual(['first', 'first']);
    expect(asker.heard.at(-1)).toMatchObject({ sentAtMs: 0 });
    stage.nowMs = 10_001;
    expect(asker.port.isAtHand({ source: 'positions', key: 'list', sinceMs: 0 })).toBe(false);
  });

  it('forget what has changed, also what is being read while it does', () => {
    const stage = stageReads();
    const asker = stage.asker();
    asker.port.send(read(0, 'positions', 'me list'));
    asker.port.send(read(0, 'balances', 'me balance'));
    stage.answer('list');
    asker.port.invalidate('positions', 'me ');
    asker.port.invalidate('balances', 'me ');
    stage.answer('balance');
    asker.port.send(read(0, 'positions', 'me list'));
    asker.port.send(read(0, 'balances', 'me balance'));
    expect(stage.sent.length).toBe(4);
  });

  it('keep no refusal, and share nothing that is switched off', () => {
    const stage = stageReads();
    const asker = stage.asker();
    asker.port.send(read(0));
    stage.answer('slow down', 429);
    asker.port.send(read(0));
    stage.answer('list');
    asker.port.share('metadata', false);
    asker.port.send(read(0));
    asker.port.share('metadata', true);
    asker.port.send(read(0));
    expect(stage.sent.length).toBe(4);
  });

  it('fail those who waited for an asker that ended, who may ask again', () => {
    const stage = stageReads();
    const [first, second] = [stage.asker(), stage.asker()];
    first.port.send(read(0));
    second.port.send(read(0));
    first.port.dispose();
    expect(bodies(second)).toEqual(['reset']);
    second.port.send(read(0));
    expect(stage.sent.length).toBe(2);
  });

  it('go without a source that goes wrong, and nobody notices', () => {
    const stage = stageReads();
    const asker = stage.asker();
    stage.reads.serve = () => {
      throw new Error('a defect');
    };
    asker.port.send(read(0));
    stage.answer('list');
    expect(bodies(asker)).toEqual(['list']);
    expect(stage.reads.statistics().metadata).toMatchObject({ isEnabled: false, fallbacks: 1 });
  });
});
