// Room `user`: what a hashing thread runs. The synchronous calls, on purpose: the asynchronous ones would leave this
// thread for libuv's four, which files and DNS need too.

/** `cost`: of a new hash, or that a failed comparison must look like; `next`: what is hashed if `password` fits. */
export type HashTask =
  | { kind: 'hash', password: string, cost: number }
  | { kind: 'verify', password: string, hash: string, cost: number }
  | { kind: 'replace', password: string, hash: string, next: string, cost: number }

/** @returns the cost that a hash names, the least there is if it names none */
export const costOf = (hash: string): number => Number(/^\$2.\$(\d\d)\$/.exec(hash)?.[1] ?? 4)

export default async function run (task: HashTask): Promise<string | boolean> {
  // Loaded by a task, not with this file: tasks are waited for when the pool closes, threads that start are not, and
  // one that is ended while it loads the addon ends the process (Napi::Error, found by a SIGTERM right after the start).
  const { default: bcrypt } = await import('bcrypt')
  if (task.kind === 'hash') return bcrypt.hashSync(task.password, task.cost)
  const matches = bcrypt.compareSync(task.password, task.hash)
  // an older and cheaper hash would tell by its time that the account exists: 2^c + 2^c + 2^(c+1) + ... + 2^(C-1) = 2^C
  if (!matches) for (let cost = costOf(task.hash); cost < task.cost; cost++) bcrypt.hashSync(task.password, cost)
  return matches && task.kind === 'replace' ? bcrypt.hashSync(task.next, task.cost) : matches
}
