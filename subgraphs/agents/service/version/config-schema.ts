import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { FleetError, messageOf } from '../../../../lib/errors.ts';
import { linearPattern } from '../../../../lib/label-match.ts';
import { type Config, isObject } from '../migration/pointer.ts';
import { assertBounded } from './schema-bounds.ts';

/** Whether a configuration is one of this version. */
export type ConfigCheck = (config: Config) => void;

/** Formats that are checked; another one is refused when the schema is read. */
const FORMATS: Record<string, RegExp | ((text: string) => boolean)> = {
  uri: (text) => URL.canParse(text),
  'date-time': (text) => /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)),
  date: /^\d{4}-\d\d-\d\d$/,
  duration: /^P(?=[\dT])(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,3})?S)?)?$/,
  uuid: /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
};

/**
 * Compiles the JSON Schema (2020-12) of a version's configuration.
 * @throws BAD_INPUT for one that is wrong, too large, too dear, or refers elsewhere
 */
export function compileSchema(schema: unknown): { check: ConfigCheck; checkPart: ConfigCheck } {
  assertBounded(schema);
  const regExp = Object.assign((source: string) => linearPattern(source), { code: 'linearPattern' });
  const ajv = new Ajv2020({ strict: false, allErrors: true, messages: true, formats: FORMATS, code: { regExp } });
  let validate: ValidateFunction;
  try {
    validate = ajv.compile(schema);
  } catch (error) {
    throw new FleetError('BAD_INPUT', `this is no JSON Schema: ${messageOf(error)}`, { field: ['configSchema'] });
  }
  const refuse = (errors: readonly ErrorObject[]) => {
    const first = errors[0];
    if (first) throw refusal(first);
  };
  return {
    check: (config) => refuse(validate(config) ? [] : (validate.errors ?? [])),
    // Defaults need not be all of it.
    checkPart: (config) =>
      refuse(validate(config) ? [] : (validate.errors ?? []).filter(({ keyword }) => keyword !== 'required')),
  };
}

function refusal({ instancePath, message, params, keyword }: ErrorObject): FleetError {
  const more = keyword === 'additionalProperties' ? `: ${params['additionalProperty']}` : '';
  const steps = instancePath.split('/').slice(1);
  const field = ['config', ...steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))];
  const path = instancePath || '/';
  return new FleetError('BAD_INPUT', `the configuration at ${path} ${message ?? 'is wrong'}${more}`, { field, path });
}

/** What the defaults say where the configuration says nothing; lists are whole values. */
export function withDefaults(config: Config, defaults: Config): Config {
  const merged: Config = { ...config };
  for (const [name, standard] of Object.entries(defaults)) {
    const is = Object.hasOwn(config, name) ? config[name] : undefined;
    if (is === undefined) merged[name] = standard;
    else if (isObject(is) && isObject(standard)) merged[name] = withDefaults(is, standard);
  }
  return merged;
}
