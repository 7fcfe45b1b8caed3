/**
 * The listener of a broker that trusts nobody: TLS with a certificate of its own authority, SASL, and an authorizer that refuses
 * what no ACL allows. The plaintext listener next to it is the administrator's, so that tests can grant.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from './runner.ts';

export interface User {
  readonly name: string;
  readonly password: string;
}

/** Where `certificateCommands` put the two authorities. */
export function authorities(folder: string): { caFile: string; otherCaFile: string } {
  return { caFile: join(folder, 'ca.pem'), otherCaFile: join(folder, 'other-ca.pem') };
}

const JAAS = 'org.apache.kafka.common.security';
const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

/** What names and passwords may hold: they stand in property files, JAAS entries and lists unquoted. */
const SIMPLE = /^[A-Za-z0-9._-]+$/;

export function secureProperties(
  folder: string,
  ports: { readonly open: number; readonly controller: number; readonly secure: number },
  users: readonly User[],
): Readonly<Record<string, string>> {
  for (const text of users.flatMap(each => [each.name, each.password])) {
    if (!SIMPLE.test(text)) throw new Error(`names and passwords of test users must match ${SIMPLE}`);
  }
  const listener = 'listener.name.secure';
  const plain = users.map(({ name, password }) => `user_${name}="${password}"`).join(' ');
  return {
    listeners: `OPEN://127.0.0.1:${ports.open},CONTROLLER://127.0.0.1:${ports.controller},SECURE://127.0.0.1:${ports.secure}`,
    'advertised.listeners': `OPEN://127.0.0.1:${ports.open},SECURE://127.0.0.1:${ports.secure}`,
    'listener.security.protocol.map': 'OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'false',
    'super.users': 'User:ANONYMOUS',
    [`${listener}.ssl.keystore.type`]: 'PEM',
    [`${listener}.ssl.keystore.location`]: join(folder, 'server.pem'),
    [`${listener}.sasl.enabled.mechanisms`]: [...SCRAM, 'PLAIN', 'OAUTHBEARER'].join(','),
    ...Object.fromEntries(
      SCRAM.map(each => [
        `${listener}.${each.toLowerCase()}.sasl.jaas.config`,
        `${JAAS}.scram.ScramLoginModule required;`,
      ]),
    ),
    [`${listener}.plain.sasl.jaas.config`]: `${JAAS}.plain.PlainLoginModule required ${plain};`,
    // tokens without a signature: their subject is believed, their times are checked
    [`${listener}.oauthbearer.sasl.jaas.config`]: `${JAAS}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
  };
}

/** A token as this listener takes it with OAUTHBEARER: good for so many seconds, or past for so many when negative. */
export function unsignedToken(subject: string, seconds: number): string {
  const now = Date.now() / 1000;
  const parts = [{ alg: 'none' }, { sub: subject, iat: now + Math.min(0, seconds * 2), exp: now + seconds }];
  return `${parts.map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
}

/** For the tool that formats the storage: the users that SCRAM knows from the start. */
export function scramArguments({ name, password }: User): string[] {
  return SCRAM.flatMap(mechanism => ['--add-scram', `${mechanism}=[name=${name},password=${password}]`]);
}

/** Makes ca.pem, server.pem (key and certificate for 127.0.0.1 and localhost) and other-ca.pem. */
export function certificateCommands(folder: string): Command[] {
  writeFileSync(join(folder, 'server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const script = `set -eu
    authority() {
      openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
      openssl req -x509 -new -key "$1.key" -subj "/CN=$1 of a test" -days 2 -out "$1.pem"
    }
    authority ca; authority other-ca
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out server.key
    openssl req -new -key server.key -subj /CN=localhost -out server.csr
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.crt
    cat server.key server.crt >server.pem`;
  return [{ program: 'sh', args: ['-c', `cd "$0" && ${script}`, folder], log: join(folder, 'certificates.log') }];
}
