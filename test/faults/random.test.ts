import { expect, it } from 'vitest';
import { seeded } from './random.ts';

it('random numbers repeat with the seed, and a fork has its own', () => {
  const draw = (random = seeded(7)) => [
    random.next(),
    random.between(1, 6),
    random.fork('a').next(),
  ];
  expect(draw()).toEqual(draw());
  expect(draw(seeded(8))).not.toEqual(draw());
  expect(seeded(7).fork('a').next()).not.toBe(seeded(7).fork('b').next());
});
