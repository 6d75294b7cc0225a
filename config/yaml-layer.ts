/** Reads one YAML file of settings and remembers where each of them stands. Main thread and CLI only. */
import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import { ConfigError } from './config-error.ts';

export type SettingPath = readonly (string | number)[];

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The settings of one file; `placeOf` answers where a setting stands, as deep along its path as the file goes. */
export interface YamlLayer {
  readonly file: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** `depth` counts the path segments found; the place is that of the key where there is one. */
  placeOf(path: SettingPath): { readonly depth: number; readonly place: Place };
}

/** Reads a file. Throws ConfigError when it is missing, is no YAML, repeats a key, or is not a map of settings. */
export function readYamlLayer(file: string): YamlLayer {
  return parseYamlLayer(file, readText(file));
}

/** Parses text that came from `file`. Throws ConfigError as readYamlLayer does. */
export function parseYamlLayer(file: string, text: string): YamlLayer {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version: '1.2', merge: false });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };

  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0) {
    throw new ConfigError(
      mistakes.map((mistake) => ({
        file,
        ...placeAt(mistake.pos[0]),
        setting: '',
        rule:
          mistake.code === 'DUPLICATE_KEY'
            ? `must not repeat the key "${keyAt(text, mistake.pos[0])}"`
            : `must be valid YAML: ${firstLine(mistake.message)}`,
      })),
    );
  }
  const settings: unknown = document.contents === null ? {} : document.toJS({ maxAliasCount: 100 });
  if (!isSettingMap(settings)) {
    throw new ConfigError([
      {
        file,
        ...startOf(document, placeAt),
        setting: '',
        rule: 'must be a map of settings',
        value: JSON.stringify(settings),
      },
    ]);
  }
  return { file, settings, placeOf: (path) => findPlace(document, path, placeAt) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([{ file, line: 0, column: 0, setting: '', rule: `must be a readable file: ${reason}` }]);
  }
}

export function isSettingMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function findPlace(document: Document, path: SettingPath, placeAt: (offset: number) => Place) {
  let place = startOf(document, placeAt);
  let node: unknown = document.contents;
  let depth = 0;
  for (const segment of path) {
    const found = childOf(node, segment);
    if (found === undefined) break;
    if (found.offset !== undefined) place = placeAt(found.offset);
    node = found.value;
    depth += 1;
  }
  return { depth, place };
}

function childOf(node: unknown, segment: string | number): { offset: number | undefined; value: unknown } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(segment));
    return pair === undefined ? undefined : { offset: offsetOf(pair.key), value: pair.value };
  }
  if (isSeq(node) && typeof segment === 'number') {
    const item = node.items[segment];
    return item === undefined ? undefined : { offset: offsetOf(item), value: item };
  }
  return undefined;
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined;
}

function startOf(document: Document, placeAt: (offset: number) => Place): Place {
  const contents: Node | null = document.contents;
  return placeAt(contents?.range?.[0] ?? 0);
}

function keyAt(text: string, offset: number): string {
  return /^[^:\n]*/.exec(text.slice(offset))?.[0].trim() ?? '';
}

function firstLine(message: string): string {
  // yaml's messages end with their own position and an excerpt; the position is already in front of ours.
  return (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
}
