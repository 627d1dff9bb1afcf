// Room `worker`: no connection is lost with a worker that dies. Node's round robin keeps one open that it has sent to a worker
// and that was not taken, and forgets it (nodejs/node#21746): its client would wait for ever. Here another worker gets it. A
// worker says that it has taken a connection before it reads from it, so nothing of what was not taken has been read.
import type { ChildProcess } from 'node:child_process'
import type { Server } from 'node:net'

/** A connection as Node's own parts pass it on; `fd` is negative once it is closed here. */
export interface Handle { readonly fd: number, close: () => void }

const isOpen = ({ fd }: Handle): boolean => fd >= 0

/** In the primary. @param give told of each connection that the process has left behind */
export function keepUntaken (child: ChildProcess, give: (handle: Handle) => void): void {
  const send = child.send.bind(child) as (...args: unknown[]) => boolean
  let underway: Handle[] = []
  child.send = (...args: unknown[]): boolean => {
    const handle = args[1] as Handle | undefined
    if (typeof handle?.fd === 'number') underway = [...underway.filter(isOpen), handle]
    return send(...args)
  }
  child.once('exit', function giveOn (): void {
    if (child.connected) setImmediate(giveOn) // until what it has said is read to the end: Node tells of that only where nothing is underway
    else setImmediate(() => { underway.filter(isOpen).forEach(give) })
  })
}

/** In a worker: the server has the connection as if Node had given it. */
export function takeConnection (server: Server, handle: Handle): void {
  const { _handle: listener } = server as { _handle?: { onconnection: (error: number, handle: Handle) => void } | null }
  if (listener) listener.onconnection(0, handle)
  else handle.close() // it has stopped listening
}
