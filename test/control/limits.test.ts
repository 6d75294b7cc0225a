import { expect, it } from 'vitest';
import { actorSnapshot, INSPECTION, SNAPSHOT, stageControl } from './engine.ts';

const LIMIT = {
  name: 'rest',
  per: 'account',
  max: 60,
  windowMs: 60_000,
  used: 6,
  usedRatio: 0.1,
  usable: 0.2,
  inFlight: 0,
  refusals: 0,
  silentForMs: 0,
};

it('shows the limits of every connector that answers, and of nobody else', async () => {
  const control = await stageControl({
    snapshot: () =>
      Promise.resolve({ ...SNAPSHOT, actors: [...SNAPSHOT.actors, actorSnapshot('connector/extended:main')] }),
    inspect: (path) =>
      Promise.resolve(
        path === 'connector/extended:main'
          ? {
              ...INSPECTION,
              path,
              digest: { limits: { ramp: { share: 0.2, sinceMs: 1 }, limits: [LIMIT], connections: { open: 2 } } },
            }
          : undefined,
      ),
  });
  const response = await control.ask('/debug/limits');
  expect([response.status, await response.json()]).toEqual([
    200,
    {
      accounts: [
        {
          account: 'extended:main',
          ramp: { share: 0.2, sinceMs: 1 },
          limits: [LIMIT],
          connections: { open: 2 },
        },
      ],
    },
  ]);
});
