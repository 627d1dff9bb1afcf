// Socket: the files of the console, the page for people (MISSION row 36). They are read when somebody first asks for them, and
// the page is told what is mounted.
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { readFile } from 'node:fs/promises'
import type { ScopeOptions } from '../src/scope-options.ts'

/** Where `npm run build` puts them: beside this file once it is built itself, else in dist/. */
const folder = new URL(import.meta.url.endsWith('.ts') ? '../dist/console/' : '../console/', import.meta.url)

const types = { 'index.html': 'text/html; charset=utf-8', 'console.js': 'text/javascript; charset=utf-8', 'console.css': 'text/css; charset=utf-8', 'icon.svg': 'image/svg+xml' } as const

export type ConsoleFile = keyof typeof types

declare module 'fastify' {
  interface FastifyInstance {
    /** Absent where the console is not mounted. */
    consoleFile: (name: ConsoleFile) => Promise<{ type: string, text: string }>
  }
}

export default fp<ScopeOptions>(async function consoleFiles (scope: FastifyInstance, { config, parts }) {
  const read = new Map<ConsoleFile, Promise<string>>()

  async function textOf (name: ConsoleFile): Promise<string> {
    const text = await readFile(new URL(name, folder), 'utf8')
    return name === 'index.html' ? text.replace('data-parts="" data-docs=""', `data-parts="${[...parts].join(' ')}" data-docs="${config.docs ? 'on' : 'off'}"`) : text
  }

  scope.decorate('consoleFile', async (name) => {
    const text = read.get(name) ?? textOf(name)
    read.set(name, text)
    text.catch(() => { read.delete(name) })
    return { type: types[name], text: await text }
  })
}, { name: 'latchkey-console-files' })
