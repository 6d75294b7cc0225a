import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { carriesToken, loadControlToken } from '../../src/control/control-token.ts';

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'tandem-token-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe('the control token', () => {
  it('is made at the first start, for its owner only, and stays', () => {
    const path = directory();
    const token = loadControlToken(path);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(readFileSync(join(path, 'control.token'), 'utf8')).toBe(`${token}\n`);
    expect(statSync(join(path, 'control.token')).mode & 0o777).toBe(0o600);
    expect(loadControlToken(path)).toBe(token);
    expect(readdirSync(path)).toEqual(['control.token']);
    expect(loadControlToken(directory())).not.toBe(token);
  });

  it.each([
    ['an example', 'a'.repeat(64)],
    ['a word', 'letmein'],
    ['nothing', ''],
  ])('is replaced when the file holds %s', (_, text) => {
    const path = directory();
    writeFileSync(join(path, 'control.token'), text, { mode: 0o600 });
    const token = loadControlToken(path);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(token).not.toBe(text);
  });

  it('is replaced when others could have read it', () => {
    const path = directory();
    const before = loadControlToken(path);
    chmodSync(join(path, 'control.token'), 0o644);
    expect(loadControlToken(path)).not.toBe(before);
    expect(statSync(join(path, 'control.token')).mode & 0o777).toBe(0o600);
  });

  it('is recognised only as a bearer token, whole', () => {
    const token = 'ab'.repeat(32);
    expect(carriesToken(`Bearer ${token}`, token)).toBe(true);
    expect(carriesToken(`bearer ${token}`, token)).toBe(true);
    for (const header of [
      '',
      token,
      `Basic ${token}`,
      `Bearer ${token}0`,
      `Bearer ${token.slice(1)}`,
      'Bearer ',
      `Bearer ${token} x`,
    ]) {
      expect(carriesToken(header, token)).toBe(false);
    }
  });
});
