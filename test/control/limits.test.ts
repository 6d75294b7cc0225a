import { describe, expect, it } from 'vitest';
import { FLAG_NAMES } from '../../src/venues/flags.ts';
import { actorSnapshot, INSPECTION, MEANT, SNAPSHOT, stageControl } from './engine.ts';

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
              digest: {
                limits: {
                  ramp: { share: 0.2, sinceMs: 1 },
                  limits: [LIMIT],
                  connections: { open: 2 },
                  circuits: [],
                  caches: {},
                },
              },
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
          circuits: [],
          caches: {},
        },
      ],
    },
  ]);
});

describe('flags', () => {
  const flagged = (isOn: boolean): object => ({
    flags: Object.fromEntries(FLAG_NAMES.map((name) => [name, { isOn, fellBack: 0 }])),
  });

  it('are shown by account, each by its name', async () => {
    const control = await stageControl({
      inspect: (path) => Promise.resolve({ ...INSPECTION, path, digest: flagged(true) }),
    });
    const { flags } = (await (await control.ask('/debug/flags')).json()) as { flags: { name: string }[] };
    expect(flags.map(({ name }) => name)).toEqual(FLAG_NAMES);
    expect(flags[0]).toEqual({ name: 'cache-metadata', accounts: { 'lighter:main': { isOn: true, fellBack: 0 } } });
  });

  it.each([
    [{ name: 'coalescing', isOn: false }, 202, [{ type: 'set-flag', name: 'coalescing', isOn: false }]],
    [{ name: 'luck', isOn: false }, 400, []],
    [{ name: 'coalescing', isOn: 'no' }, 400, []],
  ])('are switched at every connector: %j answers %i', async (body, status, told) => {
    const control = await stageControl();
    const response = await control.ask('/control/flags', {
      method: 'POST',
      headers: MEANT,
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(status);
    expect(control.told.map(({ message }) => message)).toEqual(told);
  });
});
