/** Bodies as JSON text with changes that a value could not hold: keys twice, numbers of any size. */
import { canonicalJson, type JsonValue } from '../../src/guardian/authentication/canonical-json.ts';
import type { Change } from './plan.ts';

/** Writes `value` with the changes applied; the first change counts places of the original. */
export function changedText(value: JsonValue, changes: readonly Change[]): string {
  const places = countPlaces(value);
  const byPlace = new Map(changes.map((one) => [one.at % places, one]));
  let place = -1;
  const write = (node: JsonValue): string => {
    place += 1;
    const at = byPlace.get(place);
    const own = writeOwn(node);
    return at?.kind === 'replace' ? at.text : own;
  };
  const writeOwn = (node: JsonValue): string => {
    const at = byPlace.get(place);
    if (typeof node !== 'object' || node === null) return canonicalJson(node);
    if (Array.isArray(node)) return `[${node.map((item: JsonValue) => write(item)).join(',')}]`;
    const members = Object.entries(node).flatMap(([key, member]) => {
      const change = byPlace.get(place + 1);
      const name = JSON.stringify(key);
      const text = `${name}:${write(member as JsonValue)}`;
      if (change?.kind === 'drop') return [];
      if (change?.kind === 'twice-first') return [`${name}:${change.text}`, text];
      if (change?.kind === 'twice-last') return [text, `${name}:${change.text}`];
      return [text];
    });
    if (at?.kind === 'add') members.push(`"${at.key}":${at.text}`);
    return `{${members.join(',')}}`;
  };
  return write(value);
}

/** Values in a value, itself included. */
export function countPlaces(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce(
    (sum: number, item) => sum + countPlaces(item as JsonValue),
    1,
  );
}

/** Exchanges bytes of the text, whatever that makes of it. */
export function damagedBytes(
  text: string,
  { at, byte, cut }: { at: number; byte: number; cut: number },
): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  const place = at % (bytes.length + 1);
  return Uint8Array.from([...bytes.subarray(0, place), byte, ...bytes.subarray(place + cut)]);
}
