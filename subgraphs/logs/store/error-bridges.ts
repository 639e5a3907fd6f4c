import type { DataSource } from 'typeorm';

/** A place in the change stream. */
export interface BridgePlace {
  epoch: string;
  position: number;
}

/** How far each bridge has come with the change stream. */
export class ErrorBridgeStore {
  constructor(private readonly database: DataSource) {}

  /** Where a bridge goes on; a new one begins at `now`. */
  async place(name: string, now: BridgePlace): Promise<BridgePlace> {
    await this.database.query(
      'insert into error_bridge (name, epoch, position) values ($1, $2, $3) on conflict (name) do nothing',
      [name, now.epoch, now.position],
    );
    const [row] = await this.database.query('select epoch, position from error_bridge where name = $1', [name]);
    return { epoch: row.epoch, position: Number(row.position) };
  }

  /** Never goes back within an epoch: of two processes that give out the same, the slower one changes nothing. */
  async advance(name: string, { epoch, position }: BridgePlace): Promise<void> {
    await this.database.query(
      'update error_bridge set epoch = $2, position = $3 where name = $1 and (epoch <> $2 or position < $3)',
      [name, epoch, position],
    );
  }
}
