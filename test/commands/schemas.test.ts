/** If these fail, a deploy learns too late that its schemas do not fit, or a password ends up on a screen. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { valueSubject } from '../../src/events/confluent.ts';
import { NOTE_SCHEMA } from '../../src/events/schemas.ts';
import { client, closedPort, freshTopic, json, startFront } from '../events/front.ts';
import { kafkaNeeds } from '../kafka/needs.ts';
import { sharedKafka } from '../kafka/shared.ts';
import { clinstream, type Result } from '../support/cli.ts';
import { temporaryFolder } from '../support/temporary.ts';

const { skip } = kafkaNeeds();
const PASSWORD = 'hunter2-pässword';

const quiet = ({ stderr }: Result): void => assert.equal(stderr, '');

describe('clinstream schemas', { skip, timeout: 300_000 }, () => {
  let url: string;
  before(async () => {
    ({ registryUrl: url } = await sharedKafka());
  });

  const environment = (): NodeJS.ProcessEnv => ({
    CLINSTREAM_TOPICS_NOTES: freshTopic('notes'),
    CLINSTREAM_TOPICS_ENTITIES: freshTopic('entities'),
    CLINSTREAM_TOPICS_ESCALATIONS: freshTopic('escalations'),
    CLINSTREAM_TOPICS_REVIEW: freshTopic('review'),
    CLINSTREAM_REGISTRY_URL: url,
  });
  const schemas = (what: string, env: NodeJS.ProcessEnv, ...more: string[]): Promise<Result> =>
    clinstream(['schemas', what, ...more], { env });

  it('check and register say what is there, and doing it twice changes nothing', async () => {
    const env = environment();
    const [notes, ...others] = ['NOTES', 'ENTITIES', 'ESCALATIONS', 'REVIEW'].map(
      name => env[`CLINSTREAM_TOPICS_${name}`],
    );
    const lines = (cells: string): RegExp =>
      new RegExp(`^${[notes, ...others].map(topic => `${topic}-value +${cells}\n`).join('')}$`);
    const fresh = await schemas('check', env);
    quiet(fresh);
    assert.equal(fresh.code, 0);
    assert.match(fresh.stdout, lines('new .*'));

    const registered = await schemas('register', env);
    quiet(registered);
    assert.equal(registered.code, 0);
    assert.match(registered.stdout, lines('version 1 +id \\d+'));
    assert.deepEqual(await schemas('register', env), registered);

    const same = await schemas('check', env);
    assert.equal(same.code, 0);
    assert.match(same.stdout, lines('same +version 1, id \\d+'));
  });

  it('check exits 5 and register refuses, with nothing registered, when the past could not be read', async () => {
    const env = environment();
    const subject = valueSubject(String(env.CLINSTREAM_TOPICS_ENTITIES));
    const { subjects } = client(url);
    // another house's event took the name
    await subjects.register(subject, { ...NOTE_SCHEMA, name: 'EntitiesEvent' });
    const check = await schemas('check', env);
    assert.equal(check.code, 5);
    assert.match(check.stdout, /-value +new .*\n.*-value +INCOMPATIBLE +with version 1\n {4}.*EntitiesEvent\.eventId/);
    quiet(check);

    const register = await schemas('register', env);
    assert.equal(register.code, 5);
    assert.equal(register.stdout, '');
    assert.match(register.stderr, /EntitiesEvent\.eventId[\s\S]*nothing was registered.*\[SCHEMA_INCOMPATIBLE\]/);
    assert.deepEqual(await subjects.check(valueSubject(String(env.CLINSTREAM_TOPICS_NOTES)), NOTE_SCHEMA), {
      kind: 'new',
    });
  });

  it('take the password from the environment or a file, and never show it', async () => {
    const folder = temporaryFolder('schemas');
    const front = await startFront(url);
    const right = `Basic ${Buffer.from(`me:${PASSWORD}`, 'utf8').toString('base64')}`;
    front.intercept = (request, response) =>
      request.headers.authorization !== right && json(response, 401, { message: request.headers.authorization });
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, `${PASSWORD}\n`);
    const env = {
      ...environment(),
      CLINSTREAM_REGISTRY_URL: front.url,
      CLINSTREAM_REGISTRY_USERNAME: 'me',
      CLINSTREAM_REGISTRY_AUTO_REGISTER: 'true',
    };
    try {
      const cases = [
        [0, { CLINSTREAM_REGISTRY_PASSWORD: PASSWORD }],
        [0, { CLINSTREAM_REGISTRY_PASSWORD_FILE: passwordFile }],
        [5, { CLINSTREAM_REGISTRY_PASSWORD: `${PASSWORD}2` }],
      ] as const;
      for (const [code, secret] of cases) {
        const result = await schemas('check', { ...env, ...secret });
        assert.equal(result.code, code, result.stderr);
        assert.ok(!`${result.stdout}${result.stderr}`.includes(PASSWORD));
        if (code === 5) assert.match(result.stderr, /registry\.username.*\[REGISTRY_DENIED\]\n$/);
      }
    } finally {
      await front.close();
    }
  });

  it('say what is wrong with the configuration, and that the registry is away', async () => {
    const away = await closedPort();
    const config = join(temporaryFolder('schemas-config'), 'config.json');
    writeFileSync(config, JSON.stringify({ registry: { password: PASSWORD } }));
    const cases: readonly (readonly [number, RegExp, NodeJS.ProcessEnv, string[]?])[] = [
      [2, /registry\.url: no schema registry is named.*\[CONFIG_INVALID\]/, {}],
      [2, /registry\.url: must hold no credentials/, { CLINSTREAM_REGISTRY_URL: `http://me:${PASSWORD}@127.0.0.1:1` }],
      [2, /registry\.url: must begin with http/, {}, ['--registry', 'ftp://127.0.0.1']],
      [
        2,
        /registry\.password: .* belong together/,
        { CLINSTREAM_REGISTRY_URL: url, CLINSTREAM_REGISTRY_USERNAME: 'me' },
      ],
      [2, /registry\.password must not stand in a file/, {}, ['--config', config]],
      [
        2,
        /registry\.caFile: cannot read absent\.pem.*\[CONFIG_UNREADABLE\]/,
        { CLINSTREAM_REGISTRY_URL: url, CLINSTREAM_REGISTRY_CA_FILE: 'absent.pem' },
      ],
      [5, /ECONNREFUSED.*\[REGISTRY_UNREACHABLE\]/, {}, ['--registry', away]],
      [5, /check the path of registry\.url \[REGISTRY_FAILED\]/, {}, ['--registry', new URL(url).origin]],
    ];
    await Promise.all(
      cases.map(async ([code, message, env, more = []]) => {
        const result = await schemas('check', env, ...more);
        assert.equal(result.code, code, result.stderr);
        assert.match(result.stderr, message);
        assert.equal(result.stdout, '');
        assert.ok(!result.stderr.includes(PASSWORD));
      }),
    );
  });

  it('explain themselves', async () => {
    const { code, stdout } = await clinstream(['schemas', '--help']);
    assert.equal(code, 0);
    for (const word of ['new', 'same', 'compatible', 'INCOMPATIBLE', 'BACKWARD', 'registry.autoRegister']) {
      assert.ok(stdout.includes(word), word);
    }
  });
});
