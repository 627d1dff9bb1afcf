// Watches one core (taskset) until it is told to stop: a process of the highest priority that does nothing but wake up each
// millisecond. Where it wakes late, nobody on this core could have run: the hypervisor gave it to somebody else.
import os from 'node:os'

const leastMs = Number(process.argv[2])
try {
  os.setPriority(-20)
} catch { /* only root may; then it sees waiting for other processes, too */ }
const stalls = []
let last = performance.now()
setInterval(() => {
  const now = performance.now()
  if (now - last > leastMs) stalls.push([performance.timeOrigin + last, performance.timeOrigin + now])
  last = now
}, 1)
process.once('message', () => { process.send(stalls, () => process.exit(0)) })
process.once('disconnect', () => process.exit(1))
process.send('watching')
