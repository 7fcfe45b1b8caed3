/**
 * Writes `generated.ts` from the schemas, so that the wire has one truth. `--check` writes nothing and exits 1 when the file is
 * not what the schemas say.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AvroField, type AvroSchema, fullName, readSchema, SCHEMAS_FOLDER } from './schemas.ts';

const TARGET = join(import.meta.dirname, 'generated.ts');
const HEAD = '/** Generated from schemas/*.avsc by `npm run generate`: change those, never this. */\n';

const PRIMITIVES: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  bytes: 'Buffer',
  string: 'string',
};

/** TypeScript of schemas: an interface a record, a union of literals an enum, in the order of their definition. */
export function typescriptOf(schemas: readonly AvroSchema[]): string {
  const declarations = new Map<string, string>();
  for (const schema of schemas) typeText(schema, declarations);
  return [HEAD, ...declarations.values()].join('\n');
}

/** The TypeScript of one type; what it defines by name is added to `declarations`, each name once. */
function typeText(schema: AvroSchema, declarations: Map<string, string>): string {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? schema.slice(schema.lastIndexOf('.') + 1);
  if ('length' in schema)
    return schema
      .map(branch => typeText(branch, declarations))
      .sort(nullLast)
      .join(' | ');
  switch (schema.type) {
    case 'record': {
      declare(declarations, schema.name, '');
      const lines = schema.fields.map(field => fieldText(field, declarations));
      declarations.delete(schema.name);
      const text = `${comment(schema.doc, '')}export interface ${schema.name} {\n${lines.join('')}}\n`;
      return declare(declarations, schema.name, text);
    }
    case 'enum': {
      const symbols = schema.symbols.map(symbol => `'${symbol}'`).join(' | ');
      return declare(declarations, schema.name, `${comment(schema.doc, '')}export type ${schema.name} = ${symbols};\n`);
    }
    case 'array': {
      const items = typeText(schema.items, declarations);
      return `readonly ${items.includes(' ') ? `(${items})` : items}[]`;
    }
    case 'map':
      return `Readonly<Record<string, ${typeText(schema.values, declarations)}>>`;
    case 'fixed':
      return declare(declarations, schema.name, `export type ${schema.name} = Buffer;\n`);
    default:
      return typeText(schema.type, declarations);
  }
}

function declare(declarations: Map<string, string>, name: string, text: string): string {
  if (declarations.has(name)) throw new TypeError(`two schemas define ${name}`);
  declarations.set(name, text);
  return name;
}

function fieldText(field: AvroField, declarations: Map<string, string>): string {
  const time = isTimestamp(field.type) ? 'Milliseconds since the Unix epoch.' : undefined;
  const doc = [field.doc, time].filter(text => text !== undefined).join(' ');
  return `${comment(doc === '' ? undefined : doc, '  ')}  readonly ${field.name}: ${typeText(field.type, declarations)};\n`;
}

function isTimestamp(schema: AvroSchema): boolean {
  return typeof schema === 'object' && 'logicalType' in schema && schema.logicalType === 'timestamp-millis';
}

function nullLast(a: string, b: string): number {
  return Number(a === 'null') - Number(b === 'null');
}

function comment(doc: string | undefined, indent: string): string {
  return doc === undefined ? '' : `${indent}/** ${doc.replaceAll('*/', '*\\/')} */\n`;
}

/** Every schema of the folder, by file name. */
function allSchemas(): readonly AvroSchema[] {
  const schemas = globSync('*.avsc', { cwd: SCHEMAS_FOLDER }).sort().map(readSchema);
  const names = schemas.map(fullName);
  if (new Set(names).size !== names.length) throw new TypeError('two files of schemas/ define the same event');
  return schemas;
}

function main(args: readonly string[]): number {
  const text = typescriptOf(allSchemas());
  if (!args.includes('--check')) {
    writeFileSync(TARGET, text);
    return 0;
  }
  if (current() === text) return 0;
  process.stderr.write(
    'src/events/generated.ts is not what schemas/*.avsc say: run `npm run generate` and commit it\n',
  );
  return 1;
}

function current(): string | undefined {
  try {
    return readFileSync(TARGET, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
