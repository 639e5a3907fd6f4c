/** Where a process tells the audit house what it runs with. */
export const CONFIGURATION_ROUTE = 'POST /internal/configuration';

/** What a process runs with, part by part; secrets are marks already. */
export interface ConfigurationReport {
  /** Who tells. */
  process: string;
  parts: {
    targetType: 'Settings' | 'FeatureFlag';
    /** Whose settings; which flag. */
    targetId: string;
    /** JSON; null where there is none. */
    value: unknown;
  }[];
}
