import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { configReference } from '../../config/reference.ts';

it('config/README.md is what the schema says: npx tandem config reference > config/README.md', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'config', 'README.md'), 'utf8');
  expect(page).toBe(configReference());
});

it('names unit, default, range and purpose of a setting, nested ones by their path', () => {
  expect(configReference()).toMatch(
    /^\| `entry\.maxBreakEvenH` \| h \| `24` \| 0\.1 to 100000 \| Longest time until funding has paid the round trip\. \|$/m,
  );
});
