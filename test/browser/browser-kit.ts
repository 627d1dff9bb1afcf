// For the stories in a real browser: Chromium, the browser app of the examples as a process of its own, and what both of them saw.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { buildIfNewer } from '../../scripts/build.mjs'
import { newPerson, type Person } from '../helper/people.ts'
import { scratchFolder } from '../helper/scratch.ts'

// on a closed network Chromium looks for its maker's hosts at every start
const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

export async function startBrowser (t: Test): Promise<Browser> {
  const executablePath = process.env['CHROMIUM']
  if (executablePath === undefined) throw new Error('Which browser? Use: npm run test:browser')
  // kept pages (bfcache) are what people's browsers have
  const browser = await chromium.launch({ executablePath, args: quiet, ignoreDefaultArgs: ['--disable-back-forward-cache'] })
  t.teardown(() => browser.close())
  t.comment(`measured: Chromium ${browser.version()} was really used`)
  return browser
}

export interface App {
  readonly origin: string
  advance: (minutes: number) => Promise<void>
  /** Whether everything is answered 503. */
  out: (out: boolean) => Promise<void>
  /** Kills the process; a second one at the same address serves the same accounts. */
  kill: () => Promise<void>
  start: () => Promise<void>
}

/** The example as its reader starts it, from the packed package where `npm run test:browser` has installed that. */
export async function startApp (t: Test): Promise<App> {
  const file = process.env['BROWSER_APP'] ?? fileURLToPath(new URL('../../examples/browser-app/server.mjs', import.meta.url))
  if (process.env['BROWSER_APP'] === undefined) buildIfNewer()
  const clock = new URL('../helper/movable-clock.mjs', import.meta.url).href
  const dataDir = scratchFolder(t)
  let child: ChildProcess
  let origin = ''

  async function start (): Promise<void> {
    const { port } = origin === '' ? { port: '0' } : new URL(origin)
    child = fork(file, { execArgv: ['--import', clock], silent: true, env: { PATH: process.env['PATH'], PORT: port, DATA_DIR: dataDir } })
    let printed = ''
    const listening = new Promise<string>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (chunk: Buffer) => {
          printed += chunk.toString()
          const [, found] = /listening on http:\/\/\S+:(\d+)/.exec(printed) ?? []
          if (found !== undefined) resolve(`http://127.0.0.1:${found}`)
        })
      }
    })
    const ended = once(child, 'exit').then(() => { throw new Error(`the example ended: ${printed}`) })
    ended.catch(() => { /* as it should, later */ })
    origin = await Promise.race([listening, ended])
  }

  async function kill (): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  async function tell (message: object): Promise<void> {
    const heard = once(child, 'message')
    child.send(message)
    await heard
  }

  await start()
  t.teardown(kill)
  return {
    get origin () { return origin },
    advance: async (minutes) => { await tell({ advanceMs: minutes * 60_000 }) },
    out: async (out) => { await tell({ out }) },
    kill,
    start
  }
}

/** One browser's worth of tabs and cookies, and every request that they send. */
export interface Tabs {
  context: BrowserContext
  /** Such as `POST /api/auth/refresh 200`, as soon as it is answered. */
  readonly answered: string[]
  refreshes: () => number
  /** A tab with the app, when it knows whether somebody is signed in. */
  open: () => Promise<Page>
  /** What the tabs complained about. */
  readonly complaints: string[]
}

export async function openTabs (t: Test, browser: Browser, app: App): Promise<Tabs> {
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const answered: string[] = []
  const complaints: string[] = []
  const sent: string[] = []
  context.on('request', (request) => { sent.push(`${request.method()} ${new URL(request.url()).pathname}`) })
  context.on('response', (response) => { answered.push(`${response.request().method()} ${new URL(response.url()).pathname} ${response.status()}`) })
  context.on('weberror', (error) => { complaints.push(String(error.error())) })
  return {
    context,
    answered,
    refreshes: () => sent.filter((what) => what === 'POST /api/auth/refresh').length,
    complaints,
    async open () {
      const page = await context.newPage()
      await page.goto(app.origin)
      await page.locator('#sign-in:visible, #signed-in:visible').first().waitFor()
      return page
    }
  }
}

/** Makes an account through the form of the page. */
export async function registerIn (page: Page, person: Person = newPerson()): Promise<Person> {
  await page.fill('[name=email]', person.email)
  await page.fill('[name=username]', person.username)
  await page.fill('[name=password]', person.password)
  await page.click('[name=register]')
  await page.locator('#signed-in').waitFor()
  return person
}

/** The statuses of so many calls at once, from the page's own script. @param client expression of a client in the page */
export async function callAtOnce (page: Page, times: number, client = 'window.latchkey'): Promise<number[]> {
  return await page.evaluate(`Promise.all(Array.from({ length: ${times} }, async () => (await ${client}.api.GET('/api/auth/profile')).response.status))`)
}

/** A server of another origin. */
export async function startSite (t: Test, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
