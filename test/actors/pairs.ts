/** Public pictures of pairs for tests of those who watch them. */
import type { PairChanged } from '../../actors/position-messages.ts';

export function pairChanged(base: string, changes: Partial<PairChanged> = {}): PairChanged {
  return {
    type: 'pair-changed',
    base,
    phase: 'IDLE',
    pairId: '',
    reason: '',
    openedAtMs: 0,
    closedAtMs: 0,
    fundingMicro: 0n,
    feesMicro: 0n,
    realisedMicro: 0n,
    fundingPayments: 0,
    liveOrders: 0,
    drained: false,
    cooldownUntilMs: 0,
    closedPairs: 0,
    closedNetMicro: 0n,
    closedFundingMicro: 0n,
    notionalMicro: 0n,
    exposureQuoteSec: 0,
    ...changes,
  };
}
