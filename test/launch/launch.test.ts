import { chmodSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findOldNode, makeProject, THIS_NODE } from './project.ts';
import type { Project } from './project.ts';

const LAUNCH = 'src/launch.mjs';
const oldNode = findOldNode();
const pinnedPath = `node_modules/node-${process.platform}-${process.arch}/bin/node`;

/** A project whose command line is `body`, with everything installed; its pinned Node.js is the one running this test. */
function projectWithCommand(body: string): Project {
  const project = makeProject();
  project.want({});
  project.installed({});
  project.write(
    'src/cli/tandem.ts',
    `export async function runTandem(words: readonly string[]): Promise<number> {\n${body}\n}\n`,
  );
  chmodSync(project.write(pinnedPath, `#!/bin/sh\nexec '${THIS_NODE}' "$@"\n`), 0o755);
  return project;
}

const launchers: readonly (readonly [name: string, node: string | undefined])[] = [
  ['a Node.js that can run it', THIS_NODE],
  ['an old Node.js', oldNode],
];

describe.each(launchers)('the launcher under %s', (name, node) => {
  const test = it.skipIf(node === undefined);
  const suffix = node === undefined ? ` (skipped: ${name} is not on the path)` : '';
  const nodeFile = node ?? '';

  test(`hands the words to the command line and ends with its code${suffix}`, async () => {
    const project = projectWithCommand('console.log(words.join("|"), process.execArgv.length);\nreturn 3;');
    const { code, stdout } = await project.run(nodeFile, [LAUNCH, 'bench', '--json', 'a b']).ended;
    expect(stdout).toBe('bench|--json|a b 0\n');
    expect(code).toBe(3);
  });

  test(`sets the compile cache before any thread starts${suffix}`, async () => {
    const project = projectWithCommand('console.log(process.env.NODE_COMPILE_CACHE);\nreturn 0;');
    const { stdout } = await project.run(nodeFile, [LAUNCH]).ended;
    expect(stdout.trim()).toMatch(/node_modules\/\.cache\/compile$/);
  });

  test(`ends even when the command left a timer behind${suffix}`, async () => {
    const project = projectWithCommand('setInterval(() => {}, 1_000);\nreturn 0;');
    expect((await project.run(nodeFile, [LAUNCH]).ended).code).toBe(0);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const)(
    `passes %s on and ends as the command ends${suffix}`,
    async (signal) => {
      const project = projectWithCommand(`
      return new Promise((resolve) => {
        process.on('${signal}', () => { console.log('heard'); resolve(7); });
        setInterval(() => {}, 1_000);
        console.log('ready');
      });`);
      const run = project.run(nodeFile, [LAUNCH, 'bench']);
      await run.printed('ready');
      run.child.kill(signal);
      const { code, stdout } = await run.ended;
      expect(stdout).toBe('ready\nheard\n');
      expect(code).toBe(7);
    },
  );

  test(`ends by the signal that ended the command${suffix}`, async () => {
    const project = projectWithCommand(
      "console.log('ready');\nsetInterval(() => {}, 1_000);\nprocess.kill(process.pid, 'SIGKILL');\nreturn new Promise(() => {});",
    );
    expect((await project.run(nodeFile, [LAUNCH, 'bench']).ended).signal).toBe('SIGKILL');
  });

  describe('with the engine', () => {
    /** Each life says its number, then does `body`; `life` counts from 1. */
    const engine = (body: string): Project =>
      projectWithCommand(`
      const { appendFileSync, readFileSync } = await import('node:fs');
      appendFileSync('lives', 'x');
      const life = readFileSync('lives', 'utf8').length;
      console.log('life', life);
      const untilStopped = (code: number) => new Promise<number>((resolve) => {
        process.on('SIGTERM', () => { console.log('stopping'); resolve(code); });
        setInterval(() => {}, 1_000);
        console.log('ready');
      });
      ${body}`);

    test.each([
      ['code 70', 'return 70;', 'with code 70'],
      [
        'an error nobody caught',
        "setTimeout(() => { throw new Error('boom'); });\nreturn new Promise(() => {});",
        'with code 70',
      ],
      [
        'a signal nobody sent from here',
        "process.kill(process.pid, 'SIGKILL');\nreturn new Promise(() => {});",
        'by SIGKILL',
      ],
      ['an abort', 'process.abort();', 'by SIGABRT'],
    ])(`starts it again when it ended by %s${suffix}`, async (_, end, how) => {
      const project = engine(`if (life < 3) { ${end} }\nreturn 0;`);
      const { code, stdout, stderr } = await project.run(nodeFile, [LAUNCH, 'start']).ended;
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'life 1\nlife 2\nlife 3\n' });
      expect(stderr).toContain(`tandem: the engine ended ${how}; starting it again (restart 2 of 3 within 60 s)\n`);
    });

    test(`leaves it down after three restarts in a minute, says so and ends with 70${suffix}`, async () => {
      const { code, stdout, stderr } = await engine('return 70;').run(nodeFile, [LAUNCH]).ended;
      expect({ code, stdout }).toEqual({ code: 70, stdout: 'life 1\nlife 2\nlife 3\nlife 4\n' });
      expect(stderr).toMatch(
        /ended with code 70, after 3 restarts within 60 s: it is left DOWN\..*start it again\.\n$/,
      );
    });

    test.each([0, 1, 2])(`takes code %i for its decision${suffix}`, async (wanted) => {
      const { code, stdout, stderr } = await engine(`return ${wanted};`).run(nodeFile, [LAUNCH, '--port', '0']).ended;
      expect({ code, stdout, stderr }).toEqual({ code: wanted, stdout: 'life 1\n', stderr: '' });
    });

    test.each([0, 70])(
      `does not start it again when it was told to stop and ended with %i${suffix}`,
      async (wanted) => {
        const run = engine(`return untilStopped(${wanted});`).run(nodeFile, [LAUNCH, 'start']);
        await run.printed('ready');
        run.child.kill('SIGTERM');
        expect(await run.ended).toMatchObject({ code: wanted, signal: null, stdout: 'life 1\nready\nstopping\n' });
      },
    );

    test(`stops in order when its launcher is killed${suffix}`, async () => {
      const run = engine('return untilStopped(0);').run(nodeFile, [LAUNCH, 'start']);
      await run.printed('ready');
      run.child.kill('SIGKILL');
      await run.printed('stopping');
      expect(await run.ended).toMatchObject({ signal: 'SIGKILL' });
    });
  });

  test(`installs what is missing before it starts, tests' packages not among it${suffix}`, async () => {
    const project = projectWithCommand("console.log('started');\nreturn 0;");
    project.want({ zod: { version: '4.6.7' }, vitest: { version: '5.1.1', dev: true } });
    const { code, stdout } = await project.run(nodeFile, [LAUNCH]).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'started\n' });
    expect(project.npmRuns()).toEqual([['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']]);
  });

  test(`is content without the packages of development${suffix}`, async () => {
    const project = projectWithCommand('return 0;');
    project.want({ vitest: { version: '5.1.1', dev: true } });
    expect((await project.run(nodeFile, [LAUNCH]).ended).code).toBe(0);
    expect(project.npmRuns()).toEqual([]);
  });

  test(`does not start when npm failed${suffix}`, async () => {
    const project = projectWithCommand("console.log('started');\nreturn 0;");
    project.want({ zod: { version: '4.6.7' } });
    project.breakNpm(5);
    expect(await project.run(nodeFile, [LAUNCH]).ended).toMatchObject({ code: 5, stdout: '' });
  });
});

it.skipIf(oldNode === undefined)(
  'says in one line that this Node.js is too old when npm has none (skipped without an old Node.js)',
  async () => {
    const project = makeProject();
    project.want({});
    project.installed({});
    const { code, stderr } = await project.run(oldNode ?? '', [LAUNCH]).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tandem: needs Node\.js 24\.12 or newer; this is [\d.]+ and npm has none for \S+\n$/);
  },
);
