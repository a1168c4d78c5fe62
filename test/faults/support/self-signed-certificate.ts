import { generateKeyPairSync, sign } from 'node:crypto';

/** A key and a certificate for one name, in PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const HOUR_MS = 3_600_000;

/** Makes a certificate that nobody but its holder vouches for; valid for some hours around now. */
export function selfSignedCertificate(commonName: string): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const name = sequence(set(sequence(OID.commonName, text(commonName))));
  const now = Date.now();
  const content = sequence(
    integer(1),
    sequence(OID.ecdsaWithSha256),
    name,
    sequence(time(now - HOUR_MS), time(now + 24 * HOUR_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', content, privateKey);
  const certificate = sequence(content, sequence(OID.ecdsaWithSha256), bits(signature));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: pem(certificate),
  };
}

// DER, as far as a certificate of version 1 needs it: https://www.rfc-editor.org/rfc/rfc5280#section-4.1
const OID = {
  commonName: Buffer.from('0603550403', 'hex'),
  ecdsaWithSha256: Buffer.from('06082a8648ce3d040302', 'hex'),
};

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), value]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function set(...parts: readonly Buffer[]): Buffer {
  return der(0x31, ...parts);
}

function integer(small: number): Buffer {
  return der(0x02, Buffer.from([small]));
}

function text(utf8: string): Buffer {
  return der(0x0c, Buffer.from(utf8));
}

function bits(bytes: Buffer): Buffer {
  return der(0x03, Buffer.from([0]), bytes);
}

function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(digits.slice(2)));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
