export { describeSettings, isLoopback, loadSettings, type Settings, SettingsError } from './settings.ts';
