import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { needsPassphrase, readSecrets, sealedSource } from '../../src/ports/live/account-secrets.ts';
import { seal, unseal } from '../../src/ports/live/sealed-file.ts';

function keyFile(content: string, mode = 0o600): string {
  const path = join(mkdtempSync(join(tmpdir(), 'tandem-keys-')), 'keys.yaml');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('nothing was refused');
}

describe('account secrets', () => {
  it('come from a file that only its owner can read', () => {
    expect(readSecrets({ type: 'file', path: keyFile('privateKey: "ab12"\n') })).toEqual({ privateKey: 'ab12' });
  });
  it('are refused from a file others can read, and the message does not repeat them', () => {
    const path = keyFile('privateKey: "ab12"\n', 0o644);
    expect(() => readSecrets({ type: 'file', path })).toThrow(`key file ${path} must have mode 0600, has 644`);
  });
  it('must be text: an unquoted number would lose digits', () => {
    const path = keyFile('privateKey: 12\n');
    expect(() => readSecrets({ type: 'file', path })).toThrow('must hold text for privateKey');
  });
  it('are not repeated by what is said of a file that is no YAML', () => {
    const path = keyFile('apiKey: "canary-1\nprivateKey: [canary-2\n');
    const said = messageOf(() => readSecrets({ type: 'file', path }));
    expect(said).toMatch(/^key file .*keys\.yaml must be YAML, line \d+ is not \([A-Z_]+\)$/);
    expect(said).not.toContain('canary');
  });
  it('must be filled in', () => {
    const path = keyFile("privateKey: ''\n");
    expect(() => readSecrets({ type: 'file', path })).toThrow('must hold a value for privateKey');
  });
  it('come from a credential of the service manager, which everybody else must not see', () => {
    expect(readSecrets({ type: 'credential', path: keyFile('apiKey: abcd\n', 0o440) })).toEqual({ apiKey: 'abcd' });
    const path = keyFile('apiKey: abcd\n', 0o444);
    expect(() => readSecrets({ type: 'credential', path })).toThrow(
      `credential ${path} must not be for everybody, has mode 444`,
    );
  });
  it('must exist', () => {
    expect(() => readSecrets({ type: 'file', path: '/nonexistent/keys' })).toThrow('must exist and be a file');
  });
});

describe('a sealed key file', () => {
  const plain = 'apiKey: canary-key\nprivateKey: canary-private\n';
  const passphrase = 'correct horse battery';
  const text = seal(Buffer.from(plain), passphrase);
  const path = keyFile(text);
  const source = sealedSource(path, passphrase);

  it('opens with its passphrase, and holds nothing that can be read without it', () => {
    expect(needsPassphrase(path)).toBe(true);
    expect(readSecrets(source)).toEqual({ apiKey: 'canary-key', privateKey: 'canary-private' });
    expect(JSON.stringify(source)).not.toContain('canary');
    expect(text).not.toContain('canary');
    expect(text).not.toContain(Buffer.from(plain).toString('base64').slice(0, 12));
  });
  it('does not open once any part of it was changed', () => {
    const key = source.type === 'sealed' ? source.key : Buffer.alloc(0);
    expect(unseal(text, key).toString()).toBe(plain);
    const lines = text.split('\n');
    const changed = (line: number, change: (text: string) => string): string =>
      lines.map((each, index) => (index === line ? change(each) : each)).join('\n');
    const flipped = (each: string): string => each.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    for (const damaged of [
      changed(1, flipped),
      changed(2, flipped),
      changed(3, (body) => `${body.startsWith('A') ? 'B' : 'A'}${body.slice(1)}`),
      changed(3, (body) => Buffer.from(body, 'base64').subarray(0, -1).toString('base64')),
    ])
      expect(messageOf(() => unseal(damaged, key))).toContain('the passphrase is another one, or the file was changed');
    for (const damaged of [
      changed(0, () => 'tandem-sealed-keys 2'),
      changed(1, (line) => line.replace('131072', '1024')),
      changed(3, () => ''),
    ])
      expect(messageOf(() => unseal(damaged, key))).toContain('must be whole and begin with');
  });
  it('is refused where only plain ones can be read', () => {
    expect(() => readSecrets({ type: 'file', path })).toThrow('must be plain here, it is sealed');
  });
});
