import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSecrets } from '../../src/ports/live/account-secrets.ts';

function keyFile(content: string, mode = 0o600): string {
  const path = join(mkdtempSync(join(tmpdir(), 'tandem-keys-')), 'keys.yaml');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
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
  it('must exist', () => {
    expect(() => readSecrets({ type: 'file', path: '/nonexistent/keys' })).toThrow('must exist and be a file');
  });
});
