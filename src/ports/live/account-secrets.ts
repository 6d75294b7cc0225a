/**
 * Where an account's secrets come from: a systemd credential, a sealed or plain key file of its owner alone, or the published keys of a
 * simulated venue. No message about them repeats any of their content. Main thread at start, connector threads after that.
 */
import { readFileSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { isSealed, SealError, sealKeyOf, unseal } from './sealed-file.ts';

/** Plain data in a thread's settings: never the secret itself. */
export type SecretSource =
  | { readonly type: 'file'; readonly path: string }
  /** A sealed file, and the key that its passphrase makes. */
  | { readonly type: 'sealed'; readonly path: string; readonly key: Uint8Array }
  /** A file that the service manager made readable for the engine, and keeps out of everybody else's sight. */
  | { readonly type: 'credential'; readonly path: string }
  | { readonly type: 'published'; readonly secrets: Readonly<Record<string, string>> }
  /** Known to be of no use, and why. */
  | { readonly type: 'unusable'; readonly reason: string };

/** Secrets that cannot be used: the message names the file and the rule, never its content. */
export class SecretError extends Error {
  constructor(path: string, rule: string, kind = 'key file') {
    super(`${kind} ${path} ${rule}`);
    this.name = 'SecretError';
  }
}

/** Reads the secrets. Throws SecretError. */
export function readSecrets(source: SecretSource): Readonly<Record<string, string>> {
  switch (source.type) {
    case 'published':
      return source.secrets;
    case 'unusable':
      throw new UnusableSecrets(source.reason);
    case 'credential':
      return secretsIn(readCredential(source.path), source.path);
    case 'file': {
      const text = readOwned(source.path);
      if (isSealed(text)) throw new SecretError(source.path, 'must be plain here, it is sealed');
      return secretsIn(text, source.path);
    }
    case 'sealed': {
      const plain = opened(source.path, (text) => unseal(text, source.key));
      const secrets = secretsIn(plain.toString('utf8'), source.path);
      plain.fill(0);
      return secrets;
    }
  }
}

class UnusableSecrets extends SecretError {
  constructor(reason: string) {
    super('', '');
    this.message = reason;
  }
}

/** Whether a key file needs a passphrase. Throws SecretError. */
export function needsPassphrase(path: string): boolean {
  return isSealed(readOwned(path));
}

/** Returns how to read a sealed file from now on without its passphrase. Throws SecretError. Takes about half a second. */
export function sealedSource(path: string, passphrase: string): SecretSource {
  const source: SecretSource = { type: 'sealed', path, key: opened(path, (text) => sealKeyOf(text, passphrase)) };
  readSecrets(source);
  return source;
}

/** Returns the content of a plain key file that may be sealed. Throws SecretError. */
export function readPlain(path: string): string {
  const text = readOwned(path);
  if (isSealed(text)) throw new SecretError(path, 'must be plain to be sealed, it is sealed already');
  secretsIn(text, path);
  return text;
}

/** Returns a credential's text. Throws SecretError. */
export function readCredential(path: string): string {
  const file = statOf(path);
  if (file === undefined) throw new SecretError(path, 'must exist and be a file', 'credential');
  // The service manager may give access by a list beside the mode: only what everybody may read is certainly wrong.
  if ((file.mode & 0o007) !== 0)
    throw new SecretError(path, `must not be for everybody, has mode ${(file.mode & 0o777).toString(8)}`, 'credential');
  return readFileSync(path, 'utf8');
}

function readOwned(path: string): string {
  const file = statOf(path);
  if (file === undefined) throw new SecretError(path, 'must exist and be a file');
  if ((file.mode & 0o077) !== 0)
    throw new SecretError(path, `must have mode 0600, has ${(file.mode & 0o777).toString(8)}`);
  if (file.uid !== process.getuid?.()) throw new SecretError(path, 'must be owned by the user that runs the engine');
  if ((statSync(dirname(path)).mode & 0o077) !== 0) throw new SecretError(path, 'must be in a folder with mode 0700');
  return readFileSync(path, 'utf8');
}

function statOf(path: string): Stats | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  return file?.isFile() === true ? file : undefined;
}

function opened<Result>(path: string, open: (text: string) => Result): Result {
  try {
    return open(readOwned(path));
  } catch (error) {
    if (error instanceof SealError) throw new SecretError(path, error.message);
    throw error;
  }
}

function secretsIn(text: string, path: string): Readonly<Record<string, string>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [damage] = document.errors;
  // The parser's own message shows the lines around the place.
  if (damage !== undefined)
    throw new SecretError(path, `must be YAML, line ${lines.linePos(damage.pos[0]).line} is not (${damage.code})`);
  const content: unknown = document.toJS();
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new SecretError(path, 'must be a YAML map of names to text');
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(content)) {
    if (typeof value !== 'string') throw new SecretError(path, `must hold text for ${name} (quote it)`);
    if (value === '') throw new SecretError(path, `must hold a value for ${name}`);
    secrets[name] = value;
  }
  return secrets;
}
