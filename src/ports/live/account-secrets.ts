/** Where an account's secrets come from: a key file only its owner can read, or the published keys of a simulated venue. Connector threads only. */
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parse } from 'yaml';

/** Plain data in a thread's settings: never the secret itself. */
export type SecretSource =
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'published'; readonly secrets: Readonly<Record<string, string>> };

/** A key file that cannot be used: the message names the file and the rule, never its content. */
export class SecretError extends Error {
  constructor(path: string, rule: string) {
    super(`key file ${path} ${rule}`);
    this.name = 'SecretError';
  }
}

/** Reads the secrets. Throws SecretError. */
export function readSecrets(source: SecretSource): Readonly<Record<string, string>> {
  if (source.type === 'published') return source.secrets;
  const file = statSync(source.path, { throwIfNoEntry: false });
  if (file === undefined || !file.isFile()) throw new SecretError(source.path, 'must exist and be a file');
  if ((file.mode & 0o077) !== 0)
    throw new SecretError(source.path, `must have mode 0600, has ${(file.mode & 0o777).toString(8)}`);
  if (file.uid !== process.getuid?.())
    throw new SecretError(source.path, 'must be owned by the user that runs the engine');
  if ((statSync(dirname(source.path)).mode & 0o077) !== 0)
    throw new SecretError(source.path, 'must be in a folder with mode 0700');
  const content: unknown = parse(readFileSync(source.path, 'utf8'));
  if (typeof content !== 'object' || content === null)
    throw new SecretError(source.path, 'must be a YAML map of names to text');
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(content)) {
    if (typeof value !== 'string') throw new SecretError(source.path, `must hold text for ${name} (quote it)`);
    secrets[name] = value;
  }
  return secrets;
}
