import { describe, expect, it } from 'vitest';
import { adoptionPicture } from '../../src/control/adoption-picture.ts';
import { INSPECTION, stageControl } from './engine.ts';

const track = { venue: 'lighter', account: 'main', reportedLots: -50, reportedQuantity: -0.5, external: true };
const HOLDING = { venue: 'lighter', account: 'main', lots: -50, quantity: -0.5 };

describe('the picture of an adoption', () => {
  it('names the lots no pair explains, and nothing where a pair does or nobody knows', () => {
    const venues = [track, { ...track, external: false }, { ...track, reportedLots: 'unknown' }, null];
    expect(adoptionPicture({ venues })).toEqual({ external: [HOLDING], asked: 0, outcome: '', detail: '' });
  });

  it('says what became of the newest one', () => {
    const adoption = { asked: 2, outcome: 'refused', detail: 'LOTS: ...' };
    expect(adoptionPicture({ venues: [], adoption })).toEqual({ external: [], ...adoption });
  });

  it('is answered whole, where inspection cuts', async () => {
    const orders = Array.from({ length: 99 }, () => 'x'.repeat(99));
    const control = await stageControl({
      inspect: (path) => Promise.resolve({ ...INSPECTION, path, digest: { orders, venues: [track] } }),
    });
    const response = await control.ask('/debug/adoption/BTC');
    expect([response.status, await response.json()]).toMatchObject([200, { external: [HOLDING] }]);
  });

  it('is 404 for what is no position actor', async () => {
    expect((await (await stageControl()).ask('/debug/adoption/NONE')).status).toBe(404);
  });
});
