import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OPTION_NAMES } from '../model/options.ts';
import { readDocument } from '../text/document.ts';
import { SHAPE_ERRORS } from './errors.ts';
import { parseFabric } from './parse.ts';
import { fabricSchema, type JsonSchema } from './schema.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Checker = (argument: never, value: Json, schema: JsonSchema) => boolean;

/** The keywords that the schema uses, as JSON Schema 2020-12 defines them; any other one fails the test. */
const ROOT = JSON.parse(JSON.stringify(fabricSchema())) as JsonSchema;
const IGNORED = new Set(['$schema', '$defs', 'title', 'description', 'default', 'deprecated']);

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const CHECKERS: Readonly<Record<string, Checker>> = {
  $ref: (ref: string, value) => valid(value, definition(ref)),
  anyOf: (schemas: JsonSchema[], value) => schemas.some((schema) => valid(value, schema)),
  const: (constant: Json, value) => same(constant, value),
  enum: (values: Json[], value) => values.some((one) => same(one, value)),
  type: (type: string, value) => {
    if (type === 'integer') return Number.isInteger(value);
    if (type === 'array') return Array.isArray(value);
    if (type === 'null') return value === null;
    return type === 'object' ? isObject(value) : typeof value === type;
  },
  minimum: (least: number, value) => typeof value !== 'number' || value >= least,
  maximum: (most: number, value) => typeof value !== 'number' || value <= most,
  pattern: (source: string, value) => typeof value !== 'string' || new RegExp(source, 'u').test(value),
  items: (schema: JsonSchema, value) => !Array.isArray(value) || value.every((item: Json) => valid(item, schema)),
  minItems: (least: number, value) => !Array.isArray(value) || value.length >= least,
  maxItems: (most: number, value) => !Array.isArray(value) || value.length <= most,
  uniqueItems: (_: true, value) =>
    !Array.isArray(value) || new Set(value.map((item) => JSON.stringify(item))).size === value.length,
  minProperties: (least: number, value) => !isObject(value) || Object.keys(value).length >= least,
  required: (names: string[], value) => !isObject(value) || names.every((name) => Object.hasOwn(value, name)),
  properties: (schemas: Record<string, JsonSchema>, value) =>
    !isObject(value) ||
    Object.entries(schemas).every(
      ([name, schema]) => !Object.hasOwn(value, name) || valid(value[name] ?? null, schema),
    ),
  propertyNames: (schema: JsonSchema, value) =>
    !isObject(value) || Object.keys(value).every((name) => valid(name, schema)),
  additionalProperties: (schema: JsonSchema | false, value, { properties }) => {
    if (!isObject(value)) return true;
    const named = (properties ?? {}) as Record<string, unknown>;
    const more = Object.entries(value).filter(([name]) => !Object.hasOwn(named, name));
    return schema === false ? more.length === 0 : more.every(([, item]) => valid(item, schema));
  },
};

function definition(ref: string): JsonSchema {
  const name = /^#\/\$defs\/([A-Za-z]+)$/.exec(ref)?.[1] ?? '';
  const found = (ROOT.$defs as Record<string, JsonSchema>)[name];
  assert.ok(found !== undefined, `no definition ${ref}`);
  return found;
}

function valid(value: Json, schema: JsonSchema): boolean {
  return Object.entries(schema).every(([keyword, argument]) => {
    if (IGNORED.has(keyword)) return true;
    const checker = CHECKERS[keyword];
    assert.ok(checker !== undefined, `the keyword ${keyword} is not known to this test`);
    return checker(argument as never, value, schema);
  });
}

/** As an editor's YAML reader hands it over: maps with text keys. */
function toJson(value: unknown): Json {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), toJson(item)]));
  if (Array.isArray(value)) return value.map(toJson);
  return value as Json;
}

function load(url: URL): Json | undefined {
  const read = readDocument(readFileSync(url), 'f');
  return read.ok ? toJson(read.document.value) : undefined;
}

const EXAMPLES = new URL('../../examples/', import.meta.url);
const GOLDEN = new URL('../../test/golden/parse/', import.meta.url);

for (const file of readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'))) {
  test(`the schema takes examples/${file}`, () => assert.ok(valid(load(new URL(file, EXAMPLES)) ?? null, ROOT)));
}

/** Faults of form that a schema cannot see: keys are text in JSON, and lists compare their items as they are written. */
const UNSEEN = new Set(['key-not-text', 'refused-word']);

