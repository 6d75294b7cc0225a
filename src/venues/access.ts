/** What is wrong with our access to a venue, as one sentence a person can act on. Pure; any thread. */

/**
 * wrong-key: not known, or its signature does not hold. expired-key, address-refused: true to their names. not-permitted: known, but
 * may not do this. wrong-account: the account that the configuration names is not the key's. expired-token: of a session, not the key.
 * may-withdraw: the key can do more than this engine must ever be able to. certificate: it is not proven who answers.
 */
export type AccessProblem =
  | 'wrong-key'
  | 'expired-key'
  | 'not-permitted'
  | 'address-refused'
  | 'wrong-account'
  | 'expired-token'
  | 'may-withdraw'
  | 'certificate';

const SENTENCES: Readonly<Record<AccessProblem, (venue: string, account: string) => readonly [string, string]>> = {
  'wrong-key': (venue, account) => [
    `${venue} does not accept the key of account ${account}`,
    'check the key file: a key works on its own network only, and may have been revoked',
  ],
  'expired-key': (venue, account) => [
    `the key of account ${account} at ${venue} has expired`,
    'make a new one at the venue and put it into the key file',
  ],
  'not-permitted': (venue, account) => [
    `the key of account ${account} may not do this at ${venue}`,
    'let it read and trade perpetuals, and nothing else',
  ],
  'address-refused': (venue, account) => [
    `${venue} does not take the key of account ${account} from this address`,
    "add this machine's address to the key's list at the venue",
  ],
  'wrong-account': (venue, account) => [
    `${venue} does not know account ${account} as it is configured`,
    "check the account's options and that it has been funded",
  ],
  'expired-token': (venue, account) => [
    `${venue} does not accept the session token of account ${account}`,
    "check this machine's clock and the key; tokens are renewed by themselves",
  ],
  'may-withdraw': (venue, account) => [
    `the key of account ${account} at ${venue} may move money out`,
    'make one that can only read and trade, and remove this one',
  ],
  certificate: (venue) => [
    `the certificate of ${venue} is not trusted`,
    "check this machine's clock and who answers at that address; nothing is sent until the connector is restarted",
  ],
};

/** Returns the sentence: who, what, the venue's own word for it, and what to do. */
export function accessSentence(venue: string, account: string, problem: AccessProblem, detail: string): string {
  const [what, advice] = SENTENCES[problem](venue, account);
  return `${what} (${detail}): ${advice}`;
}

/** Returns the sentence for configured underlyings that a venue does not list. */
export function unlistedSentence(venue: string, bases: readonly string[]): string {
  return `${venue} lists no perpetual of ${bases.join(', ')}: remove ${bases.length === 1 ? 'it' : 'them'} from symbols or check the spelling`;
}

/** Error codes of Node's TLS that mean an untrusted or wrong certificate. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_REJECTED',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'PATH_LENGTH_EXCEEDED',
  'INVALID_PURPOSE',
  'HOSTNAME_MISMATCH',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'INVALID_CA',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** True for an error code that says nothing was sent because the other side could not prove who it is. */
export function isCertificateCode(code: string): boolean {
  return CERTIFICATE_CODES.has(code);
}
