import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { openKeys } from '../../src/composition/live/account-keys.ts';
import { startEngine } from '../../src/composition/live/engine.ts';
import { readSecrets } from '../../src/ports/live/account-secrets.ts';
import { seal } from '../../src/ports/live/sealed-file.ts';

const PASSPHRASE = 'correct horse battery';
const folder = mkdtempSync(join(tmpdir(), 'tandem-keys-'));
const credentials = join(folder, 'credentials');
mkdirSync(credentials, { mode: 0o700 });
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};
const plain = file('plain.yaml', 'apiKey: canary-plain\n');
const sealed = file('sealed', seal(Buffer.from('privateKey: canary-sealed\n'), PASSPHRASE));

interface Account {
  readonly keyFile?: string;
  readonly credential?: string;
}
function venuesOf(lighter: Account, extended: Account): Parameters<typeof openKeys>[0] {
  const venue = (account: Account) => ({
    kind: 'live' as const,
    accounts: [{ name: 'main', options: {}, ...account }],
  });
  return { venues: { lighter: venue(lighter), extended: venue(extended) } };
}
const SEALED = 'connector/lighter:main';
const OTHER = 'connector/extended:main';

it('asks once for the passphrase of all sealed files, and says of each that another one opens it', async () => {
  let asked = 0;
  const askPassphrase = async (): Promise<string> => {
    asked += 1;
    return 'wrong horse battery';
  };
  const refused = await openKeys(venuesOf({ keyFile: sealed }, { keyFile: sealed }), { askPassphrase });
  const rule = `key file ${sealed} must open: the passphrase is another one, or the file was changed`;
  expect(refused.problems).toEqual([`account lighter:main: ${rule}`, `account extended:main: ${rule}`]);
  expect(asked).toBe(1);
  const { values } = await openKeys(venuesOf({ keyFile: plain }, { keyFile: plain }), { askPassphrase });
  expect(values).toEqual(['canary-plain', 'canary-plain']);
  expect(asked).toBe(1);
});

it('takes secrets and the passphrase from the service manager where it has them', async () => {
  writeFileSync(join(credentials, 'extended-main'), 'apiKey: canary-credential\n', { mode: 0o400 });
  writeFileSync(join(credentials, 'tandem-passphrase'), `${PASSPHRASE}\n`, { mode: 0o400 });
  const { sources, problems } = await openKeys(venuesOf({ keyFile: sealed }, { credential: 'extended-main' }), {
    credentials,
    askPassphrase: () => Promise.reject(new Error('nobody is to be asked')),
  });
  expect(problems).toEqual([]);
  const read = Object.entries(sources).map(([path, source]) => [path, readSecrets(source)]);
  expect(Object.fromEntries(read)).toEqual({
    [SEALED]: { privateKey: 'canary-sealed' },
    [OTHER]: { apiKey: 'canary-credential' },
  });
});

it('says for each account what a person has to put right, and reads the others', async () => {
  const { sources, values, problems } = await openKeys(venuesOf({ keyFile: sealed }, { keyFile: plain }), {});
  expect(problems).toEqual([
    `account lighter:main: key file ${sealed} is sealed, its passphrase must come from the credential tandem-passphrase or be typed at a terminal`,
  ]);
  expect(values).toEqual(['canary-plain']);
  expect(sources[SEALED]).toEqual({ type: 'unusable', reason: problems[0] });
  const absent = await openKeys(venuesOf({ keyFile: plain }, { credential: 'absent' }), {});
  expect(absent.problems).toEqual([
    'account extended:main: credential absent must come from a service manager: CREDENTIALS_DIRECTORY is not set (systemd sets it for LoadCredential= or LoadCredentialEncrypted=)',
  ]);
});

it('starts no engine with a key that cannot be read', async () => {
  const example = loadConfig(join(import.meta.dirname, '..', '..', 'config', 'live.example.yaml'), {});
  const config = { ...example, ...venuesOf({ keyFile: join(folder, 'none.yaml') }, { keyFile: plain }) };
  const started = startEngine(
    { ...config, dataDir: join(folder, 'var') },
    { log: () => undefined, onUnkillable: () => undefined },
  );
  await expect(started).rejects.toThrow(
    `account lighter:main: key file ${join(folder, 'none.yaml')} must exist and be a file`,
  );
});