test('the schema takes what the checks take, and refuses what is wrong in form', () => {
  for (const file of readdirSync(GOLDEN).filter((name) => name.endsWith('.yaml'))) {
    const url = new URL(file, GOLDEN);
    const value = load(url);
    if (value === undefined) continue;
    const result = parseFabric(readFileSync(url), file);
    const codes = (result.ok ? result.warnings : result.problems).map(({ code }) => code);
    if (result.ok) assert.ok(valid(value, ROOT), `${file} is accepted, but not by the schema`);
    const form = codes.filter((code) => code in SHAPE_ERRORS && !UNSEEN.has(code));
    if (form.length > 0) assert.ok(!valid(value, ROOT), `${file} has ${form.join(', ')}, and the schema takes it`);
  }
});

test('every option has a property', () => {
  const { properties } = definition('#/$defs/overlay') as { properties: Record<string, JsonSchema> };
  for (const name of [...OPTION_NAMES, 'vni', 'hosts', 'aging'])
    assert.equal(typeof properties[name]?.description, 'string', name);
  assert.equal(properties.port?.default, 4789);
  assert.equal(properties.aging?.deprecated, true);
});

const HEAD = { version: 1, fabric: 't', host: 'a', converged: false };

const outputs: { name: string; def: string; in: Json; want: boolean }[] = [
  {
    name: 'a plan',
    def: 'plan',
    in: {
      ...HEAD,
      steps: [
        { action: 'add', kind: 'link', link: 'vx0' },
        { action: 'recreate', kind: 'link', link: 'vx0', changes: [{ attribute: 'port', from: 8472, to: 4789 }] },
        { action: 'add', kind: 'bridge-port', link: 'eth1', bridge: 'br0' },
        { action: 'add', kind: 'address', link: 'vx0', address: '10.7.0.1/24', reason: 'wiped' },
        { action: 'change', kind: 'fdb', link: 'vx0', mac: '02:00:00:00:00:01', vtep: '10.0.0.2' },
        { action: 'add', kind: 'neighbour', link: 'vx0', address: '10.7.0.2', mac: '02:00:00:00:00:01' },
        { action: 'remove', kind: 'route', link: 'vx0', to: '192.168.0.0/16', via: null },
      ],
      foreign: [{ kind: 'route', link: 'vx0', to: '192.168.0.0/16', via: '10.7.0.2' }],
    },
    want: true,
  },
  { name: 'a plan without foreign', def: 'plan', in: { ...HEAD, steps: [] }, want: false },
  {
    name: 'an unknown action',
    def: 'plan',
    in: { ...HEAD, steps: [{ action: 'make', kind: 'link', link: 'vx0' }], foreign: [] },
    want: false,
  },
  {
    name: 'an address without an address',
    def: 'plan',
    in: { ...HEAD, steps: [{ action: 'add', kind: 'address', link: 'vx0' }], foreign: [] },
    want: false,
  },
  {
    name: 'a status',
    def: 'status',
    in: {
      ...HEAD,
      overlays: [
        {
          name: 'vx0',
          vni: 7,
          state: 'drifted',
          mtu: 1450,
          addresses: ['10.7.0.1/24'],
          peers: [{ host: 'b', underlay: '10.0.0.2' }],
          drift: ['x'],
        },
      ],
      foreign: [],
    },
    want: true,
  },
  {
    name: 'a status while an agent runs',
    def: 'status',
    in: {
      ...HEAD,
      overlays: [],
      foreign: [],
      agent: {
        pid: 1,
        since: '2026-11-22T14:00:00.000Z',
        mode: 'trial',
        source: '/etc/everlan/fabric.yaml',
        waiting: [{ overlay: 'vx0', reason: 'no link has 10.0.0.4' }],
        problems: [{ code: 'x', severity: 'error', message: 'y', hint: 'z' }],
      },
    },
    want: true,
  },
  {
    name: 'an agent in an unknown mode',
    def: 'status',
    in: {
      ...HEAD,
      overlays: [],
      foreign: [],
      agent: { pid: 1, since: '', mode: 'asleep', source: '', waiting: [], problems: [] },
    },
    want: false,
  },
  {
    name: 'an unknown state',
    def: 'status',
    in: {
      ...HEAD,
      overlays: [{ name: 'v', vni: 7, state: 'fine', mtu: 1, addresses: [], peers: [], drift: [] }],
      foreign: [],
    },
    want: false,
  },
];

for (const row of outputs)
  test(`output: ${row.name}`, () => assert.equal(valid(row.in, definition(`#/$defs/${row.def}`)), row.want));
