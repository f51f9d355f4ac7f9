import type * as v from 'valibot';
import type { ErrorCode } from '../../errors.ts';

/** Any valibot schema: of a body, of an answer, of a query parameter. */
export type Schema = v.GenericSchema;

/** What the contract says about one route; a test compares these with the routes that are mounted. */
export interface Operation {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As the route is mounted: `/evm/proposals/:proposal_id`. */
  path: string;
  /** Name of the operation in generated clients. */
  id: string;
  summary: string;
  /** One of the part's security schemes; open to anyone when left out. */
  access?: string;
  /** Parameters of path and query by name. */
  parameters?: Record<string, Parameter>;
  /** JSON body, at most GUARDIAN_MAX_REQUEST_BYTES of it. */
  body?: Schema;
  answers: readonly Answer[];
  /** Codes beyond those that the body, the access and any fault bring along. */
  errors?: readonly ErrorCode[];
}

export interface Parameter {
  schema: Schema;
  description: string;
  /** Query parameters only; those of the path always are. */
  required?: boolean;
}

export interface Answer {
  status: 200 | 202 | 503;
  description: string;
  /** `application/json` unless said otherwise. */
  type?: string;
  schema?: Schema;
}

/** How a caller shows who it is. */
export interface Access {
  /** OpenAPI security schemes by name; all of them are needed at once. */
  schemes: Record<
    string,
    { type: 'apiKey'; in: 'header' | 'cookie'; name: string; description: string }
  >;
  /** What every operation with this access may refuse. */
  errors: readonly ErrorCode[];
}

/** A part of the API: one tag of the document. */
export interface ApiPart {
  tag: string;
  description: string;
  /** Not every process serves it: where it is not, its routes are unknown. */
  optional?: true;
  operations: readonly Operation[];
  access?: Record<string, Access>;
  /** Schemas that stand under their own name in the document. */
  components?: Record<string, Schema>;
  /** Codes that every operation of the part may answer with. */
  errors?: readonly ErrorCode[];
}
