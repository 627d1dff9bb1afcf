// The project's Markdown pages as the tests see them: headings, links, what is written as code, and blocks of code with the
// remarks that stand directly above them (CONTRIBUTING.md says which there are).
import GithubSlugger from 'github-slugger'
import { Lexer, type Token, type Tokens } from 'marked'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** `<!-- not run: needs Docker -->` is the remark `not run` with this text. */
export type Remarks = ReadonlyMap<string, string>

export interface Block {
  /** Path of its page, and the line of its fence. */
  readonly place: string
  readonly language: string
  readonly text: string
  readonly remarks: Remarks
}

export interface Page {
  /** Path below the root of the project. */
  readonly file: string
  readonly blocks: readonly Block[]
  readonly anchors: ReadonlySet<string>
  readonly links: readonly string[]
  /** What is written between backticks in its text. */
  readonly spans: readonly string[]
}

const skipped = /(^|\/)(node_modules|dist[.\d]*|\.git|\.tap|\.latchkey)$/

function filesBelow (folder: string): string[] {
  return readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = folder + entry.name
    if (!entry.isDirectory()) return path.endsWith('.md') ? [path] : []
    return skipped.test(path) ? [] : filesBelow(`${path}/`)
  })
}

/** Remarks of an HTML comment, or of several. */
function remarksOf (html: string): Map<string, string> {
  return new Map([...html.matchAll(/<!--\s*([\s\S]*?)\s*-->/g)].map(([, text = '']) => {
    const [, name = '', rest = ''] = /^(run by|keeps running|not run|needs|[a-z]+)(?::|$| )\s*([\s\S]*)$/.exec(text) ?? []
    return [name, rest]
  }))
}

const childrenOf = (token: Token): Token[] => token.type === 'list'
  ? (token as Tokens.List).items
  : token.type === 'table'
    ? [...(token as Tokens.Table).header, ...(token as Tokens.Table).rows.flat()].flatMap(({ tokens }) => tokens)
    : (token as Tokens.Generic).tokens ?? []

export function readPage (file: string): Page {
  const text = readFileSync(root + file, 'utf8')
  const slugger = new GithubSlugger()
  const page = { file, blocks: [] as Block[], anchors: new Set<string>(), links: [] as string[], spans: [] as string[] }
  let seen = 0

  function noteBlock ({ raw, lang = '', text: code }: Tokens.Code, remarks: Remarks): void {
    const at = text.indexOf(raw.split('\n', 1)[0] as string, seen)
    seen = at + raw.length
    page.blocks.push({ place: `${file}:${text.slice(0, at).split('\n').length}`, language: lang.split(' ', 1)[0] as string, text: code, remarks })
  }

  function walk (tokens: readonly Token[]): void {
    let remarks = new Map<string, string>() // of the comments directly above
    for (const token of tokens) {
      if (token.type === 'html') for (const [, id = ''] of (token.raw as string).matchAll(/<a (?:id|name)="([^"]+)"/g)) page.anchors.add(id)
      if (token.type === 'heading') page.anchors.add(slugger.slug((token as Tokens.Heading).text.replaceAll('`', '').replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')))
      if (token.type === 'link' || token.type === 'image') page.links.push((token as Tokens.Link).href)
      if (token.type === 'codespan') page.spans.push((token as Tokens.Codespan).text)
      if (token.type === 'code') noteBlock(token as Tokens.Code, remarks)
      else walk(childrenOf(token))
      if (token.type === 'html') remarks = new Map([...remarks, ...remarksOf(token.raw)])
      else if (token.type !== 'space') remarks = new Map()
    }
  }
  walk(new Lexer({ gfm: true }).lex(text))
  return page
}

/** Every Markdown page of the project. */
export const pages: readonly Page[] = filesBelow('').sort().map(readPage)
export const blocks: readonly Block[] = pages.flatMap((page) => page.blocks)

/** What a fence may call a language. */
export const kindOf = ({ language, text }: Block): string => {
  if (['sh', 'bash'].includes(language)) return 'sh'
  if (['js', 'mjs', 'ts', 'json', 'yaml', 'text'].includes(language)) return language
  if (['', 'env', 'dotenv'].includes(language) && text.split('\n').every((line) => /^(#.*|[A-Z_]+=.*|)$/.test(line))) return 'env'
  return ''
}
