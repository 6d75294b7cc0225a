/** Every setting with its unit, default, range and purpose, as Markdown, from the schema itself. Main thread and CLI only (zod). */
import { z } from 'zod';
import { configSchema } from './schema.ts';

/** The part of a JSON schema that the reference is made of. */
interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: Shape | boolean;
  readonly required?: readonly string[];
  readonly items?: Shape;
  readonly prefixItems?: readonly Shape[];
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
}

interface Row {
  readonly name: string;
  readonly shape: Shape;
  readonly isRequired: boolean;
}

const HEAD = `# Settings

Every setting a configuration may hold. \`config/default.yaml\` is read first, then the file given with \`--config\`; what neither says has the
default shown here. An unknown setting, a value outside its range and settings that contradict each other end the start with one line each
that names file, line, rule and value. This page is printed by \`npx tandem config reference\`.
`;

/** Returns the page. */
export function configReference(): string {
  // What a file may hold is what goes in; what transforms make of it is not its reader's business.
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Shape;
  const rows = rowsOf(schema, '');
  const sections = Map.groupBy(rows, ({ name }) => (name.includes('.') ? (name.split('.', 1)[0] ?? '') : ''));
  return [HEAD, ...[...sections].map(([section, members]) => sectionText(section, members))].join('\n');
}

function sectionText(section: string, rows: readonly Row[]): string {
  return [
    `## ${section === '' ? 'On the first level' : section}`,
    '',
    '| setting | unit | default | range | what it does |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(({ name, shape, isRequired }) =>
      row([
        `\`${name}\``,
        unitOf(shape),
        isRequired ? 'must be given' : shape.default === undefined ? '' : `\`${JSON.stringify(shape.default)}\``,
        rangeOf(shape),
        shape.description ?? '',
      ]),
    ),
    '',
  ].join('\n');
}

/** Settings below `prefix`, nested ones by their path; `*` stands for a name of the user's, `[]` for each of a list. */
function rowsOf(shape: Shape, prefix: string): readonly Row[] {
  const variants = shape.anyOf ?? shape.oneOf ?? [];
  if (variants.some(({ properties }) => properties !== undefined)) {
    // Members that several variants share are told once.
    const told = new Map<string, Row>();
    for (const one of variants.flatMap((variant) => rowsOf(variant, prefix))) {
      const known = told.get(one.name);
      told.set(one.name, known === undefined ? one : { ...one, shape: eitherOf(known.shape, one.shape) });
    }
    return [...told.values()];
  }
  const { properties, items, additionalProperties } = shape;
  if (properties === undefined && typeof additionalProperties === 'object' && isNested(additionalProperties))
    return rowsOf(additionalProperties, `${prefix}.*`);
  if (properties === undefined && items !== undefined && isNested(items)) return rowsOf(items, `${prefix}[]`);
  return Object.entries(properties ?? {}).flatMap(([name, member]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    if (isNested(member)) return rowsOf(member, path);
    const isRequired = (shape.required ?? []).includes(name) && member.default === undefined;
    return [{ name: path, shape: member, isRequired }];
  });
}

/** A member that is one thing in one variant and another in the next, such as the name of the variant. */
function eitherOf(one: Shape, other: Shape): Shape {
  const units = [...new Set([unitOf(one), unitOf(other)])];
  return { ...one, ...other, unit: units.join(' or ') };
}

function isNested({ properties, anyOf, oneOf, items, additionalProperties }: Shape): boolean {
  if (properties !== undefined) return true;
  if (items !== undefined) return isNested(items);
  if (typeof additionalProperties === 'object' && isNested(additionalProperties)) return true;
  return [...(anyOf ?? []), ...(oneOf ?? [])].some((variant) => variant.properties !== undefined);
}

function unitOf(shape: Shape): string {
  if (shape.unit !== undefined) return shape.unit;
  if (shape.const !== undefined) return String(shape.const);
  if (shape.enum !== undefined) return shape.enum.join(', ');
  const variants = shape.anyOf ?? shape.oneOf;
  if (variants !== undefined) return [...new Set(variants.map(unitOf))].filter((text) => text !== '').join(' or ');
  if (shape.prefixItems !== undefined) return `[${shape.prefixItems.map(unitOf).join(', ')}]`;
  if (shape.type === 'array') return `list of ${shape.items === undefined ? 'values' : unitOf(shape.items)}`;
  return shape.type === 'string' ? 'text' : (shape.type ?? '');
}

function rangeOf({ minimum, maximum }: Shape): string {
  const isBounded = (bound: number | undefined): bound is number =>
    bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  if (isBounded(minimum) && isBounded(maximum)) return `${minimum} to ${maximum}`;
  if (isBounded(minimum)) return `at least ${minimum}`;
  return isBounded(maximum) ? `at most ${maximum}` : '';
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}
