import { expect, it } from 'vitest';
import { tradingSeries } from '../../src/observe/trading-series.ts';
import { openPair, pair } from '../cli/summary-input.ts';
import { SUMMARY } from '../control/engine.ts';

it('says how far the marks of each pair are apart, zero once it is closed, and nothing of a symbol that never had one', () => {
  const pairs = [
    openPair('BTC', { markDivergenceRatio: 2.5 }),
    openPair('ETH', { phase: 'CLOSED', closedAtMs: 1 }),
    pair('SOL'),
  ];
  const told = tradingSeries({ ...SUMMARY, pairs }).filter(({ name }) => name === 'mark_divergence_ratio');
  expect(told).toEqual([
    { kind: 'gauge', name: 'mark_divergence_ratio', labels: { base: 'BTC' }, value: 2.5 },
    { kind: 'gauge', name: 'mark_divergence_ratio', labels: { base: 'ETH' }, value: 0 },
  ]);
});
