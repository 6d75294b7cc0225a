import { afterEach, describe, expect, it, vi } from 'vitest';
import { propertyRuns } from './property-runs.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the runs of a property', () => {
  it('begin from the seed that was drawn for the suite', () => {
    expect(Number(process.env['TANDEM_PROPERTY_SEED'])).toBeGreaterThan(0);
    expect(propertyRuns().seed).toBe(Number(process.env['TANDEM_PROPERTY_SEED']));
  });

  it('are a thousand', () => {
    vi.stubEnv('TANDEM_PROPERTY_RUNS', '');
    expect(propertyRuns().numRuns).toBe(1_000);
  });

  it('can be repeated by the environment, which is refused when it makes no sense', () => {
    vi.stubEnv('TANDEM_PROPERTY_SEED', '42');
    vi.stubEnv('TANDEM_PROPERTY_RUNS', '7');
    expect(propertyRuns()).toEqual({ numRuns: 7, seed: 42 });
    vi.stubEnv('TANDEM_PROPERTY_SEED', '4e');
    expect(() => propertyRuns()).toThrow('TANDEM_PROPERTY_SEED must be a whole number from 1, was "4e"');
  });
});
