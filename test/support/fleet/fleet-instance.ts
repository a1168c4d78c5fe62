import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectPool, Pool, PoolFleet, PoolModule, PoolRegistry } from '../../../lib/index.js';
import type { PoolModuleOptions } from '../../../lib/index.js';

/**
 * One instance of a service under load, until SIGTERM.
 *
 * Arguments: options of the module as JSON, callers that query one statement after the other, and
 * how long a statement takes in milliseconds. Tells each error that a caller gets.
 */
const [, , options, callers, statementMs] = process.argv;

@Module({ imports: [PoolModule.forRoot(JSON.parse(options!) as PoolModuleOptions)] })
class AppModule {}

class Caller {
  constructor(@InjectPool() private readonly pool: Pool) {}

  async goOn(): Promise<void> {
    for (;;) {
      try {
        await this.pool.query('SELECT pg_sleep($1)', [Number(statementMs) / 1000]);
      } catch (error) {
        if (isOver) return;
        const { code, message } = error as Error & { code?: string };
        console.log(`error ${code} ${message}`);
        await delay(100);
      }
      if (isOver) return;
    }
  }
}

let isOver = false;
const application = await NestFactory.createApplicationContext(AppModule, { abortOnError: false });
console.log(`joined ${application.get(PoolFleet).snapshot()?.instance}`);
const pool = application.get(PoolRegistry).get('primary');
const calling = Array.from({ length: Number(callers) }, () => new Caller(pool).goOn());

process.once('SIGTERM', () => {
  isOver = true;
  void application
    .close()
    .then(() => Promise.all(calling))
    .then(() => console.log('left'));
});
