// The commands of docs/http-api.md: one for each operation, which works after those before it.
import { schemesOf, type Media, type Named } from './http-api-document.ts'

/** What the document cannot say of a command: values that come from an earlier answer, and what it leaves behind. */
interface Trial {
  /** JSON of the body as bash reads it between double quotes. */
  body?: string
  /** Lines before the command. */
  first?: string[]
  parameters?: Record<string, string>
  options?: string
  /** Shown behind this operation, whose answer it needs. */
  after?: string
  /** The session of `$token` is over afterwards. */
  endsSession?: true
}

const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='

const trials: Record<string, Trial> = {
  refresh: { body: '{\\"refreshToken\\":\\"$refresh\\"}' },
  logout: { endsSession: true },
  logoutAll: { endsSession: true },
  changePassword: { endsSession: true },
  endSession: { parameters: { id: '$sid' }, endsSession: true },
  uploadAvatar: { first: [`base64 -d > me.png <<< ${picture}`], options: '-F avatar=@me.png' },
  getAvatar: { first: ['avatar=$(curl -s http://127.0.0.1:3000/api/auth/profile -H "authorization: Bearer $token" | sed \'s/.*avatars.\\([^"]*\\)".*/\\1/\')'], parameters: { id: '$avatar' }, options: '-o picture.png', after: 'uploadAvatar' },
  describeProblem: { parameters: { code: 'token_expired' } }
}

/** Makes an account whose tokens the examples use. */
export const signIn = [
  'name=reader-$RANDOM',
  'answer=$(curl -s http://127.0.0.1:3000/api/auth/register -H \'content-type: application/json\' \\',
  '  -d "{\\"email\\":\\"$name@example.com\\",\\"username\\":\\"$name\\",\\"password\\":\\"correct horse battery\\"}")',
  'field () { sed "s/.*\\"$1\\":\\"\\([^\\"]*\\)\\".*/\\1/" <<< "$answer"; }',
  'token=$(field accessToken) refresh=$(field refreshToken) sid=$(field \'session":{"id\')'
]

const exampleOf = ({ example, examples = {} }: Media): unknown => example ?? Object.values(examples)[0]?.value

/** Lines of the example of an operation. */
export function command (operation: Named): string[] {
  const { body, first = [], parameters = {}, options } = trials[operation.operationId] ?? {}
  const schemes = schemesOf(operation)
  const json = operation.requestBody?.content['application/json']
  const data = body !== undefined ? `"${body}"` : operation.requestBody?.required && json !== undefined ? `'${JSON.stringify(exampleOf(json))}'` : undefined
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => parameters[name] ?? name)
  const asGuest = schemes.has('visitCookie') || schemes.has('preferencesCookie')
  const usual = data !== undefined || options?.startsWith('-F') === true ? 'post' : 'get'
  const parts = [
    'curl -s',
    ...(operation.method === usual ? [] : [`-X ${operation.method.toUpperCase()}`]),
    ...(asGuest ? ['-c jar -b jar'] : []),
    `http://127.0.0.1:3000${path}`,
    ...(schemes.has('bearer') && !asGuest && body === undefined && !schemes.has('metricsToken') ? ['-H "authorization: Bearer $token"'] : []),
    ...(options === undefined ? [] : [options]),
    ...(data === undefined ? [] : [`-H 'content-type: application/json' \\\n  -d ${data}`])
  ]
  return [...first, parts.join(' ')]
}

/** Whether the tokens of `signIn` are dead after the example. */
export const endsSession = ({ operationId }: Named): boolean => trials[operationId]?.endsSession === true

/** Moves operations that need the answer of a later one behind it. */
export function inOrderOfNeed (operations: Named[]): Named[] {
  const needed = ({ operationId }: Named): string | undefined => trials[operationId]?.after
  return operations.filter((one) => needed(one) === undefined).flatMap((one) => [one, ...operations.filter((other) => needed(other) === one.operationId)])
}
