// Told "open", it tries to open the folder, says how that went and keeps it; told "close", it lets go.
import type { EmbeddedClient } from '../../../src/embedded/embedded-client.ts'
import { openStore } from './helper.ts'

const [dir = ''] = process.argv.slice(2)
let held: EmbeddedClient | undefined

async function obey (command: 'open' | 'close'): Promise<string> {
  try {
    if (command === 'open') held = (await openStore(dir)).client
    else await held?.close()
    return command
  } catch (error) {
    return (error as Error).message
  }
}

process.on('message', (command: 'open' | 'close') => { void obey(command).then((answer) => process.send?.(answer)) })
process.send?.('ready')
