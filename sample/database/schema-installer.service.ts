import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectPool, type LeasedClient, Pool } from 'nestjs-pools';
import { SCHEMA } from './schema.js';
import { SEED, SEEDED_ACCOUNTS, SEEDED_TRANSFERS } from './seed.js';

/** Any number will do, as long as nothing else in this database locks on the same. */
const INSTALL_LOCK = 7_364_112;

/**
 * Creates the tables where they are missing and fills them when they are empty; drops nothing, ever.
 * An application of your own would run its migrations instead.
 */
@Injectable()
export class SchemaInstaller implements OnModuleInit {
  private readonly logger = new Logger(SchemaInstaller.name);

  constructor(@InjectPool() private readonly primary: Pool) {}

  async onModuleInit(): Promise<void> {
    await this.primary.use((lease) => this.install(lease), { label: 'SchemaInstaller.install' });
  }

  private async install(lease: LeasedClient): Promise<void> {
    await lease.query('BEGIN');
    try {
      // Two applications that start together take turns: IF NOT EXISTS alone can still collide.
      await lease.query('SELECT pg_advisory_xact_lock($1)', [INSTALL_LOCK]);
      await lease.query(SCHEMA);
      const { rowCount } = await lease.query('SELECT FROM bank.accounts LIMIT 1');
      if (rowCount === 0) await this.seed(lease);
      await lease.query('COMMIT');
    } catch (error) {
      await lease.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  private async seed(lease: LeasedClient): Promise<void> {
    await lease.query(SEED);
    this.logger.log(`Seeded ${SEEDED_ACCOUNTS} accounts and ${SEEDED_TRANSFERS} transfers`);
  }
}
