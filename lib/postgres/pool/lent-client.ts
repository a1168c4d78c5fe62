import type { PoolClient } from 'pg';
import type { Lease } from '../../engine/lease.js';
import { ConnectionLostError } from '../../errors/connection-lost.error.js';
import type { PostgresSession } from '../session/postgres-session.js';
import { LeasedClient, type LeaseOwner } from './leased-client.js';

/** Makes what a borrower gets for a lease. */
export type HandOut<T> = (lease: Lease<PostgresSession>, owner: LeaseOwner) => T;

/**
 * A handle of this one loan, which refuses once it was released. When nobody can reach it any more,
 * nobody can release it either: then the engine takes the loan back.
 */
export const asHandle: HandOut<LeasedClient> = (lease, owner) => {
  const handle = new LeasedClient(lease, owner);
  lease.handle = handle;
  return handle;
};

/**
 * The client itself, as pg-pool: the same object whenever it is lent, with this loan's `release` on
 * it. What is lost with it: nothing holds back a borrower who goes on after the release, and one who
 * loses it is not found out by the garbage collector.
 */
export const asItself: HandOut<PoolClient> = (lease, owner) => {
  const client = lease.resource.client as PoolClient;
  // What is done with it is not seen: it may have written from now on.
  lease.resource.note?.held();
  client.release = (error) => {
    owner.giveBack(lease, error || endOf(lease.resource, owner));
  };
  return client;
};

/** A borrower who has the client may have ended it. */
function endOf({ isEnding }: PostgresSession, { pool }: LeaseOwner): Error | undefined {
  return isEnding ? new ConnectionLostError(pool) : undefined;
}
