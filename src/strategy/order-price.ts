/** The worst price an order may pay: domain section 4. Pure functions, any thread. */
import { orderPriceTicks, priceNano } from '../money/amounts.ts';
import type { PriceTicks } from '../money/units.ts';
import type { Instrument } from '../market/instrument.ts';
import type { CapPolicy } from './policy.ts';

const PICO = 10n ** 12n;
const PICO_PER_BPS = 1e8;

/**
 * Returns the limit price of an order that has to reach `worstTicks`: a little past that level, never further from mark than
 * allowed, never outside the venue's own band; a buy rounded down to a tick, a sell up. Not positive when there is no such price.
 */
export function priceCapTicks(
  side: 'buy' | 'sell',
  worstTicks: number,
  markNano: bigint,
  instrument: Instrument,
  policy: CapPolicy,
): PriceTicks {
  const buffered = movedAgainstUs(side, priceNano(worstTicks, instrument), bpsPico(policy.bufferBps));
  // Both from mark: the nearer of the two is one computation.
  const deviation = bpsPico(policy.maxDeviationBps);
  const band = instrument.priceBand === undefined ? deviation : BigInt(instrument.priceBand);
  const deviated = movedAgainstUs(side, markNano, band < deviation ? band : deviation);
  const isBufferedTighter = side === 'buy' ? buffered < deviated : buffered > deviated;
  return orderPriceTicks(side, isBufferedTighter ? buffered : deviated, instrument);
}

/** A buy may pay more, a sell receive less; the division truncates towards the safe side for a buy and up for a sell. */
function movedAgainstUs(side: 'buy' | 'sell', nano: bigint, pico: bigint): bigint {
  if (side === 'buy') return (nano * (PICO + pico)) / PICO;
  return (nano * (PICO - pico) + PICO - 1n) / PICO;
}

function bpsPico(bps: number): bigint {
  return BigInt(Math.round(bps * PICO_PER_BPS));
}
