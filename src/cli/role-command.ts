// Command line: `latchkey role`, which makes an administrator, or a user again.
import { configure } from '../launch.ts'
import { isReached, openAccounts, type OfflineApp } from '../offline.ts'
import { emailKeyOf, type UserRecord } from '../user/user-record.ts'
import { exit, type Io } from './io.ts'
import { parse, UsageError } from './parse.ts'

const roles: readonly string[] = ['user', 'admin'] satisfies UserRecord['role'][]

export async function roleCommand (args: readonly string[], io: Io): Promise<number> {
  const { positionals: [email, role] } = parse(args, {}, 2)
  if (email === undefined || role === undefined) throw new UsageError('it needs an e-mail address and a role')
  if (!roles.includes(role)) throw new UsageError('the role is `user` or `admin`')
  const emailKey = emailKeyOf(email)
  if (emailKey === undefined) throw new UsageError('the first argument is no e-mail address')

  const app = await openAccounts({ config: configure(io.environment()), clock: io.clock, randomBytes: io.randomBytes, warn: (line) => { io.err(`${line}\n`) } })
  try {
    await isReached(app.pingMongo)
    const user = await app.users.findByEmailKey(emailKey)
    if (user === null) {
      io.err('No account has this e-mail address.\n')
      return exit.failed
    }
    const hears = app.redisPort === undefined || await isReached(app.redisPort.isConnected)
    await giveRole(app, user, role as UserRecord['role'], new Date(io.clock.wall()))
    io.out(`The account ${user._id} has the role ${role} now; it had ${user.role}.`)
    if (hears) return exit.done
    io.err('Redis does not answer, so running instances were not told and may show the old role for a while. Run the command again when it does.\n')
    return exit.failed
  } finally {
    await app.close()
  }
}

/** The one place that changes a role: the record, and the copies of it that instances hold. Nobody is logged out by it. */
async function giveRole (app: OfflineApp, { _id, emailKey }: UserRecord, role: UserRecord['role'], now: Date): Promise<void> {
  await app.changeAccount(_id, () => app.users.setRole(emailKey, role, now))
}
