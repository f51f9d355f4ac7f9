/** The contract as an OpenAPI 3.1 document, made from descriptions and schemas in the code. */
import { errorAnswers } from './error-answers.ts';
import { errorEnvelope } from './error-envelope.ts';
import type { Access, ApiPart, Operation, Schema } from './operation.ts';
import { schemaConverter } from './schema.ts';

export interface About {
  title: string;
  version: string;
  description: string;
}

/**
 * The whole document; the same for every process of a version, whatever it is configured to serve.
 * @throws Error when a schema cannot be said in JSON Schema, or an operation names no known access.
 */
export function openApiDocument(about: About, parts: readonly ApiPart[]) {
  const components: Record<string, Schema> = { Error: errorEnvelope };
  for (const part of parts) Object.assign(components, part.components);
  const converter = schemaConverter(components);
  const paths: Record<string, Record<string, object>> = {};
  for (const part of parts) {
    for (const operation of part.operations) {
      const path = (paths[templateOf(operation.path)] ??= {});
      path[operation.method.toLowerCase()] = describe(operation, part, converter.convert);
    }
  }
  const access = Object.assign({}, ...parts.map((part) => part.access)) as Record<string, Access>;
  return {
    openapi: '3.1.0',
    info: { ...about, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    tags: parts.map(({ tag, description }) => ({ name: tag, description })),
    paths,
    components: {
      schemas: converter.components(),
      headers: {
        RetryAfter: {
          description: 'Seconds until another try makes sense.',
          schema: { type: 'integer', minimum: 0 },
        },
      },
      securitySchemes: Object.assign({}, ...Object.values(access).map(({ schemes }) => schemes)),
    },
  };
}

/** `/a/:b` of the router is `/a/{b}` in OpenAPI. */
function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

function describe(
  operation: Operation,
  part: ApiPart,
  convert: (schema: Schema) => object,
): object {
  const access = operation.access === undefined ? undefined : part.access?.[operation.access];
  if (operation.access !== undefined && !access) {
    throw new Error(`${operation.id}: the part ${part.tag} has no access ${operation.access}`);
  }
  const answers = operation.answers.map(({ status, description, schema, type }) => [
    String(status),
    {
      description,
      content: { [type ?? 'application/json']: schema ? { schema: convert(schema) } : {} },
    },
  ]);
  return {
    operationId: operation.id,
    summary: operation.summary,
    tags: [part.tag],
    security: access
      ? [Object.fromEntries(Object.keys(access.schemes).map((name) => [name, []]))]
      : [],
    ...parametersOf(operation, convert),
    ...(operation.body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: convert(operation.body) } },
          },
        }
      : {}),
    responses: { ...Object.fromEntries(answers), ...errorAnswers(operation, part, access) },
  };
}

function parametersOf({ path, parameters }: Operation, convert: (schema: Schema) => object) {
  if (!parameters) return {};
  return {
    parameters: Object.entries(parameters).map(([name, { schema, description, required }]) => {
      const inPath = path.split('/').includes(`:${name}`);
      return {
        name,
        in: inPath ? 'path' : 'query',
        required: inPath || (required ?? true),
        description,
        schema: convert(schema),
      };
    }),
  };
}
