import { type DataSource, In } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import { ContactPoint, EscalationPolicy } from '../entity/contact.ts';

/** SQL of escalation policies and contact points. */
export class ContactStore {
  constructor(private readonly database: DataSource) {}

  policies(): Promise<EscalationPolicy[]> {
    return this.database.getRepository(EscalationPolicy).find({ order: { name: 'ASC' } });
  }

  contactPoints(): Promise<ContactPoint[]> {
    return this.database.getRepository(ContactPoint).find({ order: { name: 'ASC' } });
  }

  contactPoint(name: string): Promise<ContactPoint | null> {
    return this.database.getRepository(ContactPoint).findOneBy({ name });
  }

  policy(name: string): Promise<EscalationPolicy | null> {
    return this.policyIn(this.database.manager, name);
  }

  policyIn(tx: Transaction, name: string): Promise<EscalationPolicy | null> {
    return tx.getRepository(EscalationPolicy).findOneBy({ name });
  }

  contactPointsIn(tx: Transaction, names: readonly string[]): Promise<ContactPoint[]> {
    return tx.getRepository(ContactPoint).findBy({ name: In([...names]) });
  }

  /** Locks a policy for a change; makes all who ask for the same name wait, also when there is none. */
  async lockPolicy(tx: Transaction, name: string): Promise<EscalationPolicy | null> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('escalation_policy'), hashtext($1))`, [name]);
    return await this.policyIn(tx, name);
  }

  /** Locks a contact point for a change, like a policy. */
  async lockContactPoint(tx: Transaction, name: string): Promise<ContactPoint | null> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('contact_point'), hashtext($1))`, [name]);
    return await tx.getRepository(ContactPoint).findOneBy({ name });
  }

  async savePolicy(tx: Transaction, policy: EscalationPolicy): Promise<void> {
    await tx.getRepository(EscalationPolicy).upsert(policy, ['name']);
  }

  async saveContactPoint(tx: Transaction, contactPoint: ContactPoint): Promise<void> {
    await tx.getRepository(ContactPoint).upsert(contactPoint, ['name']);
  }
}
