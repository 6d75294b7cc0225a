import { describe, expect, it } from 'vitest';
import { executableValue, exitCost, markValue, unifiedValue } from '../../src/strategy/pair-value.ts';

describe('EX-10 three views', () => {
  const long = {
    signedQuantity: 3.3,
    averagePrice: 3_000.95,
    markPrice: 3_039.2,
    closePrice: 3_038.95,
    feeRate: 0.00025,
  };
  const short = { signedQuantity: -3.3, averagePrice: 3_001.15, markPrice: 3_040, closePrice: 3_040.3, feeRate: 0 };

  it('A: each venue on its own mark', () => {
    expect(markValue(short)).toBeCloseTo(-128.205, 9);
    expect(markValue(long)).toBeCloseTo(126.225, 9);
    expect(markValue(short) + markValue(long)).toBeCloseTo(-1.98, 9);
  });

  it('B: the locked-in entry basis, whatever the reference', () => {
    expect(unifiedValue([long, short], 3_039.6)).toBeCloseTo(0.66, 9);
    expect(unifiedValue([long, short], 1)).toBeCloseTo(0.66, 9);
  });

  it('C: closing both now', () => {
    expect(executableValue([long, short], 0)).toBeCloseTo(-6.30213375, 9);
    expect(executableValue([long, short], 8.91)).toBeCloseTo(2.60786625, 9);
  });

  it('costs of leaving are fees plus the way from mid', () => {
    const cost = exitCost([
      { ...long, midPrice: 3_039.2 },
      { ...short, midPrice: 3_040 },
    ]);
    expect(cost).toBeCloseTo(3.3 * 0.25 + 3.3 * 0.3 + 2.50713375, 9);
  });
});
