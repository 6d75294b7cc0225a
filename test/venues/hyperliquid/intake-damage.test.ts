import { expect, it } from 'vitest';
import { randomStream } from '../../../src/runtime/random.ts';
import { signedRequestOf } from '../../../src/venues/hyperliquid/simulated-intake.ts';
import { asFields, parseLosslessJson } from '../../../src/venues/json.ts';
import { MalformedPayload } from '../../../src/venues/venue.ts';
import { mutated } from '../../conformance/mutations.ts';

it('the venue’s own intake reads or refuses damaged requests, and never throws', () => {
  const random = randomStream(9, 'intake');
  const order = { a: 0, b: true, p: '90250', s: '0.01', r: false, t: { limit: { tif: 'Ioc' } } };
  const text = JSON.stringify({
    action: { type: 'order', orders: [order], grouping: 'na' },
    nonce: 1,
    signature: { r: '0x1', s: '0x2', v: 27 },
    vaultAddress: null,
    expiresAfter: null,
  });
  let refused = 0;
  for (let round = 0; round < 2_000; round++) {
    try {
      const request = asFields(parseLosslessJson(mutated(text, random), 'request'), 'request');
      if (signedRequestOf(request) === undefined) refused += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedPayload);
    }
  }
  expect(refused).toBeGreaterThan(0);
});
