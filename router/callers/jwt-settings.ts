import type { Settings } from '../../lib/settings/index.ts';
import type { JwtOptions } from './jwt.ts';

/** What the settings say of signed tokens; undefined when no issuer is named. */
export function jwtIn(settings: Settings): JwtOptions | undefined {
  const { FLEET_JWT_ISSUERS: issuers } = settings;
  if (Object.keys(issuers).length === 0) return undefined;
  return {
    issuers,
    audience: settings.FLEET_JWT_AUDIENCE,
    algorithms: settings.FLEET_JWT_ALGORITHMS,
    skewMs: settings.FLEET_JWT_SKEW_MS,
  };
}
