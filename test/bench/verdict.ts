import type { Fields } from './kernel/scenario.ts';

/** Figures that are 0 when the work was done right. */
const zeroes = [
  'order_violations',
  'lost',
  'duplicates',
  'without_answer',
  'locked_rows_left',
  'queue_rows_left',
];

/** What of a result says that the work was not done right; a figure that it lacks is not judged. */
export function faultsOf(fields: Fields): string[] {
  return zeroes
    .filter((name) => fields[name] !== undefined && fields[name] !== 0)
    .map((name) => `${name} is ${fields[name]}`);
}
