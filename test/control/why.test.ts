import { describe, expect, it } from 'vitest';
import { reasonsFor } from '../../src/control/why.ts';
import { stageControl, SUMMARY } from './engine.ts';

describe('why it is not trading', () => {
  it('is answered for every symbol with its best candidate', async () => {
    const control = await stageControl();
    const response = await control.ask('/debug/why');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      engine: { state: 'TRADING', reason: 'operator' },
      evaluatedAtMs: 1_767_225_600_000,
      refusals: { TREND: 3, CARRY_TOO_SMALL: 5 },
      bases: [
        { base: 'BTC', pair: { phase: 'IDLE', reason: 'SETTLE_WINDOW' }, candidates: [] },
        {
          base: 'ETH',
          pair: { phase: 'not reported', reason: '' },
          candidates: [{ longVenue: 'lighter', verdict: 'TREND', detail: 'TREND in words' }],
        },
      ],
    });
  });

  it('is answered for one symbol with all of its candidates, and not for one that is not traded', async () => {
    const control = await stageControl();
    const answered = (await (await control.ask('/debug/why/ETH')).json()) as {
      bases: { candidates: { verdict: string }[] }[];
    };
    expect(answered.bases.map(({ candidates }) => candidates.map(({ verdict }) => verdict))).toEqual([
      ['TREND', 'CARRY_TOO_SMALL'],
    ]);
    const unknown = await control.ask('/debug/why/XRP');
    expect([unknown.status, await unknown.json()]).toEqual([404, { error: 'no such symbol', base: 'XRP' }]);
  });

  it('says so when nothing has reported yet', () => {
    expect(reasonsFor({ ...SUMMARY, engine: undefined, opportunities: undefined, pairs: [] })).toEqual({
      engine: { state: 'unknown', reason: 'the guard has not reported yet' },
      evaluatedAtMs: 0,
      refusals: {},
      bases: [],
    });
  });
});
