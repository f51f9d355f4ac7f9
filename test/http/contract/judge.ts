/** Validates real answers against docs/openapi.json, with a JSON Schema implementation of its own. */
import fs from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

interface Content {
  content?: Record<string, { schema?: object }>;
}
interface Described {
  operationId: string;
  security: object[];
  parameters?: { name: string; in: string }[];
  requestBody?: Content;
  responses: Record<string, Content & { headers?: object }>;
}
type Document = {
  openapi: string;
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
};

/** The document as it is checked in. */
export const contract = JSON.parse(
  fs.readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'),
) as Document;

const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema(closed({ $id: 'contract', components: contract.components }));
const validators = new Map<string, ValidateFunction>();

/** Members that the document does not name are faults here; a client has to live with them. */
function closed<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => closed(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.fromEntries(
    Object.entries(value).map(([key, member]: [string, unknown]) => [key, closed(member)]),
  );
  const closes = 'properties' in members && members['type'] === 'object';
  if (closes && !('additionalProperties' in members) && !isErrorPart(members)) {
    members['additionalProperties'] = false;
  }
  if (typeof members['$ref'] === 'string') members['$ref'] = `contract${members['$ref']}`;
  return members as T;
}

/** The second half of an error's schema only narrows the code. */
function isErrorPart({ properties }: Record<string, unknown>): boolean {
  const names = Object.keys(properties as object);
  return names.length === 1 && names[0] === 'code';
}

/** Every operation as `METHOD /path/{of}/document`. */
export const operations: ReadonlyMap<string, Described> = new Map(
  Object.entries(contract.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
    ),
  ),
);

/** The operation that serves a request, or undefined for an unknown route. */
export function operationOf(method: string, target: string): string | undefined {
  // dots are resolved before a router sees them
  const path = new URL(`http://host${target}`).pathname;
  const exact = `${method} ${path}`;
  if (operations.has(exact)) return exact;
  return [...operations.keys()].find((name) => {
    const [verb = '', template = ''] = name.split(' ');
    const pattern = template.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.');
    return verb === method && new RegExp(`^${pattern}$`).test(path);
  });
}

/** What is wrong with an answer by the contract; undefined when nothing is. */
export function violation(name: string, status: number, body: unknown): string | undefined {
  const described = operations.get(name)?.responses[String(status)];
  if (!described) return `${name} has no answer ${status}`;
  const schema = described.content?.['application/json']?.schema;
  if (!schema) return undefined;
  const key = `${name} ${status}`;
  let validate = validators.get(key);
  if (!validate) {
    validate = ajv.compile(closed(schema));
    validators.set(key, validate);
  }
  return validate(body) ? undefined : `${key}: ${ajv.errorsText(validate.errors)}`;
}
