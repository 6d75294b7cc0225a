import { createPublicKey, createPrivateKey, sign } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { asList } from '../../../src/venues/fields.ts';
import { asFields } from '../../../src/venues/json.ts';
import type { Fields } from '../../../src/venues/json.ts';
import {
  exchangeSignature,
  isSignedBy,
  platformKey,
  platformToken,
  publicKeyOf,
  withoutTokens,
} from '../../../src/venues/coinbase/sign.ts';
import { hasVectors, vectors } from './fixtures.ts';

const keys = (): Fields => asFields(vectors()['keys'], 'keys');
const key = (name: string): string => String(keys()[name]);
const rows = (section: Fields): readonly Fields[] =>
  asList(section['vectors'], 'vectors').map((row) => asFields(row, 'vector'));
const jwtRows = (): readonly Fields[] => (hasVectors ? rows(asFields(vectors()['jwt'], 'jwt')) : []);
const hmac = (): Fields => asFields(vectors()['exchangeHmac'], 'exchangeHmac');

const ED_SECRET = 'nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=';

describe.skipIf(!hasVectors)('vectors (need ../shared)', () => {
  test.each(jwtRows().map((row) => [String(row['name']), row] as const))('token %s', (_name, row) => {
    const isEd = row['alg'] === 'EdDSA';
    const own = platformKey(key('keyName'), key(isEd ? 'ed25519SeedBase64' : 'ecPrivateKeySec1Pem'));
    const payload = asFields(row['payload'], 'payload');
    const header = asFields(row['header'], 'header');
    const token = platformToken(own, {
      nonce: String(header['nonce']),
      notBeforeS: Number(payload['nbf']),
      expiresS: Number(payload['exp']),
      ...(row['uri'] === null ? {} : { uri: String(row['uri']) }),
    });
    expect(token.slice(0, token.lastIndexOf('.'))).toBe(row['signingInput']);
    // The curve's signatures differ each time; the other's do not.
    if (row['deterministic'] === true) expect(token).toBe(row['token']);
    const publicKey = createPublicKey(key(isEd ? 'ed25519PublicKeySpkiPem' : 'ecPublicKeySpkiPem'));
    expect(isSignedBy(publicKey, token)).toBe(true);
    expect(isSignedBy(publicKey, String(row['token']))).toBe(true);
    expect(isSignedBy(publicKey, `${token.slice(0, -4)}AAAA`)).toBe(false);
  });

  it('takes a curve signature in the raw form only', () => {
    const publicKey = createPublicKey(key('ecPublicKeySpkiPem'));
    const [row] = jwtRows();
    const text = String(row?.['signingInput']);
    const der = sign('sha256', Buffer.from(text), createPrivateKey(key('ecPrivateKeySec1Pem')));
    expect(isSignedBy(publicKey, `${text}.${der.toString('base64url')}`)).toBe(false);
  });

  test.each(['ed25519Secret64Base64', 'ed25519SeedBase64', 'ed25519Pkcs8Pem'])('reads the secret as %s', (form) => {
    const own = platformKey('k', key(form));
    expect(own.algorithm).toBe('EdDSA');
    expect(publicKeyOf(own).export({ format: 'pem', type: 'spki' })).toBe(key('ed25519PublicKeySpkiPem'));
  });

  it('reads a key whose line breaks were written out', () => {
    const own = platformKey('k', key('ecPrivateKeySec1Pem').replaceAll('\n', '\\n'));
    expect(own.algorithm).toBe('ES256');
  });

  test.each((hasVectors ? rows(hmac()) : []).map((row) => [String(row['name']), row] as const))(
    'exchange signature %s',
    (_name, row) => {
      const request = {
        timestamp: String(row['timestamp']),
        method: String(row['method']),
        path: String(row['requestPath']),
        body: String(row['body']),
      };
      expect(exchangeSignature(String(hmac()['secretBase64']), request)).toBe(row['signature']);
    },
  );
});

describe('keys', () => {
  test.each([
    ['nothing', ''],
    ['a word', 'secret'],
    ['too few bytes', 'AAAA'],
    ['a broken PEM', '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----'],
  ])('refuses %s in words that do not quote it', (_what, secret) => {
    expect(() => platformKey('k', secret)).toThrow(
      'coinbase secret privateKey must be a P-256 or Ed25519 private key, was "something else"',
    );
  });

  it('signs a token that only its own key verifies', () => {
    const [one, other] = [platformKey('a', ED_SECRET), platformKey('a', Buffer.alloc(32, 7).toString('base64'))];
    const token = platformToken(one, { nonce: '0', notBeforeS: 1, expiresS: 2 });
    expect(isSignedBy(publicKeyOf(one), token)).toBe(true);
    expect(isSignedBy(publicKeyOf(other), token)).toBe(false);
  });

  it('takes tokens out of texts', () => {
    const token = platformToken(platformKey('a', ED_SECRET), { nonce: '0', notBeforeS: 1, expiresS: 2 });
    expect(withoutTokens(`invalid token ${token}!`)).toBe('invalid token [token]!');
  });
});
