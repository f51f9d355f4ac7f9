/** Every boundary in every place of every request, the rest of which is right. */
import { countPlaces } from './body.ts';
import { boundaries, wholeNumbers, type KnownCase } from './plan.ts';
import { choices } from './request.ts';
import type { World } from './world.ts';

/** Of an account that is configured, about its first delta or proposal. */
const plain = {
  kind: 'known' as const,
  holder: 1,
  nonce: 1,
  changes: [],
  damage: null,
  headers: [],
  signing: 'changed' as const,
  timestamp: null,
  query: null,
};

export function* boundaryCases(world: World): Generator<KnownCase> {
  for (const [template, { body, query, lookup }] of choices(plain, world).templates.entries()) {
    const right: KnownCase = { ...plain, template };
    const places = body ? countPlaces(body) : 0;
    const parameters = Object.keys(query ?? {}).length + (lookup ? 1 : 0);
    for (const text of boundaries) {
      for (let at = 0; at < places; at += 1) {
        yield { ...right, changes: [{ kind: 'replace', at, text }] };
      }
      for (let name = 0; name < parameters; name += 1) {
        yield { ...right, query: { name, value: text.replaceAll('"', '') } };
      }
    }
    for (const timestamp of wholeNumbers) yield { ...right, timestamp };
  }
}
