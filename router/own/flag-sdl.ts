/** Types of `featureFlags` and `applyFeatureFlag`. */
export const FLAG_SDL = `
"A risky feature that can be turned off, or on for some callers, while everything runs."
type FeatureFlag {
  "Its name in the catalogue."
  name: String!
  "What is on while it is on."
  description: String!
  "The part of the program that answers for it."
  owner: String!
  "Version that brought it."
  since: String!
  "Whether it is on where nobody set it."
  isOnByDefault: Boolean!
  "For whom it is on now."
  state: FeatureFlagState!
  "Share of callers it is on for, 0 to 100; null where it is not by share."
  percentage: Float
  "Ids of callers it is on for."
  clients: [String!]!
  "Whether every flag of this process is held on or off by FLEET_FLAGS, whatever was applied."
  isHeld: Boolean!
  "Counts its changes; 0 before the first."
  version: Int!
  "When it was changed last."
  updatedAt: DateTime
}

"For whom a feature is on."
enum FeatureFlagState {
  "For all."
  ON
  "For nobody."
  OFF
  "For a share of the callers, or for those that are listed."
  PARTIAL
}

"How a flag is to be."
input ApplyFeatureFlagInput {
  "Its name in the catalogue."
  name: String!
  "For whom it is to be on."
  state: FeatureFlagState!
  "With PARTIAL: share of callers, 0 to 100."
  percentage: Float
  "With PARTIAL: ids of callers, at most 1,000."
  clients: [String!]
  "Why; it is written into the audit trail."
  reason: String
  "Refuses the change when the flag is at another version."
  expectedVersion: Int
  "Tells what would be, and changes nothing."
  dryRun: Boolean = false
  "Idempotency key: a repeat returns the first outcome."
  clientMutationId: String
}

"What came of a change of a flag."
type FeatureFlagPayload {
  "The flag now, or as it would be after a dry run; null when it was refused."
  flag: FeatureFlag
  "The flag before."
  previous: FeatureFlag
  "What kept it from being done."
  userErrors: [UserError!]!
  "The receipt: what was written into the audit trail before it took effect."
  auditEntry: AuditEntry
}
`;
