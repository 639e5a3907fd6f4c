import { History } from './history.ts';

/** Two nodes of three steps, written whole. */
function written(subscribers: number): History {
  const history = new History(subscribers);
  for (const node of ['a', 'b']) for (const step of [0, 1, 2]) history.write(node, step);
  return history;
}

const WHOLE = [
  ['a', 0],
  ['b', 0],
  ['a', 1],
  ['b', 1],
  ['b', 2],
  ['a', 2],
] as const;

it('passes what was told whole, once and in order', () => {
  const history = written(2);
  for (const subscriber of [0, 1]) for (const [node, step] of WHOLE) history.tell(subscriber, node, step);
  expect(history.isWhole).toBe(true);
  expect(history.found()).toMatchObject({ events: 12, lost: 0, repeated: 0, disordered: 0, examples: [] });
});

it('finds an event that one of the subscribers was not told of, the last one too', () => {
  const history = written(2);
  for (const [node, step] of WHOLE) history.tell(0, node, step);
  for (const [node, step] of WHOLE.slice(0, -1)) history.tell(1, node, step);
  expect(history.isWhole).toBe(false);
  const { lost, examples } = history.found();
  expect(lost).toBe(1);
  expect(examples).toEqual(['subscriber 1 was not told of 1 steps of a']);
});

it('finds a subscriber that was told of nothing', () => {
  expect(written(1).found().lost).toBe(6);
});

it('finds an event that was told twice, later ones in between or not', () => {
  const history = written(1);
  for (const [node, step] of WHOLE) history.tell(0, node, step);
  history.tell(0, 'a', 2);
  history.tell(0, 'b', 0);
  expect(history.found()).toMatchObject({ lost: 0, repeated: 2, disordered: 0 });
});

it('finds a step that was told after a later one of its node', () => {
  const history = written(1);
  for (const step of [0, 2, 1]) history.tell(0, 'a', step);
  for (const step of [0, 1, 2]) history.tell(0, 'b', step);
  expect(history.found()).toMatchObject({ lost: 0, repeated: 0, disordered: 1 });
});

it('does not ask for what was never acknowledged, which may have happened even so', () => {
  const history = new History(1);
  history.write('a', 0);
  history.tell(0, 'a', 0);
  history.tell(0, 'a', 1);
  expect(history.found()).toMatchObject({ lost: 0, repeated: 0, disordered: 0 });
});
