import { documentPart } from '../http/api-docs.ts';
import { healthPart } from '../http/health.ts';
import { openApiDocument } from '../http/openapi/document.ts';
import type { ApiPart } from '../http/openapi/operation.ts';
import { evmPart } from '../guardian/evm/description.ts';
import { guardianPart } from '../guardian/http/description.ts';
import { operatorPart } from '../guardian/operators/description.ts';
import { version } from './version.ts';

/** Every part of the API; a new one is added here, beside where its routes are mounted. */
const parts: readonly ApiPart[] = [guardianPart, operatorPart, evmPart, healthPart, documentPart];

/** The contract of this version: what is served at C3 and checked in as docs/openapi.json. */
export function apiDocument() {
  return openApiDocument(
    {
      title: 'Canonry: Guardian for Miden accounts',
      version,
      description:
        'The HTTP protocol of OpenZeppelin Guardian as Canonry serves it. Integers may have 64 bits: read them with a parser that keeps all digits. Members of a body that the server does not know are allowed and covered by the signature. Unknown routes answer 404, other methods of a known path 405 with `Allow`, both with the code `invalid_input`. What a browser sends with a cookie from a page of another origin, unless that one is allowed, answers 401.',
    },
    parts,
  );
}
