import { FleetError } from '../../../lib/errors.ts';
import type { Registration } from './registry.ts';

const MAX_CONFIG = 64_000;
const MAX_LIST = 64;
/** No control characters, no blank at either end. */
const TEXT = /^(?!\s)[^\p{Cc}]+(?<!\s)$/u;

function refuse(sentence: string, ...field: string[]): never {
  throw new FleetError('BAD_INPUT', sentence, { field });
}

function isText(text: string, max: number): boolean {
  return text.length <= max && TEXT.test(text);
}

/**
 * Checks what an agent says of itself.
 * @throws BAD_INPUT with the field that is wrong
 */
export function assertDefinition(registration: Registration): void {
  const { name, kind, version, endpoints, capabilities, dependencies, config } = registration;
  if (!isText(name, 128)) refuse('a name has 1 to 128 characters, no blanks around it', 'name');
  if (!isText(kind, 64)) refuse('a kind has 1 to 64 characters, no blanks around it', 'kind');
  if (!isText(version, 64)) refuse('a version has 1 to 64 characters, no blanks around it', 'version');
  if ((endpoints?.length ?? 0) > MAX_LIST) refuse(`at most ${MAX_LIST} endpoints`, 'endpoints');
  endpoints?.forEach((endpoint, at) => {
    if (!isText(endpoint.name, 64))
      refuse('an endpoint’s name has 1 to 64 characters', 'endpoints', String(at), 'name');
    if (endpoint.url.length > 2_048 || !URL.canParse(endpoint.url)) {
      refuse('an endpoint’s url is a whole address such as http://host:8080/', 'endpoints', String(at), 'url');
    }
  });
  if ((capabilities?.length ?? 0) > MAX_LIST || capabilities?.some((capability) => !isText(capability, 128))) {
    refuse(`at most ${MAX_LIST} capabilities of 1 to 128 characters`, 'capabilities');
  }
  if ((dependencies?.length ?? 0) > MAX_LIST || dependencies?.some((dependency) => !isText(dependency, 128))) {
    refuse(`at most ${MAX_LIST} dependencies of 1 to 128 characters`, 'dependencies');
  }
  if (config != null) assertConfig(config);
}

/** @throws BAD_INPUT unless it is a JSON object of at most 64,000 characters */
export function assertConfig(config: unknown, field = 'config'): asserts config is Record<string, unknown> {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    refuse('a configuration is a JSON object', field);
  }
  if (JSON.stringify(config).length > MAX_CONFIG) refuse(`a configuration has at most ${MAX_CONFIG} characters`, field);
}
