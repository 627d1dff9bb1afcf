// Socket: the files of the console, the page for people (MISSION row 36). They are read together when somebody first asks for one of
// them, so that they fit each other, and the page is told what is mounted.
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { readFile } from 'node:fs/promises'
import type { ScopeOptions } from '../src/scope-options.ts'

/** Where `npm run build` puts them: beside this file once it is built itself, else in dist/. */
const isBuilt = !import.meta.url.endsWith('.ts')
const folder = new URL(isBuilt ? '../console/' : '../dist/console/', import.meta.url)

const types = { 'index.html': 'text/html; charset=utf-8', 'console.js': 'text/javascript; charset=utf-8', 'console.css': 'text/css; charset=utf-8', 'icon.svg': 'image/svg+xml' } as const

export type ConsoleFile = keyof typeof types

declare module 'fastify' {
  interface FastifyInstance {
    /** Absent where the console is not mounted. */
    consoleFile: (name: ConsoleFile) => Promise<{ type: string, text: string }>
  }
}

export default fp<ScopeOptions>(async function consoleFiles (scope: FastifyInstance, { config, parts }) {
  const told = `data-parts="${[...parts].join(' ')}" data-docs="${onOff(config.docs)}" data-timing="${onOff(config.serverTiming)}"`
  let files: Promise<Record<ConsoleFile, string>> | undefined

  async function readAll (): Promise<Record<ConsoleFile, string>> {
    const texts = await Promise.all(Object.keys(types).map(async (name) => [name, await readFile(new URL(name, folder), 'utf8')] as const))
    const read = Object.fromEntries(texts) as Record<ConsoleFile, string>
    return { ...read, 'index.html': read['index.html'].replace('data-parts="" data-docs="" data-timing=""', told) }
  }

  scope.decorate('consoleFile', async (name) => {
    const reading = files ?? readAll()
    files = isBuilt ? reading : undefined // who works on it sees each build
    try {
      return { type: types[name], text: (await reading)[name] }
    } catch (error) {
      files = undefined
      throw new Error('the page of the console is not there: it is made by `npm run build`', { cause: error })
    }
  })
}, { name: 'latchkey-console-files' })

const onOff = (isOn: boolean): string => isOn ? 'on' : 'off'
