import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listenForStop } from '../../src/cli/stop-signals.ts';

describe('stop signals', () => {
  let nowMs = 0;
  beforeEach(() => {
    nowMs = 1_000;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  function listen() {
    const heard: string[] = [];
    const dispose = listenForStop({
      onStop: (signal) => heard.push(`stop ${signal}`),
      onHurry: (signal) => heard.push(`hurry ${signal}`),
    });
    return { heard, dispose };
  }

  it('count copies of one press once, and a later press as a wish to hurry', () => {
    const { heard, dispose } = listen();
    process.emit('SIGINT', 'SIGINT');
    nowMs += 3;
    process.emit('SIGINT', 'SIGINT');
    nowMs += 400;
    process.emit('SIGTERM', 'SIGTERM');
    nowMs += 501;
    process.emit('SIGINT', 'SIGINT');
    dispose();
    expect(heard).toEqual(['stop SIGINT', 'hurry SIGINT']);
  });

  it('leave no listener behind', () => {
    const before = process.listenerCount('SIGTERM');
    const { dispose } = listen();
    expect(process.listenerCount('SIGTERM')).toBe(before + 1);
    dispose();
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
