import { describe, expect, it } from 'vitest';
import { configFile, MINIMAL } from '../config/files.ts';
import { runTandem } from './run-tandem.ts';

const COMMANDS = [
  'start',
  'init',
  'dashboard',
  'status',
  'why',
  'report',
  'actors',
  'trace',
  'adopt',
  'bench',
  'venue',
];

describe('help', () => {
  it('lists every command and ends with 0', async () => {
    const { code, stdout } = await runTandem(['--help']);
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  it.each(COMMANDS)('exists for %s', async (command) => {
    const { code, stdout } = await runTandem([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: tandem ${command}`);
  });

  it('tells the version', async () => {
    expect(await runTandem(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});

describe('wrong usage ends with 2 and one clear sentence', () => {
  const cases: readonly (readonly [words: string, complaint: string])[] = [
    ['trade', "unknown command 'trade'"],
    ['start --fast', "unknown option '--fast'"],
    ['--fast', "unknown option '--fast'"],
    ['status now', 'too many arguments'],
    ['start --port seven', 'must be a whole number from 0 to 65535'],
    ['start --port 65536', 'must be a whole number from 0 to 65535'],
    ['start --config', "option '--config <file>' argument missing"],
    ['start --config /nowhere/x.yaml', '/nowhere/x.yaml: must be a readable file'],
    ['--config /nowhere/x.yaml', '/nowhere/x.yaml: must be a readable file'],
    ['venue lighter', "required option '--port <port>' not specified"],
    ['venue binance --port 0', 'Allowed choices are lighter, extended'],
    ['bench no-such-benchmark', 'benchmark must be one of'],
  ];
  it.each(cases)('tandem %s', async (words, complaint) => {
    const { code, stdout, stderr } = await runTandem(words.split(' '));
    expect(stderr).toContain(complaint);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('a configuration that must not run', () => {
  it('stops the start with file, line, column, rule and value for each mistake', async () => {
    const file = configFile(`${MINIMAL}entry:\n  minAprr: 3\nworkers: { io: -1 }\n`);
    const { code, stderr } = await runTandem(['start', '--config', file]);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n').sort()).toEqual([
      `${file}:16:3: entry.minAprr must not be there: no such setting, was 3`,
      `${file}:17:12: workers.io must be at least 0, was -1`,
    ]);
  });

  it('stops a venue that is not simulated in it', async () => {
    const file = configFile(
      MINIMAL.replaceAll('simulated', 'live')
        .replace('{ name: main }', '{ name: main, keyFile: one }')
        .replace('{ name: main }', '{ name: main, keyFile: other }')
        .split('tape:')[0] ?? '',
    );
    const { code, stderr } = await runTandem(['venue', 'lighter', '--port', '0', '--config', file]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: `venue must be a simulated one of ${file}, was "lighter"\n` });
  });
});
