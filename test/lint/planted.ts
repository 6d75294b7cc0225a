/** Lints a throw-away project made of given files with the project's own rules. Tests only. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const PROJECT = join(import.meta.dirname, '..', '..');
const OXLINT = join(PROJECT, 'node_modules', '.bin', 'oxlint');

export interface Complaint {
  readonly file: string;
  /** For example `tandem(no-ambient)`. */
  readonly rule: string;
  readonly message: string;
  readonly line: number;
}

/** Returns what lint says about the files (path -> text), each path relative to the project. */
export async function lintPlanted(files: Readonly<Record<string, string>>): Promise<readonly Complaint[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-lint-'));
  try {
    const rules = readFileSync(join(PROJECT, '.oxlintrc.json'), 'utf8').replaceAll('"./lint/', `"${PROJECT}/lint/`);
    write(folder, '.oxlintrc.json', rules);
    write(
      folder,
      'tsconfig.json',
      readFileSync(join(PROJECT, 'tsconfig.json'), 'utf8').replace('"types": ["node"]', '"types": []'),
    );
    for (const [path, text] of Object.entries(files)) write(folder, path, text);
    return parseReport(await runOxlint(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function write(folder: string, path: string, text: string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function runOxlint(folder: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(OXLINT, ['--type-aware', '--format', 'json', '.'], { cwd: folder }, (error, stdout, stderr) => {
      // Exit code 1 means that there were complaints.
      if (error !== null && error.code !== 1) reject(new Error(`oxlint failed: ${stderr}${stdout}`));
      else resolve(stdout);
    });
  });
}

interface Report {
  readonly diagnostics: readonly {
    readonly filename: string;
    readonly code: string;
    readonly message: string;
    readonly labels: readonly { readonly span: { readonly line: number } }[];
  }[];
}

function parseReport(text: string): readonly Complaint[] {
  // The shape oxlint 1.89 prints; pinned exactly in package.json.
  const report = JSON.parse(text) as Report;
  return report.diagnostics.map(({ filename, code, message, labels }) => ({
    file: filename,
    rule: code,
    message,
    line: labels[0]?.span.line ?? 0,
  }));
}
