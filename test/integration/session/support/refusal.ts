/** What a promise was rejected with; that it resolves is an error. */
export async function refusal<E = Error>(promise: Promise<unknown>): Promise<E> {
  const [outcome] = await Promise.allSettled([promise]);
  if (outcome.status === 'rejected') return outcome.reason as E;
  throw new Error('It was not refused.');
}
