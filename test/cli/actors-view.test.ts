import { describe, expect, it } from 'vitest';
import { actorRows } from '../../src/cli/actor-rows.ts';
import { renderActors } from '../../src/cli/actors-view.ts';
import { threadViews } from '../../src/control/actor-tree.ts';
import { SNAPSHOT, actorSnapshot } from '../control/engine.ts';

const rows = actorRows([
  actorSnapshot('journal', { thread: 'store', ratePerSecond: 1_234.4 }),
  actorSnapshot('position/BTC', { status: 'paused', ratePerSecond: 0 }),
  actorSnapshot('connector/lighter:main', { thread: 'io-0', ratePerSecond: 56_000, restarts: 1, incarnation: 2 }),
]);
const threads = { threads: threadViews(SNAPSHOT) };

describe('the live view of actors', () => {
  it('shows threads and actors, the busiest first', () => {
    expect(renderActors(rows, threads, 120, false)).toEqual([
      ' ACTORS  2 of 3 running  57,234 msg/s · 9 queued · 1 restarts',
      '',
      '  thread  status   life  loop p99   heap  fullest lane  wake-ups  lost',
      '  store   running     1   2.00 ms  1 MiB          25 %         3     0',
      '',
      '  path                    status   thread     life  queued   msg/s  handled  wait p99  work p99',
      '  connector/lighter:main  running  io-0          2       3  56,000       97   1.25 ms    500 us',
      '  journal                 running  store         1       3   1,234       97   1.25 ms    500 us',
      '  position/BTC            paused   trading-0     1       3       0       97   1.25 ms    500 us',
    ]);
  });

  it('fits narrow terminals by leaving columns out', () => {
    const lines = renderActors(rows, threads, 60, false);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(lines.join('\n')).toContain('msg/s');
    expect(lines.join('\n')).not.toContain('handled');
  });

  it('shows what little an engine says that is just starting', () => {
    expect(renderActors([], { error: 'x' }, 80, false)[0]).toBe(
      ' ACTORS  0 of 0 running  0 msg/s · 0 queued · 0 restarts',
    );
  });
});
