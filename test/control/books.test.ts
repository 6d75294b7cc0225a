import { expect, it } from 'vitest';
import { INSPECTION, stageControl, SUMMARY } from './engine.ts';

it('shows whether the books add up, with the two numbers of what does not', async () => {
  const control = await stageControl();
  const response = await control.ask('/debug/books');
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    rows: 42,
    isCaughtUp: true,
    broken: [{ identity: 'LEG_FEES', subject: 'lighter:main:BTC', expected: '-5', got: '-6' }],
    wallets: [{ venue: 'lighter', account: 'main', unexplainedMicro: '-1' }],
  });
});

it('says so before the monitor has spoken', async () => {
  const { identities: _identities, ...silent } = SUMMARY;
  const control = await stageControl({
    inspect: (path) => Promise.resolve({ ...INSPECTION, path, digest: silent }),
  });
  const response = await control.ask('/debug/books');
  expect([response.status, await response.json()]).toEqual([503, { error: 'the books have not been read yet' }]);
});
