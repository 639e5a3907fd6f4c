export const LANGUAGES = ['ts', 'python'] as const;
/** What a rule may watch. */
export const CONDITIONS = ['health', 'presence', 'logs', 'errors', 'metric'] as const;
export const SEVERITIES = ['INFO', 'WARNING', 'CRITICAL'] as const;
