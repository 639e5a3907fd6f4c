import fc from 'fast-check';
import { type PatchStep, patchOf } from '../../lib/json-patch.ts';

/** Applies steps as RFC 6902 says; `add` and `remove` move what follows in an array. */
function apply(document: unknown, steps: readonly PatchStep[]): unknown {
  let whole = structuredClone(document);
  for (const { op, path, value } of steps) {
    if (path === '') {
      whole = op === 'remove' ? null : value;
      continue;
    }
    const keys = path
      .slice(1)
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() as string;
    const parent = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], whole) as Record<
      string,
      unknown
    >;
    if (Array.isArray(parent)) parent.splice(Number(last), op === 'add' ? 0 : 1, ...(op === 'remove' ? [] : [value]));
    else if (op === 'remove') delete parent[last];
    // A plain assignment to __proto__ would set the prototype.
    else Object.defineProperty(parent, last, { value, writable: true, enumerable: true, configurable: true });
  }
  return whole;
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

test('a name that every object inherits is a name like any other', () => {
  expect(patchOf({ valueOf: null }, {})).toEqual([{ op: 'remove', path: '/valueOf', oldValue: null }]);
});

test('applying the steps to the old value gives the new one', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (before, after) => {
      const [old, fresh] = [plain(before), plain(after)];
      expect(apply(old, patchOf(old, fresh))).toEqual(fresh);
    }),
  );
});

test('each step says what it replaced, by JSON pointer', () => {
  const before = { name: 'a', tags: ['x', 'y', 'z'], 'a/b': { '~': 1 }, gone: null };
  const after = { name: 'b', tags: ['x', 'w'], 'a/b': { '~': 2 }, fresh: true };
  expect(patchOf(before, after)).toEqual([
    { op: 'replace', path: '/a~1b/~0', value: 2, oldValue: 1 },
    { op: 'add', path: '/fresh', value: true },
    { op: 'remove', path: '/gone', oldValue: null },
    { op: 'replace', path: '/name', value: 'b', oldValue: 'a' },
    { op: 'replace', path: '/tags', value: ['x', 'w'], oldValue: ['x', 'y', 'z'] },
  ]);
});

test('what was made, taken away, or left alone is one step or none', () => {
  expect(patchOf(null, { a: 1 })).toEqual([{ op: 'add', path: '', value: { a: 1 } }]);
  expect(patchOf({ a: 1 }, undefined)).toEqual([{ op: 'remove', path: '', oldValue: { a: 1 } }]);
  expect(patchOf(null, undefined)).toEqual([]);
  expect(patchOf({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toEqual([]);
  expect(patchOf({ a: null }, { a: 1 })).toEqual([{ op: 'replace', path: '/a', value: 1, oldValue: null }]);
});
