/** Writes throw-away configuration files. Tests only. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The shortest configuration that can run, to be extended; 14 lines. */
export const MINIMAL = `mode: simulated
venues:
  lighter:
    kind: simulated
    accounts: [{ name: main }]
  extended:
    kind: simulated
    accounts: [{ name: main }]
venuePairs: [[lighter:main, extended:main]]
symbols: [BTC]
tape:
  kind: generated
  seed: 7
  venues: { lighter: { series: lighter }, extended: { series: hyperliquid } }
`;

/** Returns the path of a file with that text, removed when the test ends. */
export function configFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'test.yaml');
  writeFileSync(file, text);
  return file;
}
