import { chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresServer } from '../../support/postgres/postgres-server.js';
import { selfSignedCertificate } from './self-signed-certificate.js';

/** Lets a server speak TLS from now on; returns the certificate to trust. */
export async function enableTls(server: PostgresServer, name: string): Promise<string> {
  const { key, cert } = selfSignedCertificate(name);
  const directory = join(server.dataDir, 'tls');
  const owner = await stat(server.dataDir);
  await mkdir(directory, { recursive: true });
  await chown(directory, owner.uid, owner.gid);
  const files = {
    ssl_key_file: join(directory, 'key.pem'),
    ssl_cert_file: join(directory, 'cert.pem'),
  };
  await writeFile(files.ssl_key_file, key, { mode: 0o600 });
  await writeFile(files.ssl_cert_file, cert);
  // The server refuses a key that is not its own.
  for (const file of Object.values(files)) await chown(file, owner.uid, owner.gid);
  await server.setSettings({ ssl: true, ...files });
  return cert;
}
