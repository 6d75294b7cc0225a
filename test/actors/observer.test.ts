import { describe, expect, it } from 'vitest';
import { observer } from '../../actors/observer.ts';
import type { TradingSummary } from '../../actors/observer.ts';
import type { ObserverMessage } from '../../actors/observer-messages.ts';
import type { PairChanged } from '../../actors/position-messages.ts';
import { stage } from './stage.ts';

function pair(base: string, fields: Partial<PairChanged> = {}): PairChanged {
  return {
    type: 'pair-changed',
    base,
    phase: 'OPEN',
    pairId: `${base}-1`,
    reason: '',
    openedAtMs: 1,
    closedAtMs: 0,
    fundingMicro: 5n,
    feesMicro: -2n,
    realisedMicro: 1n,
    fundingPayments: 3,
    liveOrders: 0,
    drained: false,
    cooldownUntilMs: 0,
    closedPairs: 1,
    closedNetMicro: 100n,
    closedFundingMicro: 40n,
    notionalMicro: 1_000n,
    exposureQuoteSec: 0,
    ...fields,
  };
}

function status(
  venue: string,
  fields: Partial<Extract<ObserverMessage, { type: 'venue-status' }>> = {},
): ObserverMessage {
  return {
    type: 'venue-status',
    venue,
    account: 'main',
    status: 'ready',
    reason: '',
    clockOffsetMs: 3,
    clockErrorMs: 1,
    entriesAllowed: true,
    openBudgetShare: 1,
    ...fields,
  };
}

function summaryAfter(...messages: readonly ObserverMessage[]): TradingSummary {
  const actor = stage(observer, {});
  for (const message of messages) actor.deliver(message);
  const summary = observer.digest?.(actor.state());
  return summary as TradingSummary;
}

describe('observer', () => {
  it('shows nothing before anybody spoke', () => {
    expect(summaryAfter()).toMatchObject({ engine: undefined, venues: [], pairs: [], opportunities: undefined });
  });

  it('keeps the latest of each venue, pair and state, in alphabetical order', () => {
    const summary = summaryAfter(
      status('lighter', { status: 'connecting' }),
      status('extended'),
      {
        type: 'account-changed',
        venue: 'lighter',
        account: 'main',
        walletMicro: 7n,
        availableMicro: 6n,
        receivedAtMonotonicMs: 1,
      },
      status('lighter'),
      pair('ETH'),
      pair('BTC', { phase: 'OPENING' }),
      pair('BTC'),
      { type: 'engine-state-changed', state: 'TRADING', reason: 'resumed', flatten: false },
    );
    expect(summary.venues).toMatchObject([
      { venue: 'extended', status: 'ready' },
      { venue: 'lighter', status: 'ready', walletMicro: 7n, availableMicro: 6n },
    ]);
    expect(summary.pairs.map(({ base, phase }) => [base, phase])).toEqual([
      ['BTC', 'OPEN'],
      ['ETH', 'OPEN'],
    ]);
    expect(summary.engine).toEqual({ state: 'TRADING', reason: 'resumed', flatten: false });
  });

  it('shows a balance for ninety seconds after it was last known, and calls it old from then on', () => {
    const actor = stage(observer, {});
    const shown = (): readonly unknown[] => {
      const summary = observer.digest?.(actor.state()) as TradingSummary;
      return summary.venues.map(({ isBalanceOld }) => isBalanceOld);
    };
    const known: ObserverMessage = {
      type: 'account-changed',
      venue: 'lighter',
      account: 'main',
      walletMicro: 7n,
      availableMicro: 6n,
      receivedAtMonotonicMs: 1_000,
    };
    actor.deliver(status('lighter'));
    actor.deliver(known);
    actor.advance(90_000);
    actor.deliver(status('lighter', { status: 'down' }));
    expect(shown()).toEqual([undefined]);
    actor.advance(1);
    actor.deliver(status('extended'));
    expect(shown()).toEqual([undefined, true]);
    actor.deliver({ ...known, receivedAtMonotonicMs: 91_001 });
    expect(shown()).toEqual([undefined, undefined]);
  });

  it('counts an open pair at what it would bring now and a closed one once', () => {
    const { totals } = summaryAfter(
      pair('BTC', { executableMicro: 20n }),
      pair('ETH', { liveOrders: 2 }),
      // Closed: its own sums still stand in the picture, and are among the closed ones already.
      pair('SOL', { phase: 'CLOSED', closedAtMs: 9 }),
      pair('DOGE', { phase: 'RECOVERING', openedAtMs: 0 }),
    );
    expect(totals).toEqual({
      openPairs: 2,
      closedPairs: 4,
      netMicro: 400n + 20n + 4n,
      closedNetMicro: 400n,
      fundingMicro: 160n + 10n,
      openNotionalMicro: 2_000n,
      liveOrders: 2,
    });
  });

  it('asks for the engine state again after a crash, because it is told only when it changes', () => {
    expect(stage(observer, {}, { incarnation: 2 }).sent).toEqual([
      { to: 'guard', message: { type: 'resend-engine-state', to: 'observer' } },
    ]);
    expect(stage(observer, {}).sent).toEqual([]);
  });
});
