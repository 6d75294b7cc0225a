import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runTandem } from './run-tandem.ts';

const folder = mkdtempSync(join(tmpdir(), 'tandem-keys-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));
const credentials = join(folder, 'credentials');
mkdirSync(credentials, { mode: 0o700 });
const plain = join(folder, 'lighter-main.yaml');
writeFileSync(plain, 'privateKey: canary-of-a-key\n', { mode: 0o600 });
const withPassphrase = (passphrase: string): Readonly<Record<string, string>> => {
  rmSync(join(credentials, 'tandem-passphrase'), { force: true });
  writeFileSync(join(credentials, 'tandem-passphrase'), `${passphrase}\n`, { mode: 0o400 });
  return { CREDENTIALS_DIRECTORY: credentials };
};

it('seals a key file, opens it again, and shows nothing of it', async () => {
  const environment = withPassphrase('correct horse battery');
  const sealed = `${plain}.sealed`;
  const made = await runTandem(['keys', 'seal', plain], environment);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(statSync(sealed).mode & 0o777).toBe(0o600);
  expect(readFileSync(plain, 'utf8')).toContain('canary');

  const checked = await runTandem(['keys', 'check', sealed], environment);
  expect(checked).toEqual({ code: 0, stdout: `${sealed} is sealed and holds privateKey\n`, stderr: '' });
  const again = await runTandem(['keys', 'seal', plain], environment);
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toContain('must not exist yet: nothing is overwritten');

  const wrong = await runTandem(['keys', 'check', sealed], withPassphrase('another horse battery'));
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toContain('the passphrase is another one, or the file was changed');
  for (const { stdout, stderr } of [made, checked, again, wrong]) {
    expect(stdout + stderr).not.toContain('canary');
    expect(stdout + stderr).not.toContain('horse');
  }
});

it('refuses a short passphrase, and to go on where there is none to be had', async () => {
  const short = await runTandem(['keys', 'seal', plain], withPassphrase('short'));
  expect(short).toMatchObject({ code: 1, stderr: 'the passphrase must have at least 12 characters\n' });
  const none = await runTandem(['keys', 'seal', plain], { CREDENTIALS_DIRECTORY: join(folder, 'none') });
  expect(none).toMatchObject({ code: 2 });
  expect(none.stderr).toContain('must be typed at a terminal or come from the credential tandem-passphrase');
});
