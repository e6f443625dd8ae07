import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  type FSWatcher,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MAX_BYTES } from '../fabric/parse.ts';
import type { Problem } from '../model/problem.ts';
import { SysError } from '../sys/errno.ts';
import { readSource, watchFile, watchFolder } from './source.ts';
import type { WatchFolder, WatchOptions } from './watch-path.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'everlan-source-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

class Heard {
  readonly problems: (Problem | null)[] = [];
  changes = 0;
  #wake: (() => void) | null = null;

  constructor(t: TestContext, start: (heard: Heard) => { close(): void }) {
    const watching = start(this);
    t.after(() => watching.close());
  }

  changed(): void {
    this.changes++;
    this.#wake?.();
  }

  polling(problem: Problem | null): void {
    this.problems.push(problem);
  }

  /** Settles when `now` holds, looked at after each change that is told. */
  async until(now: () => boolean): Promise<void> {
    while (!now()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const following = (t: TestContext, path: string, options?: WatchOptions): Heard =>
  new Heard(t, (heard) => watchFile(path, heard, options));

const textOf = (path: string): string | null => {
  const read = readSource(path);
  return read.ok ? read.text : null;
};

const replace = (path: string, text: string): void => {
  writeFileSync(`${path}~`, text);
  renameSync(`${path}~`, path);
};

/** Each step ends with a text that has to be heard of; null: no file. */
const stories: readonly {
  name: string;
  set?: (base: string) => void;
  steps: readonly { do: (base: string) => void; text: string | null }[];
}[] = [
  {
    name: 'written, written over, replaced as editors do, removed, made again',
    set: (base) => mkdirSync(join(base, 'etc')),
    steps: [
      { do: (base) => writeFileSync(join(base, 'etc/file'), '1'), text: '1' },
      { do: (base) => writeFileSync(join(base, 'etc/file'), '2'), text: '2' },
      { do: (base) => replace(join(base, 'etc/file'), '3'), text: '3' },
      { do: (base) => replace(join(base, 'etc/file'), '4'), text: '4' },
      { do: (base) => unlinkSync(join(base, 'etc/file')), text: null },
      { do: (base) => writeFileSync(join(base, 'etc/file'), '5'), text: '5' },
    ],
  },
  {
    name: 'a folder that comes later, goes, and comes again',
    steps: [
      { do: (base) => mkdirSync(join(base, 'etc')), text: null },
      { do: (base) => writeFileSync(join(base, 'etc/file'), '1'), text: '1' },
      { do: (base) => rmSync(join(base, 'etc'), { recursive: true }), text: null },
      {
        do: (base) => {
          mkdirSync(join(base, 'etc'));
          writeFileSync(join(base, 'etc/file'), '2');
        },
        text: '2',
      },
      { do: (base) => replace(join(base, 'etc/file'), '3'), text: '3' },
    ],
  },
  {
    name: 'another folder in the place of the first',
    set: (base) => {
      mkdirSync(join(base, 'etc'));
      mkdirSync(join(base, 'new'));
      writeFileSync(join(base, 'new/file'), '1');
    },
    steps: [
      {
        do: (base) => {
          renameSync(join(base, 'etc'), join(base, 'old'));
          renameSync(join(base, 'new'), join(base, 'etc'));
        },
        text: '1',
      },
      { do: (base) => writeFileSync(join(base, 'etc/file'), '2'), text: '2' },
    ],
  },
  {
    name: 'a link: its target changes, it leads elsewhere, it becomes a file',
    set: (base) => {
      for (const name of ['etc', 'one', 'two']) mkdirSync(join(base, name));
      writeFileSync(join(base, 'one/real'), '1');
      writeFileSync(join(base, 'two/real'), 'two');
      symlinkSync('../one/real', join(base, 'etc/file'));
    },
    steps: [
      { do: (base) => replace(join(base, 'one/real'), '2'), text: '2' },
      {
        do: (base) => {
          symlinkSync('../two/real', join(base, 'etc/file~'));
          renameSync(join(base, 'etc/file~'), join(base, 'etc/file'));
        },
        text: 'two',
      },
      { do: (base) => writeFileSync(join(base, 'two/real'), '3'), text: '3' },
      { do: (base) => replace(join(base, 'etc/file'), '4'), text: '4' },
      { do: (base) => writeFileSync(join(base, 'etc/file'), '5'), text: '5' },
    ],
  },
  {
    name: 'Kubernetes: ..data leads to another folder, twice',
    set: (base) => {
      mkdirSync(join(base, 'etc/..1'), { recursive: true });
      writeFileSync(join(base, 'etc/..1/file'), '1');
      symlinkSync('..1', join(base, 'etc/..data'));
      symlinkSync('..data/file', join(base, 'etc/file'));
    },
    steps: ['2', '3'].map((text) => ({
      do: (base: string) => {
        mkdirSync(join(base, `etc/..${text}`));
        writeFileSync(join(base, `etc/..${text}/file`), text);
        symlinkSync(`..${text}`, join(base, 'etc/..data_tmp'));
        renameSync(join(base, 'etc/..data_tmp'), join(base, 'etc/..data'));
        rmSync(join(base, `etc/..${Number(text) - 1}`), { recursive: true });
      },
      text,
    })),
  },
];

for (const { name, set, steps } of stories) {
  test(name, async (t) => {
    const base = folder(t);
    set?.(base);
    const path = join(base, 'etc/file');
    const heard = following(t, path);
    for (const step of steps) {
      step.do(base);
      const before = heard.changes;
      await heard.until(() => heard.changes > before && textOf(path) === step.text);
    }
    assert.deepEqual(heard.problems, []);
  });
}

test('a burst is one change, and other files are none', async (t) => {
  const base = folder(t);
  const path = join(base, 'file');
  const heard = following(t, path);
  for (let i = 0; i < 20; i++) {
    writeFileSync(join(base, `other${i}`), '');
    replace(path, `${i}`);
  }
  await heard.until(() => heard.changes > 0);
  assert.equal(textOf(path), '19');
  assert.equal(heard.changes, 1);
  // Both folders are watched by one descriptor, so what was heard of the second comes after the first.
  const fence = new Heard(t, (each) => watchFolder(base, each));
  writeFileSync(join(base, 'other0'), 'again');
  await fence.until(() => fence.changes > 0);
  assert.equal(heard.changes, 1);
});

test('a folder: what is made, written and removed in it, and the folder itself', async (t) => {
  const base = folder(t);
  const path = join(base, 'state');
  const heard = new Heard(t, (each) => watchFolder(path, each));
  const steps = [
    () => mkdirSync(path),
    () => writeFileSync(join(path, 'any'), '1'),
    () => writeFileSync(join(path, 'any'), '2'),
    () => unlinkSync(join(path, 'any')),
    () => rmSync(path, { recursive: true }),
  ];
  for (const step of steps) {
    const before = heard.changes;
    step();
    await heard.until(() => heard.changes > before);
  }
});

test('nothing is told once it is closed', async (t) => {
  const base = folder(t);
  const path = join(base, 'file');
  const first = watchFile(path, { changed: () => assert.fail('closed'), polling: () => assert.fail('closed') });
  const second = following(t, path);
  writeFileSync(path, '1');
  first.close();
  await second.until(() => second.changes > 0);
});

test('where inotify is not to be had it is looked for, until it is', async (t) => {
  const base = folder(t);
  const path = join(base, 'file');
  let full = true;
  const scarce: WatchFolder = (name, heard): FSWatcher => {
    if (full && name === base) throw new SysError('inotify_add_watch', 28);
    return watch(name, heard);
  };
  const heard = following(t, path, { watch: scarce, pollMs: 5 });
  await heard.until(() => heard.problems.length > 0);
  const [found] = heard.problems;
  assert.match(found?.message ?? '', /ENOSPC/);
  assert.match(found?.hint ?? '', /max_user_watches/);
  for (const text of ['1', 'as long again']) {
    writeFileSync(path, text);
    const before = heard.changes;
    await heard.until(() => heard.changes > before && textOf(path) === text);
  }
  full = false;
  await heard.until(() => heard.problems.length === 2);
  assert.equal(heard.problems[1], null);
  const before = heard.changes;
  writeFileSync(path, 'heard');
  await heard.until(() => heard.changes > before && textOf(path) === 'heard');
});

test('a watcher that fails is replaced', async (t) => {
  const base = folder(t);
  const path = join(base, 'file');
  const made: FSWatcher[] = [];
  const kept: WatchFolder = (name, heard) => {
    const watcher = watch(name, heard);
    if (name === base) made.push(watcher);
    return watcher;
  };
  const heard = following(t, path, { watch: kept });
  made[0]?.emit('error', new Error('spoilt'));
  await heard.until(() => made.length === 2);
  const before = heard.changes;
  writeFileSync(path, '1');
  await heard.until(() => heard.changes > before);
});

const unreadable: readonly { name: string; set: (path: string) => void; code: string; want: RegExp }[] = [
  { name: 'no file', set: () => undefined, code: 'file-unreadable', want: /does not exist$/ },
  { name: 'a folder', set: (path) => mkdirSync(path), code: 'file-unreadable', want: /is a folder, not a file$/ },
  {
    name: 'a pipe that nobody writes to',
    set: (path) => execFileSync('mkfifo', [path]),
    code: 'file-unreadable',
    want: /is no regular file$/,
  },
  {
    name: 'a circle of links',
    set: (path) => symlinkSync('file', path),
    code: 'file-unreadable',
    want: /links lead in a circle$/,
  },
  { name: 'no UTF-8', set: (path) => writeFileSync(path, 'a: \xff', 'latin1'), code: 'not-utf8', want: /byte 0xff/ },
  {
    name: 'too much',
    set: (path) => writeFileSync(path, Buffer.alloc(MAX_BYTES + 1, '#')),
    code: 'file-size',
    want: /4 MiB/,
  },
];

for (const { name, set, code, want } of unreadable) {
  test(`cannot be read: ${name}`, (t) => {
    const path = join(folder(t), 'file');
    set(path);
    const read = readSource(path);
    assert.ok(!read.ok);
    assert.equal(read.problem.code, code);
    assert.match(read.problem.message, want);
  });
}

test('all that a file may hold is read', (t) => {
  const path = join(folder(t), 'file');
  const text = '#'.repeat(MAX_BYTES);
  writeFileSync(path, text);
  assert.deepEqual(readSource(path), { ok: true, text });
});
