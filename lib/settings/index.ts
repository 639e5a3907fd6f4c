export { isLoopback } from './loopback.ts';
export { describeSettings, loadSettings, type Settings, SettingsError } from './settings.ts';
