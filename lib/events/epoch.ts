/**
 * SQL of a stream's epoch, from the row of its counter: another one as soon as positions might be given again (STREAMS.md 2.1).
 * A database that was put back from a dump is another system, one that was recovered to a point in time or promoted is on
 * another timeline. A copy of its files is neither: there the row's own word has to be changed (docs/streams.md).
 */
export const EPOCH = `left(md5(epoch || (select system_identifier from pg_control_system())::text
  || left(pg_walfile_name(pg_current_wal_lsn()), 8)), 16)`;
