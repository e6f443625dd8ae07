/** JSON Schema (2020-12) of the fabric file, generated from the tables that check it, and of what `--json` prints. */
import { OPTIONS, type Option, type OptionRow, type ValueType } from '../model/options.ts';
import { FABRIC_KEYS, HOST_KEYS, type KeyRow, OPTION_BY_KEY, OVERLAY_KEYS, ROUTE_KEYS, VNI } from './keys.ts';
import { OUTPUT_DEFS } from './output-schema.ts';
import {
  BOOLEAN_WORD,
  FABRIC_NAME,
  HOST_NAME,
  HOSTNAME,
  IPV4,
  IPV4_PREFIX,
  IPV6,
  IPV6_PREFIX,
  LINK_NAME,
  MAC,
} from './patterns.ts';

export type JsonSchema = { readonly [keyword: string]: unknown };

const text = (pattern: RegExp): JsonSchema => ({ type: 'string', pattern: pattern.source });
const ref = (name: string): JsonSchema => ({ $ref: `#/$defs/${name}` });
const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items, uniqueItems: true });
const anyOf = (...schemas: JsonSchema[]): JsonSchema => ({ anyOf: schemas });

const DEFS: Readonly<Record<string, JsonSchema>> = {
  linkName: { ...text(LINK_NAME), description: 'a link’s name: at most 15 bytes of printable ASCII' },
  hostName: text(HOST_NAME),
  mac: { ...text(MAC), description: 'six bytes such as 02:00:5e:00:53:01' },
  address: { ...anyOf(text(IPV4), text(IPV6)), description: 'an IPv4 or IPv6 address' },
  prefix: { ...anyOf(text(IPV4_PREFIX), text(IPV6_PREFIX)), description: 'an address with its prefix length' },
  boolean: anyOf({ type: 'boolean' }, text(BOOLEAN_WORD)),
};

/** `type` as a schema. What refers to other parts of the file is left to the checks. */
function schemaOf(type: ValueType): JsonSchema {
  switch (type.kind) {
    case 'integer':
      return { type: 'integer', minimum: type.min, maximum: type.max };
    case 'boolean':
      return ref('boolean');
    case 'word':
      return { enum: type.words };
    case 'words':
      return list({ enum: type.words });
    case 'range': {
      const end = { type: 'integer', minimum: type.min, maximum: type.max };
      return { type: 'array', items: end, minItems: 2, maxItems: 2 };
    }
    case 'link-name':
      return ref('linkName');
    case 'link-names':
      return list(ref('linkName'));
    case 'unicast-list':
      return list(ref('address'));
    case 'multicast':
      return ref('address');
    case 'host-macs':
      return { type: 'object', propertyNames: ref('hostName'), additionalProperties: ref('mac') };
    case 'static-macs':
      return {
        type: 'object',
        propertyNames: ref('mac'),
        additionalProperties: anyOf(ref('hostName'), ref('address')),
      };
    case 'routes':
      return {
        type: 'array',
        items: keyed(ROUTE_KEYS, { to: ref('prefix'), via: anyOf(ref('hostName'), ref('address')) }),
      };
    case 'any-of':
      return anyOf(...type.types.map(schemaOf));
    default:
      return type satisfies never;
  }
}

/** A map with the keys of a table and no others. */
function keyed<K extends string>(
  rows: Readonly<Record<K, KeyRow>>,
  values: Readonly<Record<K, JsonSchema>>,
  more: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  const names = Object.keys(rows) as K[];
  const properties = Object.fromEntries(names.map((name) => [name, { ...values[name], description: rows[name].help }]));
  return {
    type: 'object',
    properties: { ...properties, ...more },
    required: names.filter((name) => rows[name].required),
    additionalProperties: false,
  };
}

function optionSchemas(): Record<string, JsonSchema> {
  const schemas: Record<string, JsonSchema> = {};
  for (const [key, option] of OPTION_BY_KEY) schemas[key] = optionSchema(key, option);
  return schemas;
}

function optionSchema(key: string, option: Option): JsonSchema {
  const row: OptionRow = OPTIONS[option];
  const schema = { ...schemaOf(row.type), description: row.help };
  if (key !== option) return { ...schema, deprecated: true, description: `another spelling of ${option}` };
  // null in the table means that nothing is said: no value that the file could have.
  if (row.default === null || row.default instanceof Map) return schema;
  return { ...schema, default: row.default };
}

/** The schema that `everlan schema` prints: a plain object, ready for JSON.stringify. */
export function fabricSchema(): JsonSchema {
  const members = {
    type: 'object',
    minProperties: 1,
    propertyNames: ref('hostName'),
    additionalProperties: anyOf({ type: 'null' }, ref('prefix'), list(ref('prefix'))),
  };
  const vni = { type: 'integer', minimum: VNI.min, maximum: VNI.max };
  const host = keyed(HOST_KEYS, {
    underlay: ref('address'),
    device: anyOf({ const: 'none' }, ref('linkName')),
    hostname: text(HOSTNAME),
  });
  const hosts = {
    type: 'object',
    minProperties: 1,
    propertyNames: ref('hostName'),
    additionalProperties: anyOf(ref('address'), ref('host')),
  };
  const overlays = { type: 'object', propertyNames: ref('linkName'), additionalProperties: ref('overlay') };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'everlan fabric',
    description: 'VXLAN overlays of a group of hosts: one file, the same on every host',
    ...keyed(FABRIC_KEYS, { fabric: text(FABRIC_NAME), hosts, overlays }),
    $defs: { ...DEFS, host, overlay: keyed(OVERLAY_KEYS, { vni, hosts: members }, optionSchemas()), ...OUTPUT_DEFS },
  };
}
