/** Finds the secrets of every live account once, at start: which file or credential, and the key of what is sealed. Main thread. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TandemConfig } from '../../../config/schema.ts';
import { connectorRef } from '../../../actors/addresses.ts';
import {
  needsPassphrase,
  readCredential,
  readSecrets,
  sealedSource,
  SecretError,
} from '../../ports/live/account-secrets.ts';
import type { SecretSource } from '../../ports/live/account-secrets.ts';

/** The credential that holds the passphrase of sealed key files, where a service manager starts the engine. */
export const PASSPHRASE_CREDENTIAL = 'tandem-passphrase';

export interface AccountKeys {
  /** By connector path; what cannot be used is there with the reason. */
  readonly sources: Readonly<Record<string, SecretSource>>;
  /** Every secret value there is, for whoever has to keep them out of what is shown. */
  readonly values: readonly string[];
  /** What a person has to put right, one sentence each. */
  readonly problems: readonly string[];
}

export interface KeyOptions {
  /** The folder of the service manager's credentials, `CREDENTIALS_DIRECTORY`. */
  readonly credentials?: string | undefined;
  /** Asks a person; rejects or is absent where there is nobody to ask. Called once at most. */
  readonly askPassphrase?: (() => Promise<string>) | undefined;
}

/** Settles in any case: what went wrong stands in `problems`. */
export async function openKeys({ venues }: Pick<TandemConfig, 'venues'>, options: KeyOptions): Promise<AccountKeys> {
  const sources: Record<string, SecretSource> = {};
  const values: string[] = [];
  const problems: string[] = [];
  const passphrase = passphraseOf(options);
  for (const [venue, { kind, accounts }] of Object.entries(venues)) {
    if (kind !== 'live') continue;
    for (const account of accounts) {
      const { path } = connectorRef(venue, account.name);
      try {
        const source = await sourceOf(account, options, passphrase);
        values.push(...Object.values(readSecrets(source)));
        sources[path] = source;
      } catch (error) {
        if (!(error instanceof SecretError)) throw error;
        const reason = `account ${venue}:${account.name}: ${error.message}`;
        problems.push(reason);
        sources[path] = { type: 'unusable', reason };
      }
    }
  }
  return { sources, values, problems };
}

async function sourceOf(
  { keyFile, credential }: { readonly keyFile?: string | undefined; readonly credential?: string | undefined },
  { credentials }: KeyOptions,
  passphrase: (path: string) => Promise<string>,
): Promise<SecretSource> {
  if (credential !== undefined) return { type: 'credential', path: credentialPath(credential, credentials) };
  // The schema's rule is that one of the two is there.
  const path = keyFile ?? '';
  return needsPassphrase(path) ? sealedSource(path, await passphrase(path)) : { type: 'file', path };
}

function credentialPath(name: string, credentials: string | undefined): string {
  if (credentials === undefined)
    throw new SecretError(
      name,
      'must come from a service manager: CREDENTIALS_DIRECTORY is not set (systemd sets it for LoadCredential= or LoadCredentialEncrypted=)',
      'credential',
    );
  return join(credentials, name);
}

/** The same passphrase for all sealed files, found out when the first one needs it. */
function passphraseOf({ credentials, askPassphrase }: KeyOptions): (path: string) => Promise<string> {
  let known: Promise<string> | undefined;
  return async (path) => {
    const given = passphraseFrom(credentials);
    if (given !== undefined) return given;
    if (askPassphrase === undefined)
      throw new SecretError(
        path,
        `is sealed, its passphrase must come from the credential ${PASSPHRASE_CREDENTIAL} or be typed at a terminal`,
      );
    known ??= askPassphrase();
    return known;
  };
}

/** Returns the service manager's passphrase, if it has one. Throws SecretError when everybody may read it. */
export function passphraseFrom(credentials: string | undefined): string | undefined {
  if (credentials === undefined) return undefined;
  const path = join(credentials, PASSPHRASE_CREDENTIAL);
  // One newline at its end is the editor's.
  return existsSync(path) ? readCredential(path).replace(/\r?\n$/, '') : undefined;
}
