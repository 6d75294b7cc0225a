import { describe, expect, it } from 'vitest';
import { enginePicture } from '../../src/control/engine-picture.ts';
import { INSPECTION, stageControl } from './engine.ts';

const GUARD = { state: 'TRADING', reason: 'operator', flatten: false, recovered: true };

describe('the picture of the engine', () => {
  it('names the state and every pair, however many there are: what is cut for display is no picture', () => {
    const pairs = Array.from({ length: 200 }, (_, index) => ({
      base: `S${index}`,
      phase: index % 2 === 0 ? 'OPEN' : 'IDLE',
      reason: 'x'.repeat(500),
    }));
    const picture = enginePicture(GUARD, { pairs });
    expect(picture).toMatchObject({ state: 'TRADING', reason: 'operator', flatten: false });
    expect(picture?.pairs).toEqual(pairs.map(({ base, phase }) => ({ base, phase })));
  });

  it.each([
    ['no guard', undefined, { pairs: [] }],
    ['no observer', GUARD, undefined],
    ['a digest that failed', { digestFailed: 'boom' }, { pairs: [] }],
    ['pairs that are no list', GUARD, { truncated: true }],
  ])('is none with %s', (_what, guard, observer) => {
    expect(enginePicture(guard, observer)).toBeUndefined();
  });

  it('is answered at /debug/engine whole, where inspection cuts', async () => {
    const pairs = Array.from({ length: 200 }, (_, index) => ({
      base: `S${index}`,
      phase: 'OPEN',
      reason: 'x'.repeat(99),
    }));
    const control = await stageControl({
      inspect: (path) => Promise.resolve({ ...INSPECTION, path, digest: path === 'guard' ? GUARD : { pairs } }),
    });
    const response = await control.ask('/debug/engine');
    expect(response.status).toBe(200);
    expect(((await response.json()) as { pairs: unknown[] }).pairs).toHaveLength(200);
    const cut = await control.ask('/debug/actors/observer');
    expect(await cut.json()).toMatchObject({ digest: { truncated: true } });
  });

  it('is not answered while the guard or the observer does not', async () => {
    const response = await (await stageControl()).ask('/debug/engine');
    expect([response.status, await response.json()]).toEqual([503, { error: 'guard or observer does not answer' }]);
  });
});
