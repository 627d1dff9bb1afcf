// `npm start`: builds if the sources are newer than dist/, then becomes the service.
import { buildIfNewer } from './build.mjs'

// A signal that npm is sent ends npm and its shell, and the shell leaves what it runs alone: who loses its starter was meant, too.
const starter = process.ppid
let watch
if (process.env.npm_lifecycle_event === 'start' && process.platform !== 'win32') {
  watch = setInterval(() => {
    if (process.ppid === starter) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 250).unref()
}

buildIfNewer()
process.setSourceMapsEnabled(true)
await import('../dist/src/server.js')
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => { clearInterval(watch) }) // a second one would cut short what is answered
