import assert from 'node:assert/strict';
import test from 'node:test';
import { ROOMS } from './rooms.table.ts';
import { checkRooms, type Import, importsOf } from './rooms.ts';

const imports: readonly { name: string; in: string; want: readonly Import[] }[] = [
  { name: 'a value', in: "import { a } from './a.ts';", want: [{ target: './a.ts', line: 1, loaded: 'start' }] },
  { name: 'a type', in: "import type { A } from './a.ts';", want: [{ target: './a.ts', line: 1, loaded: 'never' }] },
  {
    name: 'a type among values stays an import at run time',
    in: "import { type A } from './a.ts';",
    want: [{ target: './a.ts', line: 1, loaded: 'start' }],
  },
  { name: 'for its effect', in: "import './a.ts';", want: [{ target: './a.ts', line: 1, loaded: 'start' }] },
  {
    name: 'over several lines, at the line that names the file',
    in: "\nimport {\n  a,\n  b,\n} from './a.ts';\n",
    want: [{ target: './a.ts', line: 5, loaded: 'start' }],
  },
  { name: 're-exported', in: "export { a } from './a.ts';", want: [{ target: './a.ts', line: 1, loaded: 'start' }] },
  { name: 'all re-exported', in: "export * from './a.ts';", want: [{ target: './a.ts', line: 1, loaded: 'start' }] },
  {
    name: 'a type re-exported',
    in: "export type { A } from './a.ts';",
    want: [{ target: './a.ts', line: 1, loaded: 'never' }],
  },
  {
    name: 'loaded later',
    in: "async function f() {\n  const { a } = await import('./a.ts');\n}",
    want: [{ target: './a.ts', line: 2, loaded: 'later' }],
  },
  {
    name: 'loaded later over several lines',
    in: "const a = import(\n  './a.ts'\n);",
    want: [{ target: './a.ts', line: 1, loaded: 'later' }],
  },
  {
    name: 'the type of a module',
    in: "type A = typeof import('./a.ts');",
    want: [{ target: './a.ts', line: 1, loaded: 'never' }],
  },
  {
    name: 'required',
    in: "const k = createRequire(import.meta.url)('koffi');",
    want: [{ target: 'koffi', line: 1, loaded: 'later' }],
  },
  { name: 'computed', in: 'await import(name);', want: [{ target: null, line: 1, loaded: 'later' }] },
  { name: 'in a comment', in: "// import('./a.ts')\n/** import './a.ts' */\n * import('b')", want: [] },
  { name: 'own address', in: 'const here = import.meta.url;', want: [] },
  { name: 'an export of our own', in: "export const from = 'a';\nexport const b = 'c';", want: [] },
];
for (const { name, in: text, want } of imports) {
  test(`imports: ${name}`, () => assert.deepEqual(importsOf(text), want));
}

