const OURS = /^(PG[A-Z]+|DATABASE_(.+_)?URL|POOL_.+_MAX)$/;

/**
 * Makes the environment say these things about databases, and nothing else. Returns how to go back:
 * `afterEach(restore)`.
 */
export function environmentSays(variables: Readonly<Record<string, string>>): () => void {
  const before = { ...process.env };
  for (const name of Object.keys(process.env).filter((key) => OURS.test(key))) {
    delete process.env[name];
  }
  Object.assign(process.env, variables);
  return () => {
    for (const name of Object.keys(process.env)) {
      if (!(name in before)) delete process.env[name];
    }
    Object.assign(process.env, before);
  };
}
