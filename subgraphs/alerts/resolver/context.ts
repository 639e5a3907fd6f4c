import type { HouseContext } from '../../../lib/subgraph.ts';
import type { AlertLoaders } from '../loaders.ts';
import type { AlertService } from '../service/alerts.ts';
import type { ContactService } from '../service/contacts.ts';
import type { AlertReader } from '../service/reader.ts';
import type { RuleService } from '../service/rules.ts';

/** What every resolver of this house may reach for. Made anew for each request. */
export interface AlertsContext extends HouseContext {
  alerts: AlertService;
  rules: RuleService;
  contacts: ContactService;
  read: AlertReader;
  loaders: AlertLoaders;
}