const trees: readonly { name: string; in: Record<string, string>; want: readonly string[] }[] = [
  { name: 'nothing', in: {}, want: [] },
  {
    name: 'downwards',
    in: {
      'src/plan/a.ts': "import type { M } from '../model/m.ts';\nimport './b.ts';",
      'src/plan/b.ts': '',
      'src/model/m.ts': '',
    },
    want: [],
  },
  {
    name: 'a reason of its own',
    in: { 'src/plan/x.ts': "\n\nimport { look } from '../kernel/live.ts';", 'src/kernel/live.ts': '' },
    want: ['src/plan/x.ts:3 imports kernel: plan is pure: it decides and never touches the kernel'],
  },
  {
    name: 'a type counts too',
    in: { 'src/plan/x.ts': "import type { Kernel } from '../kernel/port.ts';", 'src/kernel/port.ts': '' },
    want: ['src/plan/x.ts:1 imports kernel: plan is pure: it decides and never touches the kernel'],
  },
  {
    name: 'the reason of the room',
    in: { 'src/model/x.ts': "export * from '../text/y.ts';", 'src/text/y.ts': '' },
    want: ['src/model/x.ts:1 imports text: model is what every room shares, so it knows none of them'],
  },
  {
    name: 'loading later is importing',
    in: { 'src/kernel/x.ts': "await import('../plan/y.ts');", 'src/plan/y.ts': '' },
    want: ['src/kernel/x.ts:1 imports plan: kernel carries out steps and never decides on them'],
  },
  {
    name: 'files in a pure room',
    in: { 'src/netlink/x.ts': "import { readFileSync } from 'node:fs';\nimport { hash } from 'node:crypto';" },
    want: ['src/netlink/x.ts:1 imports node:fs: netlink is pure and reaches nothing outside'],
  },
  { name: 'files in another room', in: { 'src/sys/x.ts': "import { readFileSync } from 'node:fs';" }, want: [] },
  {
    name: 'a package elsewhere',
    in: { 'src/kernel/x.ts': "import koffi from 'koffi';", 'src/sys/x.ts': "import koffi from 'koffi';" },
    want: ['src/kernel/x.ts:1 imports koffi: the FFI stays behind sys, so that it can be replaced in one place'],
  },
  {
    name: 'a package part',
    in: { 'src/cli/x.ts': "import z from 'zod/mini';" },
    want: ['src/cli/x.ts:1 imports zod: checks and the schema come from the option table; see docs/decisions'],
  },
  {
    name: 'an unknown package',
    in: { 'src/cli/x.ts': "import p from '@a/b/c';" },
    want: ['src/cli/x.ts:1 imports @a/b: no room of src/ loads it; name it in scripts/rooms.table.ts'],
  },
  {
    name: 'tests may use all, and only tests may use theirs',
    in: {
      'src/plan/x.test.ts': "import '../kernel/fake.ts';\nimport fc from 'fast-check';\nimport './x.testing.ts';",
      'src/plan/x.testing.ts': '',
      'src/plan/x.ts': "import './x.testing.ts';",
      'src/kernel/fake.ts': '',
    },
    want: ['src/plan/x.ts:1 imports src/plan/x.testing.ts: only tests may use it'],
  },
  {
    name: 'no such file',
    in: { 'src/plan/x.ts': "import '../../scripts/rooms.ts';" },
    want: ['src/plan/x.ts:1 imports scripts/rooms.ts: there is no such file in src/'],
  },
  {
    name: 'computed',
    in: { 'src/cli/x.ts': 'import(name)' },
    want: ['src/cli/x.ts:1 imports a computed name: this check cannot follow it'],
  },
  {
    name: 'a circle of files',
    in: {
      'src/plan/a.ts': "import './b.ts';",
      'src/plan/b.ts': "import './c.ts';",
      'src/plan/c.ts': "export * from './a.ts';",
    },
    want: ['src/plan/a.ts imports src/plan/b.ts imports src/plan/c.ts imports src/plan/a.ts: a circle'],
  },
  {
    name: 'types may go round: they are erased',
    in: { 'src/plan/a.ts': "import './b.ts';", 'src/plan/b.ts': "import type { A } from './a.ts';" },
    want: [],
  },
  {
    name: 'loading later may go round: by then all are there',
    in: { 'src/plan/a.ts': "await import('./b.ts');", 'src/plan/b.ts': "import './a.ts';" },
    want: [],
  },
  {
    name: 'the version is in package.json',
    in: { 'src/cli/a.ts': "import own from '../../package.json' with { type: 'json' };" },
    want: [],
  },
  {
    name: 'outside the rooms',
    in: { 'src/a.ts': '', 'src/cellar/a.ts': '' },
    want: [
      'src/a.ts stands in no room: put it into a folder of src/',
      'src/cellar/a.ts stands in an unknown room: describe cellar in scripts/rooms.table.ts',
    ],
  },
];
for (const { name, in: files, want } of trees) {
  test(`rooms: ${name}`, () => assert.deepEqual(checkRooms(new Map(Object.entries(files))), want));
}

test('rooms: the table names rooms that it has, and no circle', () => {
  const visit = (room: string, trail: readonly string[]): void => {
    assert.ok(!trail.includes(room), `${[...trail, room].join(' imports ')}`);
    assert.ok(ROOMS[room], `${room} is in the table`);
    for (const next of ROOMS[room].imports) visit(next, [...trail, room]);
  };
  for (const room of Object.keys(ROOMS)) visit(room, []);
});
