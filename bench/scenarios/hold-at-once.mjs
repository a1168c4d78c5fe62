/** Borrows so many connections together and gives all back when all are there. */
export async function holdAtOnce(pool, count) {
  const releases = await Promise.all(Array.from({ length: count }, () => pool.hold()));
  await Promise.all(releases.map((release) => release()));
}
