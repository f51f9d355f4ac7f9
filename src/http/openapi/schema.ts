/** JSON Schema 2020-12, the dialect of OpenAPI 3.1, out of the schemas that requests are read with. */
import { toJsonSchema, toJsonSchemaDefs, type ConversionConfig } from '@valibot/to-json-schema';
import type { Schema } from './operation.ts';

const conversion: ConversionConfig = {
  target: 'draft-2020-12',
  // a client needs to know what to send and what it gets, not what we make of it
  typeMode: 'input',
  // what JSON Schema cannot say is said in the descriptions
  ignoreActions: ['check', 'trim', 'to_lower_case', 'transform'],
  overrideSchema: ({ valibotSchema: { type }, jsonSchema }) => {
    if (type === 'loose_object') return { ...jsonSchema, additionalProperties: {} };
    if (type === 'bigint') return { type: 'integer', format: 'int64' };
    // JSON of any form
    return type === 'custom' ? {} : undefined;
  },
  overrideAction: ({ valibotAction, jsonSchema }) => {
    if (!('requirement' in valibotAction)) return undefined;
    const { type, requirement } = valibotAction;
    if (type === 'safe_integer') return { ...jsonSchema, type: 'integer' };
    if (typeof requirement !== 'bigint') return undefined;
    // 2^63 - 1 is what `int64` says; as a JSON number it would be read as 2^63
    if (requirement > BigInt(Number.MAX_SAFE_INTEGER)) return jsonSchema;
    return { ...jsonSchema, [type === 'min_value' ? 'minimum' : 'maximum']: Number(requirement) };
  },
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
};

/** Converts schemas; those in `components` become references wherever they occur. */
export function schemaConverter(components: Record<string, Schema>) {
  return {
    components: () => toJsonSchemaDefs(components, conversion),
    convert(schema: Schema): object {
      const {
        $schema: _dialect,
        $defs: _components,
        ...converted
      } = toJsonSchema(schema, { ...conversion, definitions: components });
      return converted;
    },
  };
}
