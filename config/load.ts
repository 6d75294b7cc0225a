/** Turns configuration files into one validated, frozen configuration, or explains every mistake. Main thread and CLI only. */
import { join } from 'node:path';
import type { z } from 'zod';
import { ConfigError } from './config-error.ts';
import type { ConfigIssue } from './config-error.ts';
import { findContradictions } from './contradictions.ts';
import { configSchema } from './schema.ts';
import type { ConfigOverrides, TandemConfig } from './schema.ts';
import { isSettingMap, readYamlLayer } from './yaml-layer.ts';
import type { SettingPath, YamlLayer } from './yaml-layer.ts';

type Settings = Readonly<Record<string, unknown>>;
type Issue = z.core.$ZodIssue;

const DEFAULT_FILE = join(import.meta.dirname, 'default.yaml');
const VALUE_CHARACTERS_MAX = 200;

/**
 * Loads `default.yaml`, then `file` over it, then `overrides` over both. Maps merge key by key, everything else is replaced.
 *
 * @param overrides settings from the command line
 * @throws ConfigError with every issue found, each with file, line, column, rule and value
 */
export function loadConfig(file: string, overrides: ConfigOverrides = {}): TandemConfig {
  const layers = [readYamlLayer(DEFAULT_FILE), readYamlLayer(file)];
  const merged = mergeSettings(
    layers.reduce<Settings>((under, layer) => mergeSettings(under, layer.settings), {}),
    overrides,
  );

  const parsed = configSchema.safeParse(merged);
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.flatMap(explain).map((mistake) => locate(mistake, merged, layers, overrides)),
    );
  }
  const config: TandemConfig = deepFreeze(parsed.data);
  const contradictions = findContradictions(config);
  if (contradictions.length > 0) {
    throw new ConfigError(contradictions.map((mistake) => locate(mistake, merged, layers, overrides)));
  }
  return config;
}

interface Mistake {
  readonly path: SettingPath;
  readonly rule: string;
}

/** Says what must hold instead of what the validator found. */
function explain(issue: Issue): Mistake[] {
  const path = issue.path.map((segment) => (typeof segment === 'symbol' ? segment.toString() : segment));
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], rule: 'must not be there: no such setting' }));
    case 'invalid_type':
      return [{ path, rule: `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}` }];
    case 'invalid_value':
      return [{ path, rule: `must be ${alternatives(issue.values)}` }];
    case 'invalid_union':
      return [
        {
          path,
          rule:
            'options' in issue && issue.options !== undefined
              ? `must be ${alternatives(issue.options)}`
              : issue.message,
        },
      ];
    case 'too_small':
      return [{ path, rule: `must ${measure(issue.origin)} at least ${issue.minimum}${countNoun(issue.origin)}` }];
    case 'too_big':
      return [{ path, rule: `must ${measure(issue.origin)} at most ${issue.maximum}${countNoun(issue.origin)}` }];
    default:
      return [{ path, rule: issue.message }];
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a map of settings',
  record: 'a map of settings',
};

function alternatives(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(' or ');
}

function measure(origin: string): string {
  return origin === 'array' || origin === 'string' ? 'have' : 'be';
}

function countNoun(origin: string): string {
  return origin === 'array' ? ' entries' : origin === 'string' ? ' characters' : '';
}

/** Points at the layer that decided the value: the last one that reaches deepest along the path. */
function locate(mistake: Mistake, merged: Settings, layers: readonly YamlLayer[], overrides: object): ConfigIssue {
  const value = shownValue(mistake.path, merged);
  const explanation = {
    setting: settingName(mistake.path),
    rule: mistake.rule,
    ...(value === undefined ? {} : { value }),
  };
  const candidates = layers.map((layer) => ({ file: layer.file, ...layer.placeOf(mistake.path) }));
  const deepest = candidates.reduce((best, candidate) => (candidate.depth >= best.depth ? candidate : best));
  const depthOnCommandLine = depthOf(mistake.path, overrides);
  if (depthOnCommandLine > 0 && depthOnCommandLine >= deepest.depth) {
    return { file: 'command line', line: 0, column: 0, ...explanation };
  }
  return { file: deepest.file, ...deepest.place, ...explanation };
}

function settingName(path: SettingPath): string {
  return path
    .map((segment, index) => (typeof segment === 'number' ? `[${segment}]` : index > 0 ? `.${segment}` : segment))
    .join('');
}

function shownValue(path: SettingPath, merged: unknown): string | undefined {
  // A secret pasted into the wrong place must not travel on into terminals and logs.
  if (path.some((segment) => /secret|password|private|token|mnemonic|seedphrase|key(?!File)/i.test(String(segment))))
    return '(hidden)';
  const value = valueAt(path, merged);
  if (value === undefined) return 'missing';
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}...` : text;
}

function valueAt(path: SettingPath, root: unknown): unknown {
  return path.reduce<unknown>((node, segment) => ownChild(node, segment), root);
}

function depthOf(path: SettingPath, root: unknown): number {
  let node = root;
  let depth = 0;
  for (const segment of path) {
    node = ownChild(node, segment);
    if (node === undefined) break;
    depth += 1;
  }
  return depth;
}

function ownChild(node: unknown, segment: string | number): unknown {
  if (Array.isArray(node)) return typeof segment === 'number' ? node[segment] : undefined;
  return isSettingMap(node) && Object.hasOwn(node, segment) ? node[segment] : undefined;
}

function mergeSettings(under: Settings, over: Settings): Settings {
  const merged = new Map(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const beneath = merged.get(key);
    merged.set(key, isSettingMap(beneath) && isSettingMap(value) ? mergeSettings(beneath, value) : value);
  }
  // fromEntries defines own properties, so that a key named __proto__ stays a key and is refused by the schema.
  return Object.fromEntries(merged);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
