/**
 * Key files that are of no use without their passphrase: scrypt makes a key of it, AES-256-GCM seals with that. Pure but for randomness;
 * main thread for deriving (about half a second), connector threads for opening.
 *
 * ```
 *   tandem-sealed-keys 1
 *   scrypt 131072 8 1 <16 bytes of salt, hex>
 *   aes-256-gcm <12 bytes of initialisation vector, hex>
 *   <ciphertext and 16 bytes of tag, base64>
 * ```
 *
 * The first three lines are authenticated with the rest: who changes one of them gets nothing opened.
 */
import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';

const MAGIC = 'tandem-sealed-keys 1';
const COST = 131_072;
const BLOCK = 8;
const PARALLEL = 1;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** scrypt needs 128 x cost x block bytes and a little more. */
const MEMORY_BYTES = 2 * 128 * COST * BLOCK;
const CIPHER = 'aes-256-gcm';

/** What is wrong with a sealed file, as a rule that it breaks: nothing of its content. */
export class SealError extends Error {
  constructor(rule: string) {
    super(rule);
    this.name = 'SealError';
  }
}

export function isSealed(text: string): boolean {
  return text.startsWith('tandem-sealed-keys ');
}

/** Returns the sealed file's text; the same secrets and passphrase never give the same twice. */
export function seal(plain: Uint8Array, passphrase: string): string {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const header = [
    MAGIC,
    `scrypt ${COST} ${BLOCK} ${PARALLEL} ${salt.toString('hex')}`,
    `${CIPHER} ${iv.toString('hex')}`,
  ].join('\n');
  const cipher = createCipheriv(CIPHER, derive(passphrase, salt), iv);
  cipher.setAAD(Buffer.from(header));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return `${header}\n${sealed.toString('base64')}\n`;
}

/** Returns what `unseal` needs in place of the passphrase. Throws SealError for a damaged header. */
export function sealKeyOf(text: string, passphrase: string): Uint8Array {
  return derive(passphrase, partsOf(text).salt);
}

/** Returns the plain content. Throws SealError. */
export function unseal(text: string, key: Uint8Array): Buffer {
  const { header, iv, sealed } = partsOf(text);
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(header));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const plain = decipher.update(sealed.subarray(0, -TAG_BYTES));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    plain.fill(0);
    throw new SealError('must open: the passphrase is another one, or the file was changed');
  }
}

function derive(passphrase: string, salt: Uint8Array): Buffer {
  // Composed and decomposed letters look the same and must be the same.
  return scryptSync(passphrase.normalize('NFKC'), salt, KEY_BYTES, {
    N: COST,
    r: BLOCK,
    p: PARALLEL,
    maxmem: MEMORY_BYTES,
  });
}

interface Parts {
  readonly header: string;
  readonly salt: Buffer;
  readonly iv: Buffer;
  readonly sealed: Buffer;
}

/** Anything but the parameters above is refused: weaker ones would be a trap, stronger ones a way to fill the memory. */
function partsOf(text: string): Parts {
  const [magic, scrypt, cipher, body = ''] = text.split('\n');
  const header = `${magic}\n${scrypt}\n${cipher}`;
  const salt = hexOf(scrypt, `scrypt ${COST} ${BLOCK} ${PARALLEL} `, SALT_BYTES);
  const iv = hexOf(cipher, `${CIPHER} `, IV_BYTES);
  const sealed = Buffer.from(body, 'base64');
  if (magic !== MAGIC || salt === undefined || iv === undefined || sealed.length <= TAG_BYTES)
    throw new SealError(`must be whole and begin with "${MAGIC}" and the parameters this version seals with`);
  return { header, salt, iv, sealed };
}

function hexOf(line: string | undefined, prefix: string, bytes: number): Buffer | undefined {
  const digits = line?.startsWith(prefix) === true ? line.slice(prefix.length) : '';
  return /^[0-9a-f]+$/.test(digits) && digits.length === 2 * bytes ? Buffer.from(digits, 'hex') : undefined;
}
