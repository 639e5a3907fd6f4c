import { registerEnumType } from 'type-graphql';

export enum AlertState {
  PENDING = 'PENDING',
  FIRING = 'FIRING',
  RECOVERING = 'RECOVERING',
  RESOLVED = 'RESOLVED',
}
registerEnumType(AlertState, {
  name: 'AlertState',
  description: 'Where an alert is in its life.',
  valuesConfig: {
    PENDING: { description: 'The condition holds, but not yet for as long as the rule asks.' },
    FIRING: { description: 'Somebody should look.' },
    RECOVERING: { description: 'The condition is clear, but not yet for as long as the rule asks.' },
    RESOLVED: { description: 'Over. A later breach is a new alert.' },
  },
});

export enum AlertSeverity {
  INFO = 'INFO',
  WARNING = 'WARNING',
  CRITICAL = 'CRITICAL',
}
registerEnumType(AlertSeverity, {
  name: 'AlertSeverity',
  description: 'How urgent an alert is.',
  valuesConfig: {
    INFO: { description: 'Good to know.' },
    WARNING: { description: 'Look at it in working hours.' },
    CRITICAL: { description: 'Look at it now.' },
  },
});

export enum NotificationState {
  QUEUED = 'QUEUED',
  SENT = 'SENT',
  FAILED = 'FAILED',
  DROPPED = 'DROPPED',
}
registerEnumType(NotificationState, {
  name: 'NotificationState',
  description: 'What became of a notification.',
  valuesConfig: {
    QUEUED: { description: 'It waits for its first or its next attempt.' },
    SENT: { description: 'The target took it.' },
    FAILED: { description: 'The target refused it for good, or all attempts were used up.' },
    DROPPED: { description: 'It may not be sent: no such contact point, or a target that is not public.' },
  },
});

export enum RuleHealth {
  OK = 'OK',
  NO_DATA = 'NO_DATA',
  ERROR = 'ERROR',
}
registerEnumType(RuleHealth, {
  name: 'RuleHealth',
  description: 'How a rule’s last evaluation went.',
  valuesConfig: {
    OK: { description: 'It was evaluated, or has not been yet.' },
    NO_DATA: { description: 'The metric had no value.' },
    ERROR: { description: 'It could not be evaluated; its alerts stay as they are.' },
  },
});

export enum ContactPointKind {
  WEBHOOK = 'WEBHOOK',
  EMAIL = 'EMAIL',
  SLACK = 'SLACK',
  PAGERDUTY = 'PAGERDUTY',
}
registerEnumType(ContactPointKind, {
  name: 'ContactPointKind',
  description: 'How a contact point is reached.',
  valuesConfig: {
    WEBHOOK: { description: 'A POST of JSON, signed by the Standard Webhooks rules.' },
    EMAIL: { description: 'An email; not offered yet, and refused when applied.' },
    SLACK: { description: 'An incoming webhook of Slack.' },
    PAGERDUTY: { description: 'The events API of PagerDuty, version 2; the secret is the routing key.' },
  },
});
