/** What a variable is described by, and the forms of values that several variables have. */
import * as v from 'valibot';

export interface Setting<T> {
  schema: v.GenericSchema<string | undefined, T>;
  /** Text used when the variable is unset or blank; null when there is none. */
  fallback: string | null;
  meaning: string;
  reason: string;
  /** The value never appears in an error or a log line. */
  secret?: true;
}

export const text = v.pipe(v.string(), v.trim(), v.minLength(1));
export const optionalText = v.optional(text);
export const integer = (min: number, max: number) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.regex(/^\d+$/, 'must be a whole number'),
    v.transform(Number),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  );
export const optionalInteger = (min: number, max: number) => v.optional(integer(min, max));
export const choice = <const T extends readonly [string, ...string[]]>(options: T) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.toLowerCase(),
    v.picklist(options, `must be one of ${options.join(', ')}`),
  );
export const httpUrl = v.pipe(
  text,
  v.url('must be a URL'),
  v.regex(/^https?:/, 'must be http or https'),
);
export const flag = v.pipe(
  choice(['true', 'false']),
  v.transform((answer) => answer === 'true'),
);
