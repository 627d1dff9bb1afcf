// Room `user`: what a hashing thread runs. The synchronous calls, on purpose: the asynchronous ones would leave this
// thread for libuv's four, which files and DNS need too.
import bcrypt from 'bcrypt'

export type HashTask = { kind: 'hash', password: string, cost: number } | { kind: 'verify', password: string, hash: string }

export default function run (task: HashTask): string | boolean {
  return task.kind === 'hash' ? bcrypt.hashSync(task.password, task.cost) : bcrypt.compareSync(task.password, task.hash)
}
