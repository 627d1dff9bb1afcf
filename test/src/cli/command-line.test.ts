// The command line itself: help, version, and what it does with words that it does not know.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openEmbeddedClient } from '../../../src/embedded/embedded-client.ts'
import { ownEnvironment, plainReason } from '../../../src/launch.ts'
import { version } from '../../../src/version.ts'
import { runCommand } from '../../helper/command.ts'
import { createTestClock } from '../../helper/clock.ts'
import { createDeployment } from '../../helper/service.ts'
import { scratchFolder } from '../../helper/scratch.ts'

await t.test('help names every command; each command has its own', async (t) => {
  for (const flag of ['--help', '-h']) {
    const { code, out, err } = await runCommand([flag])
    t.strictSame([code, err], [0, ''])
    for (const word of ['start', 'import', 'role', '--version', 'Exit code']) t.match(out, word)
    for (const command of ['start', 'import', 'role']) t.match(await runCommand([command, flag]), { code: 0, out: `Usage: latchkey ${command}`, err: '' })
  }
  const { out } = await runCommand(['import', '--from', 'x', '--help'])
  for (const option of ['--from', '--users', '--sessions', '--users-collection', '--sessions-collection', '--dry-run']) t.match(out, option)
  t.ok(out.split('\n').every((line) => line.length <= 130), 'on a screen')
})

await t.test('the version is the package\'s', async (t) => {
  for (const flag of ['--version', '-v']) t.strictSame(await runCommand([flag]), { code: 0, out: `${version}\n`, err: '' })
})

await t.test('without a command, and with `start`, the service is started', async (t) => {
  let started = 0
  const start = async (): Promise<void> => { started++ }
  for (const args of [[], ['start']]) t.strictSame(await runCommand(args, {}, { start }), { code: 0, out: '', err: '' })
  t.equal(started, 2)
  t.match(await runCommand(['start', '--port', '80'], {}, { start }), { code: 2, err: 'there is no option --port' })
  t.equal(started, 2)
})

await t.test('a word that is not known is an error of its own kind, and no value is repeated', async (t) => {
  const secret = 'mongodb://u:PaSSword@h/d'
  for (const [args, said] of [
    [['exprot'], 'latchkey: there is no command exprot.\nSee latchkey --help'],
    [['__proto__'], 'there is no command __proto__'],
    [['--port=80'], 'there is no option --port without a command'],
    [['import'], 'latchkey import: it needs --from, --users or --sessions.\nSee latchkey import --help'],
    [['import', `--form=${secret}`], 'there is no option --form'],
    [['import', secret], 'it takes options only'],
    [['import', '--from'], '--from needs a value'],
    [['import', '--from', '--dry-run'], '--from needs a value'],
    [['import', '--dry-run=yes', '--users', 'x'], '--dry-run takes no value'],
    [['import', '-x'], 'there is no option -x'],
    [['import', '-ö'], 'there is no option of this name'],
    [['import', '--from', secret.replace('mongodb', 'postgres')], '--from is no address of a MongoDB'],
    [['import', '--from', 'mongodb://u:PaSSword@h:port/d'], '--from is no address of a MongoDB']
  ] as const) {
    const ran = await runCommand(args)
    t.equal(ran.code, 2, args.join(' '))
    t.match(ran.err, said)
    t.notMatch(ran.err + ran.out, /PaSSword|\n\s+at /)
  }
})

await t.test('a configuration that cannot be used is said as at the start', async (t) => {
  const ran = await runCommand(['import', '--users', 'x.json'], { ...createDeployment(t).env, PORT: 'http' })
  t.equal(ran.code, 1)
  t.match(ran.err, /The configuration cannot be used:\n {2}- PORT/)
})

await t.test('a failure that a person can mend is a sentence; a server\'s own words, which may quote a record, are not repeated', async (t) => {
  const failure = (fields: object): Error => Object.assign(new Error('it quotes ada@leak-mark'), fields)
  t.match(plainReason(failure({ code: 'EADDRINUSE' })), 'Set PORT')
  t.match(plainReason(failure({ code: 'EADDRNOTAVAIL', syscall: 'listen' })), 'Set HOST')
  t.match(plainReason(failure({ code: 'EACCES', syscall: 'listen' })), 'Set PORT')
  t.equal(plainReason(failure({ code: 'EACCES', syscall: 'mkdir', path: '/srv/x' })), '/srv/x cannot be used (mkdir: EACCES). Set DATA_DIR to a folder in which this user may write, with room left.')
  t.match(plainReason(failure({ code: 'ECONNREFUSED' })), 'does not answer')
  t.equal(plainReason(failure({ name: 'MongoParseError' })), 'MONGODB_URI cannot be used: it has an option that there is not, or a value that an option cannot have.')
  t.equal(plainReason(failure({ name: 'MongoServerError', code: 18, codeName: 'AuthenticationFailed' })), 'MongoDB refuses (AuthenticationFailed, code 18).')
  t.equal(plainReason(failure({ name: 'MongoServerError' })), 'MongoDB refuses (MongoServerError, code unknown).')
  t.equal(plainReason(new TypeError('x')), undefined)
  const ran = await runCommand(['start'], {}, { start: async () => { throw new TypeError('a bug') } })
  t.match(ran, { code: 1, err: /TypeError: a bug\n\s+at / })
})

await t.test('a `.env` in the working folder counts, and the environment counts more', async (t) => {
  const [folder, before] = [scratchFolder(t), process.cwd()]
  process.env['LATCHKEY_TEST_THERE'] = 'the environment'
  t.teardown(() => {
    process.chdir(before)
    for (const name of ['LATCHKEY_TEST_THERE', 'LATCHKEY_TEST_NEW']) Reflect.deleteProperty(process.env, name)
  })
  process.chdir(folder)
  t.equal(ownEnvironment()['LATCHKEY_TEST_NEW'], undefined)
  writeFileSync(join(folder, '.env'), 'LATCHKEY_TEST_THERE=the file\nLATCHKEY_TEST_NEW=the file\n')
  t.match(ownEnvironment(), { LATCHKEY_TEST_THERE: 'the environment', LATCHKEY_TEST_NEW: 'the file' })
})

await t.test('an embedded store in use is said, with what to do', async (t) => {
  const deployment = createDeployment(t, {})
  const client = await openEmbeddedClient({ dir: deployment.env['DATA_DIR'] as string, clock: createTestClock() })
  t.teardown(() => client.close())
  for (const args of [['import', '--users', 'x.json'], ['role', 'nobody@leak-mark.example', 'admin']]) {
    const ran = await runCommand(args, deployment.env)
    t.match(ran, { code: 1, err: /is already open in this process.*\nStop that process for as long as this command runs\.\n$/ })
  }
})
