// One thread at the priority of the meek hashing threads that does nothing but compare passwords at cost 12, until it is told to stop: what bcrypt
// gives on the core that it shares with the server.
import bcrypt from 'bcrypt'
import os from 'node:os'

os.setPriority(19)
const hash = bcrypt.hashSync('a password', 12)
let [done, isOver] = [0, false]
process.on('message', () => { isOver = true })
process.on('disconnect', () => process.exit(1))
process.send('hashing')
const begin = performance.now()
const next = () => {
  bcrypt.compareSync('a password', hash)
  done++
  if (!isOver) return setImmediate(next)
  process.send({ perSecond: done / (performance.now() - begin) * 1000 }, () => process.exit(0))
}
next()
