/**
 * `$defs.plan` and `$defs.status`: what `plan --json` and `status --json` print. Keys may be added to these without a
 * new `version`, so none is closed.
 */

type JsonSchema = { readonly [keyword: string]: unknown };

const STRING = { type: 'string' } as const;
const INTEGER = { type: 'integer', minimum: 0 } as const;
const BOOLEAN = { type: 'boolean' } as const;

function object(properties: Readonly<Record<string, JsonSchema>>, optional: readonly string[] = []): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties).filter((key) => !optional.includes(key)) };
}

const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const either = (...schemas: JsonSchema[]): JsonSchema => ({ anyOf: schemas });
const action = (...words: string[]): JsonSchema => ({ enum: words });

/** A step is its kind, its link, and what it is about. */
function step(kind: string, actions: readonly string[], about: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const properties = { action: action(...actions), kind: { const: kind }, link: STRING, ...about, reason: STRING };
  return object(properties, ['reason']);
}

const VIA = either(STRING, { type: 'null' });
/** `from` and `to` are whatever the attribute takes. */
const CHANGES = listOf(object({ attribute: STRING, from: {}, to: {} }));

const STEP = either(
  step('link', ['add', 'remove'], {}),
  step('link', ['change', 'recreate'], { changes: CHANGES }),
  step('bridge-port', ['add', 'remove'], { bridge: STRING }),
  step('address', ['add', 'remove'], { address: STRING }),
  step('fdb', ['add', 'change', 'remove'], { mac: STRING, vtep: STRING }),
  step('neighbour', ['add', 'change', 'remove'], { address: STRING, mac: STRING }),
  step('route', ['add', 'remove'], { to: STRING, via: VIA }),
);

const FOREIGN = either(
  object({ kind: { const: 'address' }, link: STRING, address: STRING }),
  object({ kind: { const: 'fdb' }, link: STRING, mac: STRING, vtep: STRING }),
  object({ kind: { const: 'neighbour' }, link: STRING, address: STRING, mac: STRING }),
  object({ kind: { const: 'route' }, link: STRING, to: STRING, via: VIA }),
);

const ref = (name: string): JsonSchema => ({ $ref: `#/$defs/${name}` });

const HEAD = { version: { const: 1 }, fabric: STRING, host: STRING, converged: BOOLEAN } as const;

const OVERLAY_STATUS = object({
  name: STRING,
  vni: INTEGER,
  state: { enum: ['up', 'down', 'missing', 'drifted', 'foreign'] },
  mtu: INTEGER,
  addresses: listOf(STRING),
  peers: listOf(object({ host: STRING, underlay: STRING })),
  drift: listOf(STRING),
});

const PROBLEM = object(
  {
    code: STRING,
    severity: { enum: ['error', 'warning'] },
    message: STRING,
    hint: STRING,
    place: object({ file: STRING, line: INTEGER, column: INTEGER, length: INTEGER, text: STRING }),
  },
  ['hint', 'place'],
);

/** Only while an agent runs. */
const AGENT = object({
  pid: INTEGER,
  since: STRING,
  mode: { enum: ['running', 'suspended', 'trial', 'paused'] },
  source: STRING,
  waiting: listOf(object({ overlay: STRING, reason: STRING, hint: STRING }, ['hint'])),
  problems: listOf(PROBLEM),
});

export const OUTPUT_DEFS: Readonly<Record<string, JsonSchema>> = {
  step: { ...STEP, description: 'one thing to do; `recreate` stops traffic for a moment' },
  foreign: { ...FOREIGN, description: 'something on our link that somebody else put there' },
  plan: object({ ...HEAD, steps: listOf(ref('step')), foreign: listOf(ref('foreign')) }),
  status: object({ ...HEAD, overlays: listOf(OVERLAY_STATUS), foreign: listOf(ref('foreign')), agent: AGENT }, [
    'agent',
  ]),
};
