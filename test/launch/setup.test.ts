import { existsSync, mkdirSync, readlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findOldNode, makeProject, THIS_NODE } from './project.ts';

const SETUP = ['src/setup.mjs'];
const oldNode = findOldNode();

describe('set-up', () => {
  it('installs on a bare clone with npm ci, without install scripts, and keeps stdout to itself', async () => {
    const project = makeProject();
    project.want({ zod: { version: '4.6.7' } });
    const { code, stdout, stderr } = await project.run(THIS_NODE, SETUP).ended;
    expect(code).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain('nothing is installed yet');
    expect(stderr).toContain('npm talks');
    expect(project.npmRuns()).toEqual([
      ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--include=dev'],
    ]);
  });

  it('does nothing when everything is in place', async () => {
    const project = makeProject();
    project.want({ zod: { version: '4.6.7' }, fsevents: { version: '1.0.0', optional: true } });
    project.installed({ zod: { version: '4.6.7' } });
    const { code, stdout, stderr } = await project.run(THIS_NODE, SETUP).ended;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(project.npmRuns()).toEqual([]);
  });

  it.each([
    ['a package is missing', {}, 'node_modules/zod is missing'],
    ['a package has another version', { zod: { version: '4.0.0' } }, 'node_modules/zod is 4.0.0, the lock wants 4.6.7'],
  ])('installs again when %s', async (_name, installed, reason) => {
    const project = makeProject();
    project.want({ zod: { version: '4.6.7' } });
    project.installed(installed);
    const { code, stderr } = await project.run(THIS_NODE, SETUP).ended;
    expect(code).toBe(0);
    expect(stderr).toContain(reason);
    expect(project.npmRuns()).toHaveLength(1);
  });

  it('wants packages of development for tests and checks', async () => {
    const project = makeProject();
    project.want({ vitest: { version: '5.1.1', dev: true } });
    project.installed({});
    await project.run(THIS_NODE, SETUP).ended;
    expect(project.npmRuns()).toHaveLength(1);
  });

  it("ends with npm's own exit code, and leaves no lock behind", async () => {
    const project = makeProject();
    project.want({ zod: { version: '4.6.7' } });
    project.breakNpm(23);
    const { code } = await project.run(THIS_NODE, SETUP).ended;
    expect(code).toBe(23);
    expect(existsSync(join(project.folder, '.setup-lock'))).toBe(false);
  });

  it('runs npm once when several processes start together', async () => {
    const project = makeProject();
    project.want({ zod: { version: '4.6.7' } });
    const runs = [1, 2, 3].map(() => project.run(THIS_NODE, SETUP).ended);
    expect((await Promise.all(runs)).map((run) => run.code)).toEqual([0, 0, 0]);
    expect(project.npmRuns()).toHaveLength(1);
  });

  it('takes over the lock of a process that died', async () => {
    const project = makeProject();
    project.want({ zod: { version: '4.6.7' } });
    const dead = project.run(THIS_NODE, ['-e', '0']);
    await dead.ended;
    mkdirSync(join(project.folder, '.setup-lock'));
    writeFileSync(join(project.folder, '.setup-lock', 'pid'), String(dead.child.pid));
    expect((await project.run(THIS_NODE, SETUP).ended).code).toBe(0);
    expect(project.npmRuns()).toHaveLength(1);
  });

  it('takes over an old lock that nobody signed', async () => {
    const project = makeProject();
    project.want({ zod: { version: '4.6.7' } });
    const lock = join(project.folder, '.setup-lock');
    mkdirSync(lock);
    utimesSync(lock, 1, 1);
    expect((await project.run(THIS_NODE, SETUP).ended).code).toBe(0);
  });

  it("links the project's own command, and the pinned Node.js when npm left it out", async () => {
    const project = makeProject();
    project.want({});
    project.installed({});
    const platform = `node-${process.platform}-${process.arch}`;
    project.write(`node_modules/${platform}/bin/node`, '');
    await project.run(THIS_NODE, SETUP).ended;
    const bins = join(project.folder, 'node_modules', '.bin');
    expect(readlinkSync(join(bins, 'tandem'))).toBe('../../src/launch.mjs');
    expect(readlinkSync(join(bins, 'node'))).toBe(`../${platform}/bin/node`);
  });

  it.skipIf(oldNode === undefined)(
    'says in one line that this Node.js is too old when npm has none (skipped without an old Node.js)',
    async () => {
      const project = makeProject();
      project.want({});
      project.installed({});
      const { code, stderr } = await project.run(oldNode ?? '', SETUP).ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(/^tandem: needs Node\.js 24\.12 or newer; this is [\d.]+ and npm has none for \S+\n$/);
    },
  );
});
