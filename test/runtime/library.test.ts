/** The runtime as a library: it stands alone, its examples run, and its README says what they do. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '../../src/runtime');
const EXAMPLES = join(FOLDER, 'examples');
const README = readFileSync(join(FOLDER, 'README.md'), 'utf8');

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(folder, name));
}

function importsOf(file: string): readonly string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^(?:import|export) [^;]*?from '([^']+)'/gms)].map(
    ([, source = '']) => source,
  );
}

const publicModules = [...README.matchAll(/^\| `([a-z-]+\.ts)` \|/gm)].map(([, name = '']) => name);

describe('the runtime as a library', () => {
  it('imports nothing but Node, its two packages and itself', () => {
    const sources = new Set([...filesOf(FOLDER), ...filesOf(EXAMPLES)].flatMap(importsOf));
    const foreign = [...sources].filter(
      (source) => !/^(node:|\.\/[a-z-]+\.ts$|\.\.\/[a-z-]+\.ts$|comlink(\/|$)|msgpackr$)/.test(source),
    );
    expect(foreign).toEqual([]);
    // `../` leads from an example to the runtime, and from the runtime to strangers.
    expect(
      filesOf(FOLDER)
        .flatMap(importsOf)
        .filter((source) => source.startsWith('../')),
    ).toEqual([]);
  });

  it('names its public modules in the README, and all of them exist', () => {
    expect(publicModules.length).toBeGreaterThan(10);
    expect(publicModules.filter((name) => !existsSync(join(FOLDER, name)))).toEqual([]);
  });

  it.each(filesOf(EXAMPLES).map((file) => basename(file)))('example %s uses public modules only', (name) => {
    const used = importsOf(join(EXAMPLES, name)).filter((source) => !source.startsWith('node:'));
    expect(used.map((source) => source.replace('../', '')).filter((source) => !publicModules.includes(source))).toEqual(
      [],
    );
  });

  it('says of every exported thing of its public modules what it is for', () => {
    const silent = publicModules.flatMap((name) => {
      const lines = readFileSync(join(FOLDER, name), 'utf8').split('\n');
      return lines.flatMap((line, index) =>
        /^export (?!type \{|\{|\*)/.test(line) && !(lines[index - 1] ?? '').endsWith('*/') ? [`${name}: ${line}`] : [],
      );
    });
    expect(silent).toEqual([]);
  });
});

/** What each example must print, besides ending without an error: its own check throws. */
const PRINTED: Readonly<Record<string, RegExp>> = {
  'conflating-feed.ts':
    /^60000 prices told, newest of each symbol seen: \{"BTC":59997,"ETH":59998,"SOL":59999\}\nhandled \d+, /,
  'counter.ts': /^counted to 5050\n$/,
  'remote-ask.ts': /^learned: 144, 81, no answer to 2\n$/,
  'supervised-crasher.ts': /^life 3 divided by 20, the division by 0 is set aside; logged: actor-crashed, .*set-aside/,
  'virtual-time.ts': /^24 hours passed; seed 1 gives the same events every time, seed 2 others\n$/,
};

describe('its examples', () => {
  it.each(filesOf(EXAMPLES).map((file) => basename(file)))('%s runs and prints what it checked', async (name) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(EXAMPLES, name)]);
    expect(stdout).toMatch(PRINTED[name] ?? /^every example has an entry here$/);
    expect(stderr).toBe('');
  });

  it('are quoted in the README as they are', () => {
    const quotes = [...README.matchAll(/^```ts ([a-z-]+\.ts)\n(.*?)^```$/gms)].map(([, name = '', text = '']) => ({
      name,
      text,
    }));
    expect(new Set(quotes.map(({ name }) => name))).toEqual(new Set(Object.keys(PRINTED)));
    for (const { name, text } of quotes)
      expect(readFileSync(join(EXAMPLES, name), 'utf8'), relative(FOLDER, name)).toContain(text);
  });
});
